/* Plain loops over up to three spatial dims, for the tests of convolution and pooling: missing dims have extent 1. */
#ifndef MT_TEST_SPATIAL_H
#define MT_TEST_SPATIAL_H

#include <stdint.h>

static inline int64_t or_else(int64_t value, int64_t absent) {
	return value == 0 ? absent : value;
}

/* Cell i of [e0, e1, e2], row-major. */
static inline void unravel(int64_t i, const int64_t *extent, int64_t *at) {
	for (int d = 2; d >= 0; d--) {
		at[d] = i % extent[d];
		i /= extent[d];
	}
}

static inline int64_t cells(const int64_t *extent) {
	return extent[0] * extent[1] * extent[2];
}

/* Its position; −1 outside. */
static inline int64_t ravel(const int64_t *at, const int64_t *extent) {
	int64_t i = 0;
	for (int d = 0; d < 3; d++) {
		if (at[d] < 0 || at[d] >= extent[d])
			return -1;
		i = i * extent[d] + at[d];
	}
	return i;
}

/* The first spatial entries of from, 1 behind them. */
static inline void extents(int spatial, const int64_t *from, int64_t *to) {
	for (int d = 0; d < 3; d++)
		to[d] = d < spatial ? from[d] : 1;
}

/* [a, b, spatial entries of s]. */
static inline const int64_t *full_shape(int64_t *out, int64_t a, int64_t b, int spatial, const int64_t *s) {
	out[0] = a;
	out[1] = b;
	for (int d = 0; d < spatial; d++)
		out[d + 2] = s[d];
	return out;
}

#endif
