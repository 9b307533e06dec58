#include "shrink.h"

#include <string.h>

#include "families.h"

enum {
	MOST_TRIES = 400,
	KINDS = 3, /* layouts and data */
	WAYS = 24  /* to change one number: all the way, half of it, a quarter, … */
};

void cf_shrink_start(struct cf_shrink *s, const struct cf_case *failing) {
	*s = (struct cf_shrink){.best = *failing};
}

/* The same change is tried again: what can be halved once may be halved twice. */
void cf_shrink_accept(struct cf_shrink *s, const struct cf_case *failing) {
	s->best = *failing;
	s->failed = 0;
	s->step--;
}

/* value nearer to simplest by 1/2^way of the distance; the value itself where that is less than 1. */
static int64_t nearer(int64_t value, int64_t simplest, int way) {
	return value - (value - simplest) / ((int64_t)1 << way);
}

static int simplify_kind(struct cf_case *c, int which) {
	int32_t *const fields[KINDS] = {&c->in, &c->out, &c->data};
	if (*fields[which] == 0)
		return 0;
	*fields[which] = 0; /* contiguous, random */
	return 1;
}

/* Takes dim d away; its extent is multiplied into the next one where merge says so. */
static int remove_dim(struct cf_case *c, int d, int merge) {
	if (merge && d + 1 == c->rank)
		return 0;
	if (merge)
		c->shape[d + 1] *= c->shape[d];
	for (int i = d; i + 1 < c->rank; i++)
		c->shape[i] = c->shape[i + 1];
	c->shape[--c->rank] = 0;
	if (cf_case_valid(c))
		return 1;
	/* an axis counts from the front: the one that it means has moved */
	for (int i = 0; i < c->family->n_params; i++) {
		c->param[i]--;
		if (cf_case_valid(c))
			return 1;
		c->param[i]++;
	}
	return 0;
}

static int change_number(int64_t *number, int64_t simplest, int way) {
	int64_t before = *number;
	*number = nearer(before, simplest, way);
	return *number != before;
}

/* The step-th change, modulo their number: whether it changes anything. */
static int change(struct cf_case *c, int step, int changes) {
	step %= changes;
	if (step < KINDS)
		return simplify_kind(c, step);
	step -= KINDS;
	if (step < 2 * c->rank)
		return remove_dim(c, step / 2, step % 2);
	step -= 2 * c->rank;
	if (step < WAYS * c->rank)
		return c->shape[step / WAYS] > 1 && change_number(&c->shape[step / WAYS], 1, step % WAYS);
	step -= WAYS * c->rank;
	return change_number(&c->param[step / WAYS], c->family->params[step / WAYS].simplest, step % WAYS);
}

int cf_shrink_next(struct cf_shrink *s, struct cf_case *out) {
	int changes = KINDS + 2 * s->best.rank + WAYS * (s->best.rank + s->best.family->n_params);
	while (s->tries < MOST_TRIES && s->failed++ <= changes) {
		*out = s->best;
		if (change(out, s->step++, changes) && cf_case_valid(out)) {
			s->tries++;
			return 1;
		}
	}
	return 0;
}
