/* A plugin that stands before another one and makes one thing of it wrong (plugin.c); what the faults work with. */
#ifndef FAULT_H
#define FAULT_H

#include <stdint.h>

#include "mt/plugin.h"

enum fault_role { IN, OUT, INOUT, OPT_IN, OPT_OUT, OPT_INOUT };

struct fault_operand {
	const char *field; /* "x" */
	enum fault_role role;
	mt_array array;        /* what the inner kernel gets: a fault may change it before the call */
	mt_array asked;        /* what the host gave */
	int64_t numel;         /* of asked */
	unsigned char *before; /* the buffer as it was */
	unsigned char *now;    /* the buffer as it is: a fault may change it before and after the call */
	int dirty;             /* now is to be written back */
};

enum { FAULT_MAX_OPERANDS = 10 };

struct fault_call {
	mt_queue *queue;
	int32_t kernel;
	void *args; /* a copy of the host's, whose arrays are the operands' */
	int n_operands;
	struct fault_operand operand[FAULT_MAX_OPERANDS];
	int32_t status; /* of the call */
};

/* When a fault acts: before the inner call, after it where it went well, or in its place (it calls fault_inner itself). */
enum fault_phase { BEFORE, AFTER, INSTEAD };

/* Calls the inner kernel with the operands as they are now; sets and returns c->status. */
int32_t fault_inner(struct fault_call *c);

/* Says why status is returned. */
int32_t fault_refuse(struct fault_call *c, int32_t status, const char *words);

/* The operand of that field, or NULL where the kernel was called without it. */
struct fault_operand *fault_find(struct fault_call *c, const char *field);
/* The first that is read, and the first that is written. */
struct fault_operand *fault_in(struct fault_call *c);
struct fault_operand *fault_out(struct fault_call *c);

/* ---- elements (element.c) ---- */

int fault_is_float(int32_t dtype);
int64_t fault_size(int32_t dtype);

/* Where row-major element e lies in the buffer, in bytes. */
int64_t fault_position(const mt_array *a, int64_t e);

double fault_get(const struct fault_operand *o, int64_t e);
int64_t fault_get_integer(const struct fault_operand *o, int64_t e);
/* Rounded to the dtype; low bits of an integer. */
void fault_put(struct fault_operand *o, int64_t e, double value);
void fault_put_integer(struct fault_operand *o, int64_t e, int64_t value);
/* Element e as it was before the call. */
void fault_restore(struct fault_operand *o, int64_t e);
/* The next number in the direction of the sign, in the dtype's steps. */
void fault_step_away(struct fault_operand *o, int64_t e);
/* One step of the dtype toward zero. */
void fault_step_toward_zero(struct fault_operand *o, int64_t e);

/* Element e of out moved to place j along axis, in a shape whose extent there is extent. */
int64_t fault_along(const mt_array *out, int64_t e, int axis, int64_t extent, int64_t j);
/* The index of element e along axis. */
int64_t fault_index(const mt_array *a, int64_t e, int axis);

/* Walks a dim from its other end. */
void fault_reverse(mt_array *a, int dim);

/* ---- the faults ---- */

#define FAULT(name, KERNEL, op, glob, when, function, what) void fault_##function(struct fault_call *c);
#include "faults.def"
#undef FAULT

#endif
