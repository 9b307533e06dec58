/* Index operands: of gather, scatter_add. */
#ifndef CONFORMANCE_INDICES_H
#define CONFORMANCE_INDICES_H

#include "array.h"

/* Which index of the array, if one, is out of range: MT_E_ARG is due. */
enum cf_bad_index { CF_GOOD, CF_BAD_HIGH, CF_BAD_LOW, CF_BAD_HIGHEST, CF_BAD_LOWEST, CF_BAD_END };

/* Indices into an axis of extent, also negative ones where negative ≠ 0; the last element is bad. */
struct cf_array *cf_indices(struct cf_run *r, int32_t dtype, int32_t rank, const int64_t *shape, int32_t layout,
                            int64_t extent, int negative, int64_t bad);

/* Row-major element of shape that has e's position in index_shape, but index along axis. */
int64_t cf_pointed(int64_t e, int32_t rank, const int64_t *index_shape, const int64_t *shape, int64_t axis,
                   int64_t index);

#endif
