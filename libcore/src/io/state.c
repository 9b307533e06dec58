/* A module's state to a file and back. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/tensor_file.h"
#include "mt/autograd.h"
#include "tensor/promote.h"
#include "tensor/shape.h"

/* Names and tensors of a module, in the order of mt_module_visit. */
struct state {
	char **names; /* owned */
	mt_tensor **tensors;
	int64_t n;
};

static mt_status count_one(const char *name, mt_tensor *t, int32_t kind, void *context) {
	(void)name, (void)t, (void)kind;
	++*(int64_t *)context;
	return MT_OK;
}

static mt_status collect_one(const char *name, mt_tensor *t, int32_t kind, void *context) {
	(void)kind;
	struct state *s = context;
	s->names[s->n] = mt__strdup(name);
	if (s->names[s->n] == NULL)
		return mt__fail_memory(name, strlen(name) + 1);
	s->tensors[s->n++] = t;
	return MT_OK;
}

static void free_state(struct state *s) {
	for (int64_t i = 0; i < s->n; i++)
		mt__free(s->names[i]);
	mt__free(s->names);
	mt__free(s->tensors);
}

static mt_status collect(const mt_module *module, struct state *s) {
	int64_t n = 0;
	memset(s, 0, sizeof *s);
	mt_status status = mt_module_visit(module, count_one, &n);
	if (status != MT_OK)
		return status;
	s->names = mt__calloc((size_t)n + 1, sizeof *s->names);
	s->tensors = mt__calloc((size_t)n + 1, sizeof(mt_tensor *));
	status = s->names && s->tensors ? mt_module_visit(module, collect_one, s)
	                                : mt__fail_memory("module state", (size_t)n * sizeof *s->names);
	if (status != MT_OK)
		free_state(s);
	return status;
}

mt_status mt_save_state(const mt_module *module, const char *path) {
	if (module == NULL || path == NULL)
		return mt__fail_arg_null("save_state", module == NULL ? "module" : "path");
	struct state s;
	mt_status status = collect(module, &s);
	if (status != MT_OK)
		return status;
	status = mt_save_tensors(path, s.n, (const char *const *)s.names, s.tensors);
	free_state(&s);
	return status;
}

/* ---- loading ---------------------------------------------------------------------------------------------------- */

static mt_status check_names(const mt_tensor_file *file, const struct state *s) {
	for (int64_t i = 0; i < s->n; i++)
		if (mt_tensor_file_find(file, s->names[i]) < 0)
			return mt__fail(MT_E_FORMAT,
			                "%s: tensor '%.200s' of the module is missing (the file has %" PRId64
			                " tensors, the module %" PRId64 ")",
			                file->path, s->names[i], file->n, s->n);
	for (int64_t i = 0; i < file->n; i++) {
		int64_t j = 0;
		while (j < s->n && strcmp(s->names[j], file->entries[i].name) != 0)
			j++;
		if (j == s->n)
			return mt__fail(MT_E_FORMAT, "%s: tensor '%.200s' is not part of the module", file->path,
			                file->entries[i].name);
	}
	return MT_OK;
}

static mt_status check_match(const mt_tensor_file *file, const struct mt__entry *e, const mt_tensor *t) {
	int rank = mt_tensor_rank(t);
	size_t bytes = (size_t)rank * sizeof(int64_t);
	if (e->rank != rank || (rank > 0 && memcmp(e->shape, mt_tensor_shape(t), bytes) != 0)) {
		char expected[MT__SHAPE_TEXT], got[MT__SHAPE_TEXT];
		return mt__fail(MT_E_SHAPE, "%s: tensor '%.200s': expected shape %s, got %s", file->path, e->name,
		                mt__shape_text(expected, rank, mt_tensor_shape(t)), mt__shape_text(got, e->rank, e->shape));
	}
	mt_dtype dtype = mt_tensor_dtype(t);
	if (e->dtype != dtype && !(mt__is_float(e->dtype) && mt__is_float(dtype)))
		return mt__fail(MT_E_DTYPE, "%s: tensor '%.200s': expected dtype %s, got %s", file->path, e->name,
		                mt_dtype_name(dtype), mt_dtype_name(e->dtype));
	return MT_OK;
}

/* Reads everything, then writes everything: a damaged file leaves the module as it was. */
static mt_status load(mt_tensor_file *file, const struct state *s, mt_tensor **read) {
	mt_status status = check_names(file, s);
	for (int64_t i = 0; i < s->n && status == MT_OK; i++) {
		int64_t at = mt_tensor_file_find(file, s->names[i]);
		status = check_match(file, &file->entries[at], s->tensors[i]);
		if (status == MT_OK && (read[i] = mt_tensor_file_read(file, at)) == NULL)
			status = mt_error_peek() ? mt_error_peek() : MT_E_IO;
	}
	for (int64_t i = 0; i < s->n && status == MT_OK; i++)
		if (mt_copy_(s->tensors[i], read[i]) == NULL)
			status = mt_error_peek() ? mt_error_peek() : MT_E_INTERNAL;
	return status;
}

mt_status mt_load_state(mt_module *module, const char *path) {
	if (module == NULL || path == NULL)
		return mt__fail_arg_null("load_state", module == NULL ? "module" : "path");
	struct state s;
	mt_status status = collect(module, &s);
	if (status != MT_OK)
		return status;
	mt_scope *scope = mt_scope_begin();
	mt_tensor **read = mt__calloc((size_t)s.n + 1, sizeof(mt_tensor *));
	mt_tensor_file *file = scope && read ? mt_tensor_file_open(path) : NULL;
	if (file != NULL) {
		int was = mt_grad_enable(0);
		status = load(file, &s, read);
		mt_grad_enable(was);
	} else {
		status = read ? mt_error_peek() : mt__fail_memory(path, (size_t)s.n * sizeof(mt_tensor *));
	}
	mt_tensor_file_close(file);
	mt__free(read);
	mt_scope_end(scope);
	free_state(&s);
	return status;
}
