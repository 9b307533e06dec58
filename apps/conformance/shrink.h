/* Making a failing case smaller: simpler layouts, data and parameters, smaller extents, fewer dims; dtypes are kept. */
#ifndef CONFORMANCE_SHRINK_H
#define CONFORMANCE_SHRINK_H

#include "case.h"

struct cf_shrink {
	struct cf_case best; /* the smallest that failed so far */
	int step;            /* the next change to try on it */
	int failed;          /* changes in a row that led nowhere */
	int tries;
};

void cf_shrink_start(struct cf_shrink *s, const struct cf_case *failing);

/* The next legal case to try: 1, or 0 when every change of the best was tried, or too many were tried. */
int cf_shrink_next(struct cf_shrink *s, struct cf_case *out);

/* That case fails too: it is the best from here on. */
void cf_shrink_accept(struct cf_shrink *s, const struct cf_case *failing);

#endif
