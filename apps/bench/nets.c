/* What the networks of the train suite share. */
#include "bench/nets.h"

int bench_net_add(mt_module *net, const char *name, mt_module *layer) {
	return mt_module_add_child(net, name, layer) == MT_OK;
}

mt_module *bench_net_finish(mt_module *net, int ok) {
	if (ok)
		return net;
	mt_module_free(net);
	return NULL;
}

mt_tensor *bench_net_classes(const int64_t *n) {
	return mt_randint(0, BENCH_CLASSES, MT_SHAPE(n[0]));
}

mt_tensor *bench_net_cross_entropy(mt_tensor *output, mt_tensor *target) {
	return mt_cross_entropy(output, target, MT_NONE, (mt_loss_options){0});
}

mt_optim *bench_net_momentum(mt_tensor *const *parameters, int64_t n) {
	return mt_optim_sgd(parameters, n, 0.01, (mt_sgd_options){.momentum = 0.9});
}

mt_optim *bench_net_adam(mt_tensor *const *parameters, int64_t n) {
	return mt_optim_adam(parameters, n, 0.001, (mt_adam_options){0});
}

double bench_net_linear_flops(int64_t in, int64_t out) {
	return 2.0 * (double)in * (double)out;
}
