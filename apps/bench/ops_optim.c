/* Suite ops: steps of optimisers over the parameters of LeNet and of ResNet-18. */
#include <stdio.h>

#include "bench/ops.h"

/* n: elements of each parameter */
static const struct {
	const char *name;
	int64_t n, parameters;
} networks[] = {{"lenet", 6174, 10}, {"resnet18", 2922378, 4}};

enum { MOST = 10 };

/* Parameters with a gradient each; the optimiser holds them, in[0] is the first. */
static void make_parameters(struct ops_state *s, mt_tensor **p, int n) {
	for (int i = 0; i < n; i++) {
		p[i] = mt_requires_grad_(ops_randn(s, MT_SHAPE(s->c->n[0])), 1);
		mt_tensor *g = ops_randn(s, MT_SHAPE(s->c->n[0]));
		mt_backward(mt_sum(mt_mul(p[i], g), MT_ALL_AXES, 0));
	}
	s->in[0] = p[0];
}

static void make_sgd(struct ops_state *s) {
	mt_tensor *p[MOST] = {NULL};
	int n = (int)s->c->n[1];
	make_parameters(s, p, n);
	s->optim = mt_optim_sgd(p, n, 1e-3, (mt_sgd_options){.momentum = 0.9, .weight_decay = 1e-4});
}
static void make_adamw(struct ops_state *s) {
	mt_tensor *p[MOST] = {NULL};
	int n = (int)s->c->n[1];
	make_parameters(s, p, n);
	s->optim = mt_optim_adamw(p, n, 1e-3, (mt_adam_options){0});
}
static mt_tensor *run_step(struct ops_state *s) {
	/* What is compared is the parameter after one step: a copy is made of it then alone. */
	if (mt_optim_step(s->optim) != MT_OK)
		return NULL;
	return s->given ? s->in[0] : mt_clone(mt_detach(s->in[0]));
}

static const struct {
	const char *op;
	double traffic, cost; /* for each element of the parameters */
	struct ops_kind kind;
} ops[] = {
	{"sgd_step", 5, 6, {make_sgd, run_step}},
	{"adamw_step", 7, 20, {make_adamw, run_step}},
};

int ops_add_optim(struct bench_cases *cases) {
	for (size_t op = 0; op < sizeof ops / sizeof *ops; op++)
		for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
			const int64_t n[BENCH_EXTENTS] = {networks[i].n, networks[i].parameters};
			double elements = (double)n[0] * (double)n[1];
			struct ops_work work = {0, ops[op].traffic * elements, ops[op].cost * elements};
			if (ops_add(cases, ops[op].op, networks[i].name, MT_F32, n, work, ops_element_tolerance(MT_F32),
			            &ops[op].kind) != 0)
				return -1;
		}
	return 0;
}
