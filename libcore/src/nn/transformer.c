/* TransformerEncoderLayer (Vaswani et al. 2017; norm_first: Xiong et al. 2020), with torch.nn's names. */
#include <inttypes.h>

#include "base/error.h"
#include "nn/build.h"
#include "ops/ops.h"

struct encoder_layer {
	mt_nn_transformer_options options;
};

enum child { SELF_ATTN, LINEAR1, LINEAR2, NORM1, NORM2, N_CHILDREN };

static mt_tensor *dropped(const mt_module *m, mt_tensor *x) {
	const struct encoder_layer *e = m->context;
	return x != NULL && e->options.dropout > 0 ? mt_dropout(x, e->options.dropout, m->training) : x;
}

/* dropout(self_attn(x)).  Through mt_forward where there is nothing but x: a failure then names the child, and a summary
 * shows its shape. */
static mt_tensor *attention_block(mt_module *m, mt_tensor *x, mt_attention_masks masks) {
	const struct encoder_layer *e = m->context;
	mt_module *attention = m->children[SELF_ATTN];
	int masked = masks.key_padding != NULL || masks.mask != NULL || (masks.causal && !e->options.causal);
	masks.causal |= e->options.causal;
	return dropped(m, masked ? mt_attention_forward(attention, x, x, x, masks, NULL) : mt_forward(attention, x));
}

/* dropout(linear2(dropout(act(linear1(x))))) */
static mt_tensor *feedforward_block(mt_module *m, mt_tensor *x) {
	const struct encoder_layer *e = m->context;
	mt_tensor *inner = mt_forward(m->children[LINEAR1], x);
	inner = inner == NULL ? NULL : dropped(m, mt_map(e->options.activation, inner, mt_f(0), mt_f(0)));
	return inner == NULL ? NULL : dropped(m, mt_forward(m->children[LINEAR2], inner));
}

static mt_tensor *norm(const mt_module *m, enum child child, mt_tensor *x) {
	return x == NULL ? NULL : mt_forward(m->children[child], x);
}

static mt_tensor *add(mt_tensor *x, mt_tensor *y) {
	return x == NULL || y == NULL ? NULL : mt_add(x, y);
}

static mt_tensor *encode(mt_module *m, const char *op, mt_tensor *x, mt_attention_masks masks) {
	const struct encoder_layer *e = m->context;
	if (!mt__check_tensor(op, "x", x))
		return NULL;
	if (e->options.norm_first) {
		mt_tensor *normed = norm(m, NORM1, x);
		x = add(x, normed == NULL ? NULL : attention_block(m, normed, masks));
		normed = norm(m, NORM2, x);
		return add(x, normed == NULL ? NULL : feedforward_block(m, normed));
	}
	x = norm(m, NORM1, add(x, attention_block(m, x, masks)));
	return x == NULL ? NULL : norm(m, NORM2, add(x, feedforward_block(m, x)));
}

static mt_tensor *encoder_layer_forward(mt_module *m, mt_tensor *x, void *context) {
	(void)context;
	return encode(m, "transformer_encoder_layer", x, (mt_attention_masks){0});
}

static const mt_module_class encoder_layer_class = {"TransformerEncoderLayer", encoder_layer_forward, NULL, mt__free};

mt_tensor *mt_transformer_forward(mt_module *layer, mt_tensor *x, mt_attention_masks masks) {
	static const char op[] = "transformer_forward";
	if (layer == NULL) {
		mt__fail_arg_null(op, "layer");
		return NULL;
	}
	if (layer->kind != &encoder_layer_class)
		return mt__fail_null(MT_E_ARG, "%s: the module is a %s; TransformerEncoderLayer is needed", op,
		                     layer->kind->name);
	if (masks.key_padding != NULL && mt_tensor_is_none(masks.key_padding))
		masks.key_padding = NULL;
	if (masks.mask != NULL && mt_tensor_is_none(masks.mask))
		masks.mask = NULL;
	return encode(layer, op, x, masks);
}

/* Activations are those that mt_nn_activation knows. */
static int check_options(int64_t feedforward, const mt_nn_transformer_options *o) {
	static const char name[] = "nn_transformer_encoder_layer";
	if (feedforward < 1) {
		mt__fail(MT_E_ARG, "%s: feedforward must be at least 1, got %" PRId64, name, feedforward);
		return 0;
	}
	if (!(o->dropout >= 0 && o->dropout <= 1)) {
		mt__fail(MT_E_ARG, "%s: dropout is %g; a probability from 0 to 1 is needed", name, o->dropout);
		return 0;
	}
	mt_module *activation = mt_nn_activation(o->activation, 0);
	mt_module_free(activation);
	return activation != NULL;
}

mt_module *mt_nn_transformer_encoder_layer(int64_t embed, int64_t heads, int64_t feedforward,
                                           mt_nn_transformer_options options) {
	static const char *const names[N_CHILDREN] = {"self_attn", "linear1", "linear2", "norm1", "norm2"};
	if (options.activation == 0)
		options.activation = MT_MAP_RELU;
	const struct encoder_layer e = {options};
	mt_module *m = check_options(feedforward, &options) ? mt__module_with(&encoder_layer_class, &e, sizeof e) : NULL;
	const mt_nn_norm_options norm_options = {.eps = options.eps};
	mt_status status = m != NULL ? MT_OK : MT_E_ARG;
	for (int i = 0; i < N_CHILDREN && status == MT_OK; i++) {
		mt_module *child =
			i == SELF_ATTN
				? mt_nn_multihead_attention(
					  embed, heads, (mt_nn_attention_options){.dropout = options.dropout, .causal = options.causal})
			: i == LINEAR1 ? mt_nn_linear(embed, feedforward, 1)
			: i == LINEAR2 ? mt_nn_linear(feedforward, embed, 1)
						   : mt_nn_layer_norm(1, &embed, norm_options);
		status = child != NULL ? mt_module_add_child(m, names[i], child) : mt__module_failure();
	}
	if (status == MT_OK)
		return m;
	mt_module_free(m);
	return NULL;
}
