/* oneDNN's work as a chain of primitives over plain arrays: copies into the layouts that a primitive asks for, the
 * primitive itself, the copy of its result back.  All of it is timed, as it is in mt, whose tensors are plain, too. */
#ifndef BENCH_PEERS_ONEDNN_H
#define BENCH_PEERS_ONEDNN_H

#include <dnnl.h>

#include "peer.h"

enum { CHAIN_STEPS = 6, CHAIN_MEMORIES = 12, CHAIN_ARGS = 6 };

struct chain {
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	struct {
		dnnl_primitive_t primitive;
		int n;
		dnnl_exec_arg_t args[CHAIN_ARGS];
	} steps[CHAIN_STEPS];
	int n_steps;
	dnnl_memory_t memories[CHAIN_MEMORIES];
	int n_memories;
	int inputs;           /* made so far: what the next one is filled with */
	dnnl_memory_t result; /* in a plain layout */
	float *read;          /* the result as it was asked for */
	dnnl_status_t status; /* the first failure; every call does nothing after one */
	const char *failed;   /* what failed */
};

/* A plain array: extents as far as the first 0; strides NULL: row-major. */
struct plain {
	dnnl_data_type_t type;
	dnnl_dims_t dims, strides;
	int rank;
};

struct plain plain_array(dnnl_data_type_t type, int rank, const int64_t *dims);
dnnl_memory_desc_t plain_desc(const struct plain *p);
/* The same extents in whatever layout the primitive likes best. */
dnnl_memory_desc_t any_desc(const struct plain *p);

void chain_begin(struct chain *c, dnnl_engine_t engine, dnnl_stream_t stream);
/* Whether status says that all is well; else the chain has failed. */
int chain_ok(struct chain *c, dnnl_status_t status, const char *what);

/* An input, filled with the peers' numbers; and memory for a result. */
dnnl_memory_t chain_input(struct chain *c, const struct plain *p);
dnnl_memory_t chain_result(struct chain *c, const struct plain *p);

/* What arg is to be in pd's call: memory itself where it has the layout that pd asks for, else a copy, made by a step
 * of its own. */
dnnl_memory_t chain_argument(struct chain *c, const_dnnl_primitive_desc_t pd, int arg, dnnl_memory_t memory);

/* The primitive of pd, which is destroyed, over args; the argument numbered result goes to the chain's result, through a
 * copy where the layouts differ. */
void chain_primitive(struct chain *c, dnnl_primitive_desc_t pd, int n, const dnnl_exec_arg_t *args, int result);

/* For struct peer_work. */
int chain_run(void *state);
const void *chain_read(void *state, int64_t *n, int *is_double);
void chain_free(void *state);

/* The cases: each builds its chain.  0 where the case is none of theirs, with the reason in why. */
int onednn_product(const struct peer_case *c, struct chain *chain, char *why, int size);
int onednn_convolution(const struct peer_case *c, struct chain *chain, char *why, int size);
dnnl_data_type_t onednn_type(const struct peer_case *c); /* dnnl_data_type_undef where it is not asked for */

#endif
