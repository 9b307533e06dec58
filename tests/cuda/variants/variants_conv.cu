/* The product of conv_plan.h by each of its kernels: every tile, along n or along k, narrow or wide, in one part or in
 * several, for each pass of a convolution. */
#include <math.h>

#include "conv_gemm.cuh"
#include "variants.h"

struct variant {
	mt_cuda_conv_tile tile;
	const char *name;
	int64_t m, n; /* of the tile */
	bool along_k, narrow;
};

constexpr int64_t IMAGES = 2, GROUPS = 2, HEIGHT = 9, WIDTH = 12, TAPS = 3;

struct convolution {
	int64_t in_channels, out_channels, stride; /* channels of a group */
	int64_t out_extent(int64_t in) const {
		return (in + 2 - TAPS) / stride + 1; /* a pad of 1 */
	}
};

/* A dense array of four dims. */
static mt_array dense(void *at, int64_t n0, int64_t n1, int64_t n2, int64_t n3) {
	mt_array a = {};
	a.base = at;
	a.rank = 4;
	const int64_t shape[] = {n0, n1, n2, n3};
	int64_t stride = 1;
	for (int d = 3; d >= 0; d--) {
		a.shape[d] = shape[d];
		a.stride[d] = stride;
		stride *= shape[d];
	}
	return a;
}

static mt_array vector_of(void *at, int64_t n) {
	mt_array a = {};
	a.base = at;
	a.rank = 1;
	a.shape[0] = n;
	a.stride[0] = 1;
	return a;
}

/* Calls f(out, weight, x), offsets of a product, for all of them. */
template <class F> static void each_product(const convolution &c, F f) {
	int64_t height = c.out_extent(HEIGHT), width = c.out_extent(WIDTH), in = c.in_channels, out = c.out_channels;
	for (int64_t i = 0; i < IMAGES * GROUPS * out * in; i++) {
		int64_t ci = i % in, co = i / in % (GROUPS * out), image = i / in / (GROUPS * out), group = co / out;
		int64_t x_plane = (image * GROUPS * in + group * in + ci) * HEIGHT * WIDTH;
		int64_t out_plane = (image * GROUPS * out + co) * height * width, filter = (co * in + ci) * TAPS * TAPS;
		for (int64_t o = 0; o < height * width; o++)
			for (int64_t tap = 0; tap < TAPS * TAPS; tap++) {
				int64_t y = o / width * c.stride + tap / TAPS - 1, x = o % width * c.stride + tap % TAPS - 1;
				if (y >= 0 && y < HEIGHT && x >= 0 && x < WIDTH)
					f(out_plane + o, filter + tap, x_plane + y * WIDTH + x);
			}
	}
}

static void lay_out(mt_cuda_conv_plan *plan, const mt_cuda_conv_product &p, const variant &v, bool parted, int size) {
	plan->tile = v.tile;
	plan->along_k = v.along_k;
	plan->narrow = v.narrow;
	plan->m_tiles = (p.m + v.m - 1) / v.m;
	plan->n_tiles = (p.n + v.n - 1) / v.n;
	plan->split = ((parted ? p.k / 2 : p.k) + MT_CUDA_CONV_DEPTH - 1) / MT_CUDA_CONV_DEPTH * MT_CUDA_CONV_DEPTH;
	plan->splits = (p.k + plan->split - 1) / plan->split;
	plan->tiles = plan->m_tiles * plan->n_tiles * p.groups * p.phases * plan->splits;
	plan->parted = parted || plan->splits > 1;
	plan->scratch = (uint64_t)(plan->splits * p.groups * p.phases * p.m * plan->row * size);
}

template <class T> static int32_t start(mt_queue *queue, const conv_call &call);
template <> int32_t start<float>(mt_queue *queue, const conv_call &call) {
	return conv_gemm_f32(queue, call);
}
template <> int32_t start<double>(mt_queue *queue, const conv_call &call) {
	return conv_gemm_f64(queue, call);
}
template <> int32_t start<__half>(mt_queue *queue, const conv_call &call) {
	return conv_gemm_f16(queue, call);
}
template <> int32_t start<__nv_bfloat16>(mt_queue *queue, const conv_call &call) {
	return conv_gemm_bf16(queue, call);
}

template <class T>
static void run(mt_queue *queue, int32_t dtype, const variant &v, mt_cuda_conv_pass pass, const convolution &c,
                bool parted) {
	int64_t height = c.out_extent(HEIGHT), width = c.out_extent(WIDTH), filters = GROUPS * c.out_channels;
	device_array<T> x(IMAGES * GROUPS * c.in_channels * HEIGHT * WIDTH, 1);
	device_array<T> weight(filters * c.in_channels * TAPS * TAPS, 2), out(IMAGES * filters * height * width, 3);
	device_array<T> bias(filters, 4);
	mt_array xs = dense(x.at, IMAGES, GROUPS * c.in_channels, HEIGHT, WIDTH);
	mt_array weights = dense(weight.at, filters, c.in_channels, TAPS, TAPS);
	mt_array outs = dense(out.at, IMAGES, filters, height, width), biases = vector_of(bias.at, filters);
	mt_conv_params params = {};
	params.groups = (int32_t)GROUPS;
	for (int d = 0; d < 2; d++)
		params.stride[d] = (int32_t)c.stride, params.pad[d] = params.dilation[d] = 1;

	mt_cuda_conv_geometry g;
	mt_cuda_conv_product product;
	mt_cuda_conv_plan plan;
	mt__cuda_conv_geometry(&g, &xs, &weights, &outs, &params);
	mt__cuda_conv_product(&product, pass, &g, pass == MT_CUDA_CONV_GRAD_WEIGHT);
	conv_call call = {"conv", &product, weight.at, x.at, out.at};
	device_array<T> *result = &out;
	if (pass == MT_CUDA_CONV_GRAD_INPUT)
		call.b = out.at, call.y = x.at, result = &x;
	else if (pass == MT_CUDA_CONV_GRAD_WEIGHT)
		call.a = out.at, call.y = weight.at, result = &weight, call.ones = &biases;
	else
		call.bias = &biases, call.activation = MT_ACT_RELU;
	mt__cuda_conv_plan(&plan, &product, dtype, 0, 0, call.y);
	lay_out(&plan, product, v, parted, sizeof(compute_of<T>));
	call.plan = &plan;
	call.parts = plan.parted ? scratch_of(plan.scratch) : nullptr;
	std::string wrong = start<T>(queue, call) == MT_OK ? "" : "it failed";

	result->values.assign(result->values.size(), 0);
	each_product(c, [&](int64_t o, int64_t w, int64_t i) {
		double &to = pass == MT_CUDA_CONV_FORWARD ? out[o] : pass == MT_CUDA_CONV_GRAD_INPUT ? x[i] : weight[w];
		to += (pass == MT_CUDA_CONV_FORWARD ? 1 : out[o]) * (pass == MT_CUDA_CONV_GRAD_INPUT ? 1 : x[i]) *
		      (pass == MT_CUDA_CONV_GRAD_WEIGHT ? 1 : weight[w]);
	});
	if (pass == MT_CUDA_CONV_GRAD_WEIGHT)
		bias.values.assign(bias.values.size(), 0);
	for (int64_t i = 0; i < IMAGES * filters * height * width; i++) {
		double &to = bias[i / (height * width) % filters];
		if (pass == MT_CUDA_CONV_FORWARD)
			out[i] = fmax(out[i] + to, 0);
		else if (pass == MT_CUDA_CONV_GRAD_WEIGHT)
			to += out[i];
	}
	if (wrong.empty())
		wrong = result->difference("result");
	if (wrong.empty())
		wrong = bias.difference("bias");
	static const char *const passes[] = {"conv", "conv_grad_input", "conv_grad_weight"};
	report(std::string(passes[pass]) + " " + name_of<T>() + " " + v.name + (v.along_k ? ", along k" : ", along n") +
	           (v.narrow ? "" : ", wide") + (plan.parted ? ", in parts" : "") + (c.stride > 1 ? ", stride 2" : ""),
	       wrong);
}

/* channels: enough for two tiles down. */
template <class T> static void run_passes(mt_queue *queue, int32_t dtype, const variant &v, int64_t channels) {
	for (int i = 0; i < 12; i++) {
		mt_cuda_conv_pass pass = (mt_cuda_conv_pass)(i % 3);
		bool turned = pass == MT_CUDA_CONV_GRAD_INPUT;
		run<T>(queue, dtype, v, pass, {turned ? channels : 4, turned ? 4 : channels, i / 3 % 2 + 1}, i >= 6);
	}
}

template <class T> static void run_shared(mt_queue *queue, int32_t dtype) {
	run_passes<T>(queue, dtype, {MT_CUDA_CONV_WIDE, "16 x 128", 16, 128, false, true}, 18);
	run_passes<T>(queue, dtype, {MT_CUDA_CONV_SMALL, "16 x 32", 16, 32, true, true}, 18);
}

void run_conv(mt_queue *queue) {
	const variant large = {MT_CUDA_CONV_LARGE, "128 x 128", 128, 128, false, true};
	const variant large_along_k = {MT_CUDA_CONV_LARGE, "128 x 128", 128, 128, true, true};
	const variant medium = {MT_CUDA_CONV_MEDIUM, "64 x 64", 64, 64, false, true};
	const variant medium_along_k = {MT_CUDA_CONV_MEDIUM, "64 x 64", 64, 64, true, true};
	const variant medium_wide = {MT_CUDA_CONV_MEDIUM, "64 x 64", 64, 64, false, false};
	const variant tensor = {MT_CUDA_CONV_TENSOR, "on tensor cores", 128, 128, false, true};
	const variant tensor_along_k = {MT_CUDA_CONV_TENSOR, "on tensor cores", 128, 128, true, true};
	run_passes<float>(queue, MT_F32, large, 130);
	run_passes<float>(queue, MT_F32, large_along_k, 130);
	run_passes<__half>(queue, MT_F16, tensor, 130);
	run_passes<__half>(queue, MT_F16, tensor_along_k, 130);
	run_passes<__nv_bfloat16>(queue, MT_BF16, tensor, 130);
	run_passes<__nv_bfloat16>(queue, MT_BF16, tensor_along_k, 130);
	for (const variant &v : {medium, medium_along_k, medium_wide}) {
		run_passes<float>(queue, MT_F32, v, 66);
		run_passes<double>(queue, MT_F64, v, 66);
		run_passes<__nv_bfloat16>(queue, MT_BF16, v, 66);
	}
	run_passes<__half>(queue, MT_F16, medium_wide, 66);
	run_shared<float>(queue, MT_F32);
	run_shared<__half>(queue, MT_F16);
	run_shared<__nv_bfloat16>(queue, MT_BF16);
}
