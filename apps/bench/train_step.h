/* Whole training steps as a kind of case: zero_grad, forward, loss, backward, a step of the optimiser, over one batch
 * that lies on the device already. */
#ifndef APPS_BENCH_TRAIN_STEP_H
#define APPS_BENCH_TRAIN_STEP_H

#include "bench/case.h"

enum { BENCH_NET_EXTENTS = 6 };

/* A network with its data and optimiser; n are the case's extents, in the order of names. */
struct bench_net {
	const char *op;
	const char *names[BENCH_NET_EXTENTS + 1]; /* of the extents, ends with NULL: "batch" first */
	mt_module *(*build)(const int64_t *n);
	/* One batch in the current scope. */
	mt_tensor *(*input)(const int64_t *n);
	mt_tensor *(*target)(const int64_t *n);
	mt_tensor *(*loss)(mt_tensor *output, mt_tensor *target);
	mt_optim *(*optim)(mt_tensor *const *parameters, int64_t n);
	double (*flops)(const int64_t *n); /* of the products and convolutions of one step */
	/* What a difference in the gradient is divided by, beside its largest element; 0: nothing.  A network with millions of
	 * activations before a ReLU has some that are 0 but for rounding, where the gradient jumps. */
	double kinks;
};

/* Appends the case of net with these extents (the first is the batch), x its abscissa.  0 or −1. */
int bench_train_step_add(struct bench_cases *cases, const struct bench_net *net, const int64_t *n, double x);

/* Of a step whose layers take forward operations, the first of them first: both gradients cost what the forward pass
 * does, and nobody needs the gradient of the data. */
double bench_step_flops(double forward, double first);

/* The networks. */
extern const struct bench_net bench_net_lenet, bench_net_mlp, bench_net_points, bench_net_text_cnn;
extern const struct bench_net bench_net_mlp_mnist, bench_net_mlp_wide, bench_net_resnet_block, bench_net_lstm,
	bench_net_transformer;

#endif
