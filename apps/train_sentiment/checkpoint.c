/* train_sentiment's checkpoints. */
#include "train_sentiment/checkpoint.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "train_sentiment/corpus.h"
#include "train_sentiment/model.h"
#include "train_sentiment/options.h"
#include "train_sentiment/vocabulary.h"

/* Tensors beside the module's have these names in the file; docs: mt/io.h. */
#define EXTRA "extra/"

static mt_status status_now(void) {
	return mt_error_peek() ? mt_error_peek() : MT_E_INTERNAL;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

mt_status extras_add(struct extras *e, const char *name, mt_tensor *t) {
	if (t == NULL)
		return status_now();
	if (e->n == MAX_EXTRA)
		return mt_error_set(MT_E_INTERNAL, "no room for '%s' among a checkpoint's tensors", name);
	snprintf(e->name[e->n], sizeof e->name[0], "%s", name);
	e->names[e->n] = e->name[e->n];
	e->tensor[e->n++] = mt_retain(t);
	return MT_OK;
}

struct prefixed {
	struct extras *extras;
	const char *prefix;
};

static mt_status add_parameter(const char *name, mt_tensor *t, int32_t kind, void *context) {
	const struct prefixed *p = context;
	char full[64];
	(void)kind;
	snprintf(full, sizeof full, "%s%s", p->prefix, name);
	return extras_add(p->extras, full, t);
}

mt_status extras_add_module(struct extras *e, const char *prefix, mt_module *module) {
	return mt_module_visit(module, add_parameter, &(struct prefixed){e, prefix});
}

void extras_free(struct extras *e) {
	for (int64_t i = 0; i < e->n; i++)
		mt_release(e->tensor[i]);
	e->n = 0;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* The tensor of this name in the current scope, where it has dtype and rank; its shape goes to shape. */
static mt_tensor *read_tensor(mt_tensor_file *file, const char *path, const char *name, mt_dtype dtype, int rank,
                              int64_t *shape) {
	char full[80];
	mt_dtype got;
	int got_rank;
	snprintf(full, sizeof full, EXTRA "%s", name);
	int64_t i = mt_tensor_file_find(file, full);
	if (i < 0) {
		mt_error_set(MT_E_FORMAT, "%s: expected a tensor '%s', got none: not a checkpoint of %s", path, full,
		             train_sentiment_cli.program);
		return NULL;
	}
	if (mt_tensor_file_info(file, i, &got, &got_rank, shape) != MT_OK)
		return NULL;
	if (got != dtype || got_rank != rank) {
		mt_error_set(MT_E_FORMAT, "%s: %s: expected %s of rank %d, got %s of rank %d", path, full, mt_dtype_name(dtype),
		             rank, mt_dtype_name(got), got_rank);
		return NULL;
	}
	return mt_tensor_file_read(file, i);
}

mt_status checkpoint_check_data(const char *path, int64_t fingerprint) {
	int64_t shape[MT_MAX_RANK], saved;
	mt_tensor_file *file = mt_tensor_file_open(path);
	if (file == NULL)
		return status_now();
	mt_scope *scope = mt_scope_begin();
	mt_status status = mt_item_i64(read_tensor(file, path, FINGERPRINT_NAME, MT_I64, 0, shape), &saved);
	if (status == MT_OK && saved != fingerprint)
		status = mt_error_set(MT_E_STATE, "%s: the sentences are not those that it was trained on", path);
	mt_scope_end(scope);
	mt_tensor_file_close(file);
	return status;
}

static mt_status read_vocabulary(mt_tensor_file *file, const char *path, struct lexicon *vocabulary) {
	int64_t shape[MT_MAX_RANK];
	mt_tensor *t = read_tensor(file, path, VOCABULARY_NAME, MT_U8, 1, shape);
	if (t == NULL)
		return status_now();
	int64_t bytes = shape[0];
	char *text = malloc((size_t)bytes + 1);
	mt_status status = text ? mt_to_host(t, text, (size_t)bytes) : mt_error_set(MT_E_MEMORY, "%s: no memory", path);
	if (status == MT_OK && !(lexicon_read(vocabulary, text, (size_t)bytes) && vocabulary_valid(vocabulary)))
		status = mt_error_set(MT_E_FORMAT, "%s: %s: expected distinct words, a line each", path, EXTRA VOCABULARY_NAME);
	free(text);
	return status;
}

struct source {
	mt_tensor_file *file;
	const char *path;
};

static mt_status read_parameter(const char *name, mt_tensor *t, int32_t kind, void *context) {
	const struct source *s = context;
	char full[64];
	int64_t shape[MT_MAX_RANK];
	int rank = mt_tensor_rank(t);
	(void)kind;
	snprintf(full, sizeof full, BEST_PREFIX "%s", name);
	mt_tensor *saved = read_tensor(s->file, s->path, full, MT_F32, rank, shape);
	if (saved == NULL)
		return status_now();
	for (int d = 0; d < rank; d++)
		if (shape[d] != mt_tensor_size(t, d))
			return mt_error_set(MT_E_FORMAT, "%s: " EXTRA "%s: dim %d: expected %" PRId64 ", got %" PRId64, s->path,
			                    full, d, mt_tensor_size(t, d), shape[d]);
	return mt_copy_(t, saved) ? MT_OK : status_now();
}

/* A model of the sizes that the file's tensors have: V, E and F. */
static mt_module *new_model(mt_tensor_file *file, const char *path, const struct lexicon *vocabulary) {
	int64_t table[MT_MAX_RANK], conv[MT_MAX_RANK];
	if (read_tensor(file, path, BEST_PREFIX "embedding.weight", MT_F32, 2, table) == NULL ||
	    read_tensor(file, path, BEST_PREFIX "conv3.weight", MT_F32, 3, conv) == NULL)
		return NULL;
	if (table[0] != vocabulary->n) {
		mt_error_set(MT_E_FORMAT, "%s: %" PRId64 " embeddings for %d words", path, table[0], (int)vocabulary->n);
		return NULL;
	}
	return model_new((struct model_size){.words = table[0], .embedding = table[1], .filters = conv[0]});
}

/* Weights are the best ones once an epoch was scored. */
static mt_status check_course(mt_tensor_file *file, const char *path) {
	int64_t shape[MT_MAX_RANK];
	double best_epoch = 0;
	mt_tensor *course = read_tensor(file, path, COURSE_NAME, MT_F64, 1, shape);
	mt_status status =
		mt_get(course, (const int64_t[]){offsetof(struct course, best_epoch) / sizeof(double)}, &best_epoch);
	if (status == MT_OK && !(best_epoch >= 1))
		status =
			mt_error_set(MT_E_STATE, "%s: no epoch was over when it was saved: there are no best weights yet", path);
	return status;
}

static mt_module *read_model(mt_tensor_file *file, const char *path, struct lexicon *vocabulary) {
	if (read_vocabulary(file, path, vocabulary) != MT_OK || check_course(file, path) != MT_OK)
		return NULL;
	mt_module *model = new_model(file, path, vocabulary);
	int was = mt_grad_enable(0);
	mt_status status = model ? mt_module_visit(model, read_parameter, &(struct source){file, path}) : status_now();
	mt_grad_enable(was);
	if (status == MT_OK)
		return model;
	mt_module_free(model);
	return NULL;
}

mt_module *checkpoint_model(const char *path, struct lexicon *vocabulary) {
	mt_tensor_file *file = mt_tensor_file_open(path);
	if (file == NULL)
		return NULL;
	mt_scope *scope = mt_scope_begin();
	mt_module *model = read_model(file, path, vocabulary);
	mt_scope_end(scope);
	mt_tensor_file_close(file);
	return model;
}
