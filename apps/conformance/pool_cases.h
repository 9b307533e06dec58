/* The cases of pool and pool_grad: windows, and what of them lies inside. */
#ifndef CONFORMANCE_POOL_CASES_H
#define CONFORMANCE_POOL_CASES_H

#include "family_nn.h"

enum cf_pool_param {
	CF_POOL_N,
	CF_POOL_C,
	CF_POOL_SIZE,
	CF_POOL_KERNEL = CF_POOL_SIZE + MT_MAX_SPATIAL,
	CF_POOL_STRIDE = CF_POOL_KERNEL + MT_MAX_SPATIAL,
	CF_POOL_PAD = CF_POOL_STRIDE + MT_MAX_SPATIAL,
	CF_POOL_DILATION = CF_POOL_PAD + MT_MAX_SPATIAL,
	CF_POOL_EXTRA = CF_POOL_DILATION + MT_MAX_SPATIAL, /* windows more than usual: ceil mode */
	CF_POOL_INCLUDE = CF_POOL_EXTRA + MT_MAX_SPATIAL,
	CF_POOL_INDICES, /* the gradient of max has them always */
	CF_POOL_PARAMS
};

extern const struct cf_param cf_pool_params[CF_POOL_PARAMS];

/* max1d, …, avg3d. */
enum { CF_POOL_OPS = 2 * MT_MAX_SPATIAL };
extern const struct cf_op cf_pool_ops[CF_POOL_OPS];

/* Missing spatial dims come last, with extent 1. */
struct cf_pool {
	int32_t op;
	int rank;
	int64_t x[5], out[5];
	struct mt_pool_params p;
	int64_t plane, outputs, volume; /* elements of a plane of x, of out, and of a window */
};

struct cf_pool cf_pool_of(const struct cf_case *c);
int cf_pool_valid(const struct cf_case *c);
void cf_pool_each(cf_emit_fn emit, void *context, int n_params);
void cf_pool_draw(struct cf_random *r, struct cf_case *c, int n_params);

/* The cells inside x of output element e's window, as positions in its plane, in row-major order; how many.  cells has
 * room for volume of them; *divisor is what an average divides by. */
int64_t cf_pool_window(const struct cf_pool *p, int64_t e, int64_t *cells, int64_t *divisor);

#endif
