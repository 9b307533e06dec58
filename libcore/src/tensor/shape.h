/* Shapes: the one place for broadcasting, dims, sizes, and how shapes read in messages. */
#ifndef MT_TENSOR_SHAPE_H
#define MT_TENSOR_SHAPE_H

#include "mt/tensor.h"

/* "[2, 3]" into a buffer of MT__SHAPE_TEXT bytes; returns buffer. */
#define MT__SHAPE_TEXT 192
const char *mt__shape_text(char *buffer, int rank, const int64_t *shape);
const char *mt__tensor_text(char *buffer, const mt_tensor *t); /* "f32[2, 3]" */

/* Product of extents; −1 on overflow or a negative extent. */
int64_t mt__numel(int rank, const int64_t *shape);
void mt__contiguous_strides(int rank, const int64_t *shape, int64_t *stride);
int mt__same_shape(const mt_tensor *a, const mt_tensor *b);

/* dim in −rank … rank−1 -> 0 … rank−1; −1 with MT_E_ARG "OP: dim D is out of range for shape […]". */
int mt__dim(const char *op, const mt_tensor *t, int dim);

/* Broadcast of two shapes into rank_out/out (MT_MAX_RANK entries).  MT_E_SHAPE names both shapes. */
mt_status mt__broadcast(const char *op, int rank_a, const int64_t *a, int rank_b, const int64_t *b, int *rank_out,
                        int64_t *out);

/* Whether x's shape and strides can be read with another shape of as many elements, without a copy; stride gets its strides. */
int mt__view_strides(const mt_tensor *x, int rank, const int64_t *shape, int64_t *stride);

/* Whether two indices may lie at one address (0 strides, overlapping windows).  Such an array cannot be written. */
int mt__self_overlap(int rank, const int64_t *shape, const int64_t *stride);

/* Smallest and largest element position relative to element 0.  0 where that overflows; no element: 0 and -1. */
int mt__reach(int rank, const int64_t *shape, const int64_t *stride, int64_t *low, int64_t *high);

/* Whether t's shape broadcasts to that of to. */
int mt__expands_to(const mt_tensor *t, const mt_tensor *to);

/* Whether both are the same elements in the same order. */
int mt__same_array(const mt_tensor *a, const mt_tensor *b);
/* Whether their stretches of memory meet.  Tensors of two storages do only where the memory of one is external. */
int mt__may_overlap(const mt_tensor *a, const mt_tensor *b);

/* x as an array expanded to shape (0 strides on broadcast dims); the shapes are known to fit. */
mt_array mt__array_expanded(const mt_tensor *x, int rank, const int64_t *shape);

#endif
