/* train_points' network, MiniTorch's: 2 → hidden → hidden → 1, under MiniTorch's plain descent. */
#include "bench/nets.h"
#include "train_points/train_points.h"

static mt_module *build_points(const int64_t *n) {
	return net_build(n[1]);
}

static mt_tensor *points(const int64_t *n) {
	return mt_rand(MT_SHAPE(n[0], 2), MT_F32);
}

static mt_tensor *labels(const int64_t *n) {
	return mt_bernoulli(MT_SHAPE(n[0], 1), MT_F32, 0.5);
}

/* Mean of −ln p of the right class. */
static mt_tensor *points_loss(mt_tensor *output, mt_tensor *target) {
	return mt_bce_with_logits_loss(output, target, MT_NONE, MT_NONE, MT_REDUCTION_MEAN);
}

static mt_optim *points_optim(mt_tensor *const *parameters, int64_t n) {
	return mt_optim_sgd(parameters, n, 0.05, (mt_sgd_options){0});
}

static double points_flops(const int64_t *n) {
	double first = bench_net_linear_flops(2, n[1]);
	double rest = bench_net_linear_flops(n[1], n[1]) + bench_net_linear_flops(n[1], 1);
	return (double)n[0] * bench_step_flops(first + rest, first);
}

const struct bench_net bench_net_points = {
	.op = "points",
	.names = {"batch", "hidden", NULL},
	.build = build_points,
	.input = points,
	.target = labels,
	.loss = points_loss,
	.optim = points_optim,
	.flops = points_flops,
};
