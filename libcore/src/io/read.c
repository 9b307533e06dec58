/* Tensors from an open safetensors file. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/regular.h"
#include "io/tensor_file.h"

mt_status mt__tensor_file_pread(const mt_tensor_file *f, void *dst, size_t bytes, uint64_t offset) {
	return mt__regular_pread(f->fd, f->path, dst, bytes, offset);
}

int64_t mt_tensor_file_count(const mt_tensor_file *file) {
	return file ? file->n : 0;
}

static const struct mt__entry *entry_at(const mt_tensor_file *file, int64_t i) {
	return file && i >= 0 && i < file->n ? &file->entries[i] : NULL;
}

const char *mt_tensor_file_name(const mt_tensor_file *file, int64_t i) {
	const struct mt__entry *e = entry_at(file, i);
	return e ? e->name : NULL;
}

int64_t mt_tensor_file_find(const mt_tensor_file *file, const char *name) {
	for (int64_t i = 0; name != NULL && i < mt_tensor_file_count(file); i++)
		if (strcmp(file->entries[i].name, name) == 0)
			return i;
	return -1;
}

const char *mt_tensor_file_note(const mt_tensor_file *file, const char *key) {
	return file && key ? json_string_value(json_object_get(file->notes, key)) : NULL;
}

mt_status mt__tensor_file_check(const char *op, const mt_tensor_file *file, int64_t i) {
	if (file == NULL)
		return mt__fail_arg_null(op, "file");
	if (entry_at(file, i) == NULL)
		return mt__fail(MT_E_ARG, "%s: %s: tensor %" PRId64 " is out of range, there are %" PRId64, op, file->path, i,
		                file->n);
	return MT_OK;
}

mt_status mt_tensor_file_info(const mt_tensor_file *file, int64_t i, mt_dtype *dtype, int *rank, int64_t *shape) {
	mt_status status = mt__tensor_file_check("tensor_file_info", file, i);
	if (status != MT_OK)
		return status;
	const struct mt__entry *e = &file->entries[i];
	if (dtype != NULL)
		*dtype = e->dtype;
	if (rank != NULL)
		*rank = e->rank;
	if (shape != NULL)
		memcpy(shape, e->shape, sizeof e->shape);
	return MT_OK;
}

/* A bool is 0 or 1 everywhere in libmt. */
mt_status mt__tensor_file_check_bools(const mt_tensor_file *f, const struct mt__entry *e, const unsigned char *data) {
	for (uint64_t i = 0; i < e->end - e->begin; i++)
		if (data[i] > 1)
			return mt__fail(MT_E_FORMAT, "%s: tensor '%.200s': expected a bool of 0 or 1, got %d", f->path, e->name,
			                data[i]);
	return MT_OK;
}

mt_tensor *mt_tensor_file_read(mt_tensor_file *file, int64_t i) {
	if (mt__tensor_file_check("tensor_file_read", file, i) != MT_OK)
		return NULL;
	const struct mt__entry *e = &file->entries[i];
	size_t bytes = (size_t)(e->end - e->begin);
	void *data = mt__alloc(bytes);
	if (data == NULL) {
		mt__fail_memory(file->path, bytes);
		return NULL;
	}
	mt_tensor *t = NULL;
	if (mt__tensor_file_pread(file, data, bytes, file->data_at + e->begin) == MT_OK &&
	    (e->dtype != MT_BOOL || mt__tensor_file_check_bools(file, e, data) == MT_OK))
		t = mt_from_data(e->rank, e->shape, e->dtype, data);
	mt__free(data);
	return t;
}
