/* Creation: constants, ranges, data from host memory. */
#include <math.h>

#include "backend/device.h"
#include "base/alloc.h"
#include "base/error.h"
#include "tensor/element.h"
#include "tensor/promote.h"
#include "tensor/tensor.h"

static mt_tensor *new_here(const char *op, int rank, const int64_t *shape, mt_dtype dtype) {
	mt_device *device = mt_device_current();
	return device != NULL ? mt__tensor_new(op, device, rank, shape, dtype) : NULL;
}

static int check_scalar(const char *op, const char *arg, mt_scalar s) {
	if (s.tag == MT_SCALAR_I64 || s.tag == MT_SCALAR_F64)
		return 1;
	mt__fail(MT_E_ARG, "%s: %s is no scalar (tag %d): make it with mt_i or mt_f", op, arg, (int)s.tag);
	return 0;
}

static mt_tensor *filled(const char *op, mt_tensor *t, mt_scalar value) {
	if (t == NULL || !check_scalar(op, "value", value))
		return NULL;
	return mt__tensor_fill(t, value) == MT_OK ? t : NULL;
}

/* ---- constants ---------------------------------------------------------------------------------------------------- */

mt_tensor *mt_empty(int rank, const int64_t *shape, mt_dtype dtype) {
	return new_here("empty", rank, shape, dtype);
}

mt_tensor *mt_zeros(int rank, const int64_t *shape, mt_dtype dtype) {
	return filled("zeros", new_here("zeros", rank, shape, dtype), mt_i(0));
}

mt_tensor *mt_ones(int rank, const int64_t *shape, mt_dtype dtype) {
	return filled("ones", new_here("ones", rank, shape, dtype), mt_i(1));
}

mt_tensor *mt_full(int rank, const int64_t *shape, mt_dtype dtype, mt_scalar value) {
	return filled("full", new_here("full", rank, shape, dtype), value);
}

mt_tensor *mt_scalar_tensor(mt_scalar value, mt_dtype dtype) {
	return filled("scalar_tensor", new_here("scalar_tensor", 0, NULL, dtype), value);
}

static mt_tensor *new_like(const char *op, mt_tensor *t) {
	if (!mt__check_tensor(op, "t", t))
		return NULL;
	return mt__tensor_new(op, t->storage->device, t->rank, t->shape, t->dtype);
}

mt_tensor *mt_empty_like(mt_tensor *t) {
	return new_like("empty_like", t);
}

mt_tensor *mt_zeros_like(mt_tensor *t) {
	return filled("zeros_like", new_like("zeros_like", t), mt_i(0));
}

mt_tensor *mt_ones_like(mt_tensor *t) {
	return filled("ones_like", new_like("ones_like", t), mt_i(1));
}

mt_tensor *mt_full_like(mt_tensor *t, mt_scalar value) {
	return filled("full_like", new_like("full_like", t), value);
}

mt_tensor *mt_eye(int64_t n, int64_t m, mt_dtype dtype) {
	mt_tensor *t = filled("eye", new_here("eye", MT_SHAPE(n, m), dtype), mt_i(0));
	if (t == NULL || t->numel == 0)
		return t;
	mt_tensor *diagonal = mt__tensor_alias(t, MT_SHAPE(n < m ? n : m), (int64_t[]){m + 1}, 0);
	return filled("eye", diagonal, mt_i(1)) != NULL ? t : NULL;
}

/* ---- from the host ------------------------------------------------------------------------------------------------ */

mt_tensor *mt_from_data(int rank, const int64_t *shape, mt_dtype dtype, const void *data) {
	mt_tensor *t = new_here("from_data", rank, shape, dtype);
	if (t == NULL)
		return NULL;
	if (data == NULL && t->numel > 0) {
		mt__fail_arg_null("from_data", "data");
		return NULL;
	}
	return mt__tensor_upload(t, data) == MT_OK ? t : NULL;
}

/* Element i of a sequence. */
typedef mt_scalar (*sequence_fn)(const void *context, int64_t i);

static mt_tensor *from_sequence(const char *op, int64_t n, mt_dtype dtype, sequence_fn at, const void *context) {
	mt_tensor *t = new_here(op, MT_SHAPE(n), dtype);
	if (t == NULL || n == 0)
		return t;
	size_t size = mt_dtype_size(dtype);
	char *data = mt__alloc((size_t)n * size);
	if (data == NULL) {
		mt__fail_memory(op, (size_t)n * size);
		return NULL;
	}
	for (int64_t i = 0; i < n; i++)
		mt__element_store(dtype, data + (size_t)i * size, at(context, i));
	mt_status status = mt__tensor_upload(t, data);
	mt__free(data);
	return status == MT_OK ? t : NULL;
}

/* ---- ranges ------------------------------------------------------------------------------------------------------- */

struct integer_range {
	int64_t start, step;
};

static mt_scalar integer_at(const void *context, int64_t i) {
	const struct integer_range *r = context;
	return mt_i((int64_t)((uint64_t)r->start + (uint64_t)i * (uint64_t)r->step));
}

/* In unsigned arithmetic: the distance of two int64 always fits there. */
static uint64_t integer_count(int64_t start, int64_t stop, int64_t step) {
	if (step > 0)
		return start < stop ? ((uint64_t)stop - (uint64_t)start - 1) / (uint64_t)step + 1 : 0;
	return step < 0 && start > stop ? ((uint64_t)start - (uint64_t)stop - 1) / (0 - (uint64_t)step) + 1 : 0;
}

struct real_range {
	double start, step;
};

static mt_scalar real_at(const void *context, int64_t i) {
	const struct real_range *r = context;
	return mt_f(r->start + (double)i * r->step);
}

/* The quotient is rounded, so its neighbours are tried: the last element is before stop, the next one is not. */
static double real_count(double start, double stop, double step) {
	double n = ceil((stop - start) / step);
	if (n <= 0)
		return 0;
	double last = start + (n - 1) * step, next = start + n * step;
	if (step > 0 ? last >= stop : last <= stop)
		return n - 1;
	return (step > 0 ? next < stop : next > stop) ? n + 1 : n;
}

static mt_tensor *too_many(void) {
	return mt__fail_null(MT_E_SHAPE, "arange: 2^63 elements or more");
}

static mt_tensor *integer_arange(int64_t start, int64_t stop, int64_t step, mt_dtype dtype) {
	if (step == 0)
		return mt__fail_null(MT_E_ARG, "arange: step is 0");
	uint64_t n = integer_count(start, stop, step);
	struct integer_range range = {start, step};
	return n > INT64_MAX ? too_many() : from_sequence("arange", (int64_t)n, dtype, integer_at, &range);
}

static mt_tensor *real_arange(double start, double stop, double step, mt_dtype dtype) {
	if (!isfinite(start) || !isfinite(stop) || !isfinite(step) || step == 0)
		return mt__fail_null(MT_E_ARG, "arange: start %g, stop %g, step %g: all must be finite, and step not 0", start,
		                     stop, step);
	double n = real_count(start, stop, step);
	struct real_range range = {start, step};
	return !(n < 0x1p63) ? too_many() : from_sequence("arange", (int64_t)n, dtype, real_at, &range);
}

mt_tensor *mt_arange(mt_scalar start, mt_scalar stop, mt_scalar step, mt_dtype dtype) {
	if (!check_scalar("arange", "start", start) || !check_scalar("arange", "stop", stop) ||
	    !check_scalar("arange", "step", step))
		return NULL;
	if (start.tag != stop.tag || start.tag != step.tag)
		return mt__fail_null(MT_E_ARG, "arange: start, stop and step must be all mt_i or all mt_f");
	if (start.tag == MT_SCALAR_I64)
		return integer_arange(start.v.i, stop.v.i, step.v.i, dtype);
	return real_arange(start.v.f, stop.v.f, step.v.f, dtype);
}

struct spaced {
	double start, stop, step;
	int64_t n;
};

/* From both ends, so that start, stop and, between opposite ends, the middle are exact. */
static mt_scalar spaced_at(const void *context, int64_t i) {
	const struct spaced *s = context;
	int64_t from_end = s->n - 1 - i;
	return mt_f(i <= from_end ? s->start + (double)i * s->step : s->stop - (double)from_end * s->step);
}

mt_tensor *mt_linspace(double start, double stop, int64_t n, mt_dtype dtype) {
	if (n < 1)
		return mt__fail_null(MT_E_ARG, "linspace: n is %lld, not at least 1", (long long)n);
	if (mt_dtype_size(dtype) != 0 && !mt__is_float(dtype))
		return mt__fail_null(MT_E_DTYPE, "linspace: %s is no float dtype", mt_dtype_name(dtype));
	double gaps = n > 1 ? (double)(n - 1) : 1.0;
	double step = isfinite(stop - start) ? (stop - start) / gaps : stop / gaps - start / gaps;
	struct spaced spaced = {start, stop, step, n};
	return from_sequence("linspace", n, dtype, spaced_at, &spaced);
}
