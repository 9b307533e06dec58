/* Is omp anywhere slower than naive?  The kernels of both plugins take turns on the same arrays, call by call, and the
 * ratio of the medians is printed for each case:
 *
 *     make bench/kernels && bench/kernels [THREADS [DTYPE]]       (in the build folder; THREADS: 1, DTYPE: f32)
 *
 * Ends with status 1 where a case falls below 0.95.  A benchmark, not a test: run it on a quiet machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "run.h"

enum { RUNS = 41, HOSTS = 2 };

/* Of all arrays but statistics and indices. */
static int32_t array_dtype = MT_F32;

/* One host's arguments of one case. */
union any_args {
	struct mt_copy_args copy;
	struct mt_fill_args fill;
	struct mt_map_args map;
	struct mt_zip_args zip;
	struct mt_reduce_args reduce;
	struct mt_matmul_args matmul;
	struct mt_arg_reduce_args arg_reduce;
	struct mt_gather_args gather;
	struct mt_scatter_add_args scatter_add;
	struct mt_select_args select;
	struct mt_scan_args scan;
	struct mt_sort_args sort;
	struct mt_conv_args conv;
	struct mt_conv_grad_input_args conv_grad_input;
	struct mt_conv_grad_weight_args conv_grad_weight;
	struct mt_pool_args pool;
	struct mt_pool_grad_args pool_grad;
	struct mt_softmax_args softmax;
	struct mt_softmax_grad_args softmax_grad;
	struct mt_cross_entropy_args cross_entropy;
	struct mt_layer_norm_args layer_norm;
	struct mt_batch_norm_args batch_norm;
	struct mt_embedding_args embedding;
	struct mt_embedding_grad_args embedding_grad;
	struct mt_uniform_args uniform;
	struct mt_normal_args normal;
	struct mt_bernoulli_args bernoulli;
	struct mt_sgd_args sgd;
	struct mt_adam_args adam;
};

struct speed_case {
	const char *name;
	int32_t kernel;
	void (*prepare)(struct cf_run *h, const struct speed_case *c, union any_args *args);
	int32_t op;
	int64_t size[6];
	int32_t layout;
};

#define HEAD(member) args->member.struct_size = sizeof args->member

static const mt_array *in(struct cf_run *h, int rank, const int64_t *shape, int32_t layout) {
	return &cf_input(h, array_dtype, rank, shape, layout, 0.1, 1)->array;
}

static const mt_array *indices(struct cf_run *h, int rank, const int64_t *shape, int64_t extent) {
	return &cf_input(h, MT_I64, rank, shape, CF_CONTIGUOUS, 0, (double)extent - 1)->array;
}

static const mt_array *out(struct cf_run *h, int32_t dtype, int rank, const int64_t *shape) {
	return &cf_new(h, CF_OUT, dtype, rank, shape, CF_CONTIGUOUS)->array;
}

static void prepare_copy(struct cf_run *h, const struct speed_case *c, union any_args *args) {
	HEAD(copy);
	args->copy.x = in(h, 2, c->size, c->layout);
	args->copy.out = out(h, array_dtype, 2, c->size);
}

static void prepare_fill(struct cf_run *h, const struct speed_case *c, union any_args *args) {
	HEAD(fill);
	args->fill.out = out(h, array_dtype, 2, c->size);
	args->fill.value.tag = MT_SCALAR_F64;
}

static void prepare_map(struct cf_run *h, const struct speed_case *c, union any_args *args) {
	HEAD(map);
	args->map.op = c->op;
	args->map.x = in(h, 2, c->size, c->layout);
	args->map.out = out(h, array_dtype, 2, c->size);
}

static void prepare_zip(struct cf_run *h, const struct speed_case *c, union any_args *args) {
	HEAD(zip);
	args->zip.op = c->op;
	args->zip.a = in(h, 2, c->size, CF_CONTIGUOUS);
	args->zip.b = in(h, 2, c->size, c->layout);
	args->zip.out = out(h, array_dtype, 2, c->size);
}

static void prepare_reduce(struct cf_run *h, const struct speed_case *c, union any_args *args) {
	int64_t kept[2];
	for (int d = 0; d < 2; d++)
		kept[d] = (c->size[2] >> d & 1) ? 1 : c->size[d];
	HEAD(reduce);
	args->reduce.op = c->op;
	args->reduce.axes = (uint32_t)c->size[2];
	args->reduce.x = in(h, 2, c->size, c->layout);
	args->reduce.out = out(h, array_dtype, 2, kept);
}

static void prepare_matmul(struct cf_run *h, const struct speed_case *c, union any_args *args) {
	const int64_t a[] = {c->size[0], c->size[1]}, b[] = {c->size[1], c->size[2]}, y[] = {c->size[0], c->size[2]};
	HEAD(matmul);
	args->matmul.a = in(h, 2, a, CF_CONTIGUOUS);
	args->matmul.b = in(h, 2, b, c->layout);
	args->matmul.out = out(h, array_dtype, 2, y);
	args->matmul.alpha = 1;
}

static void prepare_index(struct cf_run *h, const struct speed_case *c, union any_args *args) {
	const int64_t rows[] = {c->size[0]};
	switch (c->kernel) {
	case MT_K_ARG_REDUCE: {
		const int64_t kept[] = {c->size[0], 1};
		HEAD(arg_reduce);
		args->arg_reduce.op = MT_ARG_MAX;
		args->arg_reduce.axis = 1;
		args->arg_reduce.x = in(h, 2, c->size, c->layout);
		args->arg_reduce.out = out(h, MT_I64, 2, kept);
		break;
	}
	case MT_K_GATHER:
		HEAD(gather);
		args->gather.axis = 1;
		args->gather.x = in(h, 2, c->size, c->layout);
		args->gather.index = indices(h, 2, c->size, c->size[1]);
		args->gather.out = out(h, array_dtype, 2, c->size);
		break;
	case MT_K_SCATTER_ADD:
		HEAD(scatter_add);
		args->scatter_add.axis = 1;
		args->scatter_add.src = in(h, 2, c->size, c->layout);
		args->scatter_add.index = indices(h, 2, c->size, c->size[1]);
		args->scatter_add.out = out(h, array_dtype, 2, c->size);
		break;
	case MT_K_SELECT:
		HEAD(select);
		args->select.cond = &cf_input(h, MT_BOOL, 2, c->size, CF_CONTIGUOUS, 0, 1)->array;
		args->select.a = in(h, 2, c->size, CF_CONTIGUOUS);
		args->select.b = in(h, 2, c->size, c->layout);
		args->select.out = out(h, array_dtype, 2, c->size);
		break;
	case MT_K_SCAN:
		HEAD(scan);
		args->scan.op = MT_SCAN_SUM;
		args->scan.axis = 1;
		args->scan.x = in(h, 2, c->size, c->layout);
		args->scan.out = out(h, array_dtype, 2, c->size);
		break;
	case MT_K_SORT:
		HEAD(sort);
		args->sort.axis = 1;
		args->sort.x = in(h, 2, c->size, c->layout);
		args->sort.values = out(h, array_dtype, 2, c->size);
		args->sort.indices = out(h, MT_I64, 2, c->size);
		break;
	case MT_K_EMBEDDING:
		HEAD(embedding);
		args->embedding.table = in(h, 2, (const int64_t[]){1000, c->size[1]}, CF_CONTIGUOUS);
		args->embedding.index = indices(h, 1, rows, 1000);
		args->embedding.out = out(h, array_dtype, 2, c->size);
		break;
	default:
		HEAD(embedding_grad);
		args->embedding_grad.gout = in(h, 2, c->size, CF_CONTIGUOUS);
		args->embedding_grad.index = indices(h, 1, rows, 1000);
		args->embedding_grad.gtable = out(h, array_dtype, 2, (const int64_t[]){1000, c->size[1]});
		args->embedding_grad.padding_idx = -1;
	}
}

/* size: images, channels in, channels out, extent, kernel, padding; op: groups. */
static void prepare_conv(struct cf_run *h, const struct speed_case *c, union any_args *args) {
	int64_t o = c->size[3] + 2 * c->size[5] - c->size[4] + 1;
	const int64_t x[] = {c->size[0], c->size[1], c->size[3], c->size[3]}, y[] = {c->size[0], c->size[2], o, o};
	const int64_t w[] = {c->size[2], c->size[1] / c->op, c->size[4], c->size[4]};
	int pad = (int)c->size[5];
	const struct mt_conv_params p = {{1, 1, 1}, {pad, pad, 0}, {1, 1, 1}, c->op};
	if (c->kernel == MT_K_CONV) {
		HEAD(conv);
		args->conv.x = in(h, 4, x, c->layout);
		args->conv.weight = in(h, 4, w, CF_CONTIGUOUS);
		args->conv.out = out(h, array_dtype, 4, y);
		args->conv.p = p;
	} else if (c->kernel == MT_K_CONV_GRAD_INPUT) {
		HEAD(conv_grad_input);
		args->conv_grad_input.gout = in(h, 4, y, c->layout);
		args->conv_grad_input.weight = in(h, 4, w, CF_CONTIGUOUS);
		args->conv_grad_input.gx = out(h, array_dtype, 4, x);
		args->conv_grad_input.p = p;
	} else {
		HEAD(conv_grad_weight);
		args->conv_grad_weight.gout = in(h, 4, y, c->layout);
		args->conv_grad_weight.x = in(h, 4, x, CF_CONTIGUOUS);
		args->conv_grad_weight.gweight = out(h, array_dtype, 4, w);
		args->conv_grad_weight.p = p;
	}
}

static void prepare_pool(struct cf_run *h, const struct speed_case *c, union any_args *args) {
	const int64_t x[] = {c->size[0], c->size[1], c->size[2], c->size[2]}, y[] = {x[0], x[1], x[2] / 2, x[2] / 2};
	const struct mt_pool_params p = {{2, 2, 1}, {2, 2, 1}, {0}, {1, 1, 1}, 0, 0};
	if (c->kernel == MT_K_POOL) {
		HEAD(pool);
		args->pool.op = c->op;
		args->pool.x = in(h, 4, x, c->layout);
		args->pool.out = out(h, array_dtype, 4, y);
		args->pool.indices = c->op == MT_POOL_MAX ? out(h, MT_I32, 4, y) : NULL;
		args->pool.p = p;
		return;
	}
	HEAD(pool_grad);
	args->pool_grad.op = c->op;
	args->pool_grad.gout = in(h, 4, y, c->layout);
	args->pool_grad.indices = c->op == MT_POOL_MAX ? &cf_input(h, MT_I32, 4, y, CF_CONTIGUOUS, 0, 0)->array : NULL;
	args->pool_grad.gx = out(h, array_dtype, 4, x);
	args->pool_grad.p = p;
}

static void prepare_rows(struct cf_run *h, const struct speed_case *c, union any_args *args) {
	const mt_array *x = in(h, 2, c->size, c->layout);
	switch (c->kernel) {
	case MT_K_SOFTMAX:
		HEAD(softmax);
		args->softmax.axis = 1;
		args->softmax.log = c->op;
		args->softmax.x = x;
		args->softmax.out = out(h, array_dtype, 2, c->size);
		break;
	case MT_K_SOFTMAX_GRAD:
		HEAD(softmax_grad);
		args->softmax_grad.axis = 1;
		args->softmax_grad.log = c->op;
		args->softmax_grad.gout = x;
		args->softmax_grad.y = in(h, 2, c->size, CF_CONTIGUOUS);
		args->softmax_grad.gx = out(h, array_dtype, 2, c->size);
		break;
	case MT_K_CROSS_ENTROPY:
		HEAD(cross_entropy);
		args->cross_entropy.logits = x;
		args->cross_entropy.target = indices(h, 1, c->size, c->size[1]);
		args->cross_entropy.loss = out(h, MT_F32, 1, c->size);
		args->cross_entropy.lse = out(h, MT_F32, 1, c->size);
		args->cross_entropy.ignore_index = -100;
		break;
	case MT_K_LAYER_NORM:
		HEAD(layer_norm);
		args->layer_norm.x = x;
		args->layer_norm.out = out(h, array_dtype, 2, c->size);
		args->layer_norm.mean = out(h, MT_F32, 1, c->size);
		args->layer_norm.rstd = out(h, MT_F32, 1, c->size);
		args->layer_norm.eps = 1e-5;
		break;
	default: {
		const int64_t shape[] = {c->size[0], c->size[1], c->size[2]};
		HEAD(batch_norm);
		args->batch_norm.x = in(h, 3, shape, c->layout);
		args->batch_norm.out = out(h, array_dtype, 3, shape);
		args->batch_norm.mean = out(h, MT_F32, 1, shape + 1);
		args->batch_norm.rstd = out(h, MT_F32, 1, shape + 1);
		args->batch_norm.eps = 1e-5;
		args->batch_norm.training = 1;
	}
	}
}

static void prepare_random(struct cf_run *h, const struct speed_case *c, union any_args *args) {
	const mt_array *y = out(h, array_dtype, 2, c->size);
	if (c->kernel == MT_K_UNIFORM) {
		HEAD(uniform);
		args->uniform.out = y;
		args->uniform.high = 1;
	} else if (c->kernel == MT_K_NORMAL) {
		HEAD(normal);
		args->normal.out = y;
		args->normal.std = 1;
	} else {
		HEAD(bernoulli);
		args->bernoulli.out = y;
		args->bernoulli.p = 0.5;
	}
}

static void prepare_step(struct cf_run *h, const struct speed_case *c, union any_args *args) {
	const mt_array *param = in(h, 2, c->size, CF_CONTIGUOUS), *grad = in(h, 2, c->size, c->layout);
	if (c->kernel == MT_K_SGD) {
		HEAD(sgd);
		args->sgd.param = param;
		args->sgd.grad = grad;
		args->sgd.velocity = in(h, 2, c->size, CF_CONTIGUOUS);
		args->sgd.lr.value = 1e-6;
		args->sgd.momentum = 0.9;
		return;
	}
	HEAD(adam);
	args->adam.param = param;
	args->adam.grad = grad;
	args->adam.m = in(h, 2, c->size, CF_CONTIGUOUS);
	args->adam.v = in(h, 2, c->size, CF_CONTIGUOUS);
	args->adam.lr.value = 1e-6;
	args->adam.step.value = 10;
	args->adam.beta1 = 0.9;
	args->adam.beta2 = 0.999;
	args->adam.eps = 1e-8;
}

#define BOTH(name, kernel, prepare, op, ...)                                                                           \
	{name " small", MT_K_##kernel, prepare, op, {8, 40, __VA_ARGS__}, CF_CONTIGUOUS},                                  \
		{name, MT_K_##kernel, prepare, op, {400, 700, __VA_ARGS__}, CF_CONTIGUOUS}, {                                  \
		name " strided", MT_K_##kernel, prepare, op, {400, 700, __VA_ARGS__}, CF_TRANSPOSED                            \
	}

static const struct speed_case cases[] = {
	BOTH("copy", COPY, prepare_copy, 0, 0),
	BOTH("fill", FILL, prepare_fill, 0, 0),
	BOTH("map relu", MAP, prepare_map, MT_MAP_RELU, 0),
	BOTH("map exp", MAP, prepare_map, MT_MAP_EXP, 0),
	BOTH("map tanh", MAP, prepare_map, MT_MAP_TANH, 0),
	BOTH("map gelu", MAP, prepare_map, MT_MAP_GELU, 0),
	BOTH("zip add", ZIP, prepare_zip, MT_ZIP_ADD, 0),
	BOTH("zip div", ZIP, prepare_zip, MT_ZIP_DIV, 0),
	BOTH("zip pow", ZIP, prepare_zip, MT_ZIP_POW, 0),
	BOTH("sum inner", REDUCE, prepare_reduce, MT_REDUCE_SUM, 2),
	BOTH("sum outer", REDUCE, prepare_reduce, MT_REDUCE_SUM, 1),
	BOTH("sum all", REDUCE, prepare_reduce, MT_REDUCE_SUM, 3),
	BOTH("max inner", REDUCE, prepare_reduce, MT_REDUCE_MAX, 2),
	BOTH("max outer", REDUCE, prepare_reduce, MT_REDUCE_MAX, 1),
	{"matmul 4", MT_K_MATMUL, prepare_matmul, 0, {4, 4, 4}, CF_CONTIGUOUS},
	{"matmul 16", MT_K_MATMUL, prepare_matmul, 0, {16, 16, 16}, CF_CONTIGUOUS},
	{"matmul 64", MT_K_MATMUL, prepare_matmul, 0, {64, 64, 64}, CF_CONTIGUOUS},
	{"matmul 64 Bt", MT_K_MATMUL, prepare_matmul, 0, {64, 64, 64}, CF_TRANSPOSED},
	{"matmul 256", MT_K_MATMUL, prepare_matmul, 0, {256, 256, 256}, CF_CONTIGUOUS},
	{"matmul layer 16", MT_K_MATMUL, prepare_matmul, 0, {16, 512, 512}, CF_CONTIGUOUS},
	{"matmul layer 16 Bt", MT_K_MATMUL, prepare_matmul, 0, {16, 512, 512}, CF_TRANSPOSED},
	{"matmul layer 128", MT_K_MATMUL, prepare_matmul, 0, {128, 512, 512}, CF_CONTIGUOUS},
	{"matmul layer 128 Bt", MT_K_MATMUL, prepare_matmul, 0, {128, 512, 512}, CF_TRANSPOSED},
	{"matmul vector", MT_K_MATMUL, prepare_matmul, 0, {1, 400, 400}, CF_CONTIGUOUS},
	{"matmul column", MT_K_MATMUL, prepare_matmul, 0, {400, 400, 1}, CF_CONTIGUOUS},
	{"matmul outer", MT_K_MATMUL, prepare_matmul, 0, {300, 1, 300}, CF_CONTIGUOUS},
	BOTH("arg_reduce", ARG_REDUCE, prepare_index, 0, 0),
	BOTH("gather", GATHER, prepare_index, 0, 0),
	BOTH("scatter_add", SCATTER_ADD, prepare_index, 0, 0),
	BOTH("select", SELECT, prepare_index, 0, 0),
	BOTH("scan", SCAN, prepare_index, 0, 0),
	BOTH("sort", SORT, prepare_index, 0, 0),
	BOTH("embedding", EMBEDDING, prepare_index, 0, 0),
	BOTH("embedding_grad", EMBEDDING_GRAD, prepare_index, 0, 0),
	{"conv lenet 1", MT_K_CONV, prepare_conv, 1, {16, 1, 6, 28, 5, 2}, CF_CONTIGUOUS},
	{"conv lenet 2", MT_K_CONV, prepare_conv, 1, {16, 6, 16, 14, 5, 0}, CF_CONTIGUOUS},
	{"conv one image", MT_K_CONV, prepare_conv, 1, {1, 3, 8, 12, 3, 1}, CF_CONTIGUOUS},
	{"conv tiny", MT_K_CONV, prepare_conv, 1, {1, 1, 1, 5, 3, 0}, CF_CONTIGUOUS},
	{"conv 3x3 wide", MT_K_CONV, prepare_conv, 1, {2, 64, 64, 14, 3, 1}, CF_CONTIGUOUS},
	{"conv 1x1", MT_K_CONV, prepare_conv, 1, {2, 64, 64, 14, 1, 0}, CF_CONTIGUOUS},
	{"conv depthwise", MT_K_CONV, prepare_conv, 32, {2, 32, 32, 14, 3, 1}, CF_CONTIGUOUS},
	{"conv strided", MT_K_CONV, prepare_conv, 1, {4, 6, 16, 14, 5, 0}, CF_TRANSPOSED},
	{"conv_grad_input lenet 2", MT_K_CONV_GRAD_INPUT, prepare_conv, 1, {16, 6, 16, 14, 5, 0}, CF_CONTIGUOUS},
	{"conv_grad_input one image", MT_K_CONV_GRAD_INPUT, prepare_conv, 1, {1, 3, 8, 12, 3, 1}, CF_CONTIGUOUS},
	{"conv_grad_input tiny", MT_K_CONV_GRAD_INPUT, prepare_conv, 1, {1, 1, 1, 5, 3, 0}, CF_CONTIGUOUS},
	{"conv_grad_input depthwise", MT_K_CONV_GRAD_INPUT, prepare_conv, 32, {2, 32, 32, 14, 3, 1}, CF_CONTIGUOUS},
	{"conv_grad_weight lenet 1", MT_K_CONV_GRAD_WEIGHT, prepare_conv, 1, {16, 1, 6, 28, 5, 2}, CF_CONTIGUOUS},
	{"conv_grad_weight lenet 2", MT_K_CONV_GRAD_WEIGHT, prepare_conv, 1, {16, 6, 16, 14, 5, 0}, CF_CONTIGUOUS},
	{"conv_grad_weight one image", MT_K_CONV_GRAD_WEIGHT, prepare_conv, 1, {1, 3, 8, 12, 3, 1}, CF_CONTIGUOUS},
	{"conv_grad_weight tiny", MT_K_CONV_GRAD_WEIGHT, prepare_conv, 1, {1, 1, 1, 5, 3, 0}, CF_CONTIGUOUS},
	{"conv_grad_weight depthwise", MT_K_CONV_GRAD_WEIGHT, prepare_conv, 32, {2, 32, 32, 14, 3, 1}, CF_CONTIGUOUS},
	{"max pool", MT_K_POOL, prepare_pool, MT_POOL_MAX, {16, 6, 28}, CF_CONTIGUOUS},
	{"max pool tiny", MT_K_POOL, prepare_pool, MT_POOL_MAX, {1, 1, 4}, CF_CONTIGUOUS},
	{"avg pool", MT_K_POOL, prepare_pool, MT_POOL_AVG, {16, 6, 28}, CF_CONTIGUOUS},
	{"avg pool strided", MT_K_POOL, prepare_pool, MT_POOL_AVG, {16, 6, 28}, CF_TRANSPOSED},
	{"max pool gradient", MT_K_POOL_GRAD, prepare_pool, MT_POOL_MAX, {16, 6, 28}, CF_CONTIGUOUS},
	{"avg pool gradient", MT_K_POOL_GRAD, prepare_pool, MT_POOL_AVG, {16, 6, 28}, CF_CONTIGUOUS},
	BOTH("softmax", SOFTMAX, prepare_rows, 0, 0),
	BOTH("log_softmax", SOFTMAX, prepare_rows, 1, 0),
	BOTH("softmax_grad", SOFTMAX_GRAD, prepare_rows, 0, 0),
	BOTH("cross_entropy", CROSS_ENTROPY, prepare_rows, 0, 0),
	BOTH("layer_norm", LAYER_NORM, prepare_rows, 0, 0),
	BOTH("batch_norm", BATCH_NORM, prepare_rows, 0, 4),
	BOTH("uniform", UNIFORM, prepare_random, 0, 0),
	BOTH("normal", NORMAL, prepare_random, 0, 0),
	BOTH("bernoulli", BERNOULLI, prepare_random, 0, 0),
	BOTH("sgd", SGD, prepare_step, 0, 0),
	BOTH("adam", ADAM, prepare_step, 0, 0),
};

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of one of n calls. */
static double timed(struct cf_run *h, int32_t kernel, const union any_args *args, int n) {
	double start = now();
	for (int i = 0; i < n; i++)
		if (cf_host_call(h->hosts, kernel, args) != MT_OK) {
			fprintf(stderr, "%s: kernel %d: %s\n", h->hosts->label, (int)kernel, cf_error());
			exit(1);
		}
	return (now() - start) / n;
}

static int ascending(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* The median times of both hosts, taken in turns. */
static void measure(struct cf_run *runs, const struct speed_case *c, double *median) {
	union any_args args[HOSTS];
	double seconds[HOSTS][RUNS];
	int calls[HOSTS];
	for (int i = 0; i < HOSTS; i++) {
		memset(&args[i], 0, sizeof args[i]);
		runs[i].numbers.state = 1;
		c->prepare(&runs[i], c, &args[i]);
		for (struct cf_array *a = runs[i].arrays; a != NULL; a = a->next)
			memcpy(a->array.base, a->image, a->bytes);
		timed(&runs[i], c->kernel, &args[i], 1);
		calls[i] = 1 + (int)(2e-4 / (timed(&runs[i], c->kernel, &args[i], 1) + 1e-9));
	}
	for (int r = 0; r < RUNS; r++)
		for (int i = 0; i < HOSTS; i++)
			seconds[i][r] = timed(&runs[i], c->kernel, &args[i], calls[i]);
	for (int i = 0; i < HOSTS; i++) {
		qsort(seconds[i], RUNS, sizeof seconds[i][0], ascending);
		median[i] = seconds[i][RUNS / 2];
		cf_run_end(&runs[i]);
	}
}

/* f32, f16 or bf16; 0: none of them. */
static int32_t dtype_of(const char *name) {
	if (strcmp(name, "f32") == 0)
		return MT_F32;
	if (strcmp(name, "f16") == 0)
		return MT_F16;
	return strcmp(name, "bf16") == 0 ? MT_BF16 : 0;
}

int main(int argc, char **argv) {
	static const char *const paths[HOSTS] = {".libs/mt/mt_naive.so", ".libs/mt/mt_omp.so"};
	struct cf_host hosts[HOSTS];
	struct cf_run runs[HOSTS];
	const char *threads = argc > 1 ? argv[1] : "1";
	int slow = 0;
	array_dtype = argc > 2 ? dtype_of(argv[2]) : MT_F32;
	if (array_dtype == 0) {
		fprintf(stderr, "bench/kernels: '%s' is not f32, f16 or bf16\n", argv[2]);
		return 2;
	}
	for (int i = 0; i < HOSTS; i++) {
		const struct cf_target target = {.path = paths[i], .plain_scratch = 1};
		if (!cf_host_open(&hosts[i], &target, i == 0 ? NULL : threads)) {
			fprintf(stderr, "bench/kernels: %s: %s (run it in the build folder)\n", paths[i], cf_error());
			return 1;
		}
		runs[i] = (struct cf_run){.hosts = &hosts[i], .n_hosts = 1};
	}
	printf("%-28s %12s %12s %10s   omp with threads=%s\n", "case", "naive us", "omp us", "speedup", threads);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		double median[HOSTS];
		measure(runs, &cases[i], median);
		double ratio = median[0] / median[1];
		slow += !(ratio >= 0.95);
		printf("%-28s %12.2f %12.2f %9.2fx%s\n", cases[i].name, 1e6 * median[0], 1e6 * median[1], ratio,
		       ratio >= 0.95 ? "" : "   SLOWER");
		fflush(stdout);
	}
	printf("%d of %d cases below 0.95\n", slow, (int)(sizeof cases / sizeof *cases));
	for (int i = 0; i < HOSTS; i++)
		cf_host_close(&hosts[i]);
	return slow != 0;
}
