/* A case of the suite: everything that one kernel call depends on, as plain data.  A case can be written as text (its
 * id), read from JSON, drawn at random and made smaller: nothing else decides what is run. */
#ifndef CONFORMANCE_CASE_H
#define CONFORMANCE_CASE_H

#include "mt/plugin.h"

/* How the elements of an array lie in its buffer. */
enum cf_layout {
	CF_CONTIGUOUS,
	CF_TRANSPOSED, /* the strides of the reversed dims */
	CF_STEPPED,    /* every second element in each dim */
	CF_NEGATIVE,   /* every stride negative */
	CF_PADDED,     /* rows longer than the shape says */
	CF_OUT_LAYOUTS,
	/* inputs only, as elements share their places */
	CF_BROADCAST = CF_OUT_LAYOUTS, /* stride 0 on the first dim of extent > 1 */
	CF_REPEATED,                   /* stride 0 on the last dim of extent > 1 */
	CF_IN_LAYOUTS
};

/* What values the inputs hold.  A family gives each kind its meaning and lists those it has (cf_family.data). */
enum cf_data {
	CF_RANDOM,  /* an ordinary range */
	CF_SPECIAL, /* NaN, infinities, zeros of both signs, subnormals, extremes among ordinary values */
	CF_TIES,    /* few distinct values, so that equals meet */
	CF_WIDE,    /* magnitudes over the whole range of the dtype */
	CF_DATA_END
};

enum { CF_MAX_PARAMS = 25 };

struct cf_family;

struct cf_case {
	const struct cf_family *family;
	int32_t op;    /* an id of family->ops */
	int32_t dtype; /* of the primary operand */
	int32_t side;  /* a second dtype (index, target of copy, …); 0 where the family has none */
	int32_t in;    /* enum cf_layout of the inputs */
	int32_t out;   /* enum cf_layout of the outputs, below CF_OUT_LAYOUTS */
	int32_t data;  /* enum cf_data */
	int32_t rank;  /* of shape; 0 with no extents in families without a shape of their own */
	int64_t shape[MT_MAX_RANK];
	int64_t param[CF_MAX_PARAMS]; /* family->params, in their order */
	uint64_t seed;                /* of the values */
};

extern const char *const cf_layout_names[CF_IN_LAYOUTS]; /* "contiguous", … */
extern const char *const cf_data_names[CF_DATA_END];     /* "random", … */

/* Random numbers: splitmix64.  Equal state, equal numbers, on every machine. */
struct cf_random {
	uint64_t state;
};

uint64_t cf_random_bits(struct cf_random *r);
double cf_random_unit(struct cf_random *r);                                /* [0, 1) */
int64_t cf_random_integer(struct cf_random *r, int64_t low, int64_t high); /* [low, high] */
/* A rank in [low, high] and extents ≥ 1, most of them small, at most numel elements, now and then one long extent. */
void cf_random_shape(struct cf_random *r, int low, int high, int64_t numel, int32_t *rank, int64_t *shape);

#endif
