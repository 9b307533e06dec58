/* Convolutions and both of their gradients in oneDNN. */
#include <stdio.h>
#include <string.h>

#include "onednn.h"

struct convolution {
	struct plain x, w, y;
	struct plain bias;
	dnnl_dims_t strides, padding;
};

/* "n=64,ci=1,co=6,s=28,k=5,st=2,p=2,g=4": s: two spatial dims; l: one.  Whether the size is one. */
static int read_convolution(const struct peer_case *c, struct convolution *v) {
	int64_t n = peer_number(c, "n", 0), ci = peer_number(c, "ci", 0), co = peer_number(c, "co", 0);
	int64_t length = peer_number(c, "l", 0), side = length > 0 ? length : peer_number(c, "s", 0);
	int64_t k = peer_number(c, "k", 0), stride = peer_number(c, "st", 1), padding = peer_number(c, "p", 0);
	int64_t groups = peer_number(c, "g", 1);
	if (n < 1 || ci < 1 || co < 1 || side < 1 || k < 1 || stride < 1 || padding < 0 || groups < 1 || ci % groups != 0 ||
	    co % groups != 0 || side + 2 * padding < k)
		return 0;
	int spatial = length > 0 ? 1 : 2;
	int64_t out = (side + 2 * padding - k) / stride + 1;
	dnnl_data_type_t type = onednn_type(c);
	v->x = plain_array(type, 2 + spatial, (const int64_t[]){n, ci, side, side});
	v->y = plain_array(type, 2 + spatial, (const int64_t[]){n, co, out, out});
	v->w = groups > 1 ? plain_array(type, 3 + spatial, (const int64_t[]){groups, co / groups, ci / groups, k, k})
	                  : plain_array(type, 2 + spatial, (const int64_t[]){co, ci, k, k});
	v->bias = plain_array(type, 1, &co);
	for (int d = 0; d < spatial; d++) {
		v->strides[d] = stride;
		v->padding[d] = padding;
	}
	return 1;
}

/* With the bias where a result is wanted; without as the hint that gradients need. */
static dnnl_primitive_desc_t forward_desc(struct chain *chain, const struct convolution *v, int with_bias) {
	dnnl_memory_desc_t x = any_desc(&v->x), w = any_desc(&v->w), y = any_desc(&v->y), bias = plain_desc(&v->bias);
	dnnl_convolution_desc_t desc;
	dnnl_primitive_desc_t pd = NULL;
	if (chain_ok(chain,
	             dnnl_convolution_forward_desc_init(&desc, dnnl_forward_training, dnnl_convolution_auto, &x, &w,
	                                                with_bias ? &bias : NULL, &y, v->strides, v->padding, v->padding),
	             "convolution"))
		chain_ok(chain, dnnl_primitive_desc_create(&pd, &desc, NULL, chain->engine, NULL), "convolution");
	return pd;
}

static void forward(struct chain *chain, const struct convolution *v) {
	dnnl_memory_t x = chain_input(chain, &v->x), w = chain_input(chain, &v->w), bias = chain_input(chain, &v->bias);
	chain_result(chain, &v->y);
	dnnl_primitive_desc_t pd = forward_desc(chain, v, 1);
	if (pd == NULL)
		return;
	const dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, chain_argument(chain, pd, DNNL_ARG_SRC, x)},
	                                {DNNL_ARG_WEIGHTS, chain_argument(chain, pd, DNNL_ARG_WEIGHTS, w)},
	                                {DNNL_ARG_BIAS, chain_argument(chain, pd, DNNL_ARG_BIAS, bias)}};
	chain_primitive(chain, pd, 3, args, DNNL_ARG_DST);
}

/* Inputs are numbered as in the other peers: x, w, then the gradient of y. */
static void input_gradient(struct chain *chain, const struct convolution *v) {
	chain_input(chain, &v->x);
	dnnl_memory_t w = chain_input(chain, &v->w), dy = chain_input(chain, &v->y);
	chain_result(chain, &v->x);
	dnnl_memory_desc_t x_desc = any_desc(&v->x), w_desc = any_desc(&v->w), y_desc = any_desc(&v->y);
	dnnl_primitive_desc_t hint = forward_desc(chain, v, 0), pd = NULL;
	dnnl_convolution_desc_t desc;
	if (hint != NULL &&
	    chain_ok(chain,
	             dnnl_convolution_backward_data_desc_init(&desc, dnnl_convolution_auto, &x_desc, &w_desc, &y_desc,
	                                                      v->strides, v->padding, v->padding),
	             "input gradient"))
		chain_ok(chain, dnnl_primitive_desc_create(&pd, &desc, NULL, chain->engine, hint), "input gradient");
	if (pd != NULL) {
		const dnnl_exec_arg_t args[] = {{DNNL_ARG_DIFF_DST, chain_argument(chain, pd, DNNL_ARG_DIFF_DST, dy)},
		                                {DNNL_ARG_WEIGHTS, chain_argument(chain, pd, DNNL_ARG_WEIGHTS, w)}};
		chain_primitive(chain, pd, 2, args, DNNL_ARG_DIFF_SRC);
	}
	if (hint != NULL)
		dnnl_primitive_desc_destroy(hint);
}

static void weight_gradient(struct chain *chain, const struct convolution *v) {
	dnnl_memory_t x = chain_input(chain, &v->x);
	chain_input(chain, &v->w);
	dnnl_memory_t dy = chain_input(chain, &v->y);
	chain_result(chain, &v->w);
	dnnl_memory_desc_t x_desc = any_desc(&v->x), w_desc = any_desc(&v->w), y_desc = any_desc(&v->y);
	dnnl_primitive_desc_t hint = forward_desc(chain, v, 0), pd = NULL;
	dnnl_convolution_desc_t desc;
	if (hint != NULL &&
	    chain_ok(chain,
	             dnnl_convolution_backward_weights_desc_init(&desc, dnnl_convolution_auto, &x_desc, &w_desc, NULL,
	                                                         &y_desc, v->strides, v->padding, v->padding),
	             "weight gradient"))
		chain_ok(chain, dnnl_primitive_desc_create(&pd, &desc, NULL, chain->engine, hint), "weight gradient");
	if (pd != NULL) {
		const dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, chain_argument(chain, pd, DNNL_ARG_SRC, x)},
		                                {DNNL_ARG_DIFF_DST, chain_argument(chain, pd, DNNL_ARG_DIFF_DST, dy)}};
		chain_primitive(chain, pd, 2, args, DNNL_ARG_DIFF_WEIGHTS);
	}
	if (hint != NULL)
		dnnl_primitive_desc_destroy(hint);
}

int onednn_convolution(const struct peer_case *c, struct chain *chain, char *why, int size) {
	static const struct {
		const char *op;
		void (*build)(struct chain *chain, const struct convolution *v);
	} ops[] = {{"conv", forward}, {"conv_input_gradient", input_gradient}, {"conv_weight_gradient", weight_gradient}};
	struct convolution v = {0};
	if (!read_convolution(c, &v)) {
		snprintf(why, (size_t)size, "the size '%s' is no convolution's", c->size);
		return 0;
	}
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		if (strcmp(ops[i].op, c->op) == 0) {
			ops[i].build(chain, &v);
			return 1;
		}
	snprintf(why, (size_t)size, "oneDNN is not asked for %s", c->op);
	return 0;
}
