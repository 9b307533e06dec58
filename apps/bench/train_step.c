/* Whole training steps. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/train_step.h"

enum { MAX_PARAMETERS = 64 };

struct step {
	const struct bench_net *net;
	mt_module *module;
	mt_optim *optim;
	mt_tensor *x, *y;
	mt_tensor *first; /* parameter, which all of the backward pass leads to */
	mt_tensor *loss;  /* of the last step; NULL before */
};

static void step_free(void *state) {
	struct step *s = state;
	if (s == NULL)
		return;
	mt_release(s->loss);
	mt_release(s->y);
	mt_release(s->x);
	mt_optim_free(s->optim);
	mt_module_free(s->module);
	free(s);
}

/* The optimiser, and the batch; what is drawn for it comes after the weights. */
static int fill(struct step *s, const int64_t *n) {
	mt_tensor *parameters[MAX_PARAMETERS];
	int64_t count = mt_module_parameters(s->module, parameters, MAX_PARAMETERS);
	if (count < 1 || count > MAX_PARAMETERS) {
		mt_error_set(MT_E_INTERNAL, "%s has %" PRId64 " parameters, room is for %d", s->net->op, count, MAX_PARAMETERS);
		return -1;
	}
	s->first = parameters[0];
	s->optim = s->net->optim(parameters, count);
	mt_scope *scope = mt_scope_begin();
	s->x = mt_retain(s->net->input(n));
	s->y = mt_retain(s->net->target(n));
	mt_scope_end(scope);
	return s->optim && s->x && s->y ? 0 : -1;
}

static void *step_make(const struct bench_case *c) {
	struct step *s = calloc(1, sizeof *s);
	if (s == NULL) {
		mt_error_set(MT_E_MEMORY, "%s: out of memory", c->op);
		return NULL;
	}
	s->net = c->context;
	s->module = s->net->build(c->n);
	if (s->module != NULL && fill(s, c->n) == 0)
		return s;
	step_free(s);
	return NULL;
}

static mt_status step_run(void *state) {
	struct step *s = state;
	mt_status status = mt_optim_zero_grad(s->optim);
	mt_tensor *loss = s->net->loss(mt_forward(s->module, s->x), s->y);
	if (status == MT_OK)
		status = mt_backward(loss);
	if (status == MT_OK)
		status = mt_optim_step(s->optim);
	if (status != MT_OK)
		return status;
	mt_release(s->loss);
	s->loss = mt_retain(mt_detach(loss));
	return s->loss != NULL ? MT_OK : mt_error_peek();
}

/* The loss before the first step and before the second, which all parameters' first step has part in; and the first
 * parameter's gradient in the first step, which all of the backward pass has part in, in units of its largest element.
 * (Parameters themselves are a worse measure: Adam's first step is the sign of the gradient, of rounding errors too; so is
 * a gradient behind it, where a maximum over places may have another winner then.) */
static mt_tensor *step_output(void *state) {
	struct step *s = state;
	mt_tensor *before = s->loss;
	if (before == NULL) {
		mt_error_set(MT_E_STATE, "%s: no step was taken", s->net->op);
		return NULL;
	}
	mt_retain(before);
	mt_autorelease(before);
	mt_tensor *gradient = mt_grad(s->first);
	mt_tensor *relative = mt_div(gradient, mt_max(mt_abs(gradient), MT_ALL_AXES, 0));
	if (s->net->kinks > 0)
		relative = mt_div_scalar(relative, mt_f(s->net->kinks));
	if (step_run(s) != MT_OK)
		return NULL;
	mt_tensor *parts[] = {mt_reshape(before, MT_SHAPE(1)), mt_reshape(s->loss, MT_SHAPE(1)),
	                      mt_reshape(relative, MT_SHAPE(-1))};
	return mt_cat(parts, 3, 0);
}

static const struct bench_kind step_kind = {step_make, step_run, step_output, step_free};

double bench_step_flops(double forward, double first) {
	return 3 * forward - first;
}

int bench_train_step_add(struct bench_cases *cases, const struct bench_net *net, const int64_t *n, double x) {
	struct bench_case c = {.suite = "train", .op = net->op, .dtype = MT_F32, .x = x, .kind = &step_kind};
	size_t used = 0;
	for (int i = 0; net->names[i] != NULL && used < sizeof c.size; i++) {
		c.n[i] = n[i];
		used += (size_t)snprintf(c.size + used, sizeof c.size - used, "%s%s=%" PRId64, i > 0 ? "," : "", net->names[i],
		                         n[i]);
	}
	c.context = net;
	c.flops = net->flops(n);
	c.examples = (double)n[0];
	c.reference_cost = 2 * c.flops;
	/* Of losses, and of shares of a gradient's largest element, in f32: the backends differ by 1e-5 at most, and the loss
	 * moves by 2e-4 at least from step to step. */
	c.tolerance = 1e-4;
	return bench_cases_add(cases, &c);
}
