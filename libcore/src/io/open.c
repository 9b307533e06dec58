/* Opening safetensors files: reading the header and trusting nothing in it. */
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/regular.h"
#include "io/safetensors.h"
#include "io/tensor_file.h"

/* A non-negative integer; −1 for anything else. */
static int64_t count_of(const json_t *value) {
	return json_is_integer(value) && json_integer_value(value) >= 0 ? (int64_t)json_integer_value(value) : -1;
}

static mt_status fail_entry(const mt_tensor_file *f, const char *name, const char *what) {
	return mt__fail(MT_E_FORMAT, "%s: tensor '%.200s': %s", f->path, name, what);
}

static mt_status parse_shape(const mt_tensor_file *f, const char *name, const json_t *shape, struct mt__entry *e) {
	if (!json_is_array(shape))
		return fail_entry(f, name, "expected a list as shape");
	size_t rank = json_array_size(shape);
	if (rank > MT_MAX_RANK)
		return mt__fail(MT_E_UNSUPPORTED, "%s: tensor '%.200s': expected at most %d dims, got %zu", f->path, name,
		                MT_MAX_RANK, rank);
	e->rank = (int)rank;
	uint64_t bytes = mt_dtype_size(e->dtype);
	for (size_t d = 0; d < rank; d++) {
		int64_t extent = count_of(json_array_get(shape, d));
		if (extent < 0)
			return fail_entry(f, name, "expected extents ≥ 0 in its shape");
		if (extent > 0 && bytes > (uint64_t)INT64_MAX / (uint64_t)extent)
			return fail_entry(f, name, "its shape is too large");
		bytes *= (uint64_t)extent;
		e->shape[d] = extent;
	}
	if (e->end - e->begin != bytes)
		return mt__fail(MT_E_FORMAT,
		                "%s: tensor '%.200s': expected %" PRIu64 " bytes from its shape and dtype, got %" PRIu64,
		                f->path, name, bytes, e->end - e->begin);
	return MT_OK;
}

static mt_status parse_entry(const mt_tensor_file *f, const char *name, const json_t *object, struct mt__entry *e) {
	const json_t *dtype = json_object_get(object, "dtype");
	const json_t *offsets = json_object_get(object, "data_offsets");
	if (!json_is_object(object) || !json_is_string(dtype) || json_object_size(object) != 3)
		return fail_entry(f, name, "expected an object of dtype, shape and data_offsets");
	e->dtype = mt__safetensors_dtype(json_string_value(dtype));
	if (e->dtype == 0)
		return mt__fail(MT_E_UNSUPPORTED,
		                "%s: tensor '%.200s': expected a dtype of F32 F64 F16 BF16 I32 I64 U8 BOOL, got %.20s", f->path,
		                name, json_string_value(dtype));
	int64_t begin = count_of(json_array_get(offsets, 0)), end = count_of(json_array_get(offsets, 1));
	if (json_array_size(offsets) != 2 || begin < 0 || end < begin)
		return fail_entry(f, name, "expected two ascending data_offsets");
	if ((uint64_t)end > f->data_bytes)
		return mt__fail(MT_E_FORMAT,
		                "%s: tensor '%.200s': expected data up to byte %" PRId64 ", got a file with %" PRIu64
		                " bytes of data",
		                f->path, name, end, f->data_bytes);
	e->begin = (uint64_t)begin;
	e->end = (uint64_t)end;
	e->name = mt__strdup(name);
	if (e->name == NULL)
		return mt__fail_memory(f->path, strlen(name) + 1);
	return parse_shape(f, name, json_object_get(object, "shape"), e);
}

static int by_offset(const void *a, const void *b) {
	const struct mt__entry *x = a, *y = b;
	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	if (x->end != y->end)
		return x->end < y->end ? -1 : 1; /* an empty tensor before the one that begins there */
	return strcmp(x->name, y->name);
}

/* Sorted by offset, the tensors must cover the data without gap or overlap. */
static mt_status check_cover(mt_tensor_file *f) {
	if (f->n > 0)
		qsort(f->entries, (size_t)f->n, sizeof *f->entries, by_offset);
	uint64_t at = 0;
	for (int64_t i = 0; i < f->n; i++) {
		const struct mt__entry *e = &f->entries[i];
		if (e->begin != at)
			return mt__fail(MT_E_FORMAT,
			                "%s: tensor '%.200s': expected its data at byte %" PRIu64 ", got %" PRIu64 " (%s)", f->path,
			                e->name, at, e->begin, e->begin < at ? "overlap" : "gap");
		at = e->end;
	}
	if (at != f->data_bytes)
		return mt__fail(MT_E_FORMAT, "%s: expected %" PRIu64 " bytes of data, got %" PRIu64, f->path, at,
		                f->data_bytes);
	return MT_OK;
}

static mt_status take_metadata(mt_tensor_file *f, json_t *metadata) {
	const char *key;
	json_t *value;
	if (!json_is_object(metadata))
		return mt__fail(MT_E_FORMAT, "%s: expected an object as " MT__METADATA_KEY, f->path);
	json_object_foreach(metadata, key, value) {
		if (!json_is_string(value))
			return mt__fail(MT_E_FORMAT, "%s: expected text as '%.100s' of " MT__METADATA_KEY, f->path, key);
	}
	f->notes = json_incref(metadata);
	return MT_OK;
}

static mt_status parse_entries(mt_tensor_file *f, json_t *header) {
	const char *name;
	json_t *value;
	f->entries = mt__calloc(json_object_size(header) + 1, sizeof *f->entries);
	if (f->entries == NULL)
		return mt__fail_memory(f->path, json_object_size(header) * sizeof *f->entries);
	json_object_foreach(header, name, value) {
		mt_status status = strcmp(name, MT__METADATA_KEY) == 0 ? take_metadata(f, value)
		                                                       : parse_entry(f, name, value, &f->entries[f->n++]);
		if (status != MT_OK)
			return status;
	}
	return check_cover(f);
}

static mt_status parse_header(mt_tensor_file *f, const char *text, size_t length) {
	json_error_t error;
	json_t *header = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	if (header == NULL)
		return mt__fail(MT_E_FORMAT, "%s: expected a JSON header, got: %s (at byte %d)", f->path, error.text,
		                error.position);
	mt_status status = json_is_object(header) ? parse_entries(f, header)
	                                          : mt__fail(MT_E_FORMAT, "%s: expected a JSON object as header", f->path);
	json_decref(header);
	return status;
}

static mt_status read_header(mt_tensor_file *f, uint64_t file_bytes) {
	unsigned char raw[8];
	if (file_bytes < sizeof raw)
		return mt__fail(MT_E_FORMAT, "%s: expected 8 bytes of header length, got a file of %" PRIu64, f->path,
		                file_bytes);
	mt_status status = mt__tensor_file_pread(f, raw, sizeof raw, 0);
	if (status != MT_OK)
		return status;
	uint64_t length = 0;
	for (int i = 0; i < 8; i++)
		length |= (uint64_t)raw[i] << 8 * i;
	if (length > MT__MAX_HEADER || length > file_bytes - sizeof raw)
		return mt__fail(MT_E_FORMAT, "%s: expected a header of at most %" PRIu64 " bytes, got %" PRIu64, f->path,
		                file_bytes - sizeof raw < MT__MAX_HEADER ? file_bytes - sizeof raw : (uint64_t)MT__MAX_HEADER,
		                length);
	f->data_at = sizeof raw + length;
	f->data_bytes = file_bytes - f->data_at;
	char *text = mt__alloc((size_t)length + 1);
	if (text == NULL)
		return mt__fail_memory(f->path, (size_t)length);
	status = mt__tensor_file_pread(f, text, (size_t)length, sizeof raw);
	if (status == MT_OK)
		status = parse_header(f, text, (size_t)length);
	mt__free(text);
	return status;
}

static mt_status open_file(mt_tensor_file *f, const char *path) {
	f->path = mt__strdup(path);
	if (f->path == NULL)
		return mt__fail_memory(path, strlen(path) + 1);
	uint64_t bytes;
	mt_status status = mt__regular_open(path, &f->fd, &bytes);
	return status == MT_OK ? read_header(f, bytes) : status;
}

mt_tensor_file *mt_tensor_file_open(const char *path) {
	if (path == NULL) {
		mt__fail_arg_null("tensor_file_open", "path");
		return NULL;
	}
	mt_tensor_file *f = mt__calloc(1, sizeof *f);
	if (f == NULL) {
		mt__fail_memory(path, sizeof *f);
		return NULL;
	}
	f->fd = -1;
	if (open_file(f, path) == MT_OK)
		return f;
	mt_tensor_file_close(f);
	return NULL;
}

void mt_tensor_file_close(mt_tensor_file *file) {
	if (file == NULL)
		return;
	for (int64_t i = 0; i < file->n; i++)
		mt__free(file->entries[i].name);
	json_decref(file->notes);
	mt__free(file->entries);
	mt__free(file->path);
	if (file->fd >= 0)
		close(file->fd);
	mt__free(file);
}
