/* Lending a tensor's memory: DLPack's managed tensors over a reference to the storage. */
#include <string.h>

#include "backend/device.h"
#include "base/alloc.h"
#include "base/error.h"
#include "io/dlpack.h"
#include "tensor/shape.h"
#include "tensor/storage.h"

/* A managed tensor with all it points to, freed by its deleter. */
struct lent {
	union {
		DLManagedTensor plain;
		DLManagedTensorVersioned versioned;
	} managed; /* first: its address is the whole's */
	struct mt_storage *storage;
	int64_t shape[MT_MAX_RANK], stride[MT_MAX_RANK];
};

static void give_back(struct lent *lent) {
	struct mt_storage *storage = lent->storage;
	mt__free(lent);
	mt__storage_release(&mt__thread, storage);
}

static void delete_plain(DLManagedTensor *self) {
	give_back(self->manager_ctx);
}

static void delete_versioned(DLManagedTensorVersioned *self) {
	give_back(self->manager_ctx);
}

/* ---- checks ------------------------------------------------------------------------------------------------------- */

static mt_status check_lendable(const char *op, const mt_tensor *t, DLDevice *device) {
	char text[MT__SHAPE_TEXT];
	int32_t ordinal, kind;
	if (!mt__check_tensor(op, "t", t))
		return t == NULL ? MT_E_NULL : MT_E_ARG;
	if (t->requires_grad || t->node != NULL)
		return mt__fail(
			MT_E_STATE, "%s: %s %s, and what others do with it would not be in the graph; mt_detach it first", op,
			mt__tensor_text(text, t), t->requires_grad ? "requires a gradient" : "is the result of a recorded op");
	kind = mt__memory_kind(t->storage->device, &ordinal);
	if (kind == MT_MEMORY_PRIVATE && mt_device_has_host_memory(t->storage->device)) {
		kind = MT_MEMORY_HOST; /* that its addresses can be read and written is promised by the flag */
		ordinal = 0;
	}
	if (kind == MT_MEMORY_PRIVATE)
		return mt__fail(MT_E_UNSUPPORTED,
		                "%s: device %s does not say what its memory is (R9 of the plugin ABI); copy with mt_to_host",
		                op, mt_device_name(t->storage->device));
	*device = (DLDevice){(DLDeviceType)kind, ordinal};
	return MT_OK;
}

/* ---- describing --------------------------------------------------------------------------------------------------- */

static void describe(struct lent *lent, const mt_tensor *t, DLDevice device, DLTensor *out) {
	size_t bytes = (size_t)t->rank * sizeof *lent->shape;
	memcpy(lent->shape, t->shape, bytes);
	memcpy(lent->stride, t->stride, bytes);
	*out = (DLTensor){
		/* The first element: most consumers ignore byte_offset, or allow none. */
		.data = t->numel == 0 ? NULL : (char *)t->storage->base + t->offset * (int64_t)mt_dtype_size(t->dtype),
		.device = device,
		.ndim = t->rank,
		.dtype = mt__dlpack_dtype(t->dtype),
		.shape = lent->shape,
		.strides = lent->stride,
		.byte_offset = 0,
	};
}

/* A reference to t's storage in a lent whose managed tensor is still to be filled; NULL with the error set. */
static struct lent *lend(const char *op, mt_tensor *t, DLDevice *device) {
	if (check_lendable(op, t, device) != MT_OK || mt_device_synchronize(t->storage->device) != MT_OK)
		return NULL;
	struct lent *lent = mt__alloc(sizeof *lent);
	if (lent == NULL) {
		mt__fail_memory(op, sizeof *lent);
		return NULL;
	}
	atomic_fetch_add_explicit(&t->storage->references, 1, memory_order_relaxed);
	lent->storage = t->storage;
	return lent;
}

DLManagedTensorVersioned *mt_to_dlpack_versioned(mt_tensor *t) {
	DLDevice device;
	struct lent *lent = lend("to_dlpack_versioned", t, &device);
	if (lent == NULL)
		return NULL;
	DLManagedTensorVersioned *m = &lent->managed.versioned;
	*m = (DLManagedTensorVersioned){
		.version = {DLPACK_MAJOR_VERSION, DLPACK_MINOR_VERSION},
		.manager_ctx = lent,
		.deleter = delete_versioned,
		.flags = t->storage->read_only ? DLPACK_FLAG_BITMASK_READ_ONLY : 0,
	};
	describe(lent, t, device, &m->dl_tensor);
	return m;
}

DLManagedTensor *mt_to_dlpack(mt_tensor *t) {
	DLDevice device;
	char text[MT__SHAPE_TEXT];
	if (t != NULL && t != MT_NONE && t->storage->read_only) {
		mt__fail(MT_E_STATE,
		         "to_dlpack: %s lies in memory that its owner lent for reading alone, which this form cannot say; use "
		         "mt_to_dlpack_versioned, or mt_clone it first",
		         mt__tensor_text(text, t));
		return NULL;
	}
	struct lent *lent = lend("to_dlpack", t, &device);
	if (lent == NULL)
		return NULL;
	DLManagedTensor *m = &lent->managed.plain;
	*m = (DLManagedTensor){.manager_ctx = lent, .deleter = delete_plain};
	describe(lent, t, device, &m->dl_tensor);
	return m;
}
