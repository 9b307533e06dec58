/* Tensors: headers, references, checks of arguments. */
#include <string.h>

#include "autograd/node.h"
#include "backend/device.h"
#include "base/alloc.h"
#include "base/error.h"
#include "tensor/shape.h"
#include "tensor/storage.h"

#define NAME_BYTES 63

struct mt_tensor mt_none = {.references = 1};

struct mt__slab mt__tensor_slab = MT__SLAB_INIT(struct mt_tensor);

static atomic_int_fast64_t live;

/* ---- making ------------------------------------------------------------------------------------------------------- */

/* A header over storage, whose reference it takes; shape, stride and numel are the caller's to fill. */
static inline mt_tensor *header_new(struct mt__thread *thread, const char *op, struct mt_storage *storage, int rank,
                                    mt_dtype dtype, int64_t offset) {
	mt_tensor *t = mt__slab_take(&mt__tensor_slab, &thread->tensors);
	if (t == NULL) {
		mt__storage_release(thread, storage);
		mt__fail_memory(op, sizeof *t);
		return NULL;
	}
	atomic_init(&t->references, 1);
	t->requires_grad = 0;
	t->base = storage->base;
	t->byte_offset = (uint64_t)offset * mt__element_bytes[dtype];
	t->buffer_bytes = storage->bytes;
	t->dtype = dtype;
	t->rank = rank;
	t->offset = offset;
	t->storage = storage;
	t->node = NULL;
	t->grad = NULL;
	t->grad_set = 0;
	t->outside = 0;
	t->name = NULL;
	atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
	mt__pool_push(thread, t);
	return t;
}

/* Says why there is no such tensor. */
static mt_tensor *refuse_shape(const char *op, int rank, const int64_t *shape, mt_dtype dtype) {
	char text[MT__SHAPE_TEXT];
	if (rank < 0 || rank > MT_MAX_RANK)
		return mt__fail_null(MT_E_SHAPE, "%s: rank %d is not in 0 … %d", op, rank, MT_MAX_RANK);
	if (mt_dtype_size(dtype) == 0)
		return mt__fail_null(MT_E_DTYPE, "%s: %d is no dtype", op, (int)dtype);
	if (shape == NULL) {
		mt__fail_arg_null(op, "shape");
		return NULL;
	}
	mt__shape_text(text, rank, shape);
	for (int d = 0; d < rank; d++)
		if (shape[d] < 0)
			return mt__fail_null(MT_E_SHAPE, "%s: shape %s has a negative extent", op, text);
	return mt__fail_null(MT_E_SHAPE, "%s: %s%s needs 2^63 bytes or more", op, mt_dtype_name(dtype), text);
}

mt_tensor *mt__tensor_new(const char *op, mt_device *device, int rank, const int64_t *shape, mt_dtype dtype) {
	int64_t stride[MT_MAX_RANK], bytes;
	if (device == NULL) {
		mt__fail_arg_null(op, "device");
		return NULL;
	}
	if ((unsigned)rank > MT_MAX_RANK || (unsigned)dtype >= MT_DTYPE_END_ || mt__element_bytes[dtype] == 0 ||
	    (shape == NULL && rank > 0))
		return refuse_shape(op, rank, shape, dtype);
	/* Extents of 0 count as 1 in the strides and in the overflow test, as in mt__numel. */
	int64_t next = 1, numel;
	int empty = 0;
	for (int d = rank - 1; d >= 0; d--) {
		int64_t extent = shape[d];
		stride[d] = next;
		empty |= extent == 0;
		if (extent < 0 || __builtin_mul_overflow(next, extent + (extent == 0), &next))
			return refuse_shape(op, rank, shape, dtype);
	}
	numel = empty ? 0 : next;
	if (__builtin_mul_overflow(numel, (int64_t)mt__element_bytes[dtype], &bytes))
		return refuse_shape(op, rank, shape, dtype);
	struct mt__thread *thread = &mt__thread;
	if (!mt__pool_reserve(thread))
		return NULL;
	struct mt_storage *storage = mt__storage_new(thread, device, (uint64_t)bytes);
	mt_tensor *t = storage != NULL ? header_new(thread, op, storage, rank, dtype, 0) : NULL;
	if (t == NULL)
		return NULL;
	t->numel = numel;
	for (int d = 0; d < rank; d++) {
		t->shape[d] = shape[d];
		t->stride[d] = stride[d];
	}
	return t;
}

mt_tensor *mt__tensor_like(const char *op, const mt_tensor *t) {
	int rank = t->rank;
	/* a view with strides of 0 may have more elements than memory has */
	if (t->numel > INT64_MAX / 16)
		return mt__tensor_new(op, t->storage->device, rank, t->shape, t->dtype);
	struct mt__thread *thread = &mt__thread;
	if (!mt__pool_reserve(thread))
		return NULL;
	struct mt_storage *storage =
		mt__storage_new(thread, t->storage->device, (uint64_t)t->numel * mt__element_bytes[t->dtype]);
	mt_tensor *y = storage != NULL ? header_new(thread, op, storage, rank, t->dtype, 0) : NULL;
	if (y == NULL)
		return NULL;
	y->numel = t->numel;
	int64_t next = 1;
	for (int d = rank - 1; d >= 0; d--) {
		y->shape[d] = t->shape[d];
		y->stride[d] = next;
		next *= t->shape[d] + (t->shape[d] == 0);
	}
	return y;
}

mt_tensor *mt__tensor_alias(mt_tensor *t, int rank, const int64_t *shape, const int64_t *stride, int64_t offset) {
	int64_t numel = mt__numel(rank, shape);
	if (numel < 0)
		return mt__fail_null(MT_E_SHAPE, "view: the shape has a negative extent or 2^63 elements or more");
	struct mt__thread *thread = &mt__thread;
	if (!mt__pool_reserve(thread))
		return NULL;
	atomic_fetch_add_explicit(&t->storage->references, 1, memory_order_relaxed);
	mt_tensor *view = header_new(thread, "view", t->storage, rank, t->dtype, offset);
	if (view == NULL)
		return NULL;
	view->numel = numel;
	for (int d = 0; d < rank; d++) {
		view->shape[d] = shape[d];
		view->stride[d] = stride[d];
	}
	return view;
}

mt_tensor *mt__tensor_external(const char *op, mt_device *device, const struct mt__external *memory, mt_dtype dtype,
                               int rank, const int64_t *shape, const int64_t *stride, int64_t offset) {
	struct mt__thread *thread = &mt__thread;
	if (!mt__pool_reserve(thread))
		return NULL;
	struct mt_storage *storage = mt__storage_new(thread, device, 0);
	mt_tensor *t = storage != NULL ? header_new(thread, op, storage, rank, dtype, offset) : NULL;
	if (t == NULL)
		return NULL;
	mt__storage_put(storage, memory);
	t->base = storage->base;
	t->buffer_bytes = storage->bytes;
	t->numel = mt__numel(rank, shape);
	for (int d = 0; d < rank; d++) {
		t->shape[d] = shape[d];
		t->stride[d] = stride[d];
	}
	return t;
}

/* ---- references --------------------------------------------------------------------------------------------------- */

mt_tensor *mt_retain(mt_tensor *t) {
	if (t != NULL && t != MT_NONE)
		atomic_fetch_add_explicit(&t->references, 1, memory_order_relaxed);
	return t;
}

static inline mt_tensor *header_free(struct mt__thread *thread, mt_tensor *t) {
	mt_tensor *grad = t->grad;
	if (t->node != NULL)
		mt__leave_node(t);
	if (t->name != NULL)
		mt__free(t->name);
	mt__storage_release(thread, t->storage);
	mt__slab_give(&mt__tensor_slab, &thread->tensors, t);
	atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
	return grad;
}

void mt__tensor_free(mt_tensor *t) {
	struct mt__thread *thread = &mt__thread;
	/* A loop, since a gradient may have a gradient. */
	do
		t = header_free(thread, t);
	while (t != NULL && mt__is_last(t));
}

void mt_release(mt_tensor *t) {
	if (t != NULL && t != MT_NONE && mt__is_last(t))
		mt__tensor_free(t);
}

int64_t mt_live_tensors(void) {
	return atomic_load_explicit(&live, memory_order_relaxed);
}

/* ---- what a tensor is --------------------------------------------------------------------------------------------- */

static int is_real(const mt_tensor *t) {
	return t != NULL && t != MT_NONE;
}

int mt_tensor_rank(const mt_tensor *t) {
	return is_real(t) ? t->rank : 0;
}

const int64_t *mt_tensor_shape(const mt_tensor *t) {
	return is_real(t) ? t->shape : NULL;
}

const int64_t *mt_tensor_strides(const mt_tensor *t) {
	return is_real(t) ? t->stride : NULL;
}

int64_t mt_tensor_size(const mt_tensor *t, int dim) {
	if (!is_real(t))
		return 0;
	if (dim < -t->rank || dim >= t->rank)
		return -1;
	return t->shape[dim < 0 ? dim + t->rank : dim];
}

int64_t mt_tensor_numel(const mt_tensor *t) {
	return is_real(t) ? t->numel : 0;
}

mt_dtype mt_tensor_dtype(const mt_tensor *t) {
	return is_real(t) ? t->dtype : 0;
}

mt_device *mt_tensor_device(const mt_tensor *t) {
	return is_real(t) ? t->storage->device : NULL;
}

int mt_tensor_is_contiguous(const mt_tensor *t) {
	if (!is_real(t))
		return 0;
	if (t->numel == 0)
		return 1;
	int64_t expected = 1;
	for (int d = t->rank - 1; d >= 0; d--) {
		if (t->shape[d] == 1)
			continue;
		if (t->stride[d] != expected)
			return 0;
		expected *= t->shape[d];
	}
	return 1;
}

int mt_tensor_is_none(const mt_tensor *t) {
	return t == MT_NONE;
}

int mt_tensor_shares_storage(const mt_tensor *a, const mt_tensor *b) {
	return is_real(a) && is_real(b) && a->storage == b->storage;
}

mt_status mt_tensor_set_name(mt_tensor *t, const char *name) {
	if (!mt__check_tensor("set_name", "t", t))
		return t == NULL ? MT_E_NULL : MT_E_ARG;
	if (name == NULL)
		return mt__fail_arg_null("set_name", "name");
	size_t n = strlen(name);
	if (n > NAME_BYTES) {
		n = NAME_BYTES;
		/* Not in the middle of a UTF-8 sequence. */
		while (n > 0 && ((unsigned char)name[n] & 0xC0) == 0x80)
			n--;
	}
	char *copy = mt__alloc(n + 1);
	if (copy == NULL)
		return mt__fail_memory("set_name", n + 1);
	memcpy(copy, name, n);
	copy[n] = '\0';
	mt__free(t->name);
	t->name = copy;
	return MT_OK;
}

const char *mt_tensor_name(const mt_tensor *t) {
	return is_real(t) && t->name != NULL ? t->name : "";
}

/* ---- checks ------------------------------------------------------------------------------------------------------- */

int mt__refuse_tensor(const char *op, const char *arg, const mt_tensor *t) {
	if (t == NULL)
		mt__fail_arg_null(op, arg);
	else
		mt__fail(MT_E_ARG, "%s: %s is MT_NONE, a tensor is needed", op, arg);
	return 0;
}

int mt__refuse_devices(const char *op, const mt_device *a, const mt_device *b) {
	mt__fail(MT_E_DEVICE, "%s: tensors of two devices: %s and %s", op, mt_device_name(a), mt_device_name(b));
	return 0;
}
