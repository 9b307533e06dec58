/* Options of one int a spatial dim, as layers print them. */
#ifndef MT_NN_EXTENTS_H
#define MT_NN_EXTENTS_H

#include "nn/build.h"

/* What describe writes, so far. */
struct mt__description {
	char *text;
	size_t size;
	int at;
};

static inline void mt__describe_extents(struct mt__description *d, const char *before, int n, const int *values) {
	int64_t wide[MT_MAX_SPATIAL];
	for (int i = 0; i < n; i++)
		wide[i] = values[i];
	mt__describe_add(d->text, d->size, &d->at, "%s", before);
	mt__describe_tuple(d->text, d->size, &d->at, n, wide);
}

#endif
