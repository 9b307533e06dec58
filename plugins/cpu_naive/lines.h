/* Walks every position of a shape in row-major order, one line (along the last dim) at a time, and keeps an offset for
 * each of several operands:
 *
 *     struct lines l;
 *     lines_begin(&l, out->rank, out->shape);
 *     lines_add(&l, x->stride);
 *     lines_add(&l, out->stride);
 *     do
 *             for (int64_t j = 0; j < l.length; j++)
 *                     … x at l.at[0] + j * l.step[0], out at l.at[1] + j * l.step[1] …
 *     while (lines_next(&l));
 *
 * A shape with an extent of 0 has one line, of length 0. */
#ifndef MT_NAIVE_LINES_H
#define MT_NAIVE_LINES_H

#include "naive.h"

enum { LINES_OPERANDS = 5 };

struct lines {
	int outer; /* dims before the last */
	int n_operands;
	int64_t length; /* of a line */
	int64_t shape[MT_MAX_RANK], index[MT_MAX_RANK];
	int64_t stride[LINES_OPERANDS][MT_MAX_RANK];
	int64_t at[LINES_OPERANDS];   /* offset of the line's first element */
	int64_t step[LINES_OPERANDS]; /* stride along the line */
};

static inline void lines_begin(struct lines *l, int rank, const int64_t *shape) {
	l->outer = rank > 0 ? rank - 1 : 0;
	l->n_operands = 0;
	l->length = rank > 0 ? shape[rank - 1] : 1;
	for (int d = 0; d < l->outer; d++) {
		l->shape[d] = shape[d];
		l->index[d] = 0;
		if (shape[d] == 0)
			l->length = 0;
	}
}

static inline void lines_add(struct lines *l, const int64_t *stride) {
	int k = l->n_operands++;
	for (int d = 0; d < l->outer; d++)
		l->stride[k][d] = stride[d];
	l->step[k] = l->length > 1 ? stride[l->outer] : 0;
	l->at[k] = 0;
}

/* Goes to the next line; false after the last, with every offset back where it began. */
static inline bool lines_next(struct lines *l) {
	if (l->length == 0)
		return false;
	for (int d = l->outer - 1; d >= 0; d--) {
		bool carry = ++l->index[d] == l->shape[d];
		int64_t move = carry ? 1 - l->shape[d] : 1;
		for (int k = 0; k < l->n_operands; k++)
			l->at[k] += move * l->stride[k][d];
		if (!carry)
			return true;
		l->index[d] = 0;
	}
	return false;
}

#endif
