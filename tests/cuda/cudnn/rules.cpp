/* What cuDNN's documentation (API reference of version 9, cudnn_cnn library) asks of a convolution. */
#include <string.h>

#include "stand_in.h"

bool is_channels_last(const int *dims, const int *strides, int rank) {
	int dense = dims[1];
	for (int d = rank - 1; d >= 0; d--) {
		if (strides[d] != (d == 1 ? 1 : dense))
			return false;
		dense *= d == 1 ? 1 : dims[d];
	}
	return true;
}

cudnnStatus_t cudnnGetConvolutionNdForwardOutputDim(cudnnConvolutionDescriptor_t conv, cudnnTensorDescriptor_t x,
                                                    cudnnFilterDescriptor_t w, int rank, int *dims) {
	if (rank != x->rank || rank != w->rank || rank != conv->spatial + 2)
		return CUDNN_STATUS_BAD_PARAM;
	dims[0] = x->dims[0];
	dims[1] = w->dims[0];
	for (int d = 0; d < conv->spatial; d++) {
		int room = x->dims[d + 2] + 2 * conv->pad[d] - ((w->dims[d + 2] - 1) * conv->dilation[d] + 1);
		if (room < 0)
			return CUDNN_STATUS_BAD_PARAM;
		dims[d + 2] = 1 + room / conv->stride[d];
	}
	return CUDNN_STATUS_SUCCESS;
}

static void check_shapes(const convolution &c) {
	int rank = c.x->rank, dims[MOST_DIMS] = {}, real_dims[MOST_DIMS] = {};
	if (rank == 0 || c.w->rank != rank || c.y->rank != rank || c.conv->spatial != rank - 2)
		wrong("ranks: x %d, w %d, y %d, spatial dims %d", rank, c.w->rank, c.y->rank, c.conv->spatial);
	if (rank > 5)
		wrong("%d spatial dims: there are kernels for 2 and 3", rank - 2);
	if (c.x->dims[1] != c.w->dims[1] * c.conv->groups || c.w->dims[0] % c.conv->groups != 0)
		wrong("channels: x %d, w [%d, %d], groups %d", c.x->dims[1], c.w->dims[0], c.w->dims[1], c.conv->groups);
	if (cudnnGetConvolutionNdForwardOutputDim(c.conv, c.x, c.w, rank, dims) != CUDNN_STATUS_SUCCESS)
		wrong("the filter does not fit into x");
	for (int d = 0; d < rank; d++)
		if (dims[d] != c.y->dims[d])
			wrong("y's dim %d is %d, not %d", d, c.y->dims[d], dims[d]);
	if (!real())
		return;
	must_agree("cudnnGetConvolutionNdForwardOutputDim", CUDNN_STATUS_SUCCESS,
	           real()->output_dims(c.conv->real, c.x->real, c.w->real, rank, real_dims));
	if (memcmp(dims, real_dims, sizeof dims) != 0)
		wrong("the real library has other dims of y");
	note("real\n");
}

/* FLOAT_CONFIG, DOUBLE_CONFIG, PSEUDO_HALF_CONFIG, PSEUDO_BFLOAT16_CONFIG: narrow types are summed in f32. */
static void check_types(const convolution &c) {
	bool wide = c.x->type == CUDNN_DATA_DOUBLE;
	if (c.w->type != c.x->type || c.y->type != c.x->type)
		wrong("data types: x %d, w %d, y %d", (int)c.x->type, (int)c.w->type, (int)c.y->type);
	if (c.conv->computed != (wide ? CUDNN_DATA_DOUBLE : CUDNN_DATA_FLOAT))
		wrong("data type %d is computed in %d", (int)c.x->type, (int)c.conv->computed);
	if (c.conv->math == CUDNN_TENSOR_OP_MATH && (wide || c.x->type == CUDNN_DATA_FLOAT))
		wrong("tensor cores for data type %d", (int)c.x->type);
	if (c.conv->mode != CUDNN_CROSS_CORRELATION)
		wrong("a convolution that turns the filter round");
}

/* A filter in NHWC goes with tensors in NHWC alone: "NHWC HWC-packed". */
static void check_layouts(const convolution &c) {
	if (c.w->format == CUDNN_TENSOR_NHWC &&
	    !(is_channels_last(c.x->dims, c.x->strides, c.x->rank) && is_channels_last(c.y->dims, c.y->strides, c.y->rank)))
		wrong("a filter in NHWC, tensors that are not");
}

/* Backward, ALGO_0 and ALGO_3 add atomically: "the results are non-deterministic". */
static void check_algorithm(const convolution &c) {
	bool exists = c.which == FORWARD ? c.algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM ||
	                                       c.algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM
	              : c.which == BACKWARD_DATA ? c.algorithm == CUDNN_CONVOLUTION_BWD_DATA_ALGO_1
	                                         : c.algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1;
	if (!exists)
		wrong("pass %d by algorithm %d, which is not deterministic or not known here", (int)c.which, c.algorithm);
}

void check_convolution(const convolution &c) {
	if (!c.x || !c.w || !c.conv || !c.y)
		wrong("a descriptor is missing");
	check_shapes(c);
	check_types(c);
	check_layouts(c);
	check_algorithm(c);
}

/* cudnnConvolutionBiasActivationForward. */
void check_bias(const convolution &c, cudnnTensorDescriptor_t z, cudnnTensorDescriptor_t bias,
                cudnnActivationDescriptor_t activation) {
	if (!activation || !activation->set || activation->mode != CUDNN_ACTIVATION_IDENTITY)
		wrong("an activation other than the identity");
	if (c.algorithm != CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM)
		wrong("the identity needs IMPLICIT_PRECOMP_GEMM");
	if (activation->nan != CUDNN_NOT_PROPAGATE_NAN)
		wrong("reluNanOpt has to be CUDNN_NOT_PROPAGATE_NAN");
	if (!z || z->rank != c.y->rank || z->type != c.y->type || memcmp(z->dims, c.y->dims, sizeof z->dims) != 0 ||
	    memcmp(z->strides, c.y->strides, sizeof z->strides) != 0)
		wrong("z is not described as y is");
	if (!bias || bias->rank != c.y->rank || bias->type != c.y->type || bias->dims[1] != c.y->dims[1] ||
	    bias->strides[1] != 1)
		wrong("the bias is not [1, %d, 1, 1]", c.y->dims[1]);
	for (int d = 0; d < bias->rank; d++)
		if (d != 1 && bias->dims[d] != 1)
			wrong("the bias's dim %d is %d", d, bias->dims[d]);
}

/* ---- hash ---- */

static uint64_t mix(uint64_t hash, const int *numbers, int n) {
	for (int i = 0; i < n; i++)
		hash = (hash ^ (uint64_t)(unsigned)numbers[i]) * 1099511628211u;
	return hash;
}

/* FNV-1a over numbers; its high bits are the better ones. */
uint64_t hash_of(const convolution &c) {
	int numbers[] = {(int)c.which, (int)c.x->type, (int)c.w->format, (int)c.conv->math, c.conv->groups};
	uint64_t hash = mix(14695981039346656037u, numbers, 5);
	hash = mix(hash, c.x->dims, c.x->rank);
	hash = mix(hash, c.w->dims, c.w->rank);
	hash = mix(hash, c.conv->pad, c.conv->spatial);
	hash = mix(hash, c.conv->stride, c.conv->spatial);
	hash = mix(hash, c.conv->dilation, c.conv->spatial);
	return hash >> 32;
}
