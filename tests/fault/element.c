/* Single elements of an array whose buffer was fetched. */
#include <math.h>
#include <string.h>

#include "fault.h"
#include "mt/lowp.h"

int fault_is_float(int32_t dtype) {
	return (MT_SET_FLOAT & MT_DTYPE_BIT(dtype)) != 0;
}

int64_t fault_size(int32_t dtype) {
	static const int64_t sizes[] = {
		0,
#define MT_DTYPE(id, NAME, name, bytes, class) bytes,
#include "mt/dtypes.def"
#undef MT_DTYPE
	};
	return sizes[dtype];
}

int64_t fault_position(const mt_array *a, int64_t e) {
	int64_t offset = 0;
	for (int d = a->rank - 1; d >= 0; d--) {
		offset += e % a->shape[d] * a->stride[d];
		e /= a->shape[d];
	}
	return (int64_t)a->byte_offset + offset * fault_size(a->dtype);
}

static double load_float(int32_t dtype, const unsigned char *p) {
	float f;
	double d;
	uint16_t h;
	switch (dtype) {
	case MT_F64:
		memcpy(&d, p, sizeof d);
		return d;
	case MT_F32:
		memcpy(&f, p, sizeof f);
		return (double)f;
	default:
		memcpy(&h, p, sizeof h);
		return (double)(dtype == MT_F16 ? mt_f16_to_f32(h) : mt_bf16_to_f32(h));
	}
}

static void store_float(int32_t dtype, unsigned char *p, double value) {
	float f = (float)value;
	uint16_t h;
	switch (dtype) {
	case MT_F64:
		memcpy(p, &value, sizeof value);
		break;
	case MT_F32:
		memcpy(p, &f, sizeof f);
		break;
	default:
		h = dtype == MT_F16 ? mt_f64_to_f16(value) : mt_f64_to_bf16(value);
		memcpy(p, &h, sizeof h);
	}
}

int64_t fault_get_integer(const struct fault_operand *o, int64_t e) {
	const unsigned char *p = o->now + fault_position(&o->asked, e);
	int32_t i;
	int64_t l;
	switch (o->asked.dtype) {
	case MT_I32:
		memcpy(&i, p, sizeof i);
		return i;
	case MT_I64:
		memcpy(&l, p, sizeof l);
		return l;
	case MT_U8:
	case MT_BOOL:
		return *p;
	default:
		return (int64_t)load_float(o->asked.dtype, p);
	}
}

void fault_put_integer(struct fault_operand *o, int64_t e, int64_t value) {
	unsigned char *p = o->now + fault_position(&o->asked, e);
	int32_t i = (int32_t)(uint32_t)(uint64_t)value;
	o->dirty = 1;
	switch (o->asked.dtype) {
	case MT_I32:
		memcpy(p, &i, sizeof i);
		break;
	case MT_I64:
		memcpy(p, &value, sizeof value);
		break;
	case MT_U8:
	case MT_BOOL:
		*p = (unsigned char)value;
		break;
	default:
		store_float(o->asked.dtype, p, (double)value);
	}
}

double fault_get(const struct fault_operand *o, int64_t e) {
	if (!fault_is_float(o->asked.dtype))
		return (double)fault_get_integer(o, e);
	return load_float(o->asked.dtype, o->now + fault_position(&o->asked, e));
}

void fault_put(struct fault_operand *o, int64_t e, double value) {
	o->dirty = 1;
	if (fault_is_float(o->asked.dtype))
		store_float(o->asked.dtype, o->now + fault_position(&o->asked, e), value);
	else
		fault_put_integer(o, e, (int64_t)value);
}

void fault_restore(struct fault_operand *o, int64_t e) {
	int64_t at = fault_position(&o->asked, e);
	memcpy(o->now + at, o->before + at, (size_t)fault_size(o->asked.dtype));
	o->dirty = 1;
}

/* Floats of one sign are ordered as their bits. */
static void add_to_bits(struct fault_operand *o, int64_t e, int step) {
	unsigned char *p = o->now + fault_position(&o->asked, e);
	uint64_t bits = 0;
	size_t size = (size_t)fault_size(o->asked.dtype);
	memcpy(&bits, p, size); /* little-endian, as every machine that mt runs on */
	bits += (uint64_t)(int64_t)step;
	memcpy(p, &bits, size);
	o->dirty = 1;
}

void fault_step_away(struct fault_operand *o, int64_t e) {
	add_to_bits(o, e, 1);
}

void fault_step_toward_zero(struct fault_operand *o, int64_t e) {
	add_to_bits(o, e, -1);
}

int64_t fault_along(const mt_array *out, int64_t e, int axis, int64_t extent, int64_t j) {
	int64_t inner = 1;
	for (int d = axis + 1; d < out->rank; d++)
		inner *= out->shape[d];
	int64_t outer = e / (inner * out->shape[axis]);
	return (outer * extent + j) * inner + e % inner;
}

int64_t fault_index(const mt_array *a, int64_t e, int axis) {
	for (int d = a->rank - 1; d > axis; d--)
		e /= a->shape[d];
	return e % a->shape[axis];
}

void fault_reverse(mt_array *a, int dim) {
	int64_t bytes = (a->shape[dim] - 1) * a->stride[dim] * fault_size(a->dtype);
	a->byte_offset = (uint64_t)((int64_t)a->byte_offset + bytes);
	a->stride[dim] = -a->stride[dim];
}
