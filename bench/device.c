/* How fast are the ops of one or more devices?  Large cases, where the device's own limits count, and a few small ones;
 * the devices take turns, case by case and run by run:
 *
 *     make bench/device && bench/device cuda cuda_tiled      (in the build folder)
 *
 * For each: the median time of a call, and GB/s (bytes that must be read and written) or GFLOP/s.  Device time is measured
 * to completion.  bench/device_torch.py has the same cases for PyTorch.  A benchmark, not a test. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mt/mt.h"

enum { RUNS = 7, DEVICES = 4, INPUTS = 3 };

struct bench_case {
	const char *name;
	void (*make)(mt_tensor **in, mt_dtype dtype); /* the inputs, on the current device */
	mt_tensor *(*run)(mt_tensor **in);
	double work; /* bytes an element of dtype counts once, or operations */
	int is_operations;
	mt_dtype dtype;
};

/* ---- cases ---- */

static void make_large(mt_tensor **in, mt_dtype dtype) {
	in[0] = mt_rand(MT_SHAPE(8192, 8192), dtype);
	in[1] = mt_rand(MT_SHAPE(8192, 8192), dtype);
	in[2] = mt_rand(MT_SHAPE(8192), dtype);
}

static void make_small(mt_tensor **in, mt_dtype dtype) {
	in[0] = mt_rand(MT_SHAPE(64, 64), dtype);
	in[1] = mt_rand(MT_SHAPE(64, 64), dtype);
}

static void make_matmul(mt_tensor **in, int64_t n, mt_dtype dtype) {
	in[0] = mt_randn(MT_SHAPE(n, n), dtype);
	in[1] = mt_randn(MT_SHAPE(n, n), dtype);
}
static void make_512(mt_tensor **in, mt_dtype dtype) {
	make_matmul(in, 512, dtype);
}
static void make_4096(mt_tensor **in, mt_dtype dtype) {
	make_matmul(in, 4096, dtype);
}

static void make_conv(mt_tensor **in, mt_dtype dtype) {
	in[0] = mt_randn(MT_SHAPE(64, 128, 28, 28), dtype);
	in[1] = mt_randn(MT_SHAPE(128, 128, 3, 3), dtype);
	mt_requires_grad_(in[0], 1);
	mt_requires_grad_(in[1], 1);
}

static void make_images(mt_tensor **in, mt_dtype dtype) {
	in[0] = mt_randn(MT_SHAPE(64, 256, 56, 56), dtype);
	in[1] = mt_ones(MT_SHAPE(256), MT_F32);
	in[2] = mt_zeros(MT_SHAPE(256), MT_F32);
}

static void make_logits(mt_tensor **in, mt_dtype dtype) {
	in[0] = mt_randn(MT_SHAPE(8192, 32000), dtype);
	in[1] = mt_randint(0, 32000, MT_SHAPE(8192));
}

static void make_table(mt_tensor **in, mt_dtype dtype) {
	in[0] = mt_randn(MT_SHAPE(50000, 1024), dtype);
	in[1] = mt_randint(0, 50000, MT_SHAPE(32768));
	mt_requires_grad_(in[0], 1);
	in[2] = mt_ones(MT_SHAPE(32768, 1024), dtype);
}

static mt_tensor *run_copy(mt_tensor **in) {
	return mt_clone(in[0]);
}
static mt_tensor *run_transpose(mt_tensor **in) {
	return mt_clone(mt_transpose(in[0], 0, 1));
}
static mt_tensor *run_cast(mt_tensor **in) {
	return mt_cast(in[0], MT_F16);
}
static mt_tensor *run_relu(mt_tensor **in) {
	return mt_relu(in[0]);
}
static mt_tensor *run_gelu(mt_tensor **in) {
	return mt_gelu(in[0]);
}
static mt_tensor *run_add(mt_tensor **in) {
	return mt_add(in[0], in[1]);
}
static mt_tensor *run_bias(mt_tensor **in) {
	return mt_add(in[0], in[2]);
}
static mt_tensor *run_sum(mt_tensor **in) {
	return mt_sum(in[0], MT_ALL_AXES, 0);
}
static mt_tensor *run_sum_rows(mt_tensor **in) {
	return mt_sum(in[0], MT_AXES(1), 0);
}
static mt_tensor *run_sum_columns(mt_tensor **in) {
	return mt_sum(in[0], MT_AXES(0), 0);
}
static mt_tensor *run_argmax(mt_tensor **in) {
	return mt_argmax(in[0], 1, 0);
}
static mt_tensor *run_cumsum(mt_tensor **in) {
	return mt_cumsum(in[0], 1);
}
static mt_tensor *run_sort(mt_tensor **in) {
	mt_tensor *indices;
	return mt_sort(in[0], 1, 0, &indices);
}
static mt_tensor *run_softmax(mt_tensor **in) {
	return mt_softmax(in[0], 1);
}
static mt_tensor *run_layer_norm(mt_tensor **in) {
	return mt_layer_norm(in[0], 1, MT_NONE, MT_NONE, 1e-5);
}
static mt_tensor *run_batch_norm(mt_tensor **in) {
	return mt_batch_norm(in[0], in[1], in[2], MT_NONE, MT_NONE, (mt_batch_norm_options){.training = 1});
}
static mt_tensor *run_pool(mt_tensor **in) {
	return mt_max_pool2d(in[0], (mt_pool_options){.kernel = {2, 2}});
}
static mt_tensor *run_cross_entropy(mt_tensor **in) {
	return mt_cross_entropy(in[0], in[1], MT_NONE, (mt_loss_options){0});
}
static mt_tensor *run_embedding(mt_tensor **in) {
	return mt_embedding(in[0], in[1], -1);
}
static mt_tensor *run_embedding_grad(mt_tensor **in) {
	mt_tensor *out = mt_embedding(in[0], in[1], -1), *grad = NULL;
	return mt_gradients(&out, 1, &in[2], in, 1, (mt_gradients_options){0}, &grad) == MT_OK ? grad : NULL;
}
static mt_tensor *run_rand(mt_tensor **in) {
	return mt_rand(MT_SHAPE(8192, 8192), mt_tensor_dtype(in[0]));
}
static mt_tensor *run_matmul(mt_tensor **in) {
	return mt_matmul(in[0], in[1]);
}
static mt_tensor *run_matmul_transposed(mt_tensor **in) {
	return mt_matmul(in[0], mt_transpose(in[1], 0, 1));
}
static mt_tensor *run_conv(mt_tensor **in) {
	return mt_conv2d(mt_detach(in[0]), mt_detach(in[1]), MT_NONE, (mt_conv_options){.padding = {1, 1}});
}
static mt_tensor *run_conv_step(mt_tensor **in) {
	mt_tensor *out = mt_conv2d(in[0], in[1], MT_NONE, (mt_conv_options){.padding = {1, 1}}), *grads[2] = {NULL};
	mt_tensor *one = mt_detach(out);
	return mt_gradients(&out, 1, &one, in, 2, (mt_gradients_options){0}, grads) == MT_OK ? grads[1] : NULL;
}

#define LARGE (8192.0 * 8192.0)
#define IMAGES (64.0 * 256 * 56 * 56)
#define LOGITS (8192.0 * 32000)
#define CUBE(n) (2.0 * (n) * (n) * (n))
#define CONV (2.0 * 64 * 128 * 128 * 9 * 28 * 28)

static const struct bench_case cases[] = {
	{"copy 8192x8192", make_large, run_copy, 2 * LARGE, 0, MT_F32},
	{"transpose 8192x8192", make_large, run_transpose, 2 * LARGE, 0, MT_F32},
	{"transpose 8192x8192", make_large, run_transpose, 2 * LARGE, 0, MT_BF16},
	{"to f16 8192x8192", make_large, run_cast, 1.5 * LARGE, 0, MT_F32},
	{"relu 8192x8192", make_large, run_relu, 2 * LARGE, 0, MT_F32},
	{"relu 8192x8192", make_large, run_relu, 2 * LARGE, 0, MT_BF16},
	{"gelu 8192x8192", make_large, run_gelu, 2 * LARGE, 0, MT_F32},
	{"add 8192x8192", make_large, run_add, 3 * LARGE, 0, MT_F32},
	{"add a row 8192x8192", make_large, run_bias, 2 * LARGE, 0, MT_F32},
	{"rand 8192x8192", make_large, run_rand, LARGE, 0, MT_F32},
	{"sum of all 8192x8192", make_large, run_sum, LARGE, 0, MT_F32},
	{"sum of rows 8192x8192", make_large, run_sum_rows, LARGE, 0, MT_F32},
	{"sum of columns 8192x8192", make_large, run_sum_columns, LARGE, 0, MT_F32},
	{"sum of rows 8192x8192", make_large, run_sum_rows, LARGE, 0, MT_BF16},
	{"argmax of rows 8192x8192", make_large, run_argmax, LARGE, 0, MT_F32},
	{"cumsum of rows 8192x8192", make_large, run_cumsum, 2 * LARGE, 0, MT_F32},
	{"sort rows 8192x8192", make_large, run_sort, 4 * LARGE, 0, MT_F32},
	{"softmax 8192x8192", make_large, run_softmax, 2 * LARGE, 0, MT_F32},
	{"layer_norm 8192x8192", make_large, run_layer_norm, 2 * LARGE, 0, MT_F32},
	{"batch_norm 64x256x56x56", make_images, run_batch_norm, 3 * IMAGES, 0, MT_F32},
	{"max_pool 64x256x56x56", make_images, run_pool, 1.25 * IMAGES, 0, MT_F32},
	{"cross_entropy 8192x32000", make_logits, run_cross_entropy, LOGITS, 0, MT_F32},
	{"embedding 32768 of 50000x1024", make_table, run_embedding, 2 * 32768.0 * 1024, 0, MT_F32},
	{"embedding and gradient", make_table, run_embedding_grad, 5 * 32768.0 * 1024, 0, MT_F32},
	{"matmul 512", make_512, run_matmul, CUBE(512.0), 1, MT_F32},
	{"matmul 4096", make_4096, run_matmul, CUBE(4096.0), 1, MT_F32},
	{"matmul 4096, b transposed", make_4096, run_matmul_transposed, CUBE(4096.0), 1, MT_F32},
	{"matmul 4096", make_4096, run_matmul, CUBE(4096.0), 1, MT_BF16},
	{"matmul 4096", make_4096, run_matmul, CUBE(4096.0), 1, MT_F64},
	{"conv 64x128x28x28 3x3", make_conv, run_conv, CONV, 1, MT_F32},
	{"conv and gradients", make_conv, run_conv_step, 3 * CONV, 1, MT_F32},
	{"conv and gradients", make_conv, run_conv_step, 3 * CONV, 1, MT_BF16},
	{"add 64x64", make_small, run_add, 3 * 64.0 * 64, 0, MT_F32},
	{"matmul 64", make_small, run_matmul, CUBE(64.0), 1, MT_F32},
};

/* ---- measuring ---- */

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds a call, over calls of them; −1 where one fails. */
static double time_calls(const struct bench_case *c, mt_tensor **in, int calls) {
	double begin = now();
	for (int i = 0; i < calls; i++) {
		mt_scope *scope = mt_scope_begin();
		mt_tensor *out = c->run(in);
		mt_scope_end(scope);
		if (out == NULL)
			return -1;
	}
	if (mt_device_synchronize(mt_device_current()) != MT_OK)
		return -1;
	return (now() - begin) / calls;
}

static int by_value(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void print_time(const struct bench_case *c, double seconds) {
	if (seconds < 0) {
		printf("  failed: %.60s\n", mt_error_take(NULL));
		return;
	}
	double work = c->is_operations ? c->work : c->work * (double)mt_dtype_size(c->dtype);
	printf(" %10.1f us %9.1f %s", 1e6 * seconds, 1e-9 * work / seconds, c->is_operations ? "GFLOP/s" : "GB/s   ");
}

/* The devices take turns; each has its inputs for as long as the case lasts. */
static void run_case(const struct bench_case *c, mt_device **devices, int n) {
	double times[DEVICES][RUNS];
	mt_tensor *in[DEVICES][INPUTS] = {{NULL}};
	int calls[DEVICES];
	mt_scope *scope = mt_scope_begin();
	for (int d = 0; d < n; d++) {
		mt_device_use(devices[d]);
		mt_seed(1);
		c->make(in[d], c->dtype);
		double once = time_calls(c, in[d], 1);
		once = once < 0 ? once : time_calls(c, in[d], 2);
		calls[d] = once < 0 ? 1 : 1 + (int)(4e-3 / once);
	}
	for (int r = 0; r < RUNS; r++)
		for (int d = 0; d < n; d++) {
			mt_device_use(devices[d]);
			times[d][r] = time_calls(c, in[d], calls[d]);
		}
	printf("%-30s %-5s", c->name, mt_dtype_name(c->dtype));
	for (int d = 0; d < n; d++) {
		qsort(times[d], RUNS, sizeof(double), by_value);
		print_time(c, times[d][0] < 0 ? times[d][0] : times[d][RUNS / 2]);
	}
	printf("\n");
	fflush(stdout);
	mt_scope_end(scope);
	for (int d = 0; d < n; d++)
		mt_device_trim(devices[d]);
}

int main(int argc, char **argv) {
	mt_device *devices[DEVICES];
	int n = argc - 1;
	if (n < 1 || n > DEVICES) {
		fprintf(stderr, "usage: bench/device DEVICE…   (1 to %d, such as cuda cuda_tiled)\n", DEVICES);
		return 2;
	}
	printf("%-30s %-5s", "case", "dtype");
	for (int d = 0; d < n; d++) {
		devices[d] = mt_device_open(argv[d + 1]);
		if (devices[d] == NULL) {
			fprintf(stderr, "bench/device: %s\n", mt_error_take(NULL));
			return 1;
		}
		printf(" %31s", mt_device_name(devices[d]));
	}
	printf("\n");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		run_case(&cases[i], devices, n);
	return 0;
}
