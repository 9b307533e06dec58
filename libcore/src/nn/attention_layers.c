/* MultiheadAttention (Vaswani et al. 2017), with torch.nn's names and initial values. */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "nn/build.h"
#include "ops/attention.h"

struct multihead {
	int64_t embed, heads;
	mt_nn_attention_options options;
};

/* ---- projections ------------------------------------------------------------------------------------------------- */

/* x @ the n of the three parts of in_proj from first on (0: q, 1: k, 2: v). */
static mt_tensor *project(const mt_module *m, mt_tensor *x, int first, int n) {
	const struct multihead *h = m->context;
	mt_tensor *weight = mt__module_own(m, "in_proj_weight"), *bias = mt__module_own(m, "in_proj_bias");
	if (n < 3) {
		weight = mt_narrow(weight, 0, first * h->embed, n * h->embed);
		bias = mt__given(bias) ? mt_narrow(bias, 0, first * h->embed, n * h->embed) : bias;
	}
	return weight == NULL || bias == NULL ? NULL : mt_linear(x, weight, bias);
}

/* [N, L, E] -> [N, heads, L, E / heads], a view. */
static mt_tensor *split_heads(const struct multihead *h, mt_tensor *x) {
	if (x == NULL)
		return NULL;
	x = mt_reshape(x, 4, (int64_t[]){x->shape[0], x->shape[1], h->heads, h->embed / h->heads});
	return mt_transpose(x, 1, 2);
}

static mt_tensor *join_heads(const struct multihead *h, mt_tensor *y) {
	y = y == NULL ? NULL : mt_transpose(y, 1, 2);
	return y == NULL ? NULL : mt_reshape(y, 3, (int64_t[]){y->shape[0], y->shape[1], h->embed});
}

/* One product for what is projected from one tensor.  out: q, k, v, split into heads. */
static int project_all(const mt_module *m, mt_tensor *const *in, mt_tensor **out) {
	const struct multihead *h = m->context;
	int shared = in[1] == in[2] ? (in[0] == in[1] ? 3 : 2) : 1; /* how many at the end come from v */
	mt_tensor *together = project(m, in[2], 3 - shared, shared);
	for (int i = 0; i < 3; i++) {
		int at = i - (3 - shared);
		out[i] = at < 0 ? project(m, in[i], i, 1) : mt_narrow(together, -1, at * h->embed, h->embed);
		if ((out[i] = split_heads(h, out[i])) == NULL)
			return 0;
	}
	return 1;
}

/* ---- masks ------------------------------------------------------------------------------------------------------- */

static int has(const mt_tensor *t) {
	return t != NULL && mt__given(t);
}

static mt_status check_key_padding(const char *op, const mt_tensor *mask, int64_t n, int64_t s) {
	char text[MT__SHAPE_TEXT];
	if (mask->rank == 2 && mask->shape[0] == n && mask->shape[1] == s && mask->dtype == MT_BOOL)
		return MT_OK;
	return mt__fail(mask->dtype == MT_BOOL ? MT_E_SHAPE : MT_E_DTYPE,
	                "%s: key_padding is %s; bool [%" PRId64 ", %" PRId64 "] is needed", op, mt__tensor_text(text, mask),
	                n, s);
}

static mt_status check_mask(const char *op, const struct multihead *h, const mt_tensor *mask, int64_t n, int64_t l,
                            int64_t s) {
	char text[MT__SHAPE_TEXT];
	int typed = mask->dtype == MT_BOOL || mt__is_float(mask->dtype);
	int plain = mask->rank == 2 && mask->shape[0] == l && mask->shape[1] == s;
	int each = mask->rank == 3 && mask->shape[0] == n * h->heads && mask->shape[1] == l && mask->shape[2] == s;
	if (typed && (plain || each))
		return MT_OK;
	return mt__fail(typed ? MT_E_SHAPE : MT_E_DTYPE,
	                "%s: mask is %s; bool or float [%" PRId64 ", %" PRId64 "] or [%" PRId64 ", %" PRId64 ", %" PRId64
	                "] is needed",
	                op, mt__tensor_text(text, mask), l, s, n * h->heads, l, s);
}

/* allowed = allowed and not forbidden. */
static mt_tensor *also(mt_tensor *allowed, mt_tensor *forbidden) {
	mt_tensor *rest = mt_logical_not(forbidden);
	return rest == NULL || !mt__given(allowed) ? rest : mt_logical_and(allowed, rest);
}

/* PyTorch's masks, where 1 forbids, as the op's, where 0 does. */
static mt_status take_masks(const char *op, const struct multihead *h, const mt_attention_masks *masks, mt_tensor *q,
                            mt_tensor *k, struct mt__attention *a) {
	int64_t n = q->shape[0], l = q->shape[1], s = k->shape[1];
	if (has(masks->mask)) {
		mt_status status = check_mask(op, h, masks->mask, n, l, s);
		mt_tensor *mask = masks->mask;
		if (status == MT_OK && mask->rank == 3)
			mask = mt_reshape(mask, 4, (int64_t[]){n, h->heads, l, s});
		if (status != MT_OK || mask == NULL)
			return mt__module_failure();
		if (mask->dtype != MT_BOOL)
			a->added = mask;
		else if ((a->allowed = also(a->allowed, mask)) == NULL)
			return mt__module_failure();
	}
	if (has(masks->key_padding)) {
		if (check_key_padding(op, masks->key_padding, n, s) != MT_OK)
			return mt__module_failure();
		a->allowed = also(a->allowed, mt_reshape(masks->key_padding, 4, (int64_t[]){n, 1, 1, s}));
		if (a->allowed == NULL)
			return mt__module_failure();
	}
	a->causal = masks->causal;
	return MT_OK;
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

static mt_status check(const char *op, const struct multihead *h, mt_tensor *const *in,
                       const mt_attention_masks *masks) {
	static const char *const names[3] = {"q", "k", "v"};
	char tq[MT__SHAPE_TEXT], tk[MT__SHAPE_TEXT], tv[MT__SHAPE_TEXT];
	mt_tensor *all[5] = {in[0], in[1], in[2], has(masks->key_padding) ? masks->key_padding : MT_NONE,
	                     has(masks->mask) ? masks->mask : MT_NONE};
	int fits = 1;
	for (int i = 0; i < 3; i++) {
		if (!mt__check_tensor(op, names[i], in[i]))
			return mt__module_failure();
		fits = fits && in[i]->rank == 3 && in[i]->shape[2] == h->embed && in[i]->shape[0] == in[0]->shape[0];
	}
	if (!mt__check_same_device(op, all, 5))
		return mt__module_failure();
	if (fits && in[1]->shape[1] == in[2]->shape[1])
		return MT_OK;
	return mt__fail(MT_E_SHAPE,
	                "%s: q is %s, k is %s, v is %s; [N, L, %" PRId64 "], [N, S, %" PRId64 "] and [N, S, %" PRId64
	                "] are needed",
	                op, mt__tensor_text(tq, in[0]), mt__tensor_text(tk, in[1]), mt__tensor_text(tv, in[2]), h->embed,
	                h->embed, h->embed);
}

static mt_tensor *attend(mt_module *m, const char *op, mt_tensor *const *in, mt_attention_masks masks,
                         mt_tensor **weights) {
	const struct multihead *h = m->context;
	struct mt__attention a = {.allowed = MT_NONE, .added = MT_NONE, .training = m->training, .p = h->options.dropout};
	mt_tensor *heads[3];
	if (check(op, h, in, &masks) != MT_OK || take_masks(op, h, &masks, in[0], in[1], &a) != MT_OK ||
	    !project_all(m, in, heads))
		return NULL;
	mt_tensor *y = join_heads(h, mt__attend(op, heads[0], heads[1], heads[2], &a, weights));
	if (y != NULL && weights != NULL && (*weights = mt_mean(*weights, MT_AXES(1), 0)) == NULL)
		return NULL;
	return y == NULL ? NULL : mt_forward(m->children[0], y);
}

static mt_tensor *multihead_forward(mt_module *m, mt_tensor *x, void *context) {
	const struct multihead *h = context;
	return attend(m, "multihead_attention", (mt_tensor *[]){x, x, x}, (mt_attention_masks){.causal = h->options.causal},
	              NULL);
}

/* ---- the module -------------------------------------------------------------------------------------------------- */

static const mt_module_class multihead_class = {"MultiheadAttention", multihead_forward, NULL, mt__free};

mt_tensor *mt_attention_forward(mt_module *attention, mt_tensor *q, mt_tensor *k, mt_tensor *v,
                                mt_attention_masks masks, mt_tensor **weights) {
	static const char op[] = "attention_forward";
	if (attention == NULL) {
		mt__fail_arg_null(op, "attention");
		return NULL;
	}
	if (attention->kind != &multihead_class)
		return mt__fail_null(MT_E_ARG, "%s: the module is a %s; MultiheadAttention is needed", op,
		                     attention->kind->name);
	return attend(attention, op, (mt_tensor *[]){q, k, v}, masks, weights);
}

/* Xavier's uniform weights, and biases 0. */
static mt_status add_in_proj(mt_module *m, const struct multihead *h) {
	const int64_t shape[2] = {3 * h->embed, h->embed};
	mt_status status = mt__add_constant(m, MT_STATE_PARAMETER, "in_proj_weight", 2, shape, 0);
	if (status == MT_OK && mt_init_xavier_uniform(mt__module_own(m, "in_proj_weight"), 1) == NULL)
		status = mt__module_failure();
	if (status == MT_OK && !h->options.no_bias)
		status = mt__add_constant(m, MT_STATE_PARAMETER, "in_proj_bias", 1, shape, 0);
	return status;
}

static mt_status add_out_proj(mt_module *m, const struct multihead *h) {
	mt_module *out = mt_nn_linear(h->embed, h->embed, !h->options.no_bias);
	if (out == NULL)
		return mt__module_failure();
	if (!h->options.no_bias && mt_init_constant(mt__module_own(out, "bias"), 0) == NULL) {
		mt_module_free(out);
		return mt__module_failure();
	}
	return mt_module_add_child(m, "out_proj", out);
}

mt_module *mt_nn_multihead_attention(int64_t embed, int64_t heads, mt_nn_attention_options options) {
	static const char name[] = "nn_multihead_attention";
	const struct multihead h = {embed, heads, options};
	if (embed < 1 || heads < 1 || embed % heads != 0 || embed > INT64_MAX / 3)
		return mt__fail_null(MT_E_ARG, "%s: heads must divide embed, got %" PRId64 " heads and embed %" PRId64, name,
		                     heads, embed);
	if (!(options.dropout >= 0 && options.dropout <= 1))
		return mt__fail_null(MT_E_ARG, "%s: dropout is %g; a probability from 0 to 1 is needed", name, options.dropout);
	mt_module *m = mt__module_with(&multihead_class, &h, sizeof h);
	if (m == NULL || (add_in_proj(m, &h) == MT_OK && add_out_proj(m, &h) == MT_OK))
		return m;
	mt_module_free(m);
	return NULL;
}
