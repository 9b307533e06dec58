/* Whole epochs of a multi-layer perceptron, 784-500-10, AdamW, batch 500: ggml's mnist example.
 *
 *     make bench/mlp_epochs && bench/mlp_epochs [EPOCHS [THREADS]]        EPOCHS: 9, THREADS: as OpenMP has
 *
 * Images are shuffled, normalised and gathered into batches as training goes, all within the time; loading and scoring
 * are not.  Before each epoch the peak of the FMA units is measured on as many threads, and the share is of that: of
 * three passes, 6 · B · (784 · 500 + 500 · 10) operations a step, as is usual, and of the operations that are done, for
 * nobody needs the gradient of the images. */
#include <inttypes.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/peak.h"
#include "mt/mt.h"

enum { PIXELS = 784, HIDDEN = 500, CLASSES = 10, BATCH = 500, MOST_EPOCHS = 99, SYNTHETIC = 60000 };

static int failed(const char *what) {
	fprintf(stderr, "mlp_epochs: %s: %s\n", what, mt_error_take(NULL));
	return 1;
}

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *list, int n) {
	qsort(list, (size_t)n, sizeof *list, by_value);
	return list[n / 2];
}

/* MNIST where MT_DATA_DIR has it, else as many synthetic digits. */
static mt_status load(mt_host_array *images, mt_host_array *labels) {
	const char *data = getenv("MT_DATA_DIR");
	char folder[1024];
	snprintf(folder, sizeof folder, "%s/mnist", data != NULL ? data : "data");
	return mt_mnist_present(folder) ? mt_mnist_load(folder, "train", images, labels)
	                                : mt_digits_generate(SYNTHETIC, 1, images, labels);
}

static mt_status step(mt_module *net, mt_optim *optim, mt_tensor *x, mt_tensor *y, double *loss) {
	mt_tensor *mean = mt_cross_entropy(mt_forward(net, x), y, MT_NONE, (mt_loss_options){0});
	mt_status status = mt_optim_zero_grad(optim);
	if (status == MT_OK)
		status = mt_backward(mean);
	if (status == MT_OK)
		status = mt_optim_step(optim);
	return status == MT_OK ? mt_item(mean, loss) : status;
}

static mt_status epoch(mt_module *net, mt_optim *optim, mt_loader *loader, int64_t number, double *loss) {
	mt_tensor *x, *y;
	int more = 1;
	mt_status status = mt_loader_start(loader, number);
	while (status == MT_OK && more) {
		mt_scope *scope = mt_scope_begin();
		more = mt_loader_next(loader, &x, &y);
		if (more != 0)
			status = more > 0 ? step(net, optim, x, y, loss) : mt_error_peek();
		mt_scope_end(scope);
	}
	return status;
}

static mt_status run(mt_module *net, mt_optim *optim, mt_loader *loader, int epochs, int threads) {
	const double macs = PIXELS * HIDDEN + HIDDEN * CLASSES, images = (double)(mt_loader_batches(loader) * BATCH);
	double rates[MOST_EPOCHS] = {0}, shares[MOST_EPOCHS] = {0}, loss = 0;
	for (int i = 0; i < epochs; i++) {
		double peak = peak_flops(threads, 0, 0.05), begun = now();
		mt_status status = epoch(net, optim, loader, i, &loss);
		if (status != MT_OK)
			return status;
		rates[i] = images / (now() - begun);
		shares[i] = rates[i] * 6 * macs / peak;
		printf("epoch %d  loss %.4f  %.0f images/s  peak %.0f GF/s  share %.2f\n", i + 1, loss, rates[i], peak / 1e9,
		       shares[i]);
	}
	double share = median(shares, epochs), done = (6 * macs - 2.0 * PIXELS * HIDDEN) / (6 * macs);
	printf("median: %.0f images/s, %.2f of the peak as three passes, %.2f of it in operations done\n",
	       median(rates, epochs), share, share * done);
	return MT_OK;
}

int main(int argc, char **argv) {
	int epochs = argc > 1 ? atoi(argv[1]) : 9, threads = argc > 2 ? atoi(argv[2]) : omp_get_max_threads();
	mt_host_array images, labels;
	mt_tensor *parameters[4];
	char name[64];
	if (epochs < 1 || epochs > MOST_EPOCHS || threads < 1) {
		fprintf(stderr, "usage: mlp_epochs [EPOCHS [THREADS]]\n");
		return 2;
	}
	snprintf(name, sizeof name, "omp:threads=%d", threads);
	mt_device *device = mt_device_open(name);
	if (device == NULL || mt_device_use(device) != MT_OK || load(&images, &labels) != MT_OK)
		return failed("start");
	mt_seed(1);
	mt_module *layers[] = {mt_nn_flatten(1, -1), mt_nn_linear(PIXELS, HIDDEN, 1), mt_nn_relu(),
	                       mt_nn_linear(HIDDEN, CLASSES, 1)};
	mt_module *net = mt_nn_sequential(sizeof layers / sizeof *layers, layers);
	int64_t n = net != NULL ? mt_module_parameters(net, parameters, 4) : 0;
	mt_optim *optim = mt_optim_adamw(parameters, n, 1e-3, (mt_adam_options){0});
	mt_loader_options options = {
		.batch = BATCH, .shuffle = 1, .seed = 1, .drop_last = 1, .mean = 0.1307, .std = 0.3081};
	mt_loader *loader = mt_loader_new(&images, &labels, options);
	if (net == NULL || optim == NULL || loader == NULL || run(net, optim, loader, epochs, threads) != MT_OK)
		return failed("training");
	mt_loader_free(loader);
	mt_optim_free(optim);
	mt_module_free(net);
	mt_host_array_free(&images);
	mt_host_array_free(&labels);
	return 0;
}
