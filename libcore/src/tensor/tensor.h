/* The tensor and its storage, as libcore sees them. */
#ifndef MT_TENSOR_TENSOR_H
#define MT_TENSOR_TENSOR_H

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "mt/tensor.h"

struct mt_node;

struct mt_storage {
	atomic_int references;
	atomic_uint version; /* bumped by every write (mt__storage_touch) */
	atomic_int saved;    /* those of references that are aliases kept by the graph (mt__save) */
	mt_device *device;
	void *base;
	uint64_t bytes;                 /* what its tensors may use */
	uint64_t capacity;              /* what the allocator gave; 0 where the memory is not its own */
	int32_t read_only;              /* mt__check_writable refuses it */
	void (*release)(void *context); /* NULL: base is the allocator's */
	void *context;
};

/* Memory that the allocator did not give: a mapped file, another library's array.  release(context) is called once, when
 * the last tensor and graph that use it are gone and the device is done with it; not in a child after fork(), where the
 * parent's devices are not touched either. */
struct mt__external {
	void *base; /* memory of the device's kind (mt__memory_kind), aligned to the element */
	uint64_t bytes;
	int read_only;
	void (*release)(void *context);
	void *context;
};

struct mt_tensor {
	atomic_int references;
	int32_t requires_grad; /* a leaf marked by mt_requires_grad_; results have node instead */
	union {
		mt_array array; /* what kernels are given, always up to date: nothing is described again at a call */
		struct {        /* the same fields */
			void *base; /* the storage's, as buffer_bytes is its bytes */
			uint64_t byte_offset;
			uint64_t buffer_bytes;
			int32_t dtype;
			int32_t rank;
			int64_t shape[MT_MAX_RANK];  /* entries beyond rank are undefined */
			int64_t stride[MT_MAX_RANK]; /* in elements */
		};
	};
	int64_t offset; /* in elements from base */
	int64_t numel;
	struct mt_storage *storage;
	struct mt_node *node;   /* the recorded op that made it, owned; NULL for leaves */
	struct mt_tensor *grad; /* owned; may exist while grad_set is 0 (memory kept by mt_zero_grad) */
	int32_t grad_set;
	int32_t outside; /* was marked as a leaf, or is a .grad: never the result of a recorded op (mt__check_recordable) */
	char *name;      /* owned; NULL when unnamed */
};

/* Whether t is a leaf that requires a gradient, or the result of a recorded op.  MT_NONE is neither. */
static inline int mt__in_graph(const mt_tensor *t) {
	return t->node != NULL || t->requires_grad;
}

_Static_assert(offsetof(struct mt_tensor, stride) - offsetof(struct mt_tensor, base) == offsetof(mt_array, stride) &&
                   offsetof(struct mt_tensor, rank) - offsetof(struct mt_tensor, base) == offsetof(mt_array, rank),
               "the fields of a tensor's array");

/* A new contiguous tensor with storage of its own on device, content undefined, in the current scope.  op is named in
 * messages; checks rank, extents ≥ 0, overflow of the byte size. */
mt_tensor *mt__tensor_new(const char *op, mt_device *device, int rank, const int64_t *shape, mt_dtype dtype);

/* The same with t's shape, dtype and device, which need no check. */
mt_tensor *mt__tensor_like(const char *op, const mt_tensor *t);

/* A tensor over the same storage, in the current scope; no graph.  The caller has checked that it stays inside. */
mt_tensor *mt__tensor_alias(mt_tensor *t, int rank, const int64_t *shape, const int64_t *stride, int64_t offset);

/* A tensor over external memory, in the current scope; offset in elements from its base.  The caller has checked that it
 * stays inside.  NULL on MT_E_MEMORY: then memory is still the caller's, and release is not called. */
mt_tensor *mt__tensor_external(const char *op, mt_device *device, const struct mt__external *memory, mt_dtype dtype,
                               int rank, const int64_t *shape, const int64_t *stride, int64_t offset);

/* Bytes of an element, by dtype id; 0 for an id that is none. */
extern const uint8_t mt__element_bytes[16];

/* A copy of t's array, to be changed.  Entries beyond its rank are undefined. */
static inline mt_array mt__array(const mt_tensor *t) {
	mt_array a;
	a.base = t->base;
	a.byte_offset = t->byte_offset;
	a.buffer_bytes = t->buffer_bytes;
	a.dtype = t->dtype;
	a.rank = t->rank;
	/* Fixed sizes: two vector moves each, without a loop. */
	memcpy(a.shape, t->shape, 4 * sizeof *a.shape);
	memcpy(a.stride, t->stride, 4 * sizeof *a.stride);
	if (t->rank > 4) {
		memcpy(a.shape + 4, t->shape + 4, 4 * sizeof *a.shape);
		memcpy(a.stride + 4, t->stride + 4, 4 * sizeof *a.stride);
	}
	return a;
}

/* Two tensors of one shape, dtype and offset exchange their storages. */
void mt__storage_swap(mt_tensor *a, mt_tensor *b);
/* Nobody but the one reference that the caller knows of can see t's data. */
static inline int mt__exclusive(const mt_tensor *t) {
	return atomic_load_explicit(&t->references, memory_order_acquire) == 1 &&
	       atomic_load_explicit(&t->storage->references, memory_order_acquire) == 1;
}

/* The end of a tensor whose last reference was given up. */
void mt__tensor_free(mt_tensor *t);

/* Gives up the caller's reference; whether it was the last.  Who holds the only one need not count it down. */
static inline int mt__is_last(mt_tensor *t) {
	return atomic_load_explicit(&t->references, memory_order_acquire) == 1 ||
	       atomic_fetch_sub_explicit(&t->references, 1, memory_order_acq_rel) == 1;
}
/* Puts external memory into a storage of 0 bytes. */
void mt__storage_put(struct mt_storage *storage, const struct mt__external *memory);

/* Counts a write. */
static inline void mt__storage_touch(struct mt_storage *s) {
	atomic_fetch_add_explicit(&s->version, 1u, memory_order_relaxed);
}

/* The failures of the checks below; they return 0. */
int mt__refuse_tensor(const char *op, const char *arg, const mt_tensor *t);
int mt__refuse_devices(const char *op, const mt_device *a, const mt_device *b);

/* 1 when t is a real tensor; else sets the error (NULL: mt__fail_arg_null; MT_NONE: MT_E_ARG) and returns 0. */
static inline int mt__check_tensor(const char *op, const char *arg, const mt_tensor *t) {
	return (t != NULL && t != MT_NONE) || mt__refuse_tensor(op, arg, t);
}

/* The same for an optional argument: MT_NONE is fine. */
static inline int mt__check_optional(const char *op, const char *arg, const mt_tensor *t) {
	return t != NULL || mt__refuse_tensor(op, arg, t);
}

/* All on one device, else MT_E_DEVICE naming both.  MT_NONE entries are skipped. */
static inline int mt__check_same_device(const char *op, mt_tensor *const *ts, int n) {
	const mt_device *first = NULL;
	for (int i = 0; i < n; i++) {
		if (ts[i] == MT_NONE)
			continue;
		const mt_device *device = ts[i]->storage->device;
		if (first == NULL)
			first = device;
		else if (device != first)
			return mt__refuse_devices(op, first, device);
	}
	return 1;
}

/* ---- moving data (transfer.c): no graph, no checks beyond what is said ---------------------------------------------- */

/* out = x converted to out's dtype: the copy kernel.  Same shape and device; out does not overlap itself or x. */
mt_status mt__tensor_copy(mt_tensor *out, const mt_tensor *x);
/* t[...] = value: the fill kernel. */
mt_status mt__tensor_fill(mt_tensor *t, mt_scalar value);
/* x's elements, row-major, in a new contiguous tensor of dtype on x's device, in the current scope. */
mt_tensor *mt__tensor_packed(const char *op, const mt_tensor *x, mt_dtype dtype);
/* All elements, row-major, in the tensor's dtype: bytes is numel times its size.  Complete on return. */
mt_status mt__tensor_download(const mt_tensor *x, void *dst);
mt_status mt__tensor_upload(mt_tensor *t, const void *src);

#endif
