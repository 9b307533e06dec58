/* A family: one kernel's ops, its parameters, its cases and how one of them is run and judged. */
#ifndef CONFORMANCE_FAMILY_H
#define CONFORMANCE_FAMILY_H

#include "array.h"
#include "case.h"
#include "check.h"

/* A kernel may have rows that its args tell apart by something else than an op id: the dims of conv, a flag of softmax.
 * Such a row's id is the op id (0 where there is none) plus CF_MODE times its mode; ids of one family differ. */
enum { CF_MODE = 256 };

/* One op of the kernel: map's exp, pool's max.  A kernel without ops has one row {0, its own name}. */
struct cf_op {
	int32_t id;       /* modulo CF_MODE what the capability table and args.op hold; 0 where the kernel has no ops */
	const char *name; /* "exp"; for a kernel without ops "" */
	uint32_t dtypes;  /* MT_SET_…: the primary dtypes it is defined on */
};

/* An integer parameter: an axis, an extent, a stride, a flag, an option in thousandths. */
struct cf_param {
	const char *name;
	int64_t simplest; /* what shrinking tries to reach */
	int64_t low, high;
};

/* Hands a fixed case on.  Layouts and dtypes are the family's choice: it emits every combination that it wants run; family
 * and seed are filled in by the caller. */
typedef void (*cf_emit_fn)(const struct cf_case *c, void *context);

struct cf_family {
	const char *name; /* the kernel's name in kernels.def */
	int32_t kernel;   /* enum mt_kernel_id */
	const struct cf_op *ops;
	int n_ops;
	const struct cf_param *params;
	int n_params;
	int shaped;         /* cases have rank and shape of their own; else all extents are parameters */
	uint32_t data;      /* 1 << enum cf_data for each kind it has */
	uint32_t sides;     /* dtypes that side may have; 0: none */
	int in_place_param; /* −1, or the parameter that says "the output is the input" */

	/* Whether c is a legal case (ranges above already hold): extents that fit, axis < rank, no empty output, … */
	int (*valid)(const struct cf_case *c);
	/* Every fixed case, the smallest first: each op × dtype × layout at least once, and the corners of the kernel's text. */
	void (*each)(cf_emit_fn emit, void *context);
	/* A random legal case: op, dtype, side, in, out and data are drawn already and may be changed where they don't fit. */
	void (*draw)(struct cf_random *r, struct cf_case *c);
	/* Makes the arrays, calls the kernel (cf_call) and compares (cf_check).  Nothing is returned: the run records. */
	void (*run)(struct cf_run *r, const struct cf_case *c);
};

/* All families, in the order of kernels.def; ends with NULL. */
extern const struct cf_family *const cf_families[];

#endif
