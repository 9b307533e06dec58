/* Random tensors: the stream, its consumption, ranges, moments, permutations. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backends.h"
#include "mt/philox.h"

#define SEED UINT64_C(0x123456789ABCDEF0)

static void check_offset(uint64_t expected) {
	uint64_t seed = 0, offset = ~UINT64_C(0);
	mt_rng_get(&seed, &offset);
	MT_CHECK(seed == SEED);
	MT_CHECK_INT(offset, expected);
}

static void test_state(void) {
	uint64_t seed, offset;
	mt_seed(7);
	mt_rng_get(&seed, &offset);
	MT_CHECK(seed == 7 && offset == 0);
	mt_rng_set(UINT64_MAX, 12);
	mt_rng_get(&seed, NULL);
	mt_rng_get(NULL, &offset);
	MT_CHECK(seed == UINT64_MAX && offset == 12);
}

/* ---- floats: the stream that mt/philox.h specifies ---------------------------------------------------------------- */

static void on_uniform(void) {
	float f[11];
	double d[5];
	mt_rng_set(SEED, 3);
	mt_tensor *a = mt_uniform(MT_SHAPE(11), MT_F32, -2, 3), *b = mt_rand(MT_SHAPE(5), MT_F64);
	MT_REQUIRE(mt_to_host(a, f, sizeof f) == MT_OK && mt_to_host(b, d, sizeof d) == MT_OK);
	check_offset(3 + 3 + 3);
	for (int e = 0; e < 11; e++) {
		uint32_t w[4];
		mt_philox_block(SEED, (uint64_t)(3 + e / 4), w);
		MT_CHECK(f[e] == mt_uniform_f32(w[e % 4], mt_uniform_range_f32(-2, 3)));
	}
	for (int e = 0; e < 5; e++) {
		uint32_t w[4];
		mt_philox_block(SEED, (uint64_t)(6 + e / 2), w);
		MT_CHECK(d[e] == mt_uniform_f64(mt_philox_u64(w, e % 2), mt_uniform_range_f64(0, 1)));
	}
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16, MT_BF16};
	for (int i = 0; i < 4; i++) {
		row("%s", mt_dtype_name(dtypes[i]));
		double *v = elements(mt_uniform(MT_SHAPE(5000), dtypes[i], 1, 1.5)), sum = 0;
		MT_REQUIRE(v != NULL);
		int outside = 0;
		for (int e = 0; e < 5000; e++) {
			outside += !(v[e] >= 1 && v[e] < 1.5);
			sum += v[e];
		}
		MT_CHECK_INT(outside, 0);
		MT_CHECK_NEAR(sum / 5000, dtypes[i] == MT_BF16 ? 1.25 - 0x1p-8 : 1.25, 0.01);
		free(v);
	}
}

static void test_uniform(void) {
	each_backend(on_uniform);
}

static void on_normal(void) {
	float f[6];
	mt_rng_set(SEED, 0);
	MT_REQUIRE(mt_to_host(mt_normal(MT_SHAPE(2, 3), MT_F32, 10, 2), f, sizeof f) == MT_OK);
	check_offset(2);
	for (int e = 0; e < 6; e++) {
		float z[4];
		mt_normal_block_f32(SEED, (uint64_t)(e / 4), z);
		MT_CHECK(f[e] == fmaf(2, z[e % 4], 10));
	}
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16, MT_BF16};
	for (int i = 0; i < 4; i++) {
		row("%s", mt_dtype_name(dtypes[i]));
		enum { N = 20000 };
		double *v = elements(mt_randn(MT_SHAPE(N), dtypes[i])), sum = 0, squares = 0, fourth = 0;
		MT_REQUIRE(v != NULL);
		for (int e = 0; e < N; e++) {
			sum += v[e];
			squares += v[e] * v[e];
			fourth += v[e] * v[e] * v[e] * v[e];
		}
		MT_CHECK_NEAR(sum / N, 0, 0.03);
		MT_CHECK_NEAR(squares / N, 1, 0.04);
		MT_CHECK_NEAR(fourth / N, 3, 0.1);
		free(v);
	}
}

static void test_normal(void) {
	each_backend(on_normal);
}

static void on_bernoulli(void) {
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16, MT_BF16, MT_I32, MT_I64, MT_U8, MT_BOOL};
	for (int i = 0; i < 8; i++) {
		uint8_t bits[9];
		row("%s", mt_dtype_name(dtypes[i]));
		mt_rng_set(SEED, 5);
		MT_REQUIRE(mt_to_host(mt_cast(mt_bernoulli(MT_SHAPE(9), dtypes[i], 0.3), MT_U8), bits, 9) == MT_OK);
		check_offset(5 + 3);
		for (int e = 0; e < 9; e++) {
			uint32_t w[4];
			mt_philox_block(SEED, (uint64_t)(5 + e / 4), w);
			MT_CHECK_INT(bits[e], mt_bernoulli_bit(w[e % 4], mt_bernoulli_threshold(0.3)));
		}
	}
	CHECK_VALUES(mt_bernoulli(MT_SHAPE(3), MT_BOOL, 0), 0, 0, 0);
	CHECK_VALUES(mt_bernoulli(MT_SHAPE(3), MT_F32, 1), 1, 1, 1);
}

static void test_bernoulli(void) {
	each_backend(on_bernoulli);
}

/* ---- integers ----------------------------------------------------------------------------------------------------- */

static void on_randint(void) {
	int64_t v[7];
	mt_rng_set(SEED, 9);
	MT_REQUIRE(mt_to_host(mt_randint(-5, 6, MT_SHAPE(7)), v, sizeof v) == MT_OK);
	check_offset(9 + 4);
	for (int e = 0; e < 7; e++) {
		uint32_t w[4];
		mt_philox_block(SEED, (uint64_t)(9 + e / 2), w);
		MT_CHECK_INT(v[e], -5 + (int64_t)(mt_philox_u64(w, e % 2) % 11));
	}
	enum { N = 30000 };
	int64_t *many = malloc(N * sizeof *many);
	int seen[11] = {0};
	MT_REQUIRE(many != NULL);
	MT_CHECK_INT(mt_to_host(mt_randint(-5, 6, MT_SHAPE(N)), many, N * sizeof *many), MT_OK);
	for (int e = 0; e < N; e++)
		if (MT_CHECK(many[e] >= -5 && many[e] <= 5))
			seen[many[e] + 5]++;
	for (int i = 0; i < 11; i++)
		MT_CHECK_NEAR(seen[i] * 11.0 / N, 1, 0.1);
	free(many);

	/* Three quarters of 2^64: a quarter of the draws is rejected, and without that low values come twice as often. */
	int64_t wide[4000];
	int low = 0;
	int64_t from = INT64_MIN, to = INT64_MIN / 2 + INT64_MAX; /* 3 · 2^62 values */
	mt_rng_set(SEED, 0);
	MT_CHECK_INT(mt_to_host(mt_randint(from, to + 1, MT_SHAPE(4000)), wide, sizeof wide), MT_OK);
	check_offset(2000);
	for (int e = 0; e < 4000; e++) {
		MT_CHECK(wide[e] <= to);
		low += wide[e] < from / 2;
	}
	MT_CHECK_NEAR(low / 4000.0, 1.0 / 3, 0.03);

	CHECK_VALUES(mt_randint(4, 5, MT_SHAPE(2)), 4, 4);
	CHECK_SHAPE(mt_randint(0, INT64_MAX, MT_SHAPE(0)), 0);
	MT_CHECK(mt_randint(3, 3, MT_SHAPE(1)) == NULL);
	CHECK_ERROR(MT_E_ARG, "randint: [3, 3) is empty");
}

static void test_randint(void) {
	each_backend(on_randint);
}

static void on_randperm(void) {
	static const int sizes[] = {1, 2, 3, 10, 1000};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		int n = sizes[i];
		int64_t p[1000];
		char seen[1000] = {0};
		row("%d", n);
		mt_rng_set(SEED, 1);
		MT_REQUIRE(mt_to_host(mt_randperm(n), p, (size_t)n * sizeof *p) == MT_OK);
		check_offset(1 + (uint64_t)(n + 1) / 2);
		int fixed = 0;
		for (int e = 0; e < n; e++) {
			MT_REQUIRE(p[e] >= 0 && p[e] < n);
			MT_CHECK(!seen[p[e]]);
			seen[p[e]] = 1;
			fixed += p[e] == e;
		}
		MT_CHECK(n < 10 || fixed < n / 2);
	}
	row("every permutation of 3");
	int counts[27] = {0}, kinds = 0;
	for (int i = 0; i < 3000; i++) {
		int64_t p[3];
		mt_scope *scope = mt_scope_begin();
		MT_REQUIRE(mt_to_host(mt_randperm(3), p, sizeof p) == MT_OK);
		counts[p[0] * 9 + p[1] * 3 + p[2]]++;
		mt_scope_end(scope);
	}
	for (int i = 0; i < 27; i++)
		if (counts[i] > 0) {
			kinds++;
			MT_CHECK_NEAR(counts[i] / 500.0, 1, 0.2);
		}
	MT_CHECK_INT(kinds, 6);
	CHECK_SHAPE(mt_randperm(0), 0);
	MT_CHECK(mt_randperm(-1) == NULL);
	CHECK_ERROR(MT_E_ARG, "randperm: n is -1");
}

static void test_randperm(void) {
	each_backend(on_randperm);
}

/* ---- one stream, whatever draws ----------------------------------------------------------------------------------- */

static void on_sequence(void) {
	double *first[2] = {NULL, NULL};
	for (int run = 0; run < 2; run++) {
		mt_seed(42);
		mt_tensor *parts[] = {mt_rand(MT_SHAPE(3), MT_F64), mt_cast(mt_randint(0, 100, MT_SHAPE(3)), MT_F64),
		                      mt_cast(mt_randperm(5), MT_F64), mt_randn(MT_SHAPE(2), MT_F64)};
		first[run] = elements(mt_cat(parts, 4, 0));
		MT_REQUIRE(first[run] != NULL);
	}
	MT_CHECK(memcmp(first[0], first[1], 13 * sizeof(double)) == 0);
	MT_CHECK(first[0][0] != first[0][1]);
	free(first[0]);
	free(first[1]);
	/* A checkpoint of the generator goes on where it was. */
	uint64_t seed, offset;
	mt_rng_get(&seed, &offset);
	double a = 0, b = 1;
	MT_CHECK_INT(mt_item(mt_rand(MT_SHAPE(1), MT_F64), &a), MT_OK);
	mt_rng_set(seed, offset);
	MT_CHECK_INT(mt_item(mt_rand(MT_SHAPE(1), MT_F64), &b), MT_OK);
	MT_CHECK(a == b);
	/* Nothing drawn, nothing used. */
	mt_rng_set(SEED, 77);
	CHECK_SHAPE(mt_rand(MT_SHAPE(0, 2), MT_F32), 0, 2);
	CHECK_SHAPE(mt_randn(MT_SHAPE(0), MT_F32), 0);
	CHECK_SHAPE(mt_bernoulli(MT_SHAPE(0), MT_F32, 0.5), 0);
	mt_randperm(0);
	MT_CHECK(mt_rand(MT_SHAPE(2), MT_I32) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "rand: i32 is no float dtype");
	check_offset(77);
}

static void test_sequence(void) {
	each_backend(on_sequence);
}

static void on_refusals(void) {
	static const struct {
		mt_dtype dtype;
		double low, high;
	} ranges[] = {
		{MT_F32, 1, 0},   {MT_F32, 0, INFINITY},       {MT_F32, NAN, 1}, {MT_F32, 0, 1e39}, {MT_F32, -3e38, 3e38},
		{MT_F16, 0, 1e5}, {MT_F64, -1.7e308, 1.7e308},
	};
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
		row("%zu", i);
		MT_CHECK(mt_uniform(MT_SHAPE(2), ranges[i].dtype, ranges[i].low, ranges[i].high) == NULL);
		CHECK_ERROR(MT_E_ARG, "uniform: [");
	}
	CHECK_VALUES(mt_uniform(MT_SHAPE(2), MT_F32, 2, 2), 2, 2);
	MT_CHECK(mt_uniform(MT_SHAPE(2), MT_I64, 0, 1) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "uniform: i64");
	MT_CHECK(mt_uniform(MT_SHAPE(2), 0, 0, 1) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "uniform: 0 is no dtype");
	MT_CHECK(mt_normal(MT_SHAPE(2), MT_F32, 0, -1) == NULL);
	CHECK_ERROR(MT_E_ARG, "normal: mean 0, std -1");
	MT_CHECK(mt_normal(MT_SHAPE(2), MT_F32, NAN, 1) == NULL);
	CHECK_ERROR(MT_E_ARG, "normal");
	MT_CHECK(mt_randn(MT_SHAPE(2), MT_BOOL) == NULL);
	CHECK_ERROR(MT_E_DTYPE, "randn: bool");
	MT_CHECK(mt_bernoulli(MT_SHAPE(2), MT_F32, 1.5) == NULL);
	CHECK_ERROR(MT_E_ARG, "bernoulli: p is 1.5");
	MT_CHECK(mt_bernoulli(MT_SHAPE(2), MT_F32, NAN) == NULL);
	CHECK_ERROR(MT_E_ARG, "bernoulli");
	MT_CHECK(mt_rand(MT_SHAPE(-2), MT_F32) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "rand: shape [-2]");
}

static void test_refusals(void) {
	each_backend(on_refusals);
}

static const mt_test_case cases[] = {
	{"state", test_state},         {"uniform", test_uniform},   {"normal", test_normal},
	{"bernoulli", test_bernoulli}, {"randint", test_randint},   {"randperm", test_randperm},
	{"sequence", test_sequence},   {"refusals", test_refusals}, {NULL, NULL},
};
static const mt_test_suite suites[] = {{"random", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
