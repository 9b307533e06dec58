/* A module's state to a file and back. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/state.h"
#include "mt/autograd.h"
#include "tensor/promote.h"
#include "tensor/shape.h"

mt_status mt__state_add(struct mt__state *s, const char *prefix, const char *name, mt_tensor *t) {
	if (s->n == s->room) {
		int64_t room = s->room ? 2 * s->room : 32;
		char **names = mt__realloc(s->names, (size_t)room * sizeof *names);
		if (names != NULL)
			s->names = names;
		mt_tensor **tensors = names ? mt__realloc(s->tensors, (size_t)room * sizeof(mt_tensor *)) : NULL;
		if (tensors == NULL)
			return mt__fail_memory(name, (size_t)room * sizeof *names);
		s->tensors = tensors;
		s->room = room;
	}
	struct mt_text full = {0};
	mt__text_add(&full, "%s%s", prefix, name);
	if (full.failed)
		return mt__fail_memory(name, strlen(prefix) + strlen(name) + 1);
	s->names[s->n] = full.data;
	s->tensors[s->n++] = t;
	return MT_OK;
}

static mt_status add_one(const char *name, mt_tensor *t, int32_t kind, void *context) {
	(void)kind;
	return mt__state_add(context, "", name, t);
}

mt_status mt__state_add_module(struct mt__state *s, const mt_module *module) {
	return mt_module_visit(module, add_one, s);
}

void mt__state_free(struct mt__state *s) {
	for (int64_t i = 0; i < s->n; i++)
		mt__free(s->names[i]);
	mt__free(s->names);
	mt__free(s->tensors);
	memset(s, 0, sizeof *s);
}

mt_status mt_save_state(const mt_module *module, const char *path) {
	if (module == NULL || path == NULL)
		return mt__fail_arg_null("save_state", module == NULL ? "module" : "path");
	struct mt__state s = {0};
	mt_status status = mt__state_add_module(&s, module);
	if (status == MT_OK)
		status = mt__save_tensors("save_state", path, s.n, (const char *const *)s.names, s.tensors, NULL);
	mt__state_free(&s);
	return status;
}

/* ---- loading ---------------------------------------------------------------------------------------------------- */

/* Whether name is a checkpoint's own, beside its module's. */
static int is_beside_module(const mt_tensor_file *file, const char *name) {
	return mt_tensor_file_note(file, MT__CHECKPOINT_NOTE) != NULL &&
	       (strncmp(name, MT__OPTIM_PREFIX, strlen(MT__OPTIM_PREFIX)) == 0 ||
	        strncmp(name, MT__EXTRA_PREFIX, strlen(MT__EXTRA_PREFIX)) == 0);
}

mt_status mt__state_check_names(const mt_tensor_file *file, const struct mt__state *s) {
	for (int64_t i = 0; i < file->n; i++) {
		const char *name = file->entries[i].name;
		int64_t j = 0;
		while (j < s->n && strcmp(s->names[j], name) != 0)
			j++;
		if (j == s->n && !is_beside_module(file, name))
			return mt__fail(MT_E_FORMAT, "%s: tensor '%.200s' is not part of the module", file->path, name);
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

mt_status mt__state_read(mt_tensor_file *file, const struct mt__state *s, mt_tensor **read) {
	for (int64_t i = 0; i < s->n; i++) {
		int64_t at = mt_tensor_file_find(file, s->names[i]);
		if (at < 0)
			return mt__fail(MT_E_FORMAT,
			                "%s: tensor '%.200s' is missing (the file has %" PRId64 " tensors, %" PRId64
			                " are asked for)",
			                file->path, s->names[i], file->n, s->n);
		mt_status status = check_match(file, &file->entries[at], s->tensors[i]);
		if (status != MT_OK)
			return status;
		read[i] = mt_tensor_file_read(file, at);
		if (read[i] == NULL)
			return mt_error_peek() ? mt_error_peek() : MT_E_IO;
	}
	return MT_OK;
}

mt_status mt__state_write(const struct mt__state *s, mt_tensor *const *read) {
	for (int64_t i = 0; i < s->n; i++)
		if (mt_copy_(s->tensors[i], read[i]) == NULL)
			return mt_error_peek() ? mt_error_peek() : MT_E_INTERNAL;
	return MT_OK;
}

/* Reads everything, then writes everything: a damaged file leaves the module as it was. */
static mt_status load(mt_tensor_file *file, const struct mt__state *s) {
	mt_tensor **read = mt__calloc((size_t)s->n + 1, sizeof(mt_tensor *));
	if (read == NULL)
		return mt__fail_memory(file->path, (size_t)s->n * sizeof(mt_tensor *));
	mt_status status = mt__state_read(file, s, read);
	if (status == MT_OK)
		status = mt__state_check_names(file, s);
	if (status == MT_OK)
		status = mt__state_write(s, read);
	mt__free(read);
	return status;
}

mt_status mt_load_state(mt_module *module, const char *path) {
	if (module == NULL || path == NULL)
		return mt__fail_arg_null("load_state", module == NULL ? "module" : "path");
	struct mt__state s = {0};
	mt_tensor_file *file = NULL;
	mt_scope *scope = mt_scope_begin();
	int was = mt_grad_enable(0);
	mt_status status = scope ? mt__state_add_module(&s, module) : MT_E_MEMORY;
	if (status == MT_OK && (file = mt_tensor_file_open(path)) == NULL)
		status = mt_error_peek() ? mt_error_peek() : MT_E_IO;
	if (status == MT_OK)
		status = load(file, &s);
	mt_grad_enable(was);
	mt_tensor_file_close(file);
	mt_scope_end(scope);
	mt__state_free(&s);
	return status;
}
