/* LSTM (Hochreiter & Schmidhuber 1997) and GRU (Cho et al. 2014), with torch.nn's names, gates and initial values. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "nn/build.h"
#include "ops/ops.h"

struct rnn {
	int64_t in, hidden;
	int gates; /* 4: i, f, g, o;   3: r, z, n */
	int layers, directions;
	mt_nn_rnn_options options;
};

/* ---- one direction of one layer ---------------------------------------------------------------------------------- */

/* Its parameters; biases MT_NONE where the module has none. */
struct weights {
	mt_tensor *w_ih, *w_hh, *b_ih, *b_hh;
};

struct states {
	mt_tensor *h, *c; /* [N, hidden]; c NULL for GRU */
};

static struct weights weights_of(const mt_module *m, const struct rnn *r, int direction) {
	int each = r->options.no_bias ? 2 : 4;
	const struct mt__state *s = &m->state[direction * each];
	return (struct weights){s[0].tensor, s[1].tensor, each == 4 ? s[2].tensor : MT_NONE,
	                        each == 4 ? s[3].tensor : MT_NONE};
}

static mt_tensor *gate(mt_tensor *gates, const struct rnn *r, int k) {
	return mt_narrow(gates, -1, k * r->hidden, r->hidden);
}

/* i, f, o = σ(…), g = tanh(…);   c = f c + i g;   h = o tanh(c).   x: W_ih x + b_ih + b_hh */
static int lstm_step(const struct rnn *r, const struct weights *w, mt_tensor *x, struct states *s) {
	mt_tensor *gates = mt_add(x, mt_linear(s->h, w->w_hh, MT_NONE));
	if (gates == NULL)
		return 0;
	mt_tensor *i = mt_sigmoid(gate(gates, r, 0)), *f = mt_sigmoid(gate(gates, r, 1));
	mt_tensor *g = mt_tanh(gate(gates, r, 2)), *o = mt_sigmoid(gate(gates, r, 3));
	s->c = mt_add(mt_mul(f, s->c), mt_mul(i, g));
	s->h = mt_mul(o, mt_tanh(s->c));
	return s->h != NULL;
}

/* r, z = σ(…);   n = tanh(x_n + r (W_hn h + b_hn));   h = (1 − z) n + z h.   x: W_ih x + b_ih */
static int gru_step(const struct rnn *r, const struct weights *w, mt_tensor *x, struct states *s) {
	mt_tensor *hidden = mt_linear(s->h, w->w_hh, w->b_hh);
	if (hidden == NULL)
		return 0;
	int64_t both = 2 * r->hidden;
	mt_tensor *rz = mt_sigmoid(mt_add(mt_narrow(x, -1, 0, both), mt_narrow(hidden, -1, 0, both)));
	if (rz == NULL)
		return 0;
	mt_tensor *z = gate(rz, r, 1), *n = mt_tanh(mt_add(gate(x, r, 2), mt_mul(gate(rz, r, 0), gate(hidden, r, 2))));
	s->h = mt_add(n, mt_mul(z, mt_sub(s->h, n)));
	return s->h != NULL;
}

/* Steps begin … end − 1 of x [L, …] into steps.  By halves: the gradient of a part is as large as what it was taken
 * from, so L steps cost L log L and not L². */
static int unbind(mt_tensor *x, mt_tensor **steps, int64_t n) {
	if (x == NULL)
		return 0;
	if (n == 1)
		return (steps[0] = mt_index(x, 0, 0)) != NULL;
	int64_t half = n / 2;
	return unbind(mt_narrow(x, 0, 0, half), steps, half) &&
	       unbind(mt_narrow(x, 0, half, n - half), steps + half, n - half);
}

/* x: [L, N, in] -> [L, N, hidden] from states s, which become the last ones.  The input's part of all steps is one
 * product. */
static mt_tensor *run_direction(const struct rnn *r, const struct weights *w, mt_tensor *x, int reverse,
                                struct states *s, mt_tensor **steps) {
	int64_t length = x->shape[0];
	mt_tensor *bias = r->gates == 4 && mt__given(w->b_ih) ? mt_add(w->b_ih, w->b_hh) : w->b_ih;
	if (!unbind(mt_linear(x, w->w_ih, bias), steps, length))
		return NULL;
	for (int64_t t = 0; t < length; t++) {
		int64_t at = reverse ? length - 1 - t : t;
		if (!(r->gates == 4 ? lstm_step : gru_step)(r, w, steps[at], s))
			return NULL;
		steps[at] = s->h;
	}
	return mt_stack(steps, (int)length, 0);
}

/* ---- all layers -------------------------------------------------------------------------------------------------- */

/* What goes through the layers: states of each direction of each layer, [layers · D] of them. */
struct pass {
	mt_module *m;
	const struct rnn *r;
	mt_tensor **steps; /* room for L */
	struct states *states;
};

static mt_tensor *run_layer(struct pass *p, mt_tensor *x, int layer) {
	mt_tensor *y[2];
	for (int d = 0; d < p->r->directions; d++) {
		int at = layer * p->r->directions + d;
		const struct weights w = weights_of(p->m, p->r, at);
		if ((y[d] = run_direction(p->r, &w, x, d, &p->states[at], p->steps)) == NULL)
			return NULL;
	}
	return p->r->directions == 1 ? y[0] : mt_cat(y, 2, -1);
}

static mt_tensor *run_layers(struct pass *p, mt_tensor *x) {
	for (int layer = 0; layer < p->r->layers && x != NULL; layer++) {
		x = run_layer(p, x, layer);
		if (x != NULL && layer + 1 < p->r->layers && p->r->options.dropout > 0)
			x = mt_dropout(x, p->r->options.dropout, p->m->training);
	}
	return x;
}

/* Fills the first states from h0 and c0 [layers · D, N, hidden], or zeros. */
static int first_states(struct pass *p, mt_tensor *x, mt_tensor *h0, mt_tensor *c0) {
	int64_t shape[2] = {x->shape[1], p->r->hidden};
	mt_dtype dtype = mt__to_float(mt_promote(x->dtype, p->m->state[0].tensor->dtype));
	mt_tensor *zero = mt__full("rnn", mt__device_of(x), 2, shape, dtype, mt_i(0));
	if (zero == NULL)
		return 0;
	for (int k = 0; k < p->r->layers * p->r->directions; k++) {
		p->states[k].h = mt__given(h0) ? mt_index(h0, 0, k) : zero;
		p->states[k].c = p->r->gates == 3 ? NULL : mt__given(c0) ? mt_index(c0, 0, k) : zero;
		if (p->states[k].h == NULL || (p->r->gates == 4 && p->states[k].c == NULL))
			return 0;
	}
	return 1;
}

/* The last states as [layers · D, N, hidden]; steps is room for as many tensors. */
static mt_tensor *last_states(const struct pass *p, mt_tensor **list, int cell) {
	int n = p->r->layers * p->r->directions;
	for (int k = 0; k < n; k++)
		list[k] = cell ? p->states[k].c : p->states[k].h;
	return mt_stack(list, n, 0);
}

static mt_tensor *run(struct pass *p, mt_tensor *x, mt_tensor *h0, mt_tensor *c0, mt_tensor **hn, mt_tensor **cn) {
	int swap = p->r->options.batch_first;
	if (swap && (x = mt_transpose(x, 0, 1)) == NULL)
		return NULL;
	if (!first_states(p, x, h0, c0))
		return NULL;
	mt_tensor *y = run_layers(p, x);
	if (y == NULL || (hn != NULL && (*hn = last_states(p, p->steps, 0)) == NULL))
		return NULL;
	if (cn != NULL && p->r->gates == 4 && (*cn = last_states(p, p->steps, 1)) == NULL)
		return NULL;
	return swap ? mt_transpose(y, 0, 1) : y;
}

/* ---- checks ------------------------------------------------------------------------------------------------------ */

static mt_status check_state(const struct rnn *r, const char *op, const char *name, const mt_tensor *s, int64_t batch) {
	char text[MT__SHAPE_TEXT];
	int64_t all = (int64_t)r->layers * r->directions;
	if (!mt__given(s) || (s->rank == 3 && s->shape[0] == all && s->shape[1] == batch && s->shape[2] == r->hidden &&
	                      mt__is_float(s->dtype)))
		return MT_OK;
	return mt__fail(MT_E_SHAPE, "%s: %s is %s; float [%" PRId64 ", %" PRId64 ", %" PRId64 "] is needed", op, name,
	                mt__tensor_text(text, s), all, batch, r->hidden);
}

static mt_status check(const struct rnn *r, const char *op, mt_tensor *x, mt_tensor *h0, mt_tensor *c0) {
	char text[MT__SHAPE_TEXT];
	mt_tensor *all[3] = {x, h0, c0};
	int first = r->options.batch_first;
	if (!mt__check_tensor(op, "x", x) || !mt__check_optional(op, "h0", h0) || !mt__check_optional(op, "c0", c0) ||
	    !mt__check_same_device(op, all, 3))
		return mt__module_failure();
	if (x->rank != 3 || x->shape[2] != r->in)
		return mt__fail(MT_E_SHAPE, "%s: x is %s; [%s, %" PRId64 "] is needed", op, mt__tensor_text(text, x),
		                first ? "N, L" : "L, N", r->in);
	if (x->shape[first] == 0)
		return mt__fail(MT_E_SHAPE, "%s: x is %s: the sequence has no steps", op, mt__tensor_text(text, x));
	if (x->shape[first] > INT32_MAX)
		return mt__fail(MT_E_SHAPE, "%s: x is %s: more than 2^31 - 1 steps", op, mt__tensor_text(text, x));
	if (r->gates == 3 && mt__given(c0))
		return mt__fail(MT_E_ARG, "%s: a GRU has no cell state; c0 must be MT_NONE", op);
	mt_status status = check_state(r, op, "h0", h0, x->shape[!first]);
	return status == MT_OK ? check_state(r, op, "c0", c0, x->shape[!first]) : status;
}

static mt_tensor *forward(mt_module *m, const char *op, mt_tensor *x, mt_tensor *h0, mt_tensor *c0, mt_tensor **hn,
                          mt_tensor **cn) {
	const struct rnn *r = m->context;
	if (check(r, op, x, h0, c0) != MT_OK)
		return NULL;
	size_t n = (size_t)r->layers * (size_t)r->directions, length = (size_t)x->shape[r->options.batch_first];
	struct pass p = {.m = m, .r = r};
	p.steps = mt__alloc((length > n ? length : n) * sizeof(mt_tensor *));
	p.states = mt__alloc(n * sizeof *p.states);
	mt_tensor *y = NULL;
	if (p.steps != NULL && p.states != NULL)
		y = run(&p, x, h0, c0, hn, cn);
	else
		mt__fail_memory(op, (length + n) * sizeof(mt_tensor *));
	mt__free(p.steps);
	mt__free(p.states);
	return y;
}

/* ---- the modules ------------------------------------------------------------------------------------------------- */

static mt_tensor *lstm_forward(mt_module *m, mt_tensor *x, void *context) {
	(void)context;
	return forward(m, "lstm", x, MT_NONE, MT_NONE, NULL, NULL);
}

static mt_tensor *gru_forward(mt_module *m, mt_tensor *x, void *context) {
	(void)context;
	return forward(m, "gru", x, MT_NONE, MT_NONE, NULL, NULL);
}

static int rnn_describe(void *context, char *text, size_t size) {
	const struct rnn *r = context;
	int at = 0;
	mt__describe_add(text, size, &at, "%" PRId64 ", %" PRId64, r->in, r->hidden);
	if (r->layers != 1)
		mt__describe_add(text, size, &at, ", num_layers=%d", r->layers);
	if (r->options.no_bias)
		mt__describe_add(text, size, &at, ", bias=False");
	if (r->options.batch_first)
		mt__describe_add(text, size, &at, ", batch_first=True");
	if (r->options.dropout != 0)
		mt__describe_add(text, size, &at, ", dropout=%g", r->options.dropout);
	if (r->directions == 2)
		mt__describe_add(text, size, &at, ", bidirectional=True");
	return at;
}

static const mt_module_class lstm_class = {"LSTM", lstm_forward, rnn_describe, mt__free};
static const mt_module_class gru_class = {"GRU", gru_forward, rnn_describe, mt__free};

/* weight_ih, weight_hh, bias_ih, bias_hh of one direction, all uniform in ±1/√hidden. */
static mt_status add_direction(mt_module *m, const struct rnn *r, int layer, int reverse) {
	static const char *const names[4] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};
	int64_t rows = r->gates * r->hidden, below = layer == 0 ? r->in : r->hidden * r->directions;
	const int64_t shapes[4][2] = {{rows, below}, {rows, r->hidden}, {rows}, {rows}};
	mt_status status = MT_OK;
	for (int k = 0; k < (r->options.no_bias ? 2 : 4) && status == MT_OK; k++) {
		char name[MT__NAME_BYTES];
		snprintf(name, sizeof name, "%s_l%d%s", names[k], layer, reverse ? "_reverse" : "");
		status = mt__add_uniform(m, name, k < 2 ? 2 : 1, shapes[k], 1 / sqrt((double)r->hidden));
	}
	return status;
}

static int check_options(const mt_module_class *kind, int64_t in, int64_t hidden, const mt_nn_rnn_options *o) {
	if (in < 1 || hidden < 1 || hidden > INT64_MAX / 8)
		mt__fail(MT_E_ARG, "%s: in and hidden must be at least 1, got %" PRId64 " and %" PRId64, kind->name, in,
		         hidden);
	else if (o->layers < 0 || o->layers > 1000000)
		mt__fail(MT_E_ARG, "%s: layers must be 1 to 1000000 (0: 1), got %d", kind->name, o->layers);
	else if (!(o->dropout >= 0 && o->dropout <= 1))
		mt__fail(MT_E_ARG, "%s: dropout is %g; a probability from 0 to 1 is needed", kind->name, o->dropout);
	else
		return 1;
	return 0;
}

static mt_module *new_rnn(const mt_module_class *kind, int gates, int64_t in, int64_t hidden, mt_nn_rnn_options o) {
	if (!check_options(kind, in, hidden, &o))
		return NULL;
	o.batch_first = o.batch_first != 0;
	const struct rnn r = {in, hidden, gates, o.layers == 0 ? 1 : o.layers, o.bidirectional ? 2 : 1, o};
	mt_module *m = mt__module_with(kind, &r, sizeof r);
	mt_status status = m != NULL ? MT_OK : mt__module_failure();
	for (int layer = 0; layer < r.layers && status == MT_OK; layer++)
		for (int d = 0; d < r.directions && status == MT_OK; d++)
			status = add_direction(m, &r, layer, d);
	if (status == MT_OK)
		return m;
	mt_module_free(m);
	return NULL;
}

mt_module *mt_nn_lstm(int64_t in, int64_t hidden, mt_nn_rnn_options options) {
	return new_rnn(&lstm_class, 4, in, hidden, options);
}

mt_module *mt_nn_gru(int64_t in, int64_t hidden, mt_nn_rnn_options options) {
	return new_rnn(&gru_class, 3, in, hidden, options);
}

mt_tensor *mt_rnn_forward(mt_module *rnn, mt_tensor *x, mt_tensor *h0, mt_tensor *c0, mt_tensor **hn, mt_tensor **cn) {
	static const char op[] = "rnn_forward";
	if (rnn == NULL) {
		mt__fail_arg_null(op, "rnn");
		return NULL;
	}
	if (rnn->kind != &lstm_class && rnn->kind != &gru_class)
		return mt__fail_null(MT_E_ARG, "%s: the module is a %s; LSTM or GRU is needed", op, rnn->kind->name);
	if (cn != NULL && rnn->kind == &gru_class)
		return mt__fail_null(MT_E_ARG, "%s: a GRU has no cell state; cn must be NULL", op);
	return forward(rnn, op, x, h0, c0, hn, cn);
}
