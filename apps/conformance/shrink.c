#include "shrink.h"

#include <string.h>

#include "families.h"

enum {
	MOST_TRIES = 400,
	WAYS = 3 /* to change one number: to its end, half the way, one step */
};

void cf_shrink_start(struct cf_shrink *s, const struct cf_case *failing) {
	*s = (struct cf_shrink){.best = *failing};
}

void cf_shrink_accept(struct cf_shrink *s, const struct cf_case *failing) {
	s->best = *failing;
	s->step = 0;
}

/* value nearer to simplest, in the way-th way. */
static int64_t nearer(int64_t value, int64_t simplest, int way) {
	int64_t distance = value - simplest;
	if (way == 0 || distance == 0)
		return simplest;
	return way == 1 ? simplest + distance / 2 : value - (distance > 0 ? 1 : -1);
}

static int simplify_kind(struct cf_case *c, int which) {
	int32_t *const fields[] = {&c->in, &c->out, &c->data};
	if (*fields[which] == 0)
		return 0;
	*fields[which] = 0; /* contiguous, random */
	return 1;
}

static int remove_dim(struct cf_case *c, int d) {
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

/* The step-th change: 0 where it changes nothing, −1 after the last. */
static int change(struct cf_case *c, int step) {
	if (step < c->rank)
		return remove_dim(c, step);
	step -= c->rank;
	if (step < WAYS * c->rank) {
		int64_t *extent = &c->shape[step / WAYS], before = *extent;
		*extent = before > 1 ? nearer(before, 1, step % WAYS) : before;
		return *extent != before;
	}
	step -= WAYS * c->rank;
	if (step < WAYS * c->family->n_params) {
		int64_t *value = &c->param[step / WAYS], before = *value;
		*value = nearer(before, c->family->params[step / WAYS].simplest, step % WAYS);
		return *value != before;
	}
	step -= WAYS * c->family->n_params;
	return step < 3 ? simplify_kind(c, step) : -1;
}

int cf_shrink_next(struct cf_shrink *s, struct cf_case *out) {
	while (s->tries < MOST_TRIES) {
		*out = s->best;
		int changed = change(out, s->step++);
		if (changed < 0)
			return 0;
		if (changed > 0 && cf_case_valid(out)) {
			s->tries++;
			return 1;
		}
	}
	return 0;
}
