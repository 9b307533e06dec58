/* conv, conv_grad_input, conv_grad_weight: by cuDNN (conv_dnn.c) or as a product of our own (conv_plan.h). */
#include "conv_dnn.h"
#include "conv_gemm.cuh"

/* ---- our own product ---- */

/* Activations that would bloat the kernels of tiles are applied to sums on their way from scratch memory. */
static bool wants_parts(int32_t activation) {
	return activation != MT_ACT_NONE && activation != MT_ACT_RELU;
}

static int32_t multiply(mt_queue *queue, conv_call &call, int32_t dtype) {
	mt_cuda_conv_plan plan;
	mt__cuda_conv_plan(&plan, call.product, dtype, conv_has_tensor(dtype, queue->device->capability),
	                   wants_parts(call.activation), call.y);
	call.plan = &plan;
	if (plan.parted) {
		call.parts = mt__cuda_scratch(queue, plan.scratch, call.name);
		if (!call.parts)
			return MT_E_MEMORY;
	}
	switch (dtype) {
	case MT_F32:
		return conv_gemm_f32(queue, call);
	case MT_F64:
		return conv_gemm_f64(queue, call);
	case MT_F16:
		return conv_gemm_f16(queue, call);
	case MT_BF16:
		return conv_gemm_bf16(queue, call);
	default:
		return no_dtype(dtype, call.name);
	}
}

/* ---- what is left after cuDNN: out = act(out + bias) ---- */

template <class T, class W>
static __global__ void bias_activation_kernel(W w, T *out, const T *bias, int32_t activation) {
	using I = decltype(w.count);
	for (int64_t i = first_position(); i < w.count; i += position_step()) {
		auto at = locate(w, (I)i);
		compute_of<T> sum = load(out[at.at[1]]);
		if (bias)
			sum += load(bias[at.at[0]]);
		store(&out[at.at[1]], activate(activation, sum));
	}
}

static int32_t add_bias(mt_queue *queue, const mt_array *out, const mt_array *bias, int32_t activation) {
	int64_t bias_stride[MT_MAX_RANK] = {};
	if (bias)
		bias_stride[1] = bias->stride[0];
	const int64_t *strides[] = {bias_stride, out->stride};
	mt_cuda_walk merged;
	mt__cuda_walk_any_order(&merged, 2, out->rank, out->shape, strides);
	return for_float(out->dtype, "conv", [&](auto element) -> int32_t {
		using T = decltype(element);
		return for_index<2>(merged, [&](auto w) -> int32_t {
			return launch(queue, "conv", blocks_for(merged.count), BLOCK, bias_activation_kernel<T, decltype(w)>, w,
			              origin<T>(out), (const T *)origin_or_null<T>(bias), activation);
		});
	});
}

/* ---- entry points ---- */

static void *address(const mt_array *a) {
	return origin<char>(a);
}

static int32_t ask_library(mt_queue *queue, mt_cuda_conv_pass pass, const mt_cuda_conv_geometry &g, const mt_array *x,
                           const mt_array *weight, const mt_array *out, const mt_array *bias, mt_cuda_dnn_done *done) {
	mt_cuda_dnn_call call = {};
	call.pass = pass;
	call.geometry = &g;
	call.rank = x->rank;
	call.dtype = x->dtype;
	call.x = address(x);
	call.weight = address(weight);
	call.out = address(out);
	call.bias = bias;
	call.bias_with_it = bias && (x->dtype == MT_F16 || x->dtype == MT_BF16);
	return mt__cuda_dnn(queue, &call, done);
}

/* f16 and bf16 are rounded once: what cuDNN has rounded is fit for ReLU alone. */
static bool rounds_twice(int32_t dtype, int32_t activation) {
	return (dtype == MT_F16 || dtype == MT_BF16) && wants_parts(activation);
}

extern "C" int32_t mt__cuda_conv(mt_queue *queue, const struct mt_conv_args *args) {
	mt_cuda_conv_geometry g;
	mt__cuda_conv_geometry(&g, args->x, args->weight, args->out, &args->p);
	mt_cuda_dnn_done done = MT_CUDA_DNN_NOTHING;
	if (!rounds_twice(args->out->dtype, args->activation)) {
		int32_t status =
			ask_library(queue, MT_CUDA_CONV_FORWARD, g, args->x, args->weight, args->out, args->bias, &done);
		if (status != MT_OK)
			return status;
	}
	if (done != MT_CUDA_DNN_NOTHING) {
		const mt_array *bias = done == MT_CUDA_DNN_PRODUCT ? args->bias : nullptr;
		return bias || args->activation != MT_ACT_NONE ? add_bias(queue, args->out, bias, args->activation) : MT_OK;
	}
	mt_cuda_conv_product product;
	mt__cuda_conv_product(&product, MT_CUDA_CONV_FORWARD, &g, 0);
	conv_call call = {"conv", &product, address(args->weight), address(args->x), address(args->out)};
	call.bias = args->bias;
	call.activation = args->activation;
	return multiply(queue, call, args->out->dtype);
}

extern "C" int32_t mt__cuda_conv_grad_input(mt_queue *queue, const struct mt_conv_grad_input_args *args) {
	mt_cuda_conv_geometry g;
	mt__cuda_conv_geometry(&g, args->gx, args->weight, args->gout, &args->p);
	mt_cuda_dnn_done done = MT_CUDA_DNN_NOTHING;
	int32_t status = ask_library(queue, MT_CUDA_CONV_GRAD_INPUT, g, args->gx, args->weight, args->gout, nullptr, &done);
	if (status != MT_OK || done != MT_CUDA_DNN_NOTHING)
		return status;
	mt_cuda_conv_product product;
	mt__cuda_conv_product(&product, MT_CUDA_CONV_GRAD_INPUT, &g, 0);
	conv_call call = {"conv_grad_input", &product, address(args->weight), address(args->gout), address(args->gx)};
	return multiply(queue, call, args->gx->dtype);
}

extern "C" int32_t mt__cuda_conv_grad_weight(mt_queue *queue, const struct mt_conv_grad_weight_args *args) {
	mt_cuda_conv_geometry g;
	mt__cuda_conv_geometry(&g, args->x, args->gweight, args->gout, &args->p);
	mt_cuda_dnn_done done = MT_CUDA_DNN_NOTHING;
	int32_t status =
		ask_library(queue, MT_CUDA_CONV_GRAD_WEIGHT, g, args->x, args->gweight, args->gout, nullptr, &done);
	if (status != MT_OK || (done != MT_CUDA_DNN_NOTHING && !args->gbias))
		return status;
	mt_cuda_conv_product product;
	if (done != MT_CUDA_DNN_NOTHING)
		mt__cuda_conv_product_of_bias(&product, &g);
	else
		mt__cuda_conv_product(&product, MT_CUDA_CONV_GRAD_WEIGHT, &g, args->gbias != nullptr);
	conv_call call = {"conv_grad_weight", &product, address(args->gout), address(args->x), address(args->gweight)};
	call.ones = args->gbias;
	return multiply(queue, call, args->gweight->dtype);
}
