/* Writing safetensors files. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/safetensors.h"
#include "io/state.h"
#include "io/whole_file.h"
#include "tensor/tensor.h"

static uint64_t bytes_of(const mt_tensor *t) {
	return (uint64_t)mt_tensor_numel(t) * mt_dtype_size(mt_tensor_dtype(t));
}

/* {"dtype": …, "shape": […], "data_offsets": [at, at + bytes]}; NULL when out of memory. */
static json_t *entry_of(const mt_tensor *t, uint64_t at) {
	json_t *shape = json_array();
	for (int d = 0; shape && d < mt_tensor_rank(t); d++)
		if (json_array_append_new(shape, json_integer(mt_tensor_shape(t)[d])) != 0) {
			json_decref(shape);
			shape = NULL;
		}
	if (shape == NULL)
		return NULL;
	return json_pack("{s:s, s:o, s:[I, I]}", "dtype", mt__safetensors_dtype_name(mt_tensor_dtype(t)), "shape", shape,
	                 "data_offsets", (json_int_t)at, (json_int_t)(at + bytes_of(t)));
}

static mt_status add_entry(json_t *header, const char *op, const char *path, const char *name, mt_tensor *t,
                           uint64_t *at) {
	if (name == NULL || strcmp(name, MT__METADATA_KEY) == 0)
		return mt__fail(MT_E_ARG, "%s: the tensor name '%s' is not allowed", path, name ? name : "NULL");
	if (!mt__check_tensor(op, name, t))
		return mt_error_peek() ? mt_error_peek() : MT_E_NULL;
	if (json_object_get(header, name) != NULL)
		return mt__fail(MT_E_ARG, "%s: two tensors are named '%s'", path, name);
	json_t *entry = entry_of(t, *at);
	if (entry == NULL)
		return mt__fail_memory(path, strlen(name));
	if (json_object_set_new(header, name, entry) != 0)
		return mt__fail(MT_E_ARG, "%s: the tensor name '%s' is not valid UTF-8", path, name);
	*at += bytes_of(t);
	return MT_OK;
}

/* The header as text, padded so that the data begins at a multiple of 8.  NULL with the error set. */
static char *header_text(const char *op, const char *path, int64_t n, const char *const *names,
                         mt_tensor *const *tensors, json_t *metadata, size_t *length) {
	json_t *header = json_object();
	if (header == NULL) {
		mt__fail_memory(path, 0);
		return NULL;
	}
	mt_status status = MT_OK;
	uint64_t at = 0;
	if (metadata != NULL && json_object_set(header, MT__METADATA_KEY, metadata) != 0)
		status = mt__fail_memory(path, 0);
	for (int64_t i = 0; i < n && status == MT_OK; i++)
		status = add_entry(header, op, path, names[i], tensors[i], &at);
	char *json = status == MT_OK ? json_dumps(header, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
	json_decref(header);
	if (json == NULL) {
		if (status == MT_OK)
			mt__fail_memory(path, 0);
		return NULL;
	}
	size_t bare = strlen(json), padded = (bare + 7) / 8 * 8;
	char *text = mt__alloc(padded);
	if (text != NULL) {
		memcpy(text, json, bare);
		memset(text + bare, ' ', padded - bare);
	} else {
		mt__fail_memory(path, padded);
	}
	*length = padded;
	free(json); /* Jansson's */
	return text;
}

static mt_status write_header(struct mt__whole_file *f, const char *text, size_t length) {
	unsigned char size[8];
	for (int i = 0; i < 8; i++)
		size[i] = (unsigned char)((uint64_t)length >> 8 * i);
	mt_status status = mt__whole_file_write(f, size, sizeof size);
	return status == MT_OK ? mt__whole_file_write(f, text, length) : status;
}

static mt_status write_tensor(struct mt__whole_file *f, mt_tensor *t) {
	size_t bytes = (size_t)bytes_of(t);
	if (bytes == 0)
		return MT_OK;
	void *host = mt__alloc(bytes);
	if (host == NULL)
		return mt__fail_memory(f->path, bytes);
	mt_status status = mt_to_host(t, host, bytes);
	if (status == MT_OK)
		status = mt__whole_file_write(f, host, bytes);
	mt__free(host);
	return status;
}

mt_status mt__save_tensors(const char *op, const char *path, int64_t n, const char *const *names,
                           mt_tensor *const *tensors, json_t *metadata) {
	if (path == NULL || (n > 0 && (names == NULL || tensors == NULL)))
		return mt__fail_arg_null(op, path == NULL ? "path" : names == NULL ? "names" : "tensors");
	if (n < 0)
		return mt__fail(MT_E_ARG, "%s: n must not be negative, got %" PRId64, op, n);
	size_t length;
	char *header = header_text(op, path, n, names, tensors, metadata, &length);
	if (header == NULL)
		return mt_error_peek() ? mt_error_peek() : MT_E_MEMORY;
	struct mt__whole_file f;
	mt_status status = mt__whole_file_open(&f, path);
	if (status == MT_OK) {
		status = write_header(&f, header, length);
		for (int64_t i = 0; i < n && status == MT_OK; i++)
			status = write_tensor(&f, tensors[i]);
		status = mt__whole_file_close(&f, status);
	}
	mt__free(header);
	return status;
}

mt_status mt_save_tensors(const char *path, int64_t n, const char *const *names, mt_tensor *const *tensors) {
	return mt__save_tensors("save_tensors", path, n, names, tensors, NULL);
}
