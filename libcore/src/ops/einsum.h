/* The equation of einsum, as labels of dims. */
#ifndef MT_OPS_EINSUM_H
#define MT_OPS_EINSUM_H

#include "ops/ops.h"

/* Labels: A–Z, a–z in the order of their codes, then the dims of "...", the last one first. */
enum { MT__EINSUM_LETTERS = 52, MT__EINSUM_LABELS = MT__EINSUM_LETTERS + MT_MAX_RANK };

struct mt__einsum_term {
	int rank;
	int label[MT_MAX_RANK]; /* of each dim */
};

struct mt__einsum {
	struct mt__einsum_term in[2], out;
	int64_t extent[MT__EINSUM_LABELS]; /* 0 where a label is not used */
};

/* Reads text for n (1 or 2) operands.  MT_E_ARG with the position of what cannot be read; MT_E_SHAPE where the operands
 * do not fit. */
mt_status mt__einsum_read(const char *text, int n, mt_tensor *const *operands, struct mt__einsum *out);

#endif
