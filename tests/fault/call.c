/* The arrays of a call, and their elements. */
#include <stdlib.h>
#include <string.h>

#include "fault.h"

enum role { IN, OPT_IN, OUT, OPT_OUT, INOUT, OPT_INOUT };

static const struct operand {
	int32_t kernel;
	const char *field;
	size_t offset;
	enum role role;
} operands[] = {
#define MT_OPERAND(KERNEL, kernel, field, role)                                                                        \
	{MT_K_##KERNEL, #field, offsetof(struct mt_##kernel##_args, field), role},
#include "mt/operands.def"
#undef MT_OPERAND
};

enum { N_OPERANDS = sizeof operands / sizeof *operands };

static mt_array *pointer(struct fault_call *c, const struct operand *o) {
	mt_array *a;
	memcpy(&a, (char *)&c->args + o->offset, sizeof a);
	return a;
}

void fault_copy_arrays(struct fault_call *c) {
	for (size_t i = 0; i < N_OPERANDS; i++) {
		const mt_array *given = operands[i].kernel == c->kernel ? pointer(c, &operands[i]) : NULL;
		if (given == NULL || c->n_arrays == FAULT_MAX_ARRAYS)
			continue;
		mt_array *copy = &c->arrays[c->n_arrays++];
		*copy = *given;
		memcpy((char *)&c->args + operands[i].offset, &copy, sizeof copy);
	}
}

mt_array *fault_array(struct fault_call *c, const char *field) {
	for (size_t i = 0; i < N_OPERANDS; i++)
		if (operands[i].kernel == c->kernel && strcmp(operands[i].field, field) == 0)
			return pointer(c, &operands[i]);
	return NULL;
}

static mt_array *first(struct fault_call *c, int written) {
	for (size_t i = 0; i < N_OPERANDS; i++)
		if (operands[i].kernel == c->kernel && (operands[i].role >= OUT) == written && pointer(c, &operands[i]) != NULL)
			return pointer(c, &operands[i]);
	return NULL;
}

mt_array *fault_output(struct fault_call *c) {
	return first(c, 1);
}

mt_array *fault_input(struct fault_call *c) {
	return first(c, 0);
}

/* ---- elements ---- */

int fault_size(const mt_array *a) {
	switch (a->dtype) {
#define MT_DTYPE(id, NAME, name, bytes, class)                                                                         \
	case id:                                                                                                           \
		return bytes;
#include "mt/dtypes.def"
#undef MT_DTYPE
	default:
		return 1;
	}
}

int64_t fault_numel(const mt_array *a) {
	int64_t numel = 1;
	for (int d = 0; d < a->rank; d++)
		numel *= a->shape[d];
	return numel;
}

uint64_t fault_position(const mt_array *a, int64_t e) {
	int64_t offset = 0;
	for (int d = a->rank - 1; d >= 0; d--) {
		offset += e % a->shape[d] * a->stride[d];
		e /= a->shape[d];
	}
	return a->byte_offset + (uint64_t)(offset * fault_size(a));
}

unsigned char *fault_get(struct fault_call *c, const mt_array *a) {
	unsigned char *bytes = malloc(a->buffer_bytes);
	fault_device->synchronize(c->queue);
	if (bytes == NULL || fault_device->download(c->queue, a->base, 0, bytes, a->buffer_bytes) != MT_OK)
		abort();
	return bytes;
}

void fault_put(struct fault_call *c, const mt_array *a, const unsigned char *bytes) {
	if (fault_device->upload(c->queue, a->base, 0, bytes, a->buffer_bytes) != MT_OK)
		abort();
}

double fault_read(const mt_array *a, const unsigned char *bytes, int64_t e) {
	const unsigned char *p = bytes + fault_position(a, e);
	float f;
	double d;
	int32_t i;
	int64_t l;
	uint16_t w;
	switch (a->dtype) {
	case MT_F32:
		return memcpy(&f, p, sizeof f), f;
	case MT_F64:
		return memcpy(&d, p, sizeof d), d;
	case MT_I32:
		return memcpy(&i, p, sizeof i), i;
	case MT_I64:
		return memcpy(&l, p, sizeof l), (double)l;
	case MT_F16:
	case MT_BF16:
		return memcpy(&w, p, sizeof w), w;
	default:
		return *p;
	}
}

void fault_write(const mt_array *a, unsigned char *bytes, int64_t e, double value) {
	unsigned char *p = bytes + fault_position(a, e);
	float f = (float)value;
	int64_t l = a->dtype != MT_F32 && a->dtype != MT_F64 ? (int64_t)value : 0;
	int32_t i = (int32_t)l;
	uint16_t w = (uint16_t)l;
	switch (a->dtype) {
	case MT_F32:
		memcpy(p, &f, sizeof f);
		break;
	case MT_F64:
		memcpy(p, &value, sizeof value);
		break;
	case MT_I32:
		memcpy(p, &i, sizeof i);
		break;
	case MT_I64:
		memcpy(p, &l, sizeof l);
		break;
	case MT_F16:
	case MT_BF16:
		memcpy(p, &w, sizeof w);
		break;
	default:
		*p = (unsigned char)l;
	}
}
