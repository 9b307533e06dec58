#include "array.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "dtype.h"
#include "run.h"

enum { GUARD = 256, GUARD_BYTE = 0xA5 };

/* ---- shapes ---- */

int64_t cf_numel(int rank, const int64_t *shape) {
	int64_t numel = 1;
	for (int d = 0; d < rank; d++)
		numel *= shape[d];
	return numel;
}

void cf_unravel(int64_t e, int rank, const int64_t *shape, int64_t *index) {
	for (int d = rank - 1; d >= 0; d--) {
		index[d] = e % shape[d];
		e /= shape[d];
	}
}

int64_t cf_ravel(int rank, const int64_t *shape, const int64_t *index) {
	int64_t e = 0;
	for (int d = 0; d < rank; d++)
		e = e * shape[d] + index[d];
	return e;
}

int64_t cf_along(int64_t e, int rank, const int64_t *shape, int axis, int64_t j) {
	int64_t inner = cf_numel(rank - axis - 1, shape + axis + 1);
	int64_t outer = e / (inner * shape[axis]);
	return (outer * shape[axis] + j) * inner + e % inner;
}

/* ---- layouts ---- */

uint64_t cf_position(const mt_array *a, int64_t e) {
	int64_t offset = 0;
	for (int d = a->rank - 1; d >= 0; d--) {
		offset += e % a->shape[d] * a->stride[d];
		e /= a->shape[d];
	}
	return a->byte_offset + (uint64_t)(offset * cf_dtype_size(a->dtype));
}

/* The dim that is broadcast: the first or the last that has more than one place; −1 where none has. */
static int broadcast_dim(const mt_array *a, int32_t layout) {
	int found = -1;
	for (int d = 0; d < a->rank; d++)
		if (a->shape[d] > 1 && (found < 0 || layout == CF_REPEATED))
			found = d;
	return found;
}

/* Fills strides; returns the elements the layout spans; *first is element 0's place in it. */
static int64_t lay_out(mt_array *a, int32_t layout, int64_t *first) {
	int64_t step = layout == CF_STEPPED ? 2 : 1, span = 1;
	*first = 0;
	for (int i = 0; i < a->rank; i++) {
		int d = layout == CF_TRANSPOSED ? i : a->rank - 1 - i;
		int64_t extent = a->shape[d] > 0 ? a->shape[d] : 1;
		a->stride[d] = span * step;
		span *= extent * step + (layout == CF_PADDED ? 3 : 0);
		if (layout == CF_NEGATIVE) {
			*first += (extent - 1) * a->stride[d];
			a->stride[d] = -a->stride[d];
		}
	}
	int repeated = layout >= CF_BROADCAST ? broadcast_dim(a, layout) : -1;
	if (repeated >= 0)
		a->stride[repeated] = 0;
	return span;
}

struct cf_array *cf_new(struct cf_run *r, enum cf_role role, int32_t dtype, int rank, const int64_t *shape,
                        int32_t layout) {
	struct cf_array *a = cf_memory(r, sizeof *a);
	int64_t first;
	int size = cf_dtype_size(dtype);
	a->role = role;
	a->array = (mt_array){.dtype = dtype, .rank = rank};
	for (int d = 0; d < rank; d++)
		a->array.shape[d] = shape[d];
	a->numel = cf_numel(rank, shape);
	int64_t span = lay_out(&a->array, layout, &first);
	a->bytes = (uint64_t)(span * size) + 2 * GUARD;
	a->array.byte_offset = (uint64_t)(first * size) + GUARD;
	a->array.buffer_bytes = a->bytes;
	a->values = cf_memory(r, (size_t)a->numel * sizeof *a->values);
	a->integers = cf_is_integer(dtype) ? cf_memory(r, (size_t)a->numel * sizeof *a->integers) : NULL;
	a->image = cf_memory(r, a->bytes);
	a->first = cf_memory(r, a->bytes);
	a->owned = cf_memory(r, a->bytes);
	memset(a->image, GUARD_BYTE, a->bytes);
	for (int64_t e = 0; e < a->numel; e++)
		memset(a->owned + cf_position(&a->array, e), 1, (size_t)size);
	if (r->hosts[0].api->alloc(r->hosts[0].device, a->bytes, &a->base[0]) != MT_OK) {
		a->base[0] = NULL;
		cf_fail(r, "alloc of %llu bytes failed: %s", (unsigned long long)a->bytes, cf_error());
	}
	a->array.base = a->base[0];
	a->next = r->arrays;
	r->arrays = a;
	return a;
}

void cf_free_arrays(struct cf_run *r) {
	for (; r->arrays != NULL; r->arrays = r->arrays->next)
		for (int i = 0; i < r->n_hosts; i++)
			if (r->arrays->base[i] != NULL)
				r->hosts[i].api->free(r->hosts[i].device, r->arrays->base[i]);
}

/* ---- values ---- */

void cf_set_integer(struct cf_array *a, int64_t e, int64_t value) {
	int64_t kept = cf_wrap(a->array.dtype, (uint64_t)value);
	if (a->integers != NULL)
		a->integers[e] = kept;
	a->values[e] = (double)kept;
	cf_store_integer(a->array.dtype, a->image + cf_position(&a->array, e), kept);
}

void cf_set(struct cf_array *a, int64_t e, double value) {
	if (!cf_is_float(a->array.dtype)) {
		cf_set_integer(a, e, cf_round_integer(a->array.dtype, value));
		return;
	}
	a->values[e] = cf_round(a->array.dtype, value);
	cf_store_float(a->array.dtype, a->image + cf_position(&a->array, e), a->values[e]);
}

void cf_decode(struct cf_array *a, const unsigned char *bytes) {
	for (int64_t e = 0; e < a->numel; e++) {
		const unsigned char *p = bytes + cf_position(&a->array, e);
		if (cf_is_float(a->array.dtype)) {
			a->values[e] = cf_fetch_float(a->array.dtype, p);
			continue;
		}
		int64_t value = cf_fetch_integer(a->array.dtype, p);
		a->values[e] = (double)value;
		if (a->integers != NULL)
			a->integers[e] = value;
	}
}

static int64_t clipped(int32_t dtype, double value) {
	double low = (double)cf_lowest_integer(dtype), high = (double)cf_highest_integer(dtype);
	if (dtype == MT_U8) /* negative bounds wrap: so that there is something of every range */
		low = -256;
	return value <= low ? (int64_t)low : value >= high ? cf_highest_integer(dtype) : (int64_t)floor(value);
}

static void set_ordinary(struct cf_run *r, struct cf_array *a, int64_t e, double low, double high) {
	int32_t dtype = a->array.dtype;
	if (dtype == MT_BOOL)
		cf_set_integer(a, e, (int64_t)(cf_random_bits(&r->numbers) >> 63));
	else if (cf_is_float(dtype))
		cf_set(a, e, low + cf_random_unit(&r->numbers) * (high - low));
	else
		cf_set_integer(a, e, cf_random_integer(&r->numbers, clipped(dtype, low), clipped(dtype, high)));
}

static void set_wide(struct cf_run *r, struct cf_array *a, int64_t e) {
	int32_t dtype = a->array.dtype;
	uint64_t bits = cf_random_bits(&r->numbers);
	if (!cf_is_float(dtype)) {
		int shift = (int)cf_random_integer(&r->numbers, 0, 63);
		cf_set_integer(a, e, (int64_t)(dtype == MT_BOOL ? bits >> 63 : bits >> shift) * (bits & 1 ? 1 : -1));
		return;
	}
	int low = ilogb(cf_tiny(dtype)) + ilogb(cf_unit(dtype)), high = ilogb(cf_largest(dtype));
	double value = ldexp(1 + cf_random_unit(&r->numbers), (int)cf_random_integer(&r->numbers, low, high));
	value = value > cf_largest(dtype) ? cf_largest(dtype) : value;
	cf_set(a, e, bits & 1 ? value : -value);
}

/* A few values, low and high among them. */
static void set_tie(struct cf_run *r, struct cf_array *a, int64_t e, double low, double high) {
	int64_t k = cf_random_integer(&r->numbers, 0, 3);
	if (a->array.dtype == MT_BOOL)
		cf_set_integer(a, e, k & 1);
	else if (cf_is_float(a->array.dtype))
		cf_set(a, e, low + (double)k * (high - low) / 4);
	else
		cf_set_integer(a, e, clipped(a->array.dtype, low) + k);
}

static double float_special(int32_t dtype, int k) {
	const double specials[] = {0.0,
	                           -0.0,
	                           1.0,
	                           -1.0,
	                           INFINITY,
	                           -INFINITY,
	                           0.5,
	                           -0.5,
	                           1.5,
	                           -2.5,
	                           cf_tiny(dtype),
	                           -cf_tiny(dtype),
	                           cf_tiny(dtype) * cf_unit(dtype) * 2,
	                           -cf_tiny(dtype) / 2,
	                           cf_largest(dtype),
	                           -cf_largest(dtype),
	                           NAN};
	return specials[k % 17];
}

static int64_t integer_special(int32_t dtype, int k) {
	const int64_t low = cf_lowest_integer(dtype), high = cf_highest_integer(dtype);
	const int64_t specials[] = {0, 1, -1, 2, low, high, low + 1, high - 1, 46341, ((int64_t)1 << 53) + 1};
	return specials[k % 10];
}

/* Every second element or so is a special, each of them in turn, from another one on in each array. */
static void fill_special(struct cf_run *r, struct cf_array *a, double low, double high, int nan) {
	int kinds = cf_is_float(a->array.dtype) ? 16 + (nan != 0) : 10;
	int k = (int)cf_random_integer(&r->numbers, 0, kinds - 1);
	for (int64_t e = 0; e < a->numel; e++) {
		if ((cf_random_bits(&r->numbers) >> 63) == 0 || a->array.dtype == MT_BOOL)
			set_ordinary(r, a, e, low, high);
		else if (cf_is_float(a->array.dtype))
			cf_set(a, e, float_special(a->array.dtype, k++ % kinds));
		else
			cf_set_integer(a, e, integer_special(a->array.dtype, k++));
	}
}

void cf_fill_data(struct cf_run *r, struct cf_array *a, int32_t data, double low, double high, int nan) {
	if (data == CF_SPECIAL)
		fill_special(r, a, low, high, nan);
	for (int64_t e = 0; e < a->numel && data != CF_SPECIAL; e++) {
		if (data == CF_WIDE)
			set_wide(r, a, e);
		else if (data == CF_TIES)
			set_tie(r, a, e, low, high);
		else
			set_ordinary(r, a, e, low, high);
	}
	cf_decode(a, a->image); /* elements that share a place hold what was stored last */
}

void cf_fill(struct cf_run *r, struct cf_array *a, double low, double high) {
	cf_fill_data(r, a, CF_RANDOM, low, high, 0);
}

struct cf_array *cf_input(struct cf_run *r, int32_t dtype, int rank, const int64_t *shape, int32_t layout, double low,
                          double high) {
	struct cf_array *a = cf_new(r, CF_IN, dtype, rank, shape, layout);
	cf_fill(r, a, low, high);
	return a;
}
