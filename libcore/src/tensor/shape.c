/* Shapes: text, sizes, strides, broadcasting. */
#include "tensor/shape.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "tensor/tensor.h"

/* ---- text --------------------------------------------------------------------------------------------------------- */

const char *mt__shape_text(char *buffer, int rank, const int64_t *shape) {
	size_t n = 0;
	buffer[n++] = '[';
	for (int d = 0; d < rank && d < MT_MAX_RANK; d++)
		n += (size_t)snprintf(buffer + n, MT__SHAPE_TEXT - n, d == 0 ? "%lld" : ", %lld", (long long)shape[d]);
	snprintf(buffer + n, MT__SHAPE_TEXT - n, "]");
	return buffer;
}

const char *mt__tensor_text(char *buffer, const mt_tensor *t) {
	char shape[MT__SHAPE_TEXT];
	snprintf(buffer, MT__SHAPE_TEXT, "%s%.180s", mt_dtype_name(t->dtype), mt__shape_text(shape, t->rank, t->shape));
	return buffer;
}

/* ---- sizes and dims ----------------------------------------------------------------------------------------------- */

/* Extents of 0 count as 1 in the overflow test, so that the strides of an empty shape are in range too. */
int64_t mt__numel(int rank, const int64_t *shape) {
	int64_t numel = 1;
	int empty = 0;
	for (int d = 0; d < rank; d++) {
		if (shape[d] < 0)
			return -1;
		if (shape[d] == 0)
			empty = 1;
		else if (__builtin_mul_overflow(numel, shape[d], &numel))
			return -1;
	}
	return empty ? 0 : numel;
}

void mt__contiguous_strides(int rank, const int64_t *shape, int64_t *stride) {
	int64_t next = 1;
	for (int d = rank - 1; d >= 0; d--) {
		stride[d] = next;
		next *= shape[d] > 0 ? shape[d] : 1;
	}
}

int mt__same_shape(const mt_tensor *a, const mt_tensor *b) {
	if (a->rank != b->rank)
		return 0;
	for (int d = 0; d < a->rank; d++)
		if (a->shape[d] != b->shape[d])
			return 0;
	return 1;
}

int mt__dim(const char *op, const mt_tensor *t, int dim) {
	if (dim >= -t->rank && dim < t->rank)
		return dim < 0 ? dim + t->rank : dim;
	char text[MT__SHAPE_TEXT];
	mt__fail(MT_E_ARG, "%s: dim %d is out of range for shape %s", op, dim, mt__shape_text(text, t->rank, t->shape));
	return -1;
}

/* ---- broadcasting ------------------------------------------------------------------------------------------------- */

mt_status mt__broadcast(const char *op, int rank_a, const int64_t *a, int rank_b, const int64_t *b, int *rank_out,
                        int64_t *out) {
	int rank = rank_a > rank_b ? rank_a : rank_b;
	for (int d = 0; d < rank; d++) {
		int64_t ea = d < rank - rank_a ? 1 : a[d - (rank - rank_a)];
		int64_t eb = d < rank - rank_b ? 1 : b[d - (rank - rank_b)];
		if (ea != eb && ea != 1 && eb != 1) {
			char ta[MT__SHAPE_TEXT], tb[MT__SHAPE_TEXT];
			return mt__fail(MT_E_SHAPE, "%s: shapes %s and %s do not broadcast", op, mt__shape_text(ta, rank_a, a),
			                mt__shape_text(tb, rank_b, b));
		}
		out[d] = ea == 1 ? eb : ea;
	}
	*rank_out = rank;
	return MT_OK;
}

int mt__expands_to(const mt_tensor *t, const mt_tensor *to) {
	int lead = to->rank - t->rank;
	for (int d = 0; d < t->rank && lead >= 0; d++)
		if (t->shape[d] != 1 && t->shape[d] != to->shape[d + lead])
			return 0;
	return lead >= 0;
}

mt_array mt__array_expanded(const mt_tensor *x, int rank, const int64_t *shape) {
	mt_array a;
	int lead = rank - x->rank;
	a.base = x->base;
	a.byte_offset = x->byte_offset;
	a.buffer_bytes = x->buffer_bytes;
	a.dtype = x->dtype;
	a.rank = rank;
	for (int d = 0; d < lead; d++) {
		a.shape[d] = shape[d];
		a.stride[d] = 0;
	}
	for (int d = lead; d < rank; d++) {
		a.shape[d] = shape[d];
		a.stride[d] = x->shape[d - lead] == shape[d] ? x->stride[d - lead] : 0;
	}
	return a;
}

/* ---- strides ------------------------------------------------------------------------------------------------------ */

/* PyTorch's rule (computeStride): x's dims fall into chunks within which they are contiguous; the new dims must cut at
 * the chunks' borders. */
int mt__view_strides(const mt_tensor *x, int rank, const int64_t *shape, int64_t *stride) {
	if (x->numel == 0 || x->rank == 0) {
		mt__contiguous_strides(rank, shape, stride);
		return 1;
	}
	int v = rank - 1;
	int64_t base = x->stride[x->rank - 1], chunk = 1, covered = 1;
	for (int d = x->rank - 1; d >= 0; d--) {
		chunk *= x->shape[d];
		if (d > 0 && (x->shape[d - 1] == 1 || x->stride[d - 1] == chunk * base))
			continue;
		for (; v >= 0 && (covered < chunk || shape[v] == 1); v--) {
			stride[v] = covered * base;
			covered *= shape[v];
		}
		if (covered != chunk)
			return 0;
		if (d > 0)
			base = x->stride[d - 1];
		chunk = covered = 1;
	}
	return v == -1;
}

int mt__self_overlap(int rank, const int64_t *shape, const int64_t *stride) {
	uint64_t extent[MT_MAX_RANK], step[MT_MAX_RANK];
	int n = 0;
	for (int d = 0; d < rank; d++) {
		if (shape[d] == 0)
			return 0;
		if (shape[d] == 1)
			continue;
		/* Sorted by step, smallest first. */
		uint64_t s = stride[d] < 0 ? 0 - (uint64_t)stride[d] : (uint64_t)stride[d];
		int i = n++;
		for (; i > 0 && step[i - 1] > s; i--) {
			step[i] = step[i - 1];
			extent[i] = extent[i - 1];
		}
		step[i] = s;
		extent[i] = (uint64_t)shape[d];
	}
	uint64_t span = 0;
	for (int i = 0; i < n; i++) {
		if (step[i] <= span)
			return 1;
		span += (extent[i] - 1) * step[i];
	}
	return 0;
}

int mt__reach(int rank, const int64_t *shape, const int64_t *stride, int64_t *low, int64_t *high) {
	*low = 0;
	*high = -1;
	for (int d = 0; d < rank; d++)
		if (shape[d] == 0)
			return 1;
	*high = 0;
	for (int d = 0; d < rank; d++) {
		int64_t last;
		if (__builtin_mul_overflow(shape[d] - 1, stride[d], &last))
			return 0;
		int64_t *end = last < 0 ? low : high;
		if (__builtin_add_overflow(*end, last, end))
			return 0;
	}
	return 1;
}

int mt__same_array(const mt_tensor *a, const mt_tensor *b) {
	if (a->storage != b->storage || a->offset != b->offset || a->dtype != b->dtype || !mt__same_shape(a, b))
		return 0;
	for (int d = 0; d < a->rank; d++)
		if (a->shape[d] > 1 && a->stride[d] != b->stride[d])
			return 0;
	return 1;
}

/* The addresses from t's first element to its last one's end. */
static int address_span(const mt_tensor *t, uintptr_t *begin, uintptr_t *end) {
	int64_t low, high, bytes = mt__element_bytes[t->dtype];
	if (!mt__reach(t->rank, t->shape, t->stride, &low, &high))
		return 0;
	*begin = (uintptr_t)t->storage->base + (uintptr_t)((t->offset + low) * bytes);
	*end = (uintptr_t)t->storage->base + (uintptr_t)((t->offset + high + 1) * bytes);
	return 1;
}

int mt__may_overlap(const mt_tensor *a, const mt_tensor *b) {
	uintptr_t a_begin, a_end, b_begin, b_end;
	int apart = a->storage != b->storage && a->storage->release == NULL && b->storage->release == NULL;
	if (apart || a->numel == 0 || b->numel == 0)
		return 0;
	if (!address_span(a, &a_begin, &a_end) || !address_span(b, &b_begin, &b_end))
		return 1;
	return a_begin < b_end && b_begin < a_end;
}
