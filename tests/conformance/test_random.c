/* uniform, normal, bernoulli: Philox's published vectors, the draw order, the same bits on every backend, the moments. */
#include <math.h>
#include <string.h>

#include "cases.h"
#include "check.h"

/* Philox4x32-10, written again from Salmon et al. 2011, so that the header is checked too. */
static void philox(uint64_t seed, uint64_t block, uint32_t *w) {
	uint32_t c[4] = {(uint32_t)block, (uint32_t)(block >> 32), 0, 0}, k[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
	for (int round = 0; round < 10; round++) {
		uint64_t a = (uint64_t)c[0] * 0xD2511F53u, b = (uint64_t)c[2] * 0xCD9E8D57u;
		uint32_t next[4] = {(uint32_t)(b >> 32) ^ c[1] ^ k[0], (uint32_t)b, (uint32_t)(a >> 32) ^ c[3] ^ k[1], (uint32_t)a};
		memcpy(c, next, sizeof c);
		k[0] += 0x9E3779B9u;
		k[1] += 0xBB67AE85u;
	}
	memcpy(w, c, sizeof c);
}

/* Random123's known answer for counter 0, key 0. */
static void test_known_answer(void) {
	uint32_t w[4];
	philox(0, 0, w);
	MT_CHECK_INT(w[0], 0x6627e8d5);
	MT_CHECK_INT(w[1], 0xe169c58d);
	MT_CHECK_INT(w[2], 0xbc57ac4c);
	MT_CHECK_INT(w[3], 0x9b00dbd8);
}

static uint32_t word32(uint64_t seed, uint64_t offset, int64_t e) {
	uint32_t w[4];
	philox(seed, offset + (uint64_t)e / 4, w);
	return w[e % 4];
}

static uint64_t word64(uint64_t seed, uint64_t offset, int64_t e) {
	uint32_t w[4];
	philox(seed, offset + (uint64_t)e / 2, w);
	return (uint64_t)w[2 * (e % 2) + 1] << 32 | w[2 * (e % 2)];
}

static const uint64_t seeds[] = {0, 1, 0xfedcba9876543210u};
static const uint64_t offsets[] = {0, 5, 0xfffffffeu}; /* the last one carries into the counter's second word */

/* Every host draws the same bits: what the first one drew. */
static uint64_t first_digest;

static void same_bits(struct kc_host *h, const char *what) {
	if (first_digest == 0)
		first_digest = h->digest;
	MT_CHECK_MSG(h->digest == first_digest, "%s: %s has other bits than the first backend", h->label, what);
}

static void done(struct kc_host *h) {
	kc_reset(h);
	kc_reference_reset();
}

static long double expected_uniform(int32_t dtype, uint64_t seed, uint64_t offset, int64_t e, double low, double high) {
	int bits = dtype == MT_F64 ? 53 : dtype == MT_F32 ? 24 : dtype == MT_F16 ? 11 : 8;
	uint64_t draw = dtype == MT_F64 ? word64(seed, offset, e) >> 11 : word32(seed, offset, e) >> (32 - bits);
	return low + ldexpl((long double)draw, -bits) * ((long double)high - low);
}

static void uniform_row(struct kc_host *h, int32_t dtype, int layout, int i, double low, double high) {
	const int64_t shape[] = {3, 5, 7};
	struct kc_array *y = kc_new(h, KC_OUT, dtype, 3, shape, (enum kc_layout)layout);
	const struct mt_uniform_args args = {.struct_size = sizeof args, .out = &y->array, .low = low, .high = high,
	                                     .pos = {seeds[i], offsets[i], NULL}};
	long double *expected = kc_reference(y->numel), *scale = kc_reference(y->numel);
	for (int64_t e = 0; e < y->numel; e++) {
		expected[e] = expected_uniform(dtype, seeds[i], offsets[i], e, low, high);
		scale[e] = fabs(low) + fabs(high);
	}
	if (kc_run(h, MT_K_UNIFORM, &args)) {
		kc_check(h, y, expected, low == 0 ? NULL : scale, low == 0 ? 0 : 2, "uniform %s %s", kc_dtype_name(dtype), kc_layout_names[layout]);
		for (int64_t e = 0; e < y->numel; e++)
			MT_CHECK_MSG(y->values[e] >= low && y->values[e] < high, "%s: uniform %s gave %.17g outside [%g, %g)", h->label,
			             kc_dtype_name(dtype), y->values[e], low, high);
	}
	done(h);
}

static void uniforms(struct kc_host *h) {
	for (int32_t t = MT_F32; t <= MT_BF16; t++)
		for (int i = 0; i < 3; i++)
			for (int layout = 0; layout < KC_LAYOUTS; layout++)
				if (kc_has(h, MT_K_UNIFORM, 0, t, 0)) {
					uniform_row(h, t, layout, i, 0, 1);
					uniform_row(h, t, layout, i, -3, 5);
				}
	same_bits(h, "uniform");
}

static void bernoullis(struct kc_host *h) {
	const int64_t shape[] = {4, 33};
	const double ps[] = {0, 0.25, 0.9, 1};
	for (int32_t t = MT_F32; t < MT_DTYPE_END_; t++)
		for (int i = 0; i < 4; i++)
			for (int layout = 0; layout < KC_LAYOUTS; layout++) {
				if (!kc_has(h, MT_K_BERNOULLI, 0, t, 0))
					continue;
				struct kc_array *y = kc_new(h, KC_OUT, t, 2, shape, (enum kc_layout)layout);
				const struct mt_bernoulli_args args = {.struct_size = sizeof args, .out = &y->array, .p = ps[i], .pos = {7, offsets[i % 3], NULL}};
				long double *expected = kc_reference(y->numel);
				for (int64_t e = 0; e < y->numel; e++)
					expected[e] = word32(7, offsets[i % 3], e) < (uint64_t)(ps[i] * 4294967296.0);
				if (kc_run(h, MT_K_BERNOULLI, &args))
					kc_check(h, y, expected, NULL, 0, "bernoulli %s p %g %s", kc_dtype_name(t), ps[i], kc_layout_names[layout]);
				done(h);
			}
	same_bits(h, "bernoulli");
}

/* Box and Muller 1958 over the same draws, in long double.  Pairs (2j, 2j+1) share two draws. */
static long double expected_normal(int32_t dtype, uint64_t seed, uint64_t offset, int64_t e) {
	const long double two_pi = 2 * acosl(-1.0L);
	int wide = dtype == MT_F64;
	int64_t even = e - e % 2;
	long double u1, turn;
	if (wide) {
		u1 = ((long double)(word64(seed, offset, even) >> 11) + 1) * 0x1p-53L;
		turn = (long double)word64(seed, offset, even + 1) * 0x1p-64L;
	} else {
		u1 = ((long double)(word32(seed, offset, even) >> 8) + 1) * 0x1p-24L;
		turn = (long double)word32(seed, offset, even + 1) * 0x1p-32L;
	}
	long double r = sqrtl(-2 * logl(u1));
	return e % 2 ? r * sinl(two_pi * turn) : r * cosl(two_pi * turn);
}

static void normals(struct kc_host *h) {
	const int64_t shape[] = {41, 5};
	for (int32_t t = MT_F32; t <= MT_BF16; t++)
		for (int i = 0; i < 3; i++)
			for (int layout = 0; layout < KC_LAYOUTS; layout++) {
				if (!kc_has(h, MT_K_NORMAL, 0, t, 0))
					continue;
				struct kc_array *y = kc_new(h, KC_OUT, t, 2, shape, (enum kc_layout)layout);
				const double mean = i == 2 ? 3 : 0, std = i == 2 ? 0.5 : 1;
				const struct mt_normal_args args = {.struct_size = sizeof args, .out = &y->array, .mean = mean, .std = std,
				                                    .pos = {seeds[i], offsets[i], NULL}};
				long double *expected = kc_reference(y->numel), *scale = kc_reference(y->numel);
				for (int64_t e = 0; e < y->numel; e++) {
					expected[e] = mean + std * expected_normal(t, seeds[i], offsets[i], e);
					scale[e] = 4; /* sines near a multiple of pi keep their absolute, not their relative error */
				}
				if (kc_run(h, MT_K_NORMAL, &args))
					kc_check(h, y, expected, scale, 8, "normal %s %s", kc_dtype_name(t), kc_layout_names[layout]);
				done(h);
			}
	same_bits(h, "normal");
}

static void moments(struct kc_host *h) {
	const int64_t shape[] = {200000};
	struct kc_array *y = kc_new(h, KC_OUT, MT_F32, 1, shape, KC_CONTIGUOUS);
	const struct mt_normal_args args = {.struct_size = sizeof args, .out = &y->array, .mean = 0, .std = 1, .pos = {3, 0, NULL}};
	if (kc_has(h, MT_K_NORMAL, 0, MT_F32, 0) && kc_run(h, MT_K_NORMAL, &args)) {
		double m[5] = {0};
		for (int64_t e = 0; e < y->numel; e++)
			for (int k = 1; k < 5; k++)
				m[k] += pow(y->values[e], k) / (double)y->numel;
		/* five standard errors of each */
		MT_CHECK_NEAR(m[1], 0, 5 / sqrt(200000.0));
		MT_CHECK_NEAR(m[2], 1, 5 * sqrt(2 / 200000.0));
		MT_CHECK_NEAR(m[3], 0, 5 * sqrt(15 / 200000.0));
		MT_CHECK_NEAR(m[4], 3, 5 * sqrt(96 / 200000.0));
	}
	same_bits(h, "a large normal");
	done(h);
}

static void run(kc_case_fn fn) {
	first_digest = 0;
	kc_each_host(fn);
}

static void test_uniform(void) {
	run(uniforms);
}

static void test_bernoulli(void) {
	run(bernoullis);
}

static void test_normal(void) {
	run(normals);
}

static void test_moments(void) {
	run(moments);
}

const mt_test_case kc_random_cases[] = {{"known_answer", test_known_answer}, {"uniform", test_uniform}, {"bernoulli", test_bernoulli},
                                        {"normal", test_normal}, {"moments", test_moments}, {0}};
