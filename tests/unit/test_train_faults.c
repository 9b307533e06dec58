/* Every host allocation of a small training run fails once: the run then fails with a message, and nothing crashes or
 * stays behind. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "failing.h"
#include "mt/mt.h"
#include "mt_test.h"

static char path[64];

static mt_status failed(void) {
	return mt_error_peek() ? mt_error_peek() : MT_E_INTERNAL;
}

static mt_status train_one_epoch(mt_module *net, mt_optim *optim, mt_loader *loader) {
	mt_tensor *x, *y;
	int more;
	while ((more = mt_loader_next(loader, &x, &y)) == 1) {
		mt_tensor *loss = mt_cross_entropy(mt_forward(net, x), y, MT_NONE, (mt_loss_options){0});
		if (mt_backward(loss) != MT_OK || mt_optim_step(optim) != MT_OK || mt_optim_zero_grad(optim) != MT_OK)
			return failed();
	}
	return more < 0 ? failed() : MT_OK;
}

static mt_status run(void) {
	mt_host_array images = {0}, labels = {0};
	mt_module *net = mt_nn_sequential(MT_MODULES(mt_nn_flatten(1, -1), mt_nn_linear(784, 4, 1), mt_nn_relu(),
	                                             mt_nn_dropout(0.5), mt_nn_linear(4, 10, 1)));
	mt_tensor *parameters[4];
	mt_status status = mt_digits_generate(6, 1, &images, &labels);
	mt_loader *loader = NULL;
	mt_optim *optim = NULL;
	if (net != NULL && status == MT_OK) {
		loader = mt_loader_new(&images, &labels, (mt_loader_options){.batch = 4, .shuffle = 1});
		optim =
			mt_optim_adam(parameters, mt_module_parameters(net, parameters, 4), 0.01, (mt_adam_options){.amsgrad = 1});
	}
	status = loader != NULL && optim != NULL ? train_one_epoch(net, optim, loader) : failed();
	if (status == MT_OK)
		status = mt_save_state(net, path);
	if (status == MT_OK)
		status = mt_load_state(net, path);
	mt_optim_free(optim);
	mt_loader_free(loader);
	mt_module_free(net);
	mt_host_array_free(&images);
	mt_host_array_free(&labels);
	return status;
}

static void test_sweep(void) {
	enum { MOST = 20000 };
	long n = 0;
	MT_REQUIRE(run() == MT_OK); /* warm: devices are open, slabs are there */
	while (n < MOST && !failing_run(run, n))
		n++;
	mt_test_row("all");
	MT_CHECK_MSG(n > 50 && n < MOST, "%ld allocations", n);
	mt_test_note("%ld allocations failed, one by one", n);
	unlink(path);
}

static const mt_test_case cases[] = {{"sweep", test_sweep}, {0}};
static const mt_test_suite suites[] = {{"train_faults", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	failing_install();
	snprintf(path, sizeof path, "/tmp/mt-faults-%ld.safetensors", (long)getpid());
	return mt_test_main(argc, argv, suites);
}
