/* Inputs in every layout, random numbers, and comparison with values that the test computed itself in double. */
#ifndef MT_TEST_ORACLE_H
#define MT_TEST_ORACLE_H

#include "backends.h"

/* How a tensor lies in memory: as made, with its dims stored in reverse, every second element of the last dim, backwards
 * along dim 0, or one row repeated along dim 0 by stride 0. */
enum layout { CONTIGUOUS, TRANSPOSED, STEPPED, BACKWARDS, REPEATED, N_LAYOUTS };

const char *layout_name(enum layout layout);

/* The shape of a contiguous tensor from which lay_out makes one of this shape. */
void base_shape(enum layout layout, int rank, const int64_t *shape, int64_t *base);

/* The view of base in this layout; differentiable. */
mt_tensor *lay_out(mt_tensor *base, enum layout layout, int rank, const int64_t *shape);

/* A sequence of numbers that depends on its start alone. */
double draw(uint64_t *state, double low, double high);

/* A tensor of random values in [low, high), in this layout. */
mt_tensor *random_in(enum layout layout, int rank, const int64_t *shape, mt_dtype dtype, double low, double high,
                     uint64_t seed);
/* The same, contiguous. */
mt_tensor *random_like(int rank, const int64_t *shape, mt_dtype dtype, double low, double high, uint64_t seed);

/* Relative error that a correctly rounded-once result of this dtype may show, with some room. */
double rtol_of(mt_dtype dtype);

/* |t − expected| ≤ rtol · max(scale, |expected|) for each of n elements; infinities are equal, NaN is equal to NaN. */
int check_close(mt_tensor *t, const double *expected, int64_t n, double rtol, double scale, const char *file, int line,
                const char *text);
#define CHECK_CLOSE(t, expected, n, rtol, scale) check_close(t, expected, n, rtol, scale, __FILE__, __LINE__, #t)

/* Nothing is left in the error slot. */
#define CHECK_NO_ERROR() MT_CHECK_STR(mt_error_take(NULL), "")

#endif
