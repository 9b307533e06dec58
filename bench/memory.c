/* How much memory training takes: LeNet, batch 128, AdamW, on omp.
 *
 *     make bench/memory && bench/memory [STEPS]        STEPS: 20000
 *
 * What a step cannot do without is counted first, in bytes that tensors hold (mt_device_memory): the parameters, the
 * optimiser's state, one batch of data, and what the graph keeps of a forward pass for the backward one.  Beside their
 * sum stands what the process really took at most:
 *
 *     in use    by tensors and as the kernels' scratch (mt_device_memory_peak): gradients and what is on its way too
 *     buffers   in use and cached: what the allocator took from the device, and keeps until mt_device_trim
 *     RSS       the growth of the process's peak resident set (VmHWM) since the device was opened, the images loaded
 *               and libgomp's threads begun
 *
 * A line in ten shows both along the way: they are flat where nothing leaks. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mt/mt.h"

enum { BATCH = 128, IMAGES = 12800, LINES = 10, MOST_PARAMETERS = 16, WARM = 1 << 17 };

static int failed(const char *what) {
	fprintf(stderr, "memory: %s: %s\n", what, mt_error_take(NULL));
	return 1;
}

/* ---- the network -------------------------------------------------------------------------------------------------- */

static mt_module *lenet(void) {
	const mt_pool_options two = {.kernel = {2, 2}};
	const mt_conv_options padded = {.padding = {2, 2}}, plain = {.padding = {0, 0}};
	mt_module *layers[] = {mt_nn_conv2d(1, 6, 5, 5, 1, padded),
	                       mt_nn_relu(),
	                       mt_nn_max_pool2d(two),
	                       mt_nn_conv2d(6, 16, 5, 5, 1, plain),
	                       mt_nn_relu(),
	                       mt_nn_max_pool2d(two),
	                       mt_nn_flatten(1, -1),
	                       mt_nn_linear(400, 120, 1),
	                       mt_nn_relu(),
	                       mt_nn_linear(120, 84, 1),
	                       mt_nn_relu(),
	                       mt_nn_linear(84, 10, 1)};
	return mt_nn_sequential(sizeof layers / sizeof *layers, layers);
}

/* ---- measuring ---------------------------------------------------------------------------------------------------- */

static uint64_t in_use(void) {
	uint64_t bytes = 0;
	mt_device_memory(mt_device_current(), &bytes, NULL);
	return bytes;
}

static uint64_t taken(void) {
	uint64_t used = 0, cached = 0;
	mt_device_memory(mt_device_current(), &used, &cached);
	return used + cached;
}

/* A field of /proc/self/status in bytes; 0 where there is none. */
static uint64_t process_bytes(const char *field) {
	char line[256];
	unsigned long long kilobytes = 0;
	FILE *in = fopen("/proc/self/status", "re");
	if (in == NULL)
		return 0;
	while (fgets(line, sizeof line, in) != NULL)
		if (strncmp(line, field, strlen(field)) == 0)
			kilobytes = strtoull(line + strlen(field), NULL, 10);
	fclose(in);
	return 1024 * kilobytes;
}

/* Threads and code pages that the first parallel kernel brings. */
static mt_status warm_up(void) {
	mt_scope *scope = mt_scope_begin();
	mt_tensor *x = mt_zeros(MT_SHAPE(WARM), MT_F32);
	mt_status status = mt_add(x, x) != NULL ? MT_OK : mt_error_peek();
	mt_scope_end(scope);
	if (status == MT_OK)
		status = mt_device_trim(mt_device_current());
	return status == MT_OK ? mt_device_memory_peak(mt_device_current(), NULL, 1) : status;
}

/* ---- training ----------------------------------------------------------------------------------------------------- */

struct trainer {
	mt_module *net;
	mt_optim *optim;
	mt_loader *loader;
	int64_t epoch;
	uint64_t parameters, state, data, saved;
};

static int next_batch(struct trainer *t, mt_tensor **x, mt_tensor **y) {
	int more = mt_loader_next(t->loader, x, y);
	return more != 0 ? more : mt_loader_start(t->loader, ++t->epoch) == MT_OK ? mt_loader_next(t->loader, x, y) : -1;
}

static mt_status step(struct trainer *t) {
	mt_tensor *x, *y;
	mt_scope *scope = mt_scope_begin();
	mt_status status = next_batch(t, &x, &y) == 1 ? mt_optim_zero_grad(t->optim) : mt_error_peek();
	if (status == MT_OK)
		status = mt_backward(mt_cross_entropy(mt_forward(t->net, x), y, MT_NONE, (mt_loss_options){0}));
	if (status == MT_OK)
		status = mt_optim_step(t->optim);
	mt_scope_end(scope);
	return status;
}

/* Data and saved activations, with nothing else held; then the optimiser's state, once it is there. */
static mt_status measure_needs(struct trainer *t) {
	mt_tensor *x, *y;
	mt_scope *outer = mt_scope_begin();
	uint64_t before = in_use();
	if (next_batch(t, &x, &y) != 1)
		return mt_error_peek();
	t->data = in_use() - before;
	mt_scope *inner = mt_scope_begin();
	mt_tensor *loss = mt_cross_entropy(mt_forward(t->net, x), y, MT_NONE, (mt_loss_options){0});
	if (mt_scope_end_keep(inner, loss) == NULL)
		return mt_error_peek();
	t->saved = in_use() - before - t->data;
	mt_scope_end(outer);
	before = in_use();
	mt_status status = step(t);
	t->state = in_use() - before - t->parameters; /* the gradients are as large as the parameters */
	return status;
}

static mt_status prepare(struct trainer *t, const mt_host_array *images, const mt_host_array *labels) {
	mt_tensor *parameters[MOST_PARAMETERS];
	uint64_t before = in_use();
	t->net = lenet();
	if (t->net == NULL)
		return mt_error_peek();
	t->parameters = in_use() - before;
	int64_t n = mt_module_parameters(t->net, parameters, MOST_PARAMETERS);
	t->optim = mt_optim_adamw(parameters, n, 1e-3, (mt_adam_options){0});
	t->loader = mt_loader_new(
		images, labels, (mt_loader_options){.batch = BATCH, .shuffle = 1, .seed = 1, .mean = 0.1307, .std = 0.3081});
	return t->optim != NULL && t->loader != NULL ? measure_needs(t) : mt_error_peek();
}

static void row(const char *what, uint64_t bytes, uint64_t needed) {
	printf("%-28s %10.2f MB", what, (double)bytes / 1e6);
	if (needed != 0)
		printf("  %5.2f of what is needed", (double)bytes / (double)needed);
	printf("\n");
}

static mt_status train(struct trainer *t, int64_t steps, uint64_t rss) {
	uint64_t needed = t->parameters + t->state + t->data + t->saved;
	mt_status status = MT_OK;
	row("parameters", t->parameters, 0);
	row("optimiser's state", t->state, 0);
	row("data", t->data, 0);
	row("saved activations", t->saved, 0);
	row("needed", needed, 0);
	for (int64_t i = 1; i <= steps && status == MT_OK; i++) {
		status = step(t);
		if (status == MT_OK && (i * LINES % steps < LINES || i == 100)) {
			printf("step %-8" PRId64 " buffers %10.2f MB   RSS +%.2f MB\n", i, (double)taken() / 1e6,
			       (double)(process_bytes("VmRSS:") - rss) / 1e6);
			fflush(stdout);
		}
	}
	uint64_t most = 0;
	mt_device_memory_peak(mt_device_current(), &most, 0);
	row("in use at most", most, needed);
	row("buffers at most", taken(), needed);
	row("RSS at most, growth", process_bytes("VmHWM:") - rss, needed);
	return status;
}

int main(int argc, char **argv) {
	int64_t steps = argc > 1 ? strtoll(argv[1], NULL, 10) : 20000;
	mt_host_array images, labels;
	struct trainer t = {0};
	mt_device *device = mt_device_open("omp");
	if (device == NULL || mt_device_use(device) != MT_OK || mt_digits_generate(IMAGES, 1, &images, &labels) != MT_OK ||
	    warm_up() != MT_OK)
		return failed("start");
	mt_seed(1);
	uint64_t rss = process_bytes("VmHWM:");
	if (prepare(&t, &images, &labels) != MT_OK || train(&t, steps, rss) != MT_OK)
		return failed("training");
	mt_loader_free(t.loader);
	mt_optim_free(t.optim);
	mt_module_free(t.net);
	mt_host_array_free(&images);
	mt_host_array_free(&labels);
	return 0;
}
