/* Checkpoints: a module, its optimiser, counters and the random generator in one safetensors file. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/checkpoint.h"
#include "mt/autograd.h"
#include "optim/optim.h"

#define VERSION "1"

static mt_status check(const char *op, const mt_checkpoint *c, const char *path) {
	if (c == NULL || path == NULL)
		return mt__fail_arg_null(op, c == NULL ? "checkpoint" : "path");
	if (c->module == NULL)
		return mt__fail_arg_null(op, "module");
	if (c->epoch < 0 || c->step < 0 || c->n_tensors < 0 || c->n_notes < 0)
		return mt__fail(MT_E_ARG, "%s: epoch, step and counts must not be negative", op);
	if (c->n_tensors > 0 && (c->tensor_names == NULL || c->tensors == NULL))
		return mt__fail_arg_null(op, c->tensor_names == NULL ? "tensor_names" : "tensors");
	if (c->n_notes > 0 && (c->note_keys == NULL || c->note_texts == NULL))
		return mt__fail_arg_null(op, c->note_keys == NULL ? "note_keys" : "note_texts");
	return MT_OK;
}

/* The module's tensors and the further ones. */
static mt_status add_tensors(struct mt__state *s, const char *op, const mt_checkpoint *c) {
	mt_status status = mt__state_add_module(s, c->module);
	for (int64_t i = 0; i < c->n_tensors && status == MT_OK; i++) {
		if (c->tensor_names[i] == NULL || c->tensors[i] == NULL)
			return mt__fail_arg_null(op, c->tensor_names[i] == NULL ? "a tensor's name" : c->tensor_names[i]);
		status = mt__state_add(s, MT__EXTRA_PREFIX, c->tensor_names[i], c->tensors[i]);
	}
	return status;
}

/* ---- saving ----------------------------------------------------------------------------------------------------- */

static mt_status set_text(json_t *notes, const char *key, const char *text) {
	json_t *value = json_string(text);
	if (value == NULL || json_object_set_new(notes, key, value) != 0)
		return mt__fail(MT_E_ARG, "checkpoint_save: the note '%.100s' is not valid UTF-8", key);
	return MT_OK;
}

static mt_status set_count(json_t *notes, const char *key, uint64_t count) {
	char text[24];
	snprintf(text, sizeof text, "%" PRIu64, count);
	return set_text(notes, key, text);
}

static mt_status add_notes(json_t *notes, const mt_checkpoint *c) {
	for (int64_t i = 0; i < c->n_notes; i++) {
		const char *key = c->note_keys[i];
		if (key == NULL || c->note_texts[i] == NULL)
			return mt__fail_arg_null("checkpoint_save", key == NULL ? "a note's key" : key);
		if (strncmp(key, "mt.", 3) == 0)
			return mt__fail(MT_E_ARG, "checkpoint_save: the note '%.100s': keys that begin with mt. are mt's own", key);
		if (json_object_get(notes, key) != NULL)
			return mt__fail(MT_E_ARG, "checkpoint_save: two notes are named '%.100s'", key);
		mt_status status = set_text(notes, key, c->note_texts[i]);
		if (status != MT_OK)
			return status;
	}
	return MT_OK;
}

static mt_status add_optim_notes(json_t *notes, const mt_optim *o) {
	char *signature = mt__optim_signature(o);
	if (signature == NULL)
		return MT_E_MEMORY;
	mt_status status = set_text(notes, "mt.optim", signature);
	mt__free(signature);
	return status == MT_OK ? set_count(notes, "mt.optim.steps", (uint64_t)o->steps) : status;
}

static mt_status add_counters(json_t *notes, const mt_checkpoint *c) {
	uint64_t seed, offset;
	mt_rng_get(&seed, &offset);
	mt_status status = set_text(notes, MT__CHECKPOINT_NOTE, VERSION);
	if (status == MT_OK)
		status = set_count(notes, "mt.epoch", (uint64_t)c->epoch);
	if (status == MT_OK)
		status = set_count(notes, "mt.step", (uint64_t)c->step);
	if (status == MT_OK)
		status = set_count(notes, "mt.rng.seed", seed);
	if (status == MT_OK)
		status = set_count(notes, "mt.rng.offset", offset);
	if (status == MT_OK && c->optim != NULL)
		status = add_optim_notes(notes, c->optim);
	return status == MT_OK ? add_notes(notes, c) : status;
}

mt_status mt_checkpoint_save(const mt_checkpoint *c, const char *path) {
	static const char op[] = "checkpoint_save";
	mt_status status = check(op, c, path);
	if (status != MT_OK)
		return status;
	struct mt__state s = {0};
	mt_scope *scope = mt_scope_begin();
	json_t *notes = json_object();
	status = scope && notes ? add_counters(notes, c) : mt__fail_memory(path, 0);
	if (status == MT_OK)
		status = add_tensors(&s, op, c);
	if (status == MT_OK && c->optim != NULL)
		status = mt__state_add_optim(&s, c->optim);
	if (status == MT_OK)
		status = mt__save_tensors(op, path, s.n, (const char *const *)s.names, s.tensors, notes);
	json_decref(notes);
	mt__state_free(&s);
	mt_scope_end(scope);
	return status;
}

/* ---- loading ---------------------------------------------------------------------------------------------------- */

mt_status mt__note_count(const mt_tensor_file *file, const char *key, uint64_t most, uint64_t *value) {
	const char *text = mt_tensor_file_note(file, key);
	char *end = NULL;
	errno = 0;
	if (text != NULL && isdigit((unsigned char)text[0]))
		*value = strtoull(text, &end, 10);
	if (end == NULL || *end != '\0' || errno != 0 || *value > most)
		return mt__fail(MT_E_FORMAT, "%s: expected a whole number as %s of __metadata__, got %.40s", file->path, key,
		                text ? text : "nothing");
	return MT_OK;
}

struct counters {
	uint64_t epoch, step, seed, offset;
};

static mt_status read_counters(const mt_tensor_file *file, struct counters *n) {
	const char *version = mt_tensor_file_note(file, MT__CHECKPOINT_NOTE);
	if (version == NULL)
		return mt__fail(MT_E_FORMAT, "%s: expected a checkpoint, got a file of tensors alone", file->path);
	if (strcmp(version, VERSION) != 0)
		return mt__fail(MT_E_UNSUPPORTED, "%s: expected a checkpoint of version " VERSION ", got %.40s", file->path,
		                version);
	mt_status status = mt__note_count(file, "mt.epoch", INT64_MAX, &n->epoch);
	if (status == MT_OK)
		status = mt__note_count(file, "mt.step", INT64_MAX, &n->step);
	if (status == MT_OK)
		status = mt__note_count(file, "mt.rng.seed", UINT64_MAX, &n->seed);
	return status == MT_OK ? mt__note_count(file, "mt.rng.offset", UINT64_MAX, &n->offset) : status;
}

/* Reads everything, then writes everything. */
static mt_status load(mt_checkpoint *c, mt_tensor_file *file, const struct mt__state *s, mt_tensor **read) {
	struct mt__optim_plan plan = {0};
	struct counters n = {0};
	mt_status status = read_counters(file, &n);
	if (status == MT_OK)
		status = mt__state_read(file, s, read);
	if (status == MT_OK)
		status = mt__state_check_names(file, s);
	if (status == MT_OK && c->optim != NULL)
		status = mt__optim_plan_read(&plan, file, c->optim);
	if (status == MT_OK)
		status = mt__state_write(s, read);
	if (status == MT_OK && c->optim != NULL)
		status = mt__optim_plan_apply(&plan, c->optim);
	mt__optim_plan_free(&plan);
	if (status != MT_OK)
		return status;
	c->epoch = (int64_t)n.epoch;
	c->step = (int64_t)n.step;
	mt_rng_set(n.seed, n.offset);
	return MT_OK;
}

mt_status mt_checkpoint_load(mt_checkpoint *c, const char *path) {
	static const char op[] = "checkpoint_load";
	mt_status status = check(op, c, path);
	if (status != MT_OK)
		return status;
	struct mt__state s = {0};
	mt_tensor_file *file = NULL;
	mt_tensor **read = NULL;
	mt_scope *scope = mt_scope_begin();
	int was = mt_grad_enable(0);
	status = scope ? add_tensors(&s, op, c) : MT_E_MEMORY;
	if (status == MT_OK && (read = mt__calloc((size_t)s.n + 1, sizeof(mt_tensor *))) == NULL)
		status = mt__fail_memory(path, (size_t)s.n * sizeof(mt_tensor *));
	if (status == MT_OK && (file = mt_tensor_file_open(path)) == NULL)
		status = mt__chain_status(NULL);
	if (status == MT_OK)
		status = load(c, file, &s, read);
	mt_grad_enable(was);
	mt_tensor_file_close(file);
	mt__free(read);
	mt_scope_end(scope);
	mt__state_free(&s);
	return status;
}
