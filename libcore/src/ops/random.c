/* Random tensors: floats by kernel, integers and permutations on the host.  Both read the process's Philox stream. */
#include <math.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "mt/philox.h"
#include "ops/ops.h"
#include "tensor/element.h"

static mt_tensor *new_here(const char *op, int rank, const int64_t *shape, mt_dtype dtype) {
	mt_device *device = mt_device_current();
	return device != NULL ? mt__tensor_new(op, device, rank, shape, dtype) : NULL;
}

static int check_float(const char *op, mt_dtype dtype) {
	if (mt__is_float(dtype) || mt_dtype_size(dtype) == 0)
		return 1;
	mt__fail(MT_E_DTYPE, "%s: %s is no float dtype", op, mt_dtype_name(dtype));
	return 0;
}

/* ---- by kernel ---------------------------------------------------------------------------------------------------- */

static mt_tensor *uniform(const char *op, int rank, const int64_t *shape, mt_dtype dtype, double low, double high) {
	mt_tensor *t = check_float(op, dtype) ? new_here(op, rank, shape, dtype) : NULL;
	if (t == NULL || t->numel == 0)
		return t;
	mt_array out = mt__array(t);
	struct mt_uniform_args args = {.struct_size = sizeof args, .out = &out, .low = low, .high = high};
	args.pos = mt__rng_take(mt_philox_blocks(dtype, (uint64_t)t->numel));
	return mt__dispatch(mt__device_of(t), MT_K_UNIFORM, 0, &args) == MT_OK ? t : NULL;
}

mt_tensor *mt_rand(int rank, const int64_t *shape, mt_dtype dtype) {
	return uniform("rand", rank, shape, dtype, 0, 1);
}

/* value rounded to dtype. */
static double rounded(mt_dtype dtype, double value) {
	char element[8];
	mt__element_store(dtype, element, mt_f(value));
	return mt__element_f64(dtype, element);
}

static int range_fits(mt_dtype dtype, double low, double high) {
	double a = rounded(dtype, low), b = rounded(dtype, high);
	return isfinite(a) && isfinite(b) && low <= high && isfinite(dtype == MT_F64 ? b - a : (float)b - (float)a);
}

mt_tensor *mt_uniform(int rank, const int64_t *shape, mt_dtype dtype, double low, double high) {
	if (mt__is_float(dtype) && !range_fits(dtype, low, high))
		return mt__fail_null(MT_E_ARG, "uniform: [%g, %g) is no range of finite %s values", low, high,
		                     mt_dtype_name(dtype));
	return uniform("uniform", rank, shape, dtype, low, high);
}

static mt_tensor *normal(const char *op, int rank, const int64_t *shape, mt_dtype dtype, double mean, double std) {
	mt_tensor *t = check_float(op, dtype) ? new_here(op, rank, shape, dtype) : NULL;
	if (t == NULL || t->numel == 0)
		return t;
	mt_array out = mt__array(t);
	struct mt_normal_args args = {.struct_size = sizeof args, .out = &out, .mean = mean, .std = std};
	args.pos = mt__rng_take(mt_philox_blocks(dtype, (uint64_t)t->numel));
	return mt__dispatch(mt__device_of(t), MT_K_NORMAL, 0, &args) == MT_OK ? t : NULL;
}

mt_tensor *mt_randn(int rank, const int64_t *shape, mt_dtype dtype) {
	return normal("randn", rank, shape, dtype, 0, 1);
}

mt_tensor *mt_normal(int rank, const int64_t *shape, mt_dtype dtype, double mean, double std) {
	if (!isfinite(mean) || !isfinite(std) || std < 0)
		return mt__fail_null(MT_E_ARG, "normal: mean %g, std %g: both must be finite, and std not negative", mean, std);
	return normal("normal", rank, shape, dtype, mean, std);
}

mt_tensor *mt_bernoulli(int rank, const int64_t *shape, mt_dtype dtype, double p) {
	if (!(p >= 0 && p <= 1))
		return mt__fail_null(MT_E_ARG, "bernoulli: p is %g, not in [0, 1]", p);
	mt_tensor *t = new_here("bernoulli", rank, shape, dtype);
	if (t == NULL || t->numel == 0)
		return t;
	mt_array out = mt__array(t);
	struct mt_bernoulli_args args = {.struct_size = sizeof args, .out = &out, .p = p};
	args.pos = mt__rng_take(mt_bernoulli_blocks((uint64_t)t->numel));
	return mt__dispatch(mt__device_of(t), MT_K_BERNOULLI, 0, &args) == MT_OK ? t : NULL;
}

/* ---- integers, on the host ----------------------------------------------------------------------------------------
 * Draw e is the 64-bit draw e % 2 of block offset + e / 2, reduced modulo n.  The few values at the top that would favour
 * small remainders are rejected, and drawn again from the same block with the attempt's number in the counter's third
 * word: so the stream advances by the same number of blocks whatever is rejected. */

static uint64_t draw(mt_philox_pos pos, uint64_t e, uint32_t attempt) {
	uint64_t block = pos.offset + e / 2;
	const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), attempt, 0};
	const uint32_t key[2] = {(uint32_t)pos.seed, (uint32_t)(pos.seed >> 32)};
	uint32_t w[4];
	mt_philox4x32(counter, key, w);
	return mt_philox_u64(w, (int)(e % 2));
}

/* Uniform in 0 … n−1, n ≥ 1. */
static uint64_t draw_below(mt_philox_pos pos, uint64_t e, uint64_t n) {
	uint64_t excess = (0 - n) % n; /* 2^64 mod n */
	for (uint32_t attempt = 0;; attempt++) {
		uint64_t x = draw(pos, e, attempt);
		if (x <= UINT64_MAX - excess)
			return x % n;
	}
}

/* Fills values, which hold n elements. */
typedef void (*integers_fn)(int64_t *values, int64_t n, mt_philox_pos pos, const int64_t *range);

static mt_tensor *integers(mt_tensor *t, const char *op, integers_fn fn, const int64_t *range) {
	if (t == NULL || t->numel == 0)
		return t;
	size_t bytes = (size_t)t->numel * sizeof(int64_t);
	int64_t *values = mt__alloc(bytes);
	if (values == NULL) {
		mt__fail_memory(op, bytes);
		return NULL;
	}
	fn(values, t->numel, mt__rng_take(mt_philox_blocks(MT_F64, (uint64_t)t->numel)), range);
	mt_status status = mt__tensor_upload(t, values);
	mt__free(values);
	return status == MT_OK ? t : NULL;
}

static void fill_randint(int64_t *values, int64_t n, mt_philox_pos pos, const int64_t *range) {
	uint64_t size = (uint64_t)range[1] - (uint64_t)range[0];
	for (int64_t i = 0; i < n; i++)
		values[i] = (int64_t)((uint64_t)range[0] + draw_below(pos, (uint64_t)i, size));
}

mt_tensor *mt_randint(int64_t low, int64_t high, int rank, const int64_t *shape) {
	if (low >= high)
		return mt__fail_null(MT_E_ARG, "randint: [%lld, %lld) is empty", (long long)low, (long long)high);
	return integers(new_here("randint", rank, shape, MT_I64), "randint", fill_randint, (int64_t[]){low, high});
}

/* Fisher–Yates: draw i picks the element of place i among those not placed yet. */
static void fill_randperm(int64_t *values, int64_t n, mt_philox_pos pos, const int64_t *range) {
	(void)range;
	for (int64_t i = 0; i < n; i++)
		values[i] = i;
	for (int64_t i = 0; i < n - 1; i++) {
		int64_t j = i + (int64_t)draw_below(pos, (uint64_t)i, (uint64_t)(n - i));
		int64_t chosen = values[j];
		values[j] = values[i];
		values[i] = chosen;
	}
}

mt_tensor *mt_randperm(int64_t n) {
	if (n < 0)
		return mt__fail_null(MT_E_ARG, "randperm: n is %lld", (long long)n);
	return integers(new_here("randperm", MT_SHAPE(n), MT_I64), "randperm", fill_randperm, NULL);
}
