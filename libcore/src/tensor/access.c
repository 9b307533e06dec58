/* Reading and writing elements from the host. */
#include "autograd/node.h"
#include "backend/device.h"
#include "base/error.h"
#include "tensor/element.h"
#include "tensor/shape.h"
#include "tensor/tensor.h"

static mt_status check(const char *op, const mt_tensor *t) {
	if (mt__check_tensor(op, "t", t))
		return MT_OK;
	return t == NULL ? MT_E_NULL : MT_E_ARG;
}

/* The host writes data behind the graph's back: refused where a recorded op made t. */
static mt_status check_host_write(const char *op, const mt_tensor *t) {
	char text[MT__SHAPE_TEXT];
	mt_status status = mt__check_writable(op, t);
	if (status != MT_OK)
		return status;
	if (t->node != NULL && mt_grad_enabled())
		return mt__fail(MT_E_STATE, "%s: %s was made by a recorded op: detach it, or switch recording off", op,
		                mt__tensor_text(text, t));
	return MT_OK;
}

/* ---- single elements ---------------------------------------------------------------------------------------------- */

/* The byte offset of an element in the storage. */
static mt_status locate(const char *op, const mt_tensor *t, const int64_t *index, uint64_t *offset) {
	int64_t position = t->offset;
	if (t->rank > 0 && index == NULL)
		return mt__fail_arg_null(op, "index");
	for (int d = 0; d < t->rank; d++) {
		int64_t i = index[d], extent = t->shape[d];
		if (i < -extent || i >= extent) {
			char text[MT__SHAPE_TEXT];
			return mt__fail(MT_E_ARG, "%s: index %lld is out of range for dim %d of shape %s", op, (long long)i, d,
			                mt__shape_text(text, t->rank, t->shape));
		}
		position += (i < 0 ? i + extent : i) * t->stride[d];
	}
	*offset = (uint64_t)position * mt_dtype_size(t->dtype);
	return MT_OK;
}

static mt_status read_element(const char *op, const mt_tensor *t, const int64_t *index, void *element) {
	uint64_t offset = 0;
	mt_status status = locate(op, t, index, &offset);
	if (status != MT_OK)
		return status;
	return mt__download(t->storage->device, t->storage->base, offset, element, mt_dtype_size(t->dtype));
}

static mt_status read_item(const char *op, mt_tensor *t, void *element, const void *out) {
	static const int64_t origin[MT_MAX_RANK] = {0};
	mt_status status = check(op, t);
	if (status != MT_OK)
		return status;
	if (out == NULL)
		return mt__fail_arg_null(op, "out");
	if (t->numel != 1) {
		char text[MT__SHAPE_TEXT];
		return mt__fail(MT_E_SHAPE, "%s: %s has %lld elements, not 1", op, mt__tensor_text(text, t),
		                (long long)t->numel);
	}
	return read_element(op, t, origin, element);
}

mt_status mt_item(mt_tensor *t, double *out) {
	char element[8];
	mt_status status = read_item("item", t, element, out);
	if (status == MT_OK)
		*out = mt__element_f64(t->dtype, element);
	return status;
}

mt_status mt_item_i64(mt_tensor *t, int64_t *out) {
	char element[8];
	mt_status status = read_item("item_i64", t, element, out);
	if (status == MT_OK)
		*out = mt__element_i64(t->dtype, element);
	return status;
}

mt_status mt_get(mt_tensor *t, const int64_t *index, double *out) {
	char element[8];
	mt_status status = check("get", t);
	if (status != MT_OK)
		return status;
	if (out == NULL)
		return mt__fail_arg_null("get", "out");
	status = read_element("get", t, index, element);
	if (status == MT_OK)
		*out = mt__element_f64(t->dtype, element);
	return status;
}

mt_status mt_set(mt_tensor *t, const int64_t *index, mt_scalar value) {
	char element[8];
	uint64_t offset = 0;
	mt_status status = check("set", t);
	if (status == MT_OK && value.tag != MT_SCALAR_I64 && value.tag != MT_SCALAR_F64)
		status = mt__fail(MT_E_ARG, "set: value is no scalar (tag %d): make it with mt_i or mt_f", (int)value.tag);
	if (status == MT_OK)
		status = check_host_write("set", t);
	if (status == MT_OK)
		status = locate("set", t, index, &offset);
	if (status != MT_OK)
		return status;
	mt__element_store(t->dtype, element, value);
	mt__storage_touch(t->storage);
	return mt__upload(t->storage->device, t->storage->base, offset, element, mt_dtype_size(t->dtype));
}

/* ---- all elements ------------------------------------------------------------------------------------------------- */

static mt_status check_bytes(const char *op, const mt_tensor *t, const void *buffer, const char *arg, size_t bytes) {
	uint64_t needed = (uint64_t)t->numel * mt_dtype_size(t->dtype);
	if (bytes != needed) {
		char text[MT__SHAPE_TEXT];
		return mt__fail(MT_E_ARG, "%s: %s has %llu bytes, not %llu", op, mt__tensor_text(text, t),
		                (unsigned long long)needed, (unsigned long long)bytes);
	}
	return buffer == NULL && bytes > 0 ? mt__fail_arg_null(op, arg) : MT_OK;
}

mt_status mt_to_host(mt_tensor *t, void *dst, size_t bytes) {
	mt_status status = check("to_host", t);
	if (status == MT_OK)
		status = check_bytes("to_host", t, dst, "dst", bytes);
	return status == MT_OK ? mt__tensor_download(t, dst) : status;
}

mt_status mt_from_host(mt_tensor *t, const void *src, size_t bytes) {
	mt_status status = check("from_host", t);
	if (status == MT_OK)
		status = check_bytes("from_host", t, src, "src", bytes);
	if (status == MT_OK)
		status = check_host_write("from_host", t);
	if (status != MT_OK)
		return status;
	mt__storage_touch(t->storage);
	return mt__tensor_upload(t, src);
}

void *mt_data(mt_tensor *t) {
	if (check("data", t) != MT_OK)
		return NULL;
	mt_device *device = t->storage->device;
	if (!mt_device_has_host_memory(device))
		return mt__fail_null(MT_E_DEVICE, "data: the memory of %s cannot be read by the host: use mt_to_host",
		                     mt_device_name(device));
	if (mt_device_synchronize(device) != MT_OK)
		return NULL;
	return (char *)t->storage->base + (uint64_t)t->offset * mt_dtype_size(t->dtype);
}
