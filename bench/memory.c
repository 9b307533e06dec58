/* How much memory training takes: LeNet, batch 128, AdamW, on omp.
 *
 *     make bench/memory && bench/memory [--steps N]        N: 20000
 *
 * What a step needs is counted first, in bytes that tensors hold (mt_device_memory): the parameters, the optimiser's
 * state, one batch of data, and what the graph saves of a forward pass for the backward one.  The network as written
 * saves each layer's part: "needed" is with that.  Sequential lets max pooling go before ReLU, and so saves less:
 * "kept" is with that, and below what any training takes here, whose largest array is only passing through.  Beside the
 * sums stands what the process really took at most:
 *
 *     in use    by tensors and as the kernels' scratch (mt_device_memory_peak): gradients and what is on its way too
 *     buffers   in use and cached: what the allocator took from the device, and keeps until mt_device_trim
 *     RSS       the growth of the process's peak resident set (VmHWM) since the device was opened, the images loaded
 *               and libgomp's threads begun.  What it holds more than the buffers are code pages, stacks, the graph's
 *               nodes and malloc's gaps: "own" leaves out pages of files
 *
 * A line in ten shows them along the way: they are flat where nothing leaks. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mt/mt.h"

enum { BATCH = 128, IMAGES = 12800, LINES = 10, MOST_PARAMETERS = 16, WARM = 1 << 17, LAYERS = 12 };

static int failed(const char *what) {
	fprintf(stderr, "memory: %s: %s\n", what, mt_error_take(NULL));
	return 1;
}

/* ---- the network -------------------------------------------------------------------------------------------------- */

/* The layers stay the module's. */
static mt_module *lenet(mt_module *layers[LAYERS]) {
	const mt_pool_options two = {.kernel = {2, 2}};
	const mt_conv_options padded = {.padding = {2, 2}}, plain = {.padding = {0, 0}};
	mt_module *made[LAYERS] = {mt_nn_conv2d(1, 6, 5, 5, 1, padded),
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
	memcpy(layers, made, sizeof made);
	return mt_nn_sequential(LAYERS, made);
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
	mt_module *net, *layers[LAYERS];
	mt_optim *optim;
	mt_loader *loader;
	int64_t epoch;
	uint64_t parameters, state, data;
	uint64_t saved, kept; /* by the network as written; by Sequential */
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

/* The loss of a forward pass, layer after layer as written or by Sequential; *saved: what its graph holds. */
static mt_status forward(struct trainer *t, mt_tensor *x, mt_tensor *y, int as_written, uint64_t *saved) {
	uint64_t before = in_use();
	mt_scope *outer = mt_scope_begin(), *inner = mt_scope_begin();
	for (int i = 0; i < LAYERS && as_written; i++)
		x = mt_forward(t->layers[i], x);
	if (!as_written)
		x = mt_forward(t->net, x);
	mt_tensor *loss = mt_scope_end_keep(inner, mt_cross_entropy(x, y, MT_NONE, (mt_loss_options){0}));
	*saved = in_use() - before;
	mt_scope_end(outer);
	return loss != NULL ? MT_OK : mt_error_peek();
}

/* Data and activations kept, with nothing else held; then the optimiser's state, once it is there. */
static mt_status measure_kept(struct trainer *t) {
	mt_tensor *x, *y;
	mt_scope *scope = mt_scope_begin();
	uint64_t before = in_use();
	if (next_batch(t, &x, &y) != 1)
		return mt_error_peek();
	t->data = in_use() - before;
	mt_status status = forward(t, x, y, 0, &t->kept);
	mt_scope_end(scope);
	before = in_use();
	if (status == MT_OK)
		status = step(t);
	t->state = in_use() - before - t->parameters; /* the gradients are as large as the parameters */
	return status;
}

/* Last of all, for it takes more than training does. */
static mt_status measure_saved(struct trainer *t) {
	mt_tensor *x, *y;
	mt_scope *scope = mt_scope_begin();
	mt_status status = next_batch(t, &x, &y) == 1 ? forward(t, x, y, 1, &t->saved) : mt_error_peek();
	mt_scope_end(scope);
	return status;
}

static mt_status prepare(struct trainer *t, const mt_host_array *images, const mt_host_array *labels) {
	mt_tensor *parameters[MOST_PARAMETERS];
	uint64_t before = in_use();
	t->net = lenet(t->layers);
	if (t->net == NULL)
		return mt_error_peek();
	t->parameters = in_use() - before;
	int64_t n = mt_module_parameters(t->net, parameters, MOST_PARAMETERS);
	t->optim = mt_optim_adamw(parameters, n, 1e-3, (mt_adam_options){0});
	t->loader = mt_loader_new(
		images, labels, (mt_loader_options){.batch = BATCH, .shuffle = 1, .seed = 1, .mean = 0.1307, .std = 0.3081});
	return t->optim != NULL && t->loader != NULL ? measure_kept(t) : mt_error_peek();
}

static void row(const char *what, uint64_t bytes) {
	printf("%-28s %10.2f MB\n", what, (double)bytes / 1e6);
}

static void share(const struct trainer *t, const char *what, uint64_t bytes) {
	double rest = (double)(t->parameters + t->state + t->data), needed = rest + (double)t->saved;
	printf("%-28s %10.2f MB  %5.2f of what is needed, %5.2f of what is kept\n", what, (double)bytes / 1e6,
	       (double)bytes / needed, (double)bytes / (rest + (double)t->kept));
}

static void print_needs(const struct trainer *t) {
	row("parameters", t->parameters);
	row("optimiser's state", t->state);
	row("data", t->data);
	row("activations, as written", t->saved);
	row("activations, as kept", t->kept);
	row("needed", t->parameters + t->state + t->data + t->saved);
	row("kept", t->parameters + t->state + t->data + t->kept);
}

/* The process's memory before the device took any. */
struct resident {
	uint64_t all, own;
};

static mt_status train(struct trainer *t, int64_t steps, const struct resident *before) {
	mt_status status = MT_OK;
	for (int64_t i = 1; i <= steps && status == MT_OK; i++) {
		status = step(t);
		if (status == MT_OK && (i * LINES % steps < LINES || i == 100)) {
			printf("step %-8" PRId64 " buffers %10.2f MB   RSS +%.2f MB\n", i, (double)taken() / 1e6,
			       (double)(process_bytes("VmRSS:") - before->all) / 1e6);
			fflush(stdout);
		}
	}
	uint64_t most = 0, buffers = taken(), own = process_bytes("RssAnon:"), all = process_bytes("VmHWM:");
	mt_device_memory_peak(mt_device_current(), &most, 0);
	if (status != MT_OK || (status = measure_saved(t)) != MT_OK)
		return status;
	print_needs(t);
	share(t, "in use at most", most);
	share(t, "buffers at most", buffers);
	share(t, "RSS at the end, own", own - before->own);
	share(t, "RSS at most", all - before->all);
	return status;
}

static int64_t parse_steps(int argc, char **argv) {
	char *end = NULL;
	if (argc == 1)
		return 20000;
	int64_t steps = argc == 3 && strcmp(argv[1], "--steps") == 0 ? strtoll(argv[2], &end, 10) : 0;
	return end != NULL && *end == '\0' ? steps : 0;
}

int main(int argc, char **argv) {
	int64_t steps = parse_steps(argc, argv);
	if (steps < 1) {
		fprintf(stderr, "usage: memory [--steps N]\n");
		return 2;
	}
	mt_host_array images, labels;
	struct trainer t = {0};
	mt_device *device = mt_device_open("omp");
	if (device == NULL || mt_device_use(device) != MT_OK || mt_digits_generate(IMAGES, 1, &images, &labels) != MT_OK ||
	    warm_up() != MT_OK)
		return failed("start");
	mt_seed(1);
	struct resident before = {process_bytes("VmHWM:"), process_bytes("RssAnon:")};
	if (prepare(&t, &images, &labels) != MT_OK || train(&t, steps, &before) != MT_OK)
		return failed("training");
	mt_loader_free(t.loader);
	mt_optim_free(t.optim);
	mt_module_free(t.net);
	mt_host_array_free(&images);
	mt_host_array_free(&labels);
	return 0;
}
