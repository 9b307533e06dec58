#ifdef MT_HAVE_CUDNN

#include "conv_dnn_plans.h"

#include <string.h>

/* ---- keys ---- */

/* f32 is f32 unless something else was asked for: then TF32, which cuDNN has and which is no less exact than bf16. */
static cudnnMathType_t math_of(int32_t dtype, enum mt_cuda_precision fast) {
	if (dtype == MT_F16 || dtype == MT_BF16)
		return CUDNN_TENSOR_OP_MATH;
	return dtype == MT_F32 && fast != MT_CUDA_F32 ? CUDNN_DEFAULT_MATH : CUDNN_FMA_MATH;
}

/* Everything fits in 32 bits: mt__cuda_conv_inexpressible has looked. */
void mt__cuda_dnn_key(struct mt_cuda_dnn_key *key, const struct mt_cuda_dnn_call *call, enum mt_cuda_precision fast) {
	const struct mt_cuda_conv_geometry *g = call->geometry;
	memset(key, 0, sizeof *key);
	key->pass = (int32_t)call->pass;
	key->dtype = call->dtype;
	key->layout = (int32_t)mt__cuda_conv_layout(g);
	key->spatial = call->rank == 5 ? 3 : 2;
	key->math = (int32_t)math_of(call->dtype, fast);
	key->groups = (int32_t)g->groups;
	key->images = (int32_t)g->images;
	key->in_channels = (int32_t)g->in_channels;
	key->out_channels = (int32_t)g->out_channels;
	for (int d = 0; d < 3; d++) {
		key->in[d] = (int32_t)g->in[d];
		key->kernel[d] = (int32_t)g->kernel[d];
		key->out[d] = (int32_t)g->out[d];
		key->stride[d] = (int32_t)g->stride[d];
		key->pad[d] = (int32_t)g->pad[d];
		key->dilation[d] = (int32_t)g->dilation[d];
	}
}

/* ---- descriptors ---- */

static cudnnDataType_t data_type(int32_t dtype) {
	switch (dtype) {
	case MT_F64:
		return CUDNN_DATA_DOUBLE;
	case MT_F16:
		return CUDNN_DATA_HALF;
	case MT_BF16:
		return CUDNN_DATA_BFLOAT16;
	default:
		return CUDNN_DATA_FLOAT;
	}
}

/* [outer, channels, space…] of the spatial dims that cuDNN gets: the last two, or all three. */
static int dims_of(const struct mt_cuda_dnn_key *key, int32_t outer, int32_t channels, const int32_t *space,
                   int dims[5]) {
	dims[0] = outer;
	dims[1] = channels;
	for (int d = 0; d < key->spatial; d++)
		dims[2 + d] = space[3 - key->spatial + d];
	return 2 + key->spatial;
}

/* Strides of a dense array; channels are outermost within an image, or innermost. */
static void dense_strides(const struct mt_cuda_dnn_key *key, int rank, const int dims[5], int strides[5]) {
	int dense = 1, last = key->layout == MT_CUDA_CONV_CHANNELS_LAST;
	if (last) {
		strides[1] = 1;
		dense = dims[1];
	}
	for (int d = rank - 1; d >= 0; d--)
		if (!last || d != 1) {
			strides[d] = dense;
			dense *= dims[d];
		}
}

static cudnnStatus_t make_tensor(const struct mt_cudnn *dnn, const struct mt_cuda_dnn_key *key, int32_t images,
                                 int32_t channels, const int32_t *space, cudnnTensorDescriptor_t *out) {
	int dims[5], strides[5], rank = dims_of(key, images, channels, space, dims);
	dense_strides(key, rank, dims, strides);
	cudnnStatus_t status = dnn->cudnnCreateTensorDescriptor(out);
	if (status != CUDNN_STATUS_SUCCESS)
		return status;
	return dnn->cudnnSetTensorNdDescriptor(*out, data_type(key->dtype), rank, dims, strides);
}

static cudnnStatus_t make_filter(const struct mt_cudnn *dnn, const struct mt_cuda_dnn_key *key,
                                 cudnnFilterDescriptor_t *out) {
	int dims[5], rank = dims_of(key, key->groups * key->out_channels, key->in_channels, key->kernel, dims);
	cudnnTensorFormat_t format = key->layout == MT_CUDA_CONV_CHANNELS_LAST ? CUDNN_TENSOR_NHWC : CUDNN_TENSOR_NCHW;
	cudnnStatus_t status = dnn->cudnnCreateFilterDescriptor(out);
	if (status != CUDNN_STATUS_SUCCESS)
		return status;
	return dnn->cudnnSetFilterNdDescriptor(*out, data_type(key->dtype), format, rank, dims);
}

static cudnnStatus_t make_convolution(const struct mt_cudnn *dnn, const struct mt_cuda_dnn_key *key,
                                      cudnnConvolutionDescriptor_t *out) {
	int first = 3 - key->spatial;
	cudnnDataType_t computed = key->dtype == MT_F64 ? CUDNN_DATA_DOUBLE : CUDNN_DATA_FLOAT;
	cudnnStatus_t status = dnn->cudnnCreateConvolutionDescriptor(out);
	if (status == CUDNN_STATUS_SUCCESS)
		status = dnn->cudnnSetConvolutionNdDescriptor(*out, key->spatial, key->pad + first, key->stride + first,
		                                              key->dilation + first, CUDNN_CROSS_CORRELATION, computed);
	if (status == CUDNN_STATUS_SUCCESS)
		status = dnn->cudnnSetConvolutionGroupCount(*out, key->groups);
	if (status == CUDNN_STATUS_SUCCESS)
		status = dnn->cudnnSetConvolutionMathType(*out, (cudnnMathType_t)key->math);
	return status;
}

static cudnnStatus_t measure(const struct mt_cudnn *dnn, cudnnHandle_t handle, struct mt_cuda_dnn_plan *p) {
	size_t bytes = 0;
	cudnnStatus_t status;
	if (p->key.pass == MT_CUDA_CONV_FORWARD)
		status = dnn->cudnnGetConvolutionForwardWorkspaceSize(handle, p->x, p->weight, p->conv, p->out,
		                                                      MT_CUDNN_FORWARD, &bytes);
	else if (p->key.pass == MT_CUDA_CONV_GRAD_INPUT)
		status = dnn->cudnnGetConvolutionBackwardDataWorkspaceSize(handle, p->weight, p->out, p->conv, p->x,
		                                                           MT_CUDNN_BACKWARD_DATA, &bytes);
	else
		status = dnn->cudnnGetConvolutionBackwardFilterWorkspaceSize(handle, p->x, p->out, p->conv, p->weight,
		                                                             MT_CUDNN_BACKWARD_FILTER, &bytes);
	p->workspace = bytes;
	if (status == CUDNN_STATUS_SUCCESS && bytes > (size_t)MT_CUDA_DNN_MOST_WORKSPACE << 20)
		status = CUDNN_STATUS_NOT_SUPPORTED;
	return status;
}

static cudnnStatus_t make_plan(const struct mt_cudnn *dnn, cudnnHandle_t handle, struct mt_cuda_dnn_plan *p) {
	const struct mt_cuda_dnn_key *key = &p->key;
	static const int32_t ones[3] = {1, 1, 1};
	int32_t out_channels = key->groups * key->out_channels;
	cudnnStatus_t status = make_tensor(dnn, key, key->images, key->groups * key->in_channels, key->in, &p->x);
	if (status == CUDNN_STATUS_SUCCESS)
		status = make_tensor(dnn, key, key->images, out_channels, key->out, &p->out);
	if (status == CUDNN_STATUS_SUCCESS)
		status = make_tensor(dnn, key, 1, out_channels, ones, &p->bias);
	if (status == CUDNN_STATUS_SUCCESS)
		status = make_filter(dnn, key, &p->weight);
	if (status == CUDNN_STATUS_SUCCESS)
		status = make_convolution(dnn, key, &p->conv);
	return status == CUDNN_STATUS_SUCCESS ? measure(dnn, handle, p) : status;
}

static void free_plan(struct mt_cuda_dnn_plan *p, const struct mt_cudnn *dnn) {
	if (p->x)
		dnn->cudnnDestroyTensorDescriptor(p->x);
	if (p->out)
		dnn->cudnnDestroyTensorDescriptor(p->out);
	if (p->bias)
		dnn->cudnnDestroyTensorDescriptor(p->bias);
	if (p->weight)
		dnn->cudnnDestroyFilterDescriptor(p->weight);
	if (p->conv)
		dnn->cudnnDestroyConvolutionDescriptor(p->conv);
	memset(p, 0, sizeof *p);
}

/* ---- plans ---- */

struct mt_cuda_dnn_plan *mt__cuda_dnn_plan(struct mt_cuda_dnn_plans *plans, const struct mt_cudnn *dnn,
                                           cudnnHandle_t handle, const struct mt_cuda_dnn_key *key,
                                           cudnnStatus_t *status) {
	*status = CUDNN_STATUS_SUCCESS;
	for (int i = 0; i < MT_CUDA_DNN_PLANS; i++) {
		struct mt_cuda_dnn_plan *p = &plans->plan[i];
		if (p->used && memcmp(&p->key, key, sizeof *key) == 0)
			return p;
	}
	struct mt_cuda_dnn_plan *p = &plans->plan[plans->next];
	plans->next = (plans->next + 1) % MT_CUDA_DNN_PLANS;
	free_plan(p, dnn);
	p->key = *key;
	p->used = 1;
	*status = make_plan(dnn, handle, p);
	return p;
}

void mt__cuda_dnn_plans_free(struct mt_cuda_dnn_plans *plans, const struct mt_cudnn *dnn) {
	for (int i = 0; i < MT_CUDA_DNN_PLANS; i++)
		free_plan(&plans->plan[i], dnn);
}

#else

typedef int mt__cuda_no_dnn_plans; /* C wants something in each file */

#endif
