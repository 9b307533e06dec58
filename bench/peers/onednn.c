/* oneDNN as a peer of mt-bench: matrix products and convolutions, through its C interface. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "onednn.h"

static dnnl_engine_t engine;
static dnnl_stream_t stream;

dnnl_data_type_t onednn_type(const struct peer_case *c) {
	if (strcmp(c->dtype, "f32") == 0)
		return dnnl_f32;
	return strcmp(c->dtype, "bf16") == 0 ? dnnl_bf16 : dnnl_data_type_undef;
}

/* ---- products ----------------------------------------------------------------------------------------------------- */

static int ends_with(const char *op, const char *end) {
	size_t n = strlen(op), e = strlen(end);
	return n > e && strcmp(op + n - e, end) == 0;
}

/* [b,] rows, columns; turned: it lies in memory as its transpose. */
static struct plain matrix(const struct peer_product *e, dnnl_data_type_t type, int64_t rows, int64_t columns,
                           int turned) {
	const int64_t dims[] = {e->b, rows, columns};
	int rank = e->b > 0 ? 3 : 2;
	struct plain p = plain_array(type, rank, dims + (3 - rank));
	if (turned) {
		p.strides[rank - 2] = 1;
		p.strides[rank - 1] = rows;
	}
	return p;
}

static dnnl_primitive_attr_t relu_after(struct chain *chain) {
	dnnl_primitive_attr_t attr = NULL;
	dnnl_post_ops_t ops = NULL;
	if (chain_ok(chain, dnnl_primitive_attr_create(&attr), "attributes") &&
	    chain_ok(chain, dnnl_post_ops_create(&ops), "post-operations") &&
	    chain_ok(chain, dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_relu, 0, 0), "relu"))
		chain_ok(chain, dnnl_primitive_attr_set_post_ops(attr, ops), "post-operations");
	if (ops != NULL)
		dnnl_post_ops_destroy(ops);
	return attr;
}

int onednn_product(const struct peer_case *c, struct chain *chain, char *why, int size) {
	struct peer_product e;
	int is_layer = strcmp(c->op, "linear_relu") == 0;
	int a_turned = ends_with(c->op, "_tn") || ends_with(c->op, "_tt");
	int b_turned = is_layer || ends_with(c->op, "_nt") || ends_with(c->op, "_tt");
	if (!peer_product_of(c, &e)) {
		snprintf(why, (size_t)size, "the size '%s' has no m, k and n", c->size);
		return 0;
	}
	dnnl_data_type_t type = onednn_type(c);
	struct plain a = matrix(&e, type, e.m, e.k, a_turned), b = matrix(&e, type, e.k, e.n, b_turned);
	struct plain row = matrix(&e, type, 1, e.n, 0), y = matrix(&e, type, e.m, e.n, 0);
	dnnl_memory_desc_t a_desc = plain_desc(&a), b_desc = plain_desc(&b), y_desc = plain_desc(&y),
					   row_desc = plain_desc(&row);
	dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, chain_input(chain, &a)}, {DNNL_ARG_WEIGHTS, chain_input(chain, &b)}, {0}};
	if (is_layer)
		args[2] = (dnnl_exec_arg_t){DNNL_ARG_BIAS, chain_input(chain, &row)};
	chain_result(chain, &y);
	dnnl_primitive_attr_t attr = is_layer ? relu_after(chain) : NULL;
	dnnl_matmul_desc_t desc;
	dnnl_primitive_desc_t pd = NULL;
	if (chain_ok(chain, dnnl_matmul_desc_init(&desc, &a_desc, &b_desc, is_layer ? &row_desc : NULL, &y_desc),
	             "product"))
		chain_ok(chain, dnnl_primitive_desc_create(&pd, &desc, attr, engine, NULL), "product");
	if (pd != NULL)
		chain_primitive(chain, pd, is_layer ? 3 : 2, args, DNNL_ARG_DST);
	if (attr != NULL)
		dnnl_primitive_attr_destroy(attr);
	return 1;
}

/* ---- the peer ----------------------------------------------------------------------------------------------------- */

static enum peer_answer prepare(const struct peer_case *c, struct peer_work *work, char *why, int size) {
	int is_product = strncmp(c->op, "matmul", 6) == 0 || strcmp(c->op, "linear_relu") == 0;
	int is_convolution = strcmp(c->op, "conv") == 0 || strncmp(c->op, "conv_", 5) == 0;
	if ((!is_product && !is_convolution) || onednn_type(c) == dnnl_data_type_undef)
		return PEER_NOT_ASKED;
	struct chain *chain = malloc(sizeof *chain);
	if (chain == NULL) {
		snprintf(why, (size_t)size, "out of memory");
		return PEER_FAILED;
	}
	chain_begin(chain, engine, stream);
	*work = (struct peer_work){chain, chain_run, chain_read, chain_free};
	int known = is_product ? onednn_product(c, chain, why, size) : onednn_convolution(c, chain, why, size);
	if (known && chain->status == dnnl_success)
		return PEER_READY;
	if (known)
		snprintf(why, (size_t)size, "oneDNN: %s: status %d", chain->failed, chain->status);
	return known && chain->status != dnnl_unimplemented ? PEER_FAILED : PEER_UNAVAILABLE;
}

static void set_threads(int n) {
#ifdef _OPENMP
	omp_set_num_threads(n);
#else
	(void)n; /* OMP_NUM_THREADS says it */
#endif
}

int main(int argc, char **argv) {
	struct peer peer = {.program = "onednn", .name = "onednn", .set_threads = set_threads, .prepare = prepare};
	const dnnl_version_t *v = dnnl_version();
	snprintf(peer.device, sizeof peer.device, "oneDNN %d.%d.%d", v->major, v->minor, v->patch);
	if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success ||
	    dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) != dnnl_success) {
		fprintf(stderr, "onednn: no engine for the CPU\n");
		return 1;
	}
	int status = peer_main(&peer, argc, argv);
	dnnl_stream_destroy(stream);
	dnnl_engine_destroy(engine);
	return status;
}
