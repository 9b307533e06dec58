/* How the CUDA plugin turns a convolution into a product (plugins/cuda/conv_plan.c), without a GPU: the product is
 * computed as the kernels do it and compared with the definition, and plans are what is meant for typical shapes. */
#include <stdlib.h>
#include <string.h>

#include "conv_plan.h"
#include "mt_test.h"

struct shape {
	int64_t images, groups, in_channels, out_channels; /* channels of a group */
	int64_t in[3], kernel[3], out[3];
	int32_t stride[3], pad[3], dilation[3];
};

/* ---- geometries ---- */

static mt_array dense(int rank, const int64_t *shape) {
	mt_array a = {.rank = rank, .dtype = MT_F32};
	int64_t stride = 1;
	for (int d = rank - 1; d >= 0; d--) {
		a.shape[d] = shape[d];
		a.stride[d] = stride;
		stride *= shape[d];
	}
	return a;
}

/* [outer, channels, space…] of the last `spatial` dims. */
static mt_array array_of(int spatial, int64_t outer, int64_t channels, const int64_t space[3]) {
	int64_t shape[5] = {outer, channels};
	memcpy(shape + 2, space + 3 - spatial, (size_t)spatial * sizeof *shape);
	return dense(2 + spatial, shape);
}

static struct mt_cuda_conv_geometry geometry(const struct shape *s, int spatial) {
	mt_array x = array_of(spatial, s->images, s->groups * s->in_channels, s->in);
	mt_array weight = array_of(spatial, s->groups * s->out_channels, s->in_channels, s->kernel);
	mt_array out = array_of(spatial, s->images, s->groups * s->out_channels, s->out);
	struct mt_conv_params p = {.groups = (int32_t)s->groups};
	for (int d = 0; d < spatial; d++) {
		p.stride[d] = s->stride[3 - spatial + d];
		p.pad[d] = s->pad[3 - spatial + d];
		p.dilation[d] = s->dilation[3 - spatial + d];
	}
	struct mt_cuda_conv_geometry g;
	mt__cuda_conv_geometry(&g, &x, &weight, &out, &p);
	return g;
}

/* Two spatial dims, square, padded as usual. */
static struct shape square(int64_t images, int64_t in_channels, int64_t out_channels, int64_t size, int64_t kernel,
                           int32_t stride, int32_t pad) {
	int64_t out = (size + 2 * pad - kernel) / stride + 1;
	return (struct shape){.images = images,
	                      .groups = 1,
	                      .in_channels = in_channels,
	                      .out_channels = out_channels,
	                      .in = {1, size, size},
	                      .kernel = {1, kernel, kernel},
	                      .out = {1, out, out},
	                      .stride = {1, stride, stride},
	                      .pad = {0, pad, pad},
	                      .dilation = {1, 1, 1}};
}

/* ---- the product, as the kernels compute it ---- */

static void split_index(int64_t i, const int64_t extent[4], int64_t at[4]) {
	for (int d = 3; d > 0; d--) {
		at[d] = i % extent[d];
		i /= extent[d];
	}
	at[0] = i;
}

/* The product's numbers in one phase. */
struct phase {
	int64_t k_extent[4], start[3], first[3], number[3], a_first;
};

static struct phase enter(const struct mt_cuda_conv_product *p, int64_t index) {
	struct phase f = {.a_first = p->a_first};
	memcpy(f.k_extent, p->k_extent, sizeof f.k_extent);
	memcpy(f.start, p->start, sizeof f.start);
	if (p->phases == 1)
		return f;
	f.a_first = 0;
	for (int d = 2; d >= 0; d--) {
		f.number[d] = index % p->phase[d].count;
		index /= p->phase[d].count;
		struct mt_cuda_conv_taps taps = mt__cuda_conv_taps(&p->phase[d], f.number[d]);
		f.k_extent[d + 1] = taps.count;
		f.start[d] = taps.start;
		f.a_first += taps.first * p->phase[d].a_tap;
	}
	return f;
}

static int64_t sum_of(const struct mt_cuda_conv_product *p, const struct phase *f, int64_t group, int64_t m,
                      const int64_t e[4], const int64_t *a, const int64_t *b) {
	int64_t sum = 0, k[4], terms = f->k_extent[0] * f->k_extent[1] * f->k_extent[2] * f->k_extent[3];
	MT_CHECK(terms <= p->k);
	for (int64_t i = 0; i < terms; i++) {
		split_index(i, f->k_extent, k);
		int64_t at_a = group * p->a_group + f->a_first + m * p->a_m, inside = 1;
		int64_t at_b = group * p->b_group + e[0] * p->b_n + k[0] * p->b_k;
		for (int d = 0; d < 4; d++)
			at_a += k[d] * p->a_k[d];
		for (int d = 0; d < 3; d++) {
			int64_t at = e[d + 1] * p->n_step[d] + k[d + 1] * p->k_step[d] + f->start[d];
			inside = inside && at >= 0 && at < p->b_limit[d];
			at_b += at * p->b_space[d];
		}
		sum += inside ? a[at_a] * b[at_b] : 0;
	}
	return sum;
}

static void multiply(const struct mt_cuda_conv_product *p, const int64_t *a, const int64_t *b, int64_t *y) {
	int64_t e[4], columns = p->n_extent[0] * p->n_extent[1] * p->n_extent[2] * p->n_extent[3];
	MT_CHECK_INT(p->n, columns + p->ones);
	for (int64_t index = 0; index < p->groups * p->phases; index++) {
		struct phase f = enter(p, index % p->phases);
		int64_t group = index / p->phases;
		for (int64_t i = 0; i < p->m * columns; i++) {
			split_index(i % columns, p->n_extent, e);
			int64_t at = group * p->y_group + i / columns * p->y_m + e[0] * p->y_n[0], there = 1;
			for (int d = 0; d < 3; d++) {
				at += e[d + 1] * p->y_n[d + 1] + f.number[d] * p->phase[d].y_input;
				there = there && (p->phases == 1 || e[d + 1] * p->phase[d].stride + f.number[d] < p->phase[d].extent);
			}
			if (there)
				y[at] += sum_of(p, &f, group, i / columns, e, a, b); /* each is met once: y begins as 0 */
		}
	}
}

/* ---- the definition ---- */

static int64_t at5(const int64_t stride[5], int64_t i, int64_t j, const int64_t space[3]) {
	return i * stride[0] + j * stride[1] + space[0] * stride[2] + space[1] * stride[3] + space[2] * stride[4];
}

/* Adds every product of the two arrays that are read to the third. */
static void define(const struct mt_cuda_conv_geometry *g, enum mt_cuda_conv_pass pass, int64_t *x, int64_t *w,
                   int64_t *out) {
	int64_t e[6], extents[4] = {0, g->out[0], g->out[1], g->out[2]},
				  taps[4] = {0, g->kernel[0], g->kernel[1], g->kernel[2]};
	int64_t outputs = g->images * g->groups * g->out_channels * g->out[0] * g->out[1] * g->out[2];
	int64_t reads = g->in_channels * g->kernel[0] * g->kernel[1] * g->kernel[2], k[4], s[3];
	for (int64_t i = 0; i < outputs * reads; i++) {
		split_index(i / reads, extents, e);
		split_index(i % reads, taps, k);
		int64_t image = e[0] / (g->groups * g->out_channels), co = e[0] % (g->groups * g->out_channels), inside = 1;
		for (int d = 0; d < 3; d++) {
			s[d] = e[d + 1] * g->stride[d] + k[d + 1] * g->dilation[d] - g->pad[d];
			inside = inside && s[d] >= 0 && s[d] < g->in[d];
		}
		if (!inside)
			continue;
		int64_t *at_x = x + at5(g->x_stride, image, co / g->out_channels * g->in_channels + k[0], s);
		int64_t *at_w = w + at5(g->weight_stride, co, k[0], k + 1),
				*at_out = out + at5(g->out_stride, image, co, e + 1);
		if (pass == MT_CUDA_CONV_FORWARD)
			*at_out += *at_x * *at_w;
		else if (pass == MT_CUDA_CONV_GRAD_INPUT)
			*at_x += *at_out * *at_w;
		else
			*at_w += *at_out * *at_x;
	}
}

enum { MOST = 4096 };

static void fill(int64_t *values, int64_t from) {
	for (int64_t i = 0; i < MOST; i++)
		values[i] = (i * 37 + from) % 101 - 50;
}

static void check_pass(const struct mt_cuda_conv_geometry *g, enum mt_cuda_conv_pass pass) {
	static int64_t x[MOST], w[MOST], out[MOST], y[MOST];
	int64_t *arrays[] = {[MT_CUDA_CONV_FORWARD] = out, [MT_CUDA_CONV_GRAD_INPUT] = x, [MT_CUDA_CONV_GRAD_WEIGHT] = w};
	struct mt_cuda_conv_product p;
	fill(x, 3);
	fill(w, 17);
	fill(out, 31);
	memset(arrays[pass], 0, sizeof x);
	memset(y, 0, sizeof y);
	define(g, pass, x, w, out);
	mt__cuda_conv_product(&p, pass, g, 0);
	multiply(&p, pass == MT_CUDA_CONV_GRAD_WEIGHT ? out : w, pass == MT_CUDA_CONV_GRAD_INPUT ? out : x, y);
	MT_CHECK(memcmp(y, arrays[pass], sizeof y) == 0);
}

static void products(void) {
	static const struct shape shapes[] = {
		{1, 1, 1, 1, {1, 1, 7}, {1, 1, 3}, {1, 1, 5}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}},
		{2, 1, 3, 2, {1, 6, 5}, {1, 3, 2}, {1, 6, 6}, {1, 1, 1}, {0, 1, 1}, {1, 1, 1}},
		{2, 2, 1, 2, {1, 7, 8}, {1, 3, 3}, {1, 4, 3}, {1, 2, 3}, {0, 1, 1}, {1, 1, 1}},
		{1, 1, 2, 2, {4, 5, 6}, {2, 2, 2}, {2, 3, 5}, {2, 2, 1}, {0, 1, 1}, {1, 1, 3}},
		{1, 1, 1, 2, {1, 9, 9}, {1, 3, 4}, {1, 3, 2}, {1, 4, 4}, {0, 2, 3}, {1, 2, 3}}, /* common factors, and none */
		{1, 1, 1, 1, {1, 5, 5}, {1, 2, 2}, {1, 2, 2}, {1, 3, 3}, {0, 0, 0}, {1, 3, 3}}, /* phases without a tap */
		{1, 1, 1, 1, {1, 1, 1}, {1, 2, 3}, {1, 1, 1}, {1, 5, 4}, {0, 1, 2}, {1, 1, 2}}, /* one phase of many */
		{2, 1, 2, 1, {1, 4, 4}, {1, 2, 2}, {1, 6, 2}, {1, 1, 1}, {0, 0, 1}, {1, 1, 1}}, /* any outputs are legal */
	};
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		for (int spatial = shapes[i].in[0] > 1 ? 3 : 2; spatial <= 3; spatial++) {
			struct mt_cuda_conv_geometry g = geometry(&shapes[i], spatial);
			mt_test_row("shape %d of rank %d", (int)i, spatial + 2);
			for (int pass = MT_CUDA_CONV_FORWARD; pass <= MT_CUDA_CONV_GRAD_WEIGHT; pass++)
				check_pass(&g, (enum mt_cuda_conv_pass)pass);
		}
}

/* ---- plans ---- */

static struct mt_cuda_conv_plan plan_of(const struct shape *s, enum mt_cuda_conv_pass pass, int32_t dtype, int tensor) {
	struct mt_cuda_conv_geometry g = geometry(s, 2);
	struct mt_cuda_conv_product p;
	struct mt_cuda_conv_plan plan;
	mt__cuda_conv_product(&p, pass, &g, pass == MT_CUDA_CONV_GRAD_WEIGHT);
	mt__cuda_conv_plan(&plan, &p, dtype, tensor, 0, (const void *)4096);
	MT_CHECK(plan.split * plan.splits >= p.k && plan.split * (plan.splits - 1) < (p.k > 0 ? p.k : 1));
	MT_CHECK(plan.split % MT_CUDA_CONV_DEPTH == 0 && plan.split <= MT_CUDA_CONV_MOST_SPLIT);
	MT_CHECK_INT(plan.parted, plan.splits > 1);
	MT_CHECK_INT(plan.scratch > 0, plan.parted);
	return plan;
}

static void plans(void) {
	enum { F = MT_CUDA_CONV_FORWARD, X = MT_CUDA_CONV_GRAD_INPUT, W = MT_CUDA_CONV_GRAD_WEIGHT };
	const struct {
		const char *name;
		struct shape shape;
		int pass, dtype, tensor;
		enum mt_cuda_conv_tile tile;
		int along_k, parted, four;
	} rows[] = {
		{"LeNet 1", square(64, 1, 6, 28, 5, 1, 2), F, MT_F32, 0, MT_CUDA_CONV_WIDE, 0, 0, 1},
		{"LeNet 2", square(64, 6, 16, 14, 5, 1, 0), F, MT_F32, 0, MT_CUDA_CONV_WIDE, 0, 0, 1},
		{"LeNet 1, weight", square(64, 1, 6, 28, 5, 1, 2), W, MT_F32, 0, MT_CUDA_CONV_SMALL, 1, 1, 0},
		{"LeNet 2, weight", square(64, 6, 16, 14, 5, 1, 0), W, MT_F32, 0, MT_CUDA_CONV_SMALL, 1, 1, 0},
		{"ResNet 64", square(64, 64, 64, 56, 3, 1, 1), F, MT_F32, 0, MT_CUDA_CONV_MEDIUM, 0, 0, 1},
		{"ResNet 128", square(64, 128, 128, 28, 3, 1, 1), F, MT_F32, 0, MT_CUDA_CONV_LARGE, 0, 0, 1},
		{"ResNet 128, input", square(64, 128, 128, 28, 3, 1, 1), X, MT_F32, 0, MT_CUDA_CONV_LARGE, 0, 0, 1},
		{"ResNet 128, strided", square(64, 64, 128, 56, 3, 2, 1), X, MT_F32, 0, MT_CUDA_CONV_MEDIUM, 0, 0, 0},
		{"ResNet 128, weight", square(64, 128, 128, 28, 3, 1, 1), W, MT_F32, 0, MT_CUDA_CONV_LARGE, 1, 1, 0},
		{"ResNet 512, one image", square(1, 512, 512, 7, 3, 1, 1), F, MT_F32, 0, MT_CUDA_CONV_MEDIUM, 0, 1, 0},
		{"f64", square(64, 128, 128, 28, 3, 1, 1), F, MT_F64, 0, MT_CUDA_CONV_MEDIUM, 0, 0, 1},
		{"f16", square(64, 128, 128, 28, 3, 1, 1), F, MT_F16, 1, MT_CUDA_CONV_TENSOR, 0, 0, 1},
		{"f16, few channels", square(64, 3, 16, 28, 3, 1, 1), F, MT_F16, 1, MT_CUDA_CONV_WIDE, 0, 0, 1},
		{"bf16, old device", square(64, 128, 128, 28, 3, 1, 1), F, MT_BF16, 0, MT_CUDA_CONV_MEDIUM, 0, 0, 1},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mt_cuda_conv_plan plan =
			plan_of(&rows[i].shape, (enum mt_cuda_conv_pass)rows[i].pass, rows[i].dtype, rows[i].tensor);
		mt_test_row("%s", rows[i].name);
		MT_CHECK_INT(plan.tile, rows[i].tile);
		MT_CHECK_INT(plan.along_k, rows[i].along_k);
		MT_CHECK_INT(plan.parted, rows[i].parted);
		MT_CHECK_INT(plan.four, rows[i].four);
		MT_CHECK_INT(plan.narrow, 1);
	}
}

/* Sizes at which 32 bits no longer hold what is calculated: those of x, of out alone, of a stride, of a coordinate. */
static void widths(void) {
	struct shape rows[] = {square(1 << 20, 64, 64, 56, 3, 1, 1), square(8192, 1, 512, 32, 3, 1, 1),
	                       square(1, 1, 1, 8, 3, 1, 1), square(1, 1, 1, 8, 3, 1, 1)};
	rows[2].in[1] = INT64_C(1) << 31;
	rows[3].pad[2] = INT32_MAX;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mt_cuda_conv_plan plan = plan_of(&rows[i], MT_CUDA_CONV_FORWARD, MT_F32, 0);
		mt_test_row("row %d", (int)i);
		MT_CHECK_INT(plan.narrow, 0);
		MT_CHECK_INT(plan.tile, MT_CUDA_CONV_MEDIUM); /* which has kernels for it */
		MT_CHECK_INT(plan.along_k, 0);
	}
}

/* ---- cuDNN ---- */

static void library(void) {
	struct shape s = square(64, 64, 64, 56, 3, 1, 1);
	struct mt_cuda_conv_geometry g = geometry(&s, 2);
	MT_CHECK_INT(mt__cuda_conv_layout(&g), MT_CUDA_CONV_CHANNELS_FIRST);
	MT_CHECK(mt__cuda_conv_inexpressible(&g) == NULL);
	MT_CHECK(mt__cuda_conv_library_pays(&g));
	g.x_stride[0]++;
	MT_CHECK(mt__cuda_conv_inexpressible(&g) != NULL);
	const int64_t x[5] = {64 * 56 * 56, 1, 0, 64 * 56, 64}, weight[5] = {64 * 9, 1, 0, 64 * 3, 64};
	memcpy(g.x_stride, x, sizeof x);
	memcpy(g.out_stride, x, sizeof x);
	MT_CHECK_INT(mt__cuda_conv_layout(&g), MT_CUDA_CONV_OTHER_LAYOUT); /* two of three */
	memcpy(g.weight_stride, weight, sizeof weight);
	MT_CHECK_INT(mt__cuda_conv_layout(&g), MT_CUDA_CONV_CHANNELS_LAST);
	mt_test_row("other padding on the high side");
	s.out[2]++;
	g = geometry(&s, 2);
	MT_CHECK(mt__cuda_conv_inexpressible(&g) != NULL);
	mt_test_row("too large for 32 bits");
	s = square(8192, 64, 64, 112, 3, 1, 1);
	g = geometry(&s, 2);
	MT_CHECK(mt__cuda_conv_inexpressible(&g) != NULL);
	mt_test_row("empty");
	s = square(64, 0, 64, 56, 3, 1, 1);
	g = geometry(&s, 2);
	MT_CHECK(mt__cuda_conv_inexpressible(&g) != NULL);
	mt_test_row("too small, too few channels");
	s = square(1, 64, 64, 14, 3, 1, 1);
	g = geometry(&s, 2);
	MT_CHECK(!mt__cuda_conv_library_pays(&g));
	s = square(512, 1, 6, 224, 5, 1, 2);
	g = geometry(&s, 2);
	MT_CHECK(!mt__cuda_conv_library_pays(&g));
}

static const mt_test_case cases[] = {
	{"products", products}, {"plans", plans}, {"widths", widths}, {"library", library}, {0},
};
static const mt_test_suite suites[] = {{"cuda_conv_plan", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
