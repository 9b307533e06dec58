/* The suite limits: the cases of bench/limits, which lays them beside the hardware's ceilings and the best libraries
 * (docs/performance.md). */
#include <inttypes.h>
#include <stdio.h>

#include "bench/limits.h"
#include "bench/ops.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* ---- products ----------------------------------------------------------------------------------------------------- */

static const char *const products[] = {"matmul", "matmul_nt", "matmul_tn", "matmul_tt"};

static int add_squares(struct bench_cases *cases) {
	static const int64_t sides[] = {32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048}, low[] = {512, 1024, 2048};
	for (size_t i = 0; i < COUNT(sides); i++)
		for (size_t k = 0; k < COUNT(products); k++)
			if (ops_add_product(cases, products[k], "square", MT_F32,
			                    (const int64_t[BENCH_EXTENTS]){0, sides[i], sides[i], sides[i]}) != 0)
				return -1;
	for (size_t i = 0; i < COUNT(low); i++)
		if (ops_add_product(cases, "matmul", "square", MT_BF16,
		                    (const int64_t[BENCH_EXTENTS]){0, low[i], low[i], low[i]}) != 0)
			return -1;
	return 0;
}

/* Layers' products: y = x wᵀ is _nt, the input's gradient dy w plain, the weight's dyᵀ x _tn. */
static int add_layers(struct bench_cases *cases) {
	static const struct {
		const char *op, *name;
		int64_t n[4];
	} rows[] = {
		{"matmul_nt", "lenet16", {0, 16, 400, 120}},    {"matmul", "lenet16", {0, 16, 120, 400}},
		{"matmul_tn", "lenet16", {0, 120, 16, 400}},    {"matmul_nt", "lenet128", {0, 128, 400, 120}},
		{"matmul_tn", "lenet128", {0, 120, 128, 400}},  {"matmul_nt", "mlp", {0, 500, 784, 500}},
		{"matmul_tn", "mlp", {0, 500, 500, 784}},       {"matmul_nt", "mlp", {0, 500, 500, 10}},
		{"matmul", "mlp", {0, 500, 10, 500}},           {"matmul_tn", "mlp", {0, 10, 500, 500}},
		{"matmul_nt", "lstm", {0, 20, 200, 800}},       {"matmul", "lstm", {0, 20, 800, 200}},
		{"matmul_tn", "lstm", {0, 800, 20, 200}},       {"matmul_nt", "transformer", {0, 1024, 256, 768}},
		{"matmul_nt", "attention", {64, 128, 32, 128}}, {"matmul", "attention", {64, 128, 128, 32}},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		const int64_t n[BENCH_EXTENTS] = {rows[i].n[0], rows[i].n[1], rows[i].n[2], rows[i].n[3]};
		if (ops_add_product(cases, rows[i].op, rows[i].name, MT_F32, n) != 0)
			return -1;
	}
	return 0;
}

/* ---- convolutions ------------------------------------------------------------------------------------------------- */

static int add_convolutions(struct bench_cases *cases) {
	static const struct {
		const char *name;
		int64_t n[CONV_EXTENTS]; /* images, in, side, out, kernel, stride, padding, groups, spatial */
	} rows[] = {
		{"lenet1", {64, 1, 28, 6, 5, 1, 2, 1, 2}},          {"lenet2", {64, 6, 14, 16, 5, 1, 0, 1, 2}},
		{"resnet3x3a", {4, 64, 56, 64, 3, 1, 1, 1, 2}},     {"resnet3x3b", {4, 128, 28, 128, 3, 1, 1, 1, 2}},
		{"resnet3x3c", {4, 256, 14, 256, 3, 1, 1, 1, 2}},   {"resnet3x3d", {4, 128, 28, 256, 3, 2, 1, 1, 2}},
		{"resnet1x1a", {4, 256, 14, 1024, 1, 1, 0, 1, 2}},  {"resnet1x1b", {4, 256, 56, 64, 1, 1, 0, 1, 2}},
		{"depthwise1", {8, 144, 28, 144, 3, 1, 1, 144, 2}}, {"depthwise2", {8, 144, 56, 144, 3, 2, 1, 144, 2}},
		{"text3", {50, 300, 56, 100, 3, 1, 0, 1, 1}},       {"text5", {50, 300, 56, 100, 5, 1, 0, 1, 1}},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (ops_add_convolution(cases, rows[i].name, MT_F32, rows[i].n) != 0)
			return -1;
	return 0;
}

/* ---- one element at a time ---------------------------------------------------------------------------------------- */

/* Numbers in [0, 1): logarithms and powers of them are finite but at 0. */
static mt_tensor *positive(struct ops_state *s) {
	return mt_rand(MT_SHAPE(s->c->n[0], s->c->n[1]), s->c->dtype);
}
static void make_one(struct ops_state *s) {
	s->in[0] = positive(s);
}
static void make_two(struct ops_state *s) {
	s->in[0] = positive(s);
	s->in[1] = positive(s);
}

#define RUN(name, call)                                                                                                \
	static mt_tensor *run_##name(struct ops_state *s) {                                                                \
		return call;                                                                                                   \
	}
RUN(relu, mt_relu(s->in[0]))
RUN(exp, mt_exp(s->in[0]))
RUN(log, mt_log(s->in[0]))
RUN(tanh, mt_tanh(s->in[0]))
RUN(sigmoid, mt_sigmoid(s->in[0]))
RUN(erf, mt_erf(s->in[0]))
RUN(gelu, mt_gelu(s->in[0]))
RUN(sin, mt_sin(s->in[0]))
RUN(cos, mt_cos(s->in[0]))
RUN(add, mt_add(s->in[0], s->in[1]))
RUN(mul, mt_mul(s->in[0], s->in[1]))
RUN(pow, mt_pow(s->in[0], s->in[1]))

static const struct {
	const char *op;
	int traffic;           /* elements read or written for each of the output */
	int is_transcendental; /* in the cache; else in memory alone */
	struct ops_kind kind;
} elements[] = {
	{"relu", 2, 0, {make_one, run_relu}},       {"add", 3, 0, {make_two, run_add}},
	{"mul", 3, 0, {make_two, run_mul}},         {"exp", 2, 1, {make_one, run_exp}},
	{"log", 2, 1, {make_one, run_log}},         {"tanh", 2, 1, {make_one, run_tanh}},
	{"sigmoid", 2, 1, {make_one, run_sigmoid}}, {"erf", 2, 1, {make_one, run_erf}},
	{"gelu", 2, 1, {make_one, run_gelu}},       {"sin", 2, 1, {make_one, run_sin}},
	{"cos", 2, 1, {make_one, run_cos}},         {"pow", 3, 1, {make_two, run_pow}},
};

/* 256 MiB of f32 in memory; 256 KiB, which fit into a second cache with a result and a second operand. */
enum { IN_MEMORY = 8192, IN_CACHE = 256 };

static int add_array(struct bench_cases *cases, const char *op, const int64_t *n, double traffic, double tolerance,
                     const struct ops_kind *kind) {
	double count = 1;
	char size[64];
	size_t used = 0;
	for (int d = 0; n[d] > 0; d++) {
		count *= (double)n[d];
		used += (size_t)snprintf(size + used, sizeof size - used, "%s%" PRId64, d > 0 ? "x" : "", n[d]);
	}
	return ops_add(cases, op, size, MT_F32, n, (struct ops_work){0, traffic * count, 20 * count}, tolerance, kind);
}

static int add_elements(struct bench_cases *cases) {
	for (int in_cache = 0; in_cache <= 1; in_cache++)
		for (size_t i = 0; i < COUNT(elements); i++) {
			int64_t side = in_cache ? IN_CACHE : IN_MEMORY;
			if (in_cache && !elements[i].is_transcendental)
				continue;
			if (add_array(cases, elements[i].op, (const int64_t[BENCH_EXTENTS]){side, side}, elements[i].traffic, 1e-5,
			              &elements[i].kind) != 0)
				return -1;
		}
	return 0;
}

/* ---- reductions, softmax, layer norm ------------------------------------------------------------------------------ */

static void make_cube(struct ops_state *s) {
	s->in[0] = ops_randn(s, 3, s->c->n);
}
static void make_rows(struct ops_state *s) {
	s->in[0] = ops_randn(s, 2, s->c->n);
	s->in[1] = ops_randn(s, MT_SHAPE(s->c->n[1]));
	s->in[2] = ops_randn(s, MT_SHAPE(s->c->n[1]));
}
RUN(sum0, mt_sum(s->in[0], MT_AXES(0), 0))
RUN(sum1, mt_sum(s->in[0], MT_AXES(1), 0))
RUN(sum2, mt_sum(s->in[0], MT_AXES(2), 0))
RUN(sum_all, mt_sum(s->in[0], MT_ALL_AXES, 0))
RUN(max0, mt_max(s->in[0], MT_AXES(0), 0))
RUN(max1, mt_max(s->in[0], MT_AXES(1), 0))
RUN(max2, mt_max(s->in[0], MT_AXES(2), 0))
RUN(softmax, mt_softmax(s->in[0], 1))
RUN(layer_norm, mt_layer_norm(s->in[0], 1, s->in[1], s->in[2], 1e-5))

static int add_reductions(struct bench_cases *cases) {
	static const struct {
		const char *op;
		struct ops_kind kind;
	} reductions[] =
		{
			{"sum_axis0", {make_cube, run_sum0}}, {"sum_axis1", {make_cube, run_sum1}},
			{"sum_axis2", {make_cube, run_sum2}}, {"sum_all", {make_cube, run_sum_all}},
			{"max_axis0", {make_cube, run_max0}}, {"max_axis1", {make_cube, run_max1}},
			{"max_axis2", {make_cube, run_max2}},
		},
	  over_rows[] = {{"softmax", {make_rows, run_softmax}}, {"layer_norm", {make_rows, run_layer_norm}}};
	for (size_t i = 0; i < COUNT(reductions); i++) {
		if (add_array(cases, reductions[i].op, (const int64_t[BENCH_EXTENTS]){128, 512, 512}, 1, 2e-3,
		              &reductions[i].kind) != 0)
			return -1;
		cases->list[cases->n - 1].reads = 1;
	}
	for (size_t i = 0; i < COUNT(over_rows); i++)
		if (add_array(cases, over_rows[i].op, (const int64_t[BENCH_EXTENTS]){32768, 1024}, 2, 1e-4,
		              &over_rows[i].kind) != 0)
			return -1;
	return 0;
}

/* ---- the suite ---------------------------------------------------------------------------------------------------- */

int bench_limits_cases(struct bench_cases *cases) {
	static int (*const parts[])(struct bench_cases *) = {add_squares,  add_layers,     add_convolutions,
	                                                     add_elements, add_reductions, limits_add_epoch};
	int64_t first = cases->n;
	for (size_t i = 0; i < COUNT(parts); i++)
		if (parts[i](cases) != 0)
			return -1;
	for (int64_t i = first; i < cases->n; i++)
		cases->list[i].suite = "limits";
	return 0;
}
