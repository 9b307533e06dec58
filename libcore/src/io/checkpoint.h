/* The optimiser's part of a checkpoint. */
#ifndef MT_IO_CHECKPOINT_H
#define MT_IO_CHECKPOINT_H

#include "io/state.h"

/* "adamw m v": an optimiser's kind and the states it keeps, mt.optim in the file.  NULL when out of memory; mt__free. */
char *mt__optim_signature(const mt_optim *o);

/* Appends the optimiser's tensors; those made for it belong to the current scope. */
mt_status mt__state_add_optim(struct mt__state *s, mt_optim *o);

/* What a file holds for an optimiser, read and checked. */
struct mt__optim_plan {
	int64_t *steps;     /* by parameter */
	double *groups;     /* [groups, 3] */
	mt_tensor **states; /* [parameters, MT__N_STATES], NULL where there is none; in the current scope */
	int64_t total_steps;
};

/* MT_E_FORMAT, MT_E_SHAPE, MT_E_DTYPE or MT_E_STATE where the file is not this optimiser's; frees nothing on failure. */
mt_status mt__optim_plan_read(struct mt__optim_plan *p, mt_tensor_file *file, const mt_optim *o);
/* Makes the optimiser what was read. */
mt_status mt__optim_plan_apply(const struct mt__optim_plan *p, mt_optim *o);
void mt__optim_plan_free(struct mt__optim_plan *p);

/* The whole number ≥ 0 under key.  MT_E_FORMAT. */
mt_status mt__note_count(const mt_tensor_file *file, const char *key, uint64_t most, uint64_t *value);

#endif
