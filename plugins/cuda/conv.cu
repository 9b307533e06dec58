/* conv, conv_grad_input, conv_grad_weight: by cuDNN (conv_dnn.c) or as a product of our own (conv_plan.h). */
#include "conv_dnn.h"
#include "conv_gemm.cuh"
#include "tensor_cores.cuh"

/* ---- our own product ---- */

/* Activations that would bloat the kernels of tiles are applied to sums on their way from scratch memory. */
static bool wants_parts(int32_t activation) {
	return activation != MT_ACT_NONE && activation != MT_ACT_RELU;
}

/* How the call's product is computed; into *plan, which call keeps. */
static void make_plan(mt_queue *queue, conv_call &call, int32_t dtype, mt_cuda_conv_plan *plan) {
	mt__cuda_conv_plan(plan, call.product, dtype, has_tensor_cores(dtype, queue->device->capability),
	                   wants_parts(call.activation), call.y);
	call.plan = plan;
}

/* call.parts: scratch memory that is large enough, or NULL. */
static int32_t multiply(mt_queue *queue, conv_call &call, int32_t dtype) {
	if (call.plan->parted && !call.parts) {
		call.parts = mt__cuda_scratch(queue, call.plan->scratch, call.name);
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

/* f16 and bf16 are rounded once: what cuDNN has rounded is fit for ReLU alone, and the bias has to be in it. */
static bool is_low(int32_t dtype) {
	return dtype == MT_F16 || dtype == MT_BF16;
}

static mt_cuda_dnn_call library_call(mt_cuda_conv_pass pass, const mt_cuda_conv_geometry &g, const mt_array *x,
                                     const mt_array *weight, const mt_array *out, uint64_t scratch_bytes) {
	mt_cuda_dnn_call call = {};
	call.pass = pass;
	call.geometry = &g;
	call.rank = x->rank;
	call.dtype = x->dtype;
	call.x = address(x);
	call.weight = address(weight);
	call.out = address(out);
	call.scratch_bytes = scratch_bytes;
	return call;
}

extern "C" int32_t mt__cuda_conv(mt_queue *queue, const struct mt_conv_args *args) {
	int32_t dtype = args->out->dtype, status = MT_OK;
	mt_cuda_conv_geometry g;
	mt_cuda_conv_product product;
	mt_cuda_conv_plan plan;
	mt__cuda_conv_geometry(&g, args->x, args->weight, args->out, &args->p);
	mt__cuda_conv_product(&product, MT_CUDA_CONV_FORWARD, &g, 0);
	conv_call call = {"conv", &product, address(args->weight), address(args->x), address(args->out)};
	call.bias = args->bias;
	call.activation = args->activation;
	make_plan(queue, call, dtype, &plan);

	mt_cuda_dnn_done done = MT_CUDA_DNN_NOTHING;
	mt_cuda_dnn_call library = library_call(MT_CUDA_CONV_FORWARD, g, args->x, args->weight, args->out, plan.scratch);
	library.bias = args->bias;
	library.bias_with_it = args->bias && is_low(dtype);
	if (!(is_low(dtype) && wants_parts(args->activation)))
		status = mt__cuda_dnn(queue, &library, &done);
	if (status != MT_OK)
		return status;
	if (done != MT_CUDA_DNN_NOTHING) {
		const mt_array *bias = done == MT_CUDA_DNN_PRODUCT ? args->bias : nullptr;
		return bias || args->activation != MT_ACT_NONE ? add_bias(queue, args->out, bias, args->activation) : MT_OK;
	}
	call.parts = library.scratch;
	return multiply(queue, call, dtype);
}

extern "C" int32_t mt__cuda_conv_grad_input(mt_queue *queue, const struct mt_conv_grad_input_args *args) {
	mt_cuda_conv_geometry g;
	mt_cuda_conv_product product;
	mt_cuda_conv_plan plan;
	mt__cuda_conv_geometry(&g, args->gx, args->weight, args->gout, &args->p);
	mt__cuda_conv_product(&product, MT_CUDA_CONV_GRAD_INPUT, &g, 0);
	conv_call call = {"conv_grad_input", &product, address(args->weight), address(args->gout), address(args->gx)};
	make_plan(queue, call, args->gx->dtype, &plan);

	mt_cuda_dnn_done done = MT_CUDA_DNN_NOTHING;
	mt_cuda_dnn_call library =
		library_call(MT_CUDA_CONV_GRAD_INPUT, g, args->gx, args->weight, args->gout, plan.scratch);
	int32_t status = mt__cuda_dnn(queue, &library, &done);
	if (status != MT_OK || done != MT_CUDA_DNN_NOTHING)
		return status;
	call.parts = library.scratch;
	return multiply(queue, call, args->gx->dtype);
}

extern "C" int32_t mt__cuda_conv_grad_weight(mt_queue *queue, const struct mt_conv_grad_weight_args *args) {
	int32_t dtype = args->gweight->dtype;
	mt_cuda_conv_geometry g;
	mt_cuda_conv_product product, of_bias;
	mt_cuda_conv_plan plan, plan_of_bias;
	mt__cuda_conv_geometry(&g, args->x, args->gweight, args->gout, &args->p);
	mt__cuda_conv_product(&product, MT_CUDA_CONV_GRAD_WEIGHT, &g, args->gbias != nullptr);
	mt__cuda_conv_product_of_bias(&of_bias, &g);
	conv_call call = {"conv_grad_weight", &product, address(args->gout), address(args->x), address(args->gweight)};
	call.ones = args->gbias;
	conv_call bias_call = call;
	bias_call.product = &of_bias;
	make_plan(queue, call, dtype, &plan);
	make_plan(queue, bias_call, dtype, &plan_of_bias);

	mt_cuda_dnn_done done = MT_CUDA_DNN_NOTHING;
	mt_cuda_dnn_call library = library_call(MT_CUDA_CONV_GRAD_WEIGHT, g, args->x, args->gweight, args->gout,
	                                        plan.scratch > plan_of_bias.scratch ? plan.scratch : plan_of_bias.scratch);
	int32_t status = mt__cuda_dnn(queue, &library, &done);
	if (status != MT_OK || (done != MT_CUDA_DNN_NOTHING && !args->gbias))
		return status;
	call.parts = bias_call.parts = library.scratch;
	return multiply(queue, done != MT_CUDA_DNN_NOTHING ? bias_call : call, dtype);
}
