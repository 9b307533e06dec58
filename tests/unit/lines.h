/* A row-major array seen as lines along one axis. */
#ifndef MT_TEST_LINES_H
#define MT_TEST_LINES_H

#include <stdint.h>

struct lines {
	int64_t count, n, inner; /* lines; elements of one; lines that lie inside each other */
};

static inline struct lines lines_of(int rank, const int64_t *shape, int axis) {
	struct lines l = {1, 1, 1};
	axis = axis < 0 ? axis + rank : axis;
	for (int d = 0; d < rank; d++) {
		if (d == axis)
			l.n = shape[d];
		else
			l.count *= shape[d];
		if (d > axis)
			l.inner *= shape[d];
	}
	return l;
}

/* Where element j of a line stands. */
static inline int64_t line_at(struct lines l, int64_t line, int64_t j) {
	return (line / l.inner * l.n + j) * l.inner + line % l.inner;
}

#endif
