/* Chains of oneDNN's primitives. */
#include <stdlib.h>
#include <string.h>

#include "onednn.h"

struct plain plain_array(dnnl_data_type_t type, int rank, const int64_t *dims) {
	struct plain p = {.type = type, .rank = rank};
	int64_t stride = 1;
	for (int d = rank - 1; d >= 0; d--) {
		p.dims[d] = dims[d];
		p.strides[d] = stride;
		stride *= dims[d];
	}
	return p;
}

/* Rank, dims and type are constants of the program or were checked: the calls cannot fail but for them. */
dnnl_memory_desc_t plain_desc(const struct plain *p) {
	dnnl_memory_desc_t md;
	memset(&md, 0, sizeof md);
	dnnl_memory_desc_init_by_strides(&md, p->rank, p->dims, p->type, p->strides);
	return md;
}

dnnl_memory_desc_t any_desc(const struct plain *p) {
	dnnl_memory_desc_t md;
	memset(&md, 0, sizeof md);
	dnnl_memory_desc_init_by_tag(&md, p->rank, p->dims, p->type, dnnl_format_tag_any);
	return md;
}

void chain_begin(struct chain *c, dnnl_engine_t engine, dnnl_stream_t stream) {
	*c = (struct chain){.engine = engine, .stream = stream, .status = dnnl_success};
}

int chain_ok(struct chain *c, dnnl_status_t status, const char *what) {
	if (c->status == dnnl_success && status != dnnl_success) {
		c->status = status;
		c->failed = what;
	}
	return c->status == dnnl_success;
}

static dnnl_memory_t new_memory(struct chain *c, const dnnl_memory_desc_t *md) {
	dnnl_memory_t memory = NULL;
	if (c->n_memories == CHAIN_MEMORIES)
		chain_ok(c, dnnl_out_of_memory, "room for memories");
	if (c->status == dnnl_success &&
	    chain_ok(c, dnnl_memory_create(&memory, md, c->engine, DNNL_MEMORY_ALLOCATE), "memory"))
		c->memories[c->n_memories++] = memory;
	return memory;
}

/* Makes pd's primitive; pd is destroyed. */
static dnnl_primitive_t new_primitive(struct chain *c, dnnl_primitive_desc_t pd, const char *what) {
	dnnl_primitive_t primitive = NULL;
	if (c->status == dnnl_success)
		chain_ok(c, dnnl_primitive_create(&primitive, pd), what);
	if (pd != NULL)
		dnnl_primitive_desc_destroy(pd);
	return primitive;
}

static dnnl_primitive_t new_copy(struct chain *c, dnnl_memory_t from, dnnl_memory_t to) {
	const dnnl_memory_desc_t *a, *b;
	dnnl_primitive_desc_t pd = NULL;
	if (c->status != dnnl_success || !chain_ok(c, dnnl_memory_get_memory_desc(from, &a), "layout of a source") ||
	    !chain_ok(c, dnnl_memory_get_memory_desc(to, &b), "layout of a destination") ||
	    !chain_ok(c, dnnl_reorder_primitive_desc_create(&pd, a, c->engine, b, c->engine, NULL), "copy"))
		return NULL;
	return new_primitive(c, pd, "copy");
}

static void add_step(struct chain *c, dnnl_primitive_t primitive, int n, const dnnl_exec_arg_t *args) {
	if (c->status != dnnl_success || c->n_steps == CHAIN_STEPS || n > CHAIN_ARGS) {
		chain_ok(c, dnnl_out_of_memory, "room for steps");
		if (primitive != NULL)
			dnnl_primitive_destroy(primitive);
		return;
	}
	c->steps[c->n_steps].primitive = primitive;
	c->steps[c->n_steps].n = n;
	memcpy(c->steps[c->n_steps].args, args, (size_t)n * sizeof *args);
	c->n_steps++;
}

static void add_copy(struct chain *c, dnnl_memory_t from, dnnl_memory_t to) {
	const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
	dnnl_primitive_t copy = new_copy(c, from, to);
	if (copy != NULL)
		add_step(c, copy, 2, args);
}

/* Copies once, now. */
static void copy_now(struct chain *c, dnnl_memory_t from, dnnl_memory_t to) {
	const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
	dnnl_primitive_t copy = new_copy(c, from, to);
	if (copy == NULL)
		return;
	chain_ok(c, dnnl_primitive_execute(copy, c->stream, 2, args), "copying");
	chain_ok(c, dnnl_stream_wait(c->stream), "waiting");
	dnnl_primitive_destroy(copy);
}

dnnl_memory_t chain_input(struct chain *c, const struct plain *p) {
	struct plain wide = *p;
	int64_t n = 1;
	wide.type = dnnl_f32;
	for (int d = 0; d < p->rank; d++)
		n *= p->dims[d];
	dnnl_memory_desc_t plain = plain_desc(p), f32 = plain_desc(&wide);
	dnnl_memory_t numbers = new_memory(c, &f32), out = p->type == dnnl_f32 ? numbers : new_memory(c, &plain);
	void *data = NULL;
	if (c->status != dnnl_success || !chain_ok(c, dnnl_memory_get_data_handle(numbers, &data), "data of an input"))
		return NULL;
	peer_uniform(data, n, c->inputs++);
	if (out != numbers)
		copy_now(c, numbers, out);
	return out;
}

dnnl_memory_t chain_result(struct chain *c, const struct plain *p) {
	dnnl_memory_desc_t md = plain_desc(p);
	c->result = new_memory(c, &md);
	return c->result;
}

/* A memory in the layout that pd asks for arg: the one that is there, or a new one. */
static dnnl_memory_t in_layout(struct chain *c, const_dnnl_primitive_desc_t pd, int arg, dnnl_memory_t memory) {
	const dnnl_memory_desc_t *have;
	if (c->status != dnnl_success || !chain_ok(c, dnnl_memory_get_memory_desc(memory, &have), "layout"))
		return NULL;
	const dnnl_memory_desc_t *want = dnnl_primitive_desc_query_md(pd, dnnl_query_exec_arg_md, arg);
	return want == NULL || dnnl_memory_desc_equal(have, want) ? memory : new_memory(c, want);
}

dnnl_memory_t chain_argument(struct chain *c, const_dnnl_primitive_desc_t pd, int arg, dnnl_memory_t memory) {
	dnnl_memory_t there = in_layout(c, pd, arg, memory);
	if (there != NULL && there != memory)
		add_copy(c, memory, there);
	return there;
}

void chain_primitive(struct chain *c, dnnl_primitive_desc_t pd, int n, const dnnl_exec_arg_t *args, int result) {
	dnnl_exec_arg_t all[CHAIN_ARGS];
	dnnl_memory_t there = in_layout(c, pd, result, c->result);
	memcpy(all, args, (size_t)n * sizeof *all);
	all[n] = (dnnl_exec_arg_t){result, there};
	dnnl_primitive_t primitive = new_primitive(c, pd, "primitive");
	if (primitive != NULL)
		add_step(c, primitive, n + 1, all);
	if (there != c->result)
		add_copy(c, there, c->result);
}

int chain_run(void *state) {
	struct chain *c = state;
	for (int i = 0; i < c->n_steps; i++) {
		dnnl_status_t status =
			dnnl_primitive_execute(c->steps[i].primitive, c->stream, c->steps[i].n, c->steps[i].args);
		if (status != dnnl_success)
			return status;
	}
	return dnnl_stream_wait(c->stream);
}

const void *chain_read(void *state, int64_t *n, int *is_double) {
	struct chain *c = state;
	const dnnl_memory_desc_t *md;
	void *data = NULL;
	*is_double = 0;
	*n = 1;
	if (!chain_ok(c, dnnl_memory_get_memory_desc(c->result, &md), "layout of the result"))
		return NULL;
	for (int d = 0; d < md->ndims; d++)
		*n *= md->dims[d];
	struct plain wide = plain_array(dnnl_f32, md->ndims, md->dims);
	dnnl_memory_desc_t f32 = plain_desc(&wide);
	dnnl_memory_t out = new_memory(c, &f32);
	if (out == NULL)
		return NULL;
	copy_now(c, c->result, out);
	return chain_ok(c, dnnl_memory_get_data_handle(out, &data), "data of the result") ? data : NULL;
}

void chain_free(void *state) {
	struct chain *c = state;
	for (int i = 0; i < c->n_steps; i++)
		dnnl_primitive_destroy(c->steps[i].primitive);
	for (int i = 0; i < c->n_memories; i++)
		dnnl_memory_destroy(c->memories[i]);
	free(c);
}
