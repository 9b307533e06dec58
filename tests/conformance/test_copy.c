/* copy and fill: every dtype pair, every layout, the conversion rules; memory functions. */
#include <math.h>
#include <string.h>

#include "cases.h"
#include "check.h"

static const int64_t shape3[] = {3, 4, 5};

/* plugin.h's conversion rules, from a value of one dtype to another. */
static long double convert(int32_t to, double value) {
	long double low = to == MT_U8 ? 0 : to == MT_I32 ? -0x1p31L : -0x1p63L;
	long double high = to == MT_U8 ? 255 : to == MT_I32 ? 0x1p31L - 1 : 0x1p63L - 1;
	if (kc_is_float(to))
		return value;
	if (to == MT_BOOL)
		return value != 0;
	if (isnan(value))
		return 0;
	long double t = truncl(value);
	return t < low ? low : t > high ? high : t;
}

static long double convert_from(int32_t from, int32_t to, double value) {
	/* wide integers to narrow ones keep the low bits: kc_round wraps */
	return kc_is_float(from) || to == MT_BOOL ? convert(to, value) : kc_is_float(to) ? value : kc_round(to, value);
}

static void copy_case(struct kc_host *h, int32_t from, int32_t to, enum kc_layout in, enum kc_layout out, int rank,
                      const int64_t *shape) {
	struct kc_array *x = kc_input(h, from, rank, shape, in, -300, 300);
	if (kc_is_float(from) && in == KC_CONTIGUOUS && x->numel > 8) {
		const double special[] = {0.0, -0.0, NAN, INFINITY, -INFINITY, 1e30, -1e30, 0.49999};
		for (int i = 0; i < 8; i++)
			kc_set(x, i, special[i]);
	}
	struct kc_array *y = kc_new(h, KC_OUT, to, rank, shape, out);
	const struct mt_copy_args args = {.struct_size = sizeof args, .x = &x->array, .out = &y->array};
	long double *expected = kc_reference(y->numel);
	for (int64_t e = 0; e < y->numel; e++)
		expected[e] = kc_round(to, convert_from(from, to, x->values[e]));
	if (kc_run(h, MT_K_COPY, &args))
		kc_check(h, y, expected, NULL, 0, "copy %s to %s, %s to %s", kc_dtype_name(from), kc_dtype_name(to),
		         kc_layout_names[in], kc_layout_names[out]);
	kc_reset(h);
	kc_reference_reset();
}

static void copy_pairs(struct kc_host *h) {
	for (int32_t from = MT_F32; from < MT_DTYPE_END_; from++)
		for (int32_t to = MT_F32; to < MT_DTYPE_END_; to++)
			if (kc_has(h, MT_K_COPY, 0, from, to))
				for (int layout = 0; layout <= KC_BROADCAST; layout++)
					copy_case(h, from, to, (enum kc_layout)layout, KC_CONTIGUOUS, 3, shape3);
}

static void copy_layouts(struct kc_host *h) {
	const int64_t wide[] = {70, 1, 65}, deep[] = {2, 1, 3, 2, 1, 2, 3, 2};
	for (int in = 0; in <= KC_BROADCAST; in++)
		for (int out = 0; out < KC_LAYOUTS; out++)
			for (int32_t t = MT_F32; t < MT_DTYPE_END_; t++) {
				if (!kc_has(h, MT_K_COPY, 0, t, t))
					continue;
				copy_case(h, t, t, (enum kc_layout)in, (enum kc_layout)out, 3, wide);
				copy_case(h, t, t, (enum kc_layout)in, (enum kc_layout)out, 8, deep);
				copy_case(h, t, t, (enum kc_layout)in, (enum kc_layout)out, 0, NULL);
			}
}

static void copy_large(struct kc_host *h) {
	const int64_t shape[] = {700, 900};
	copy_case(h, MT_F32, MT_F32, KC_CONTIGUOUS, KC_CONTIGUOUS, 2, shape);
	copy_case(h, MT_F32, MT_F32, KC_TRANSPOSED, KC_CONTIGUOUS, 2, shape);
	copy_case(h, MT_U8, MT_F32, KC_CONTIGUOUS, KC_TRANSPOSED, 2, shape);
}

static void fill(struct kc_host *h) {
	const mt_scalar values[] = {{MT_SCALAR_F64, 0, {.f = 2.5}}, {MT_SCALAR_I64, 0, {.i = -3}}, {MT_SCALAR_F64, 0, {.f = NAN}}};
	for (int32_t t = MT_F32; t < MT_DTYPE_END_; t++)
		for (int layout = 0; layout < KC_LAYOUTS; layout++)
			for (int v = 0; v < 3; v++) {
				if (!kc_has(h, MT_K_FILL, 0, t, 0))
					continue;
				struct kc_array *y = kc_new(h, KC_OUT, t, 3, shape3, (enum kc_layout)layout);
				const struct mt_fill_args args = {.struct_size = sizeof args, .out = &y->array, .value = values[v]};
				long double *expected = kc_reference(y->numel);
				double value = values[v].tag == MT_SCALAR_F64 ? values[v].v.f : (double)values[v].v.i;
				for (int64_t e = 0; e < y->numel; e++)
					expected[e] = kc_round(t, convert_from(values[v].tag == MT_SCALAR_F64 ? MT_F64 : MT_I64, t, value));
				if (kc_run(h, MT_K_FILL, &args))
					kc_check(h, y, expected, NULL, 0, "fill %s %s with %g", kc_dtype_name(t), kc_layout_names[layout], value);
				kc_reset(h);
				kc_reference_reset();
			}
}

static void test_copy_pairs(void) {
	kc_each_host(copy_pairs);
}

static void test_copy_layouts(void) {
	kc_each_host(copy_layouts);
}

static void test_copy_large(void) {
	kc_each_host(copy_large);
}

static void test_fill(void) {
	kc_each_host(fill);
}

const mt_test_case kc_copy_cases[] = {
	{"pairs", test_copy_pairs}, {"layouts", test_copy_layouts}, {"large", test_copy_large}, {"fill", test_fill}, {0}};

/* ---- memory ---- */

static void alloc_alignment(struct kc_host *h) {
	struct mt_device_info info = {.struct_size = sizeof info};
	MT_CHECK_INT(h->plugin.device_info(0, &info), MT_OK);
	MT_CHECK(info.alignment >= 64 && (info.alignment & (info.alignment - 1)) == 0);
	MT_CHECK(info.name[0] != '\0' && memchr(info.name, 0, sizeof info.name) != NULL);
	for (uint64_t bytes = 1; bytes <= 1u << 24; bytes *= 16) {
		void *p = NULL;
		MT_CHECK_INT(h->api->alloc(h->device, bytes, &p), MT_OK);
		MT_CHECK_INT((uintptr_t)p % info.alignment, 0);
		MT_CHECK_INT(h->api->free(h->device, p), MT_OK);
	}
	h->calls++;
}

static void alloc_refused(struct kc_host *h) {
	const uint64_t absurd[] = {UINT64_MAX, UINT64_MAX - 4096, (uint64_t)1 << 62};
	for (int i = 0; i < 3; i++) {
		void *p = NULL;
		kc_error_clear();
		MT_CHECK_INT(h->api->alloc(h->device, absurd[i], &p), MT_E_MEMORY);
		MT_CHECK(kc_error()[0] != '\0');
	}
	h->calls++;
}

static void transfers(struct kc_host *h) {
	unsigned char out[1000], in[1000];
	void *a = NULL, *b = NULL;
	for (int i = 0; i < 1000; i++)
		out[i] = (unsigned char)kc_integer(h, 0, 255);
	MT_REQUIRE(h->api->alloc(h->device, 3000, &a) == MT_OK && h->api->alloc(h->device, 3000, &b) == MT_OK);
	MT_CHECK_INT(h->api->upload(h->queue, a, 1001, out, sizeof out), MT_OK);
	MT_CHECK_INT(h->api->copy_device(h->queue, b, 7, a, 1001, sizeof out), MT_OK);
	MT_CHECK_INT(h->api->download(h->queue, b, 7, in, sizeof in), MT_OK);
	MT_CHECK_INT(memcmp(in, out, sizeof in), 0);
	MT_CHECK_INT(h->api->synchronize(h->queue), MT_OK);
	h->api->free(h->device, a);
	h->api->free(h->device, b);
	h->calls++;
}

static void options(struct kc_host *h) {
	const struct mt_option wrong = {"nonsense", "1"};
	mt_plugin_device *device = NULL;
	const struct mt_device_api *api = NULL;
	kc_error_clear();
	MT_CHECK_INT(h->plugin.device_open(0, &wrong, 1, &device, &api), MT_E_ARG);
	MT_CHECK_CONTAINS(kc_error(), "nonsense");
	MT_CHECK(h->plugin.device_open(1000, NULL, 0, &device, &api) != MT_OK);
	h->calls++;
}

static void test_alignment(void) {
	kc_each_host(alloc_alignment);
}

static void test_refused(void) {
	kc_each_host(alloc_refused);
}

static void test_transfers(void) {
	kc_each_host(transfers);
}

static void test_options(void) {
	kc_each_host(options);
}

const mt_test_case kc_memory_cases[] = {{"alignment", test_alignment}, {"refused", test_refused},
                                        {"transfers", test_transfers}, {"options", test_options}, {0}};
