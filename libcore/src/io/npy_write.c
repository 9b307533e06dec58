/* Writing .npy. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/npy.h"
#include "io/whole_file.h"
#include "mt/autograd.h"
#include "mt/io.h"
#include "tensor/tensor.h"

/* t with its dims reversed, outside the graph. */
static mt_tensor *reversed(mt_tensor *t) {
	int64_t dims[MT_MAX_RANK];
	int rank = mt_tensor_rank(t);
	for (int d = 0; d < rank; d++)
		dims[d] = rank - 1 - d;
	return mt_permute(mt_detach(t), rank, dims);
}

static mt_status failed(void) {
	return mt_error_peek() ? mt_error_peek() : MT_E_INTERNAL;
}

/* Whether t's elements lie in memory in column-major order, and not also in row-major order. */
static mt_status is_column_major(mt_tensor *t, int *out) {
	mt_scope *scope = mt_scope_begin();
	mt_tensor *r = scope ? reversed(t) : NULL;
	mt_status status = r ? MT_OK : failed();
	*out = r && mt_tensor_is_contiguous(r) && !mt_tensor_is_contiguous(t);
	mt_scope_end(scope);
	return status;
}

/* The dict, then spaces and a line's end, so that the data begins at a multiple of 64. */
static void make_preamble(const mt_tensor *t, struct mt__npy_image *out) {
	char *const start = out->preamble, *at = start + 10, *const end = start + sizeof out->preamble;
	at += snprintf(at, (size_t)(end - at), "{'descr': '%s', 'fortran_order': %s, 'shape': (",
	               mt__npy_descr(mt_tensor_dtype(t)), out->fortran ? "True" : "False");
	for (int d = 0, rank = mt_tensor_rank(t); d < rank; d++)
		at += snprintf(at, (size_t)(end - at),
		               rank == 1 ? "%" PRId64 ","
		               : d == 0  ? "%" PRId64
		                         : ", %" PRId64,
		               mt_tensor_shape(t)[d]);
	at += snprintf(at, (size_t)(end - at), "), }");
	size_t bare = (size_t)(at - start), padded = (bare + 1 + 63) / 64 * 64;
	memset(at, ' ', padded - bare - 1);
	start[padded - 1] = '\n';
	memcpy(start, "\x93NUMPY\x01\x00", 8);
	start[8] = (char)((padded - 10) & 0xff);
	start[9] = (char)((padded - 10) >> 8);
	out->preamble_bytes = padded;
}

mt_status mt__npy_image(const char *what, mt_tensor *t, struct mt__npy_image *out) {
	mt_dtype dtype = mt_tensor_dtype(t);
	memset(out, 0, sizeof *out);
	if (mt__npy_descr(dtype) == NULL)
		return mt__fail(MT_E_DTYPE, "%s: NumPy has no dtype %s: cast to f32, which holds all its values", what,
		                mt_dtype_name(dtype));
	mt_status status = is_column_major(t, &out->fortran);
	if (status != MT_OK)
		return status;
	out->data_bytes = (size_t)mt_tensor_numel(t) * mt_dtype_size(dtype);
	make_preamble(t, out);
	return MT_OK;
}

mt_status mt__npy_copy_data(mt_tensor *t, const struct mt__npy_image *image, void *dst) {
	if (image->data_bytes == 0)
		return MT_OK;
	if (!image->fortran)
		return mt_to_host(t, dst, image->data_bytes);
	mt_scope *scope = mt_scope_begin();
	mt_tensor *r = scope ? reversed(t) : NULL;
	mt_status status = r ? mt_to_host(r, dst, image->data_bytes) : failed();
	mt_scope_end(scope);
	return status;
}

mt_status mt_npy_write(const char *path, mt_tensor *t) {
	struct mt__npy_image image;
	struct mt__whole_file f;
	if (path == NULL)
		return mt__fail_arg_null("npy_write", "path");
	if (!mt__check_tensor("npy_write", "t", t))
		return mt_error_peek();
	mt_status status = mt__npy_image(path, t, &image);
	if (status != MT_OK)
		return status;
	void *data = mt__alloc(image.data_bytes);
	if (data == NULL)
		return mt__fail_memory(path, image.data_bytes);
	status = mt__npy_copy_data(t, &image, data);
	if (status == MT_OK)
		status = mt__whole_file_open(&f, path);
	if (status == MT_OK) {
		status = mt__whole_file_write(&f, image.preamble, image.preamble_bytes);
		if (status == MT_OK)
			status = mt__whole_file_write(&f, data, image.data_bytes);
		status = mt__whole_file_close(&f, status);
	}
	mt__free(data);
	return status;
}
