/* An optimiser to a checkpoint and back. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/checkpoint.h"
#include "optim/optim.h"
#include "tensor/promote.h"
#include "tensor/shape.h"

enum { GROUP_NUMBERS = 3, NAME_BYTES = 64 };

char *mt__optim_signature(const mt_optim *o) {
	struct mt_text text = {0};
	mt__text_add(&text, "%s", o->kind);
	for (int k = 0; k < MT__N_STATES; k++)
		if (o->states & 1 << k)
			mt__text_add(&text, " %s", mt__slot_state_name(k));
	if (!text.failed)
		return text.data;
	mt__text_free(&text);
	mt__fail_memory("checkpoint_save", 0);
	return NULL;
}

static void state_name(char *name, int64_t slot, int state) {
	snprintf(name, NAME_BYTES, "%" PRId64 "/%s", slot, mt__slot_state_name(state));
}

/* ---- saving ----------------------------------------------------------------------------------------------------- */

static mt_tensor *steps_tensor(const mt_optim *o) {
	int64_t *steps = mt__calloc((size_t)o->n, sizeof *steps);
	if (steps == NULL)
		return mt__fail_memory("checkpoint_save", (size_t)o->n * sizeof *steps), NULL;
	for (int64_t i = 0; i < o->n; i++)
		steps[i] = o->slots[i].t;
	mt_tensor *t = mt_from_data(1, &o->n, MT_I64, steps);
	mt__free(steps);
	return t;
}

static mt_tensor *groups_tensor(const mt_optim *o) {
	const int64_t shape[] = {o->n_groups, GROUP_NUMBERS};
	double *numbers = mt__calloc((size_t)(shape[0] * shape[1]), sizeof *numbers);
	if (numbers == NULL)
		return mt__fail_memory("checkpoint_save", (size_t)(shape[0] * shape[1]) * sizeof *numbers), NULL;
	for (int i = 0; i < o->n_groups; i++) {
		numbers[GROUP_NUMBERS * i] = o->groups[i].lr;
		numbers[GROUP_NUMBERS * i + 1] = o->groups[i].base_lr;
		numbers[GROUP_NUMBERS * i + 2] = o->groups[i].weight_decay;
	}
	mt_tensor *t = mt_from_data(2, shape, MT_F64, numbers);
	mt__free(numbers);
	return t;
}

mt_status mt__state_add_optim(struct mt__state *s, mt_optim *o) {
	mt_tensor *steps = steps_tensor(o), *groups = groups_tensor(o);
	mt_status status = mt__chain_status(steps);
	if (status == MT_OK)
		status = mt__chain_status(groups);
	if (status == MT_OK)
		status = mt__state_add(s, MT__OPTIM_PREFIX, "t", steps);
	if (status == MT_OK)
		status = mt__state_add(s, MT__OPTIM_PREFIX, "groups", groups);
	for (int64_t i = 0; i < o->n; i++)
		for (int k = 0; k < MT__N_STATES && status == MT_OK; k++) {
			mt_tensor *t = *mt__slot_state(&o->slots[i], k);
			char name[NAME_BYTES];
			state_name(name, i, k);
			if (t != NULL)
				status = mt__state_add(s, MT__OPTIM_PREFIX, name, t);
		}
	return status;
}

/* ---- loading ---------------------------------------------------------------------------------------------------- */

static mt_status check_signature(const mt_tensor_file *file, const mt_optim *o) {
	const char *got = mt_tensor_file_note(file, "mt.optim");
	char *expected = mt__optim_signature(o);
	mt_status status = MT_OK;
	if (expected == NULL)
		return MT_E_MEMORY;
	if (got == NULL)
		status = mt__fail(MT_E_FORMAT, "%s: expected the state of an optimiser (%s), got none", file->path, expected);
	else if (strcmp(got, expected) != 0)
		status =
			mt__fail(MT_E_STATE, "%s: expected the state of an optimiser %s, got %.100s", file->path, expected, got);
	mt__free(expected);
	return status;
}

/* A tensor of dtype with this shape, to the host. */
static mt_status read_numbers(mt_tensor_file *file, const char *name, mt_dtype dtype, int rank, const int64_t *shape,
                              void *out) {
	int64_t at = mt_tensor_file_find(file, name), n = 1;
	if (at < 0)
		return mt__fail(MT_E_FORMAT, "%s: tensor '%s' is missing", file->path, name);
	const struct mt__entry *e = &file->entries[at];
	if (e->dtype != dtype)
		return mt__fail(MT_E_DTYPE, "%s: tensor '%s': expected dtype %s, got %s", file->path, name,
		                mt_dtype_name(dtype), mt_dtype_name(e->dtype));
	if (e->rank != rank || memcmp(e->shape, shape, (size_t)rank * sizeof *shape) != 0) {
		char expected[MT__SHAPE_TEXT], got[MT__SHAPE_TEXT];
		return mt__fail(MT_E_SHAPE, "%s: tensor '%s': expected shape %s, got %s", file->path, name,
		                mt__shape_text(expected, rank, shape), mt__shape_text(got, e->rank, e->shape));
	}
	for (int d = 0; d < rank; d++)
		n *= shape[d];
	mt_tensor *t = mt_tensor_file_read(file, at);
	return t ? mt_to_host(t, out, (size_t)n * mt_dtype_size(dtype)) : mt__chain_status(NULL);
}

static mt_status check_numbers(const struct mt__optim_plan *p, const mt_tensor_file *file, const mt_optim *o) {
	for (int64_t i = 0; i < o->n; i++)
		if (p->steps[i] < 0)
			return mt__fail(MT_E_FORMAT, "%s: tensor '" MT__OPTIM_PREFIX "t': expected steps ≥ 0, got %" PRId64,
			                file->path, p->steps[i]);
	for (int i = 0; i < GROUP_NUMBERS * o->n_groups; i++)
		if (!(p->groups[i] >= 0) || isinf(p->groups[i]))
			return mt__fail(MT_E_FORMAT, "%s: tensor '" MT__OPTIM_PREFIX "groups': expected finite numbers ≥ 0, got %g",
			                file->path, p->groups[i]);
	return MT_OK;
}

/* The states of the parameters that took a step. */
static mt_status read_states(struct mt__optim_plan *p, mt_tensor_file *file, const mt_optim *o) {
	struct mt__state s = {0};
	mt_status status = MT_OK;
	for (int64_t i = 0; i < o->n; i++)
		for (int k = 0; k < MT__N_STATES && status == MT_OK; k++) {
			char name[NAME_BYTES];
			state_name(name, i, k);
			if ((o->states & 1 << k) && p->steps[i] > 0)
				status = mt__state_add(&s, MT__OPTIM_PREFIX, name, o->slots[i].param);
		}
	mt_tensor **read = status == MT_OK ? mt__calloc((size_t)s.n + 1, sizeof(mt_tensor *)) : NULL;
	if (status == MT_OK)
		status = read ? mt__state_read(file, &s, read) : mt__fail_memory(file->path, (size_t)s.n * sizeof *read);
	for (int64_t i = 0, next = 0; i < o->n && status == MT_OK; i++)
		for (int k = 0; k < MT__N_STATES; k++)
			if ((o->states & 1 << k) && p->steps[i] > 0)
				p->states[MT__N_STATES * i + k] = read[next++];
	mt__free(read);
	mt__state_free(&s);
	return status;
}

mt_status mt__optim_plan_read(struct mt__optim_plan *p, mt_tensor_file *file, const mt_optim *o) {
	const int64_t shape[] = {o->n_groups, GROUP_NUMBERS};
	uint64_t total = 0;
	p->steps = mt__calloc((size_t)o->n, sizeof *p->steps);
	p->groups = mt__calloc((size_t)(shape[0] * shape[1]), sizeof *p->groups);
	p->states = mt__calloc((size_t)o->n * MT__N_STATES, sizeof(mt_tensor *));
	if (p->steps == NULL || p->groups == NULL || p->states == NULL)
		return mt__fail_memory(file->path, (size_t)o->n * MT__N_STATES * sizeof *p->states);
	mt_status status = check_signature(file, o);
	if (status == MT_OK)
		status = mt__note_count(file, "mt.optim.steps", INT64_MAX, &total);
	if (status == MT_OK)
		status = read_numbers(file, MT__OPTIM_PREFIX "t", MT_I64, 1, &o->n, p->steps);
	if (status == MT_OK)
		status = read_numbers(file, MT__OPTIM_PREFIX "groups", MT_F64, 2, shape, p->groups);
	if (status == MT_OK)
		status = check_numbers(p, file, o);
	p->total_steps = (int64_t)total;
	return status == MT_OK ? read_states(p, file, o) : status;
}

static mt_status apply_state(mt_tensor **state, mt_tensor *param, mt_tensor *read) {
	if (read == NULL) {
		mt_release(*state);
		*state = NULL;
		return MT_OK;
	}
	mt_status status = mt__optim_state(state, param);
	return status == MT_OK ? mt__chain_status(mt_copy_(*state, read)) : status;
}

mt_status mt__optim_plan_apply(const struct mt__optim_plan *p, mt_optim *o) {
	mt_status status = MT_OK;
	for (int i = 0; i < o->n_groups; i++) {
		o->groups[i].lr = p->groups[GROUP_NUMBERS * i];
		o->groups[i].base_lr = p->groups[GROUP_NUMBERS * i + 1];
		o->groups[i].weight_decay = p->groups[GROUP_NUMBERS * i + 2];
	}
	for (int64_t i = 0; i < o->n && status == MT_OK; i++) {
		struct mt__slot *slot = &o->slots[i];
		slot->t = p->steps[i];
		for (int k = 0; k < MT__N_STATES && status == MT_OK; k++)
			status = apply_state(mt__slot_state(slot, k), slot->param, p->states[MT__N_STATES * i + k]);
	}
	o->steps = p->total_steps;
	return status;
}

void mt__optim_plan_free(struct mt__optim_plan *p) {
	mt__free(p->states);
	mt__free(p->groups);
	mt__free(p->steps);
	memset(p, 0, sizeof *p);
}
