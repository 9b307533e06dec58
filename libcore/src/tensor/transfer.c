/* Moving a tensor's data: between tensors of a device by kernel, and to and from host memory. */
#include <string.h>

#include "backend/device.h"
#include "base/alloc.h"
#include "base/error.h"
#include "tensor/tensor.h"

static uint64_t byte_size(const mt_tensor *t) {
	return (uint64_t)t->numel * mt_dtype_size(t->dtype);
}

static uint64_t byte_offset(const mt_tensor *t) {
	return (uint64_t)t->offset * mt_dtype_size(t->dtype);
}

mt_status mt__tensor_copy(mt_tensor *out, const mt_tensor *x) {
	if (out->numel == 0)
		return MT_OK;
	mt_array ax = mt__array(x), ao = mt__array(out);
	struct mt_copy_args args = {.struct_size = sizeof args, .x = &ax, .out = &ao};
	return mt__dispatch(out->storage->device, MT_K_COPY, 0, &args);
}

mt_status mt__tensor_fill(mt_tensor *t, mt_scalar value) {
	if (t->numel == 0)
		return MT_OK;
	mt_array a = mt__array(t);
	struct mt_fill_args args = {.struct_size = sizeof args, .out = &a, .value = value};
	return mt__dispatch(t->storage->device, MT_K_FILL, 0, &args);
}

mt_tensor *mt__tensor_packed(const char *op, const mt_tensor *x, mt_dtype dtype) {
	mt_tensor *out = mt__tensor_new(op, x->storage->device, x->rank, x->shape, dtype);
	return out != NULL && mt__tensor_copy(out, x) == MT_OK ? out : NULL;
}

mt_status mt__tensor_download(const mt_tensor *x, void *dst) {
	if (x->numel == 0)
		return mt__device_check(x->storage->device);
	if (mt_tensor_is_contiguous(x))
		return mt__download(x->storage->device, x->storage->base, byte_offset(x), dst, byte_size(x));
	mt_scope *scope = mt_scope_begin();
	if (scope == NULL)
		return MT_E_MEMORY;
	mt_tensor *packed = mt__tensor_packed("to_host", x, x->dtype);
	mt_status status = packed != NULL ? mt__tensor_download(packed, dst) : mt_error_peek();
	mt_scope_end(scope);
	return status;
}

static mt_status upload_strided(mt_tensor *t, const void *src) {
	mt_scope *scope = mt_scope_begin();
	if (scope == NULL)
		return MT_E_MEMORY;
	mt_tensor *packed = mt__tensor_new("from_host", t->storage->device, t->rank, t->shape, t->dtype);
	mt_status status = packed != NULL ? mt__tensor_upload(packed, src) : mt_error_peek();
	if (status == MT_OK)
		status = mt__tensor_copy(t, packed);
	mt_scope_end(scope);
	return status;
}

/* A bool element is 0 or 1: kernels rely on it, and callers' bytes may be others. */
static mt_status upload_bools(mt_tensor *t, const uint8_t *src) {
	uint8_t *bools = mt__alloc((size_t)t->numel);
	if (bools == NULL)
		return mt__fail_memory("from_host", (size_t)t->numel);
	for (int64_t i = 0; i < t->numel; i++)
		bools[i] = src[i] != 0;
	mt_status status = mt__tensor_upload(t, bools);
	mt__free(bools);
	return status;
}

static int all_bools(const uint8_t *src, int64_t n) {
	for (int64_t i = 0; i < n; i++)
		if (src[i] > 1)
			return 0;
	return 1;
}

mt_status mt__tensor_upload(mt_tensor *t, const void *src) {
	if (t->numel == 0)
		return mt__device_check(t->storage->device);
	if (t->dtype == MT_BOOL && !all_bools(src, t->numel))
		return upload_bools(t, src);
	if (!mt_tensor_is_contiguous(t))
		return upload_strided(t, src);
	return mt__upload(t->storage->device, t->storage->base, byte_offset(t), src, byte_size(t));
}
