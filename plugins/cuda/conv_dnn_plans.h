/* What is kept between calls of cuDNN: the library's functions, and for each geometry its descriptors. */
#ifndef MT_CUDA_CONV_DNN_PLANS_H
#define MT_CUDA_CONV_DNN_PLANS_H

#include <cudnn.h>

#include "conv_dnn.h"

#define MT_CUDNN_FUNCTIONS(F)                                                                                          \
	F(cudnnGetVersion)                                                                                                 \
	F(cudnnGetErrorString)                                                                                             \
	F(cudnnCreate)                                                                                                     \
	F(cudnnDestroy)                                                                                                    \
	F(cudnnSetStream)                                                                                                  \
	F(cudnnCreateTensorDescriptor)                                                                                     \
	F(cudnnSetTensorNdDescriptor)                                                                                      \
	F(cudnnDestroyTensorDescriptor)                                                                                    \
	F(cudnnCreateFilterDescriptor)                                                                                     \
	F(cudnnSetFilterNdDescriptor)                                                                                      \
	F(cudnnDestroyFilterDescriptor)                                                                                    \
	F(cudnnCreateConvolutionDescriptor)                                                                                \
	F(cudnnSetConvolutionNdDescriptor)                                                                                 \
	F(cudnnSetConvolutionGroupCount)                                                                                   \
	F(cudnnSetConvolutionMathType)                                                                                     \
	F(cudnnDestroyConvolutionDescriptor)                                                                               \
	F(cudnnCreateActivationDescriptor)                                                                                 \
	F(cudnnSetActivationDescriptor)                                                                                    \
	F(cudnnDestroyActivationDescriptor)                                                                                \
	F(cudnnGetConvolutionForwardWorkspaceSize)                                                                         \
	F(cudnnGetConvolutionBackwardDataWorkspaceSize)                                                                    \
	F(cudnnGetConvolutionBackwardFilterWorkspaceSize)                                                                  \
	F(cudnnConvolutionForward)                                                                                         \
	F(cudnnConvolutionBiasActivationForward)                                                                           \
	F(cudnnConvolutionBackwardData)                                                                                    \
	F(cudnnConvolutionBackwardFilter)

struct mt_cudnn {
#define F(name) __typeof__(name) *name;
	MT_CUDNN_FUNCTIONS(F)
#undef F
};

/* Deterministic ones, which sum products: no transforms, whose rounding errors are larger. */
#define MT_CUDNN_FORWARD CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM
#define MT_CUDNN_BACKWARD_DATA CUDNN_CONVOLUTION_BWD_DATA_ALGO_1
#define MT_CUDNN_BACKWARD_FILTER CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1

/* All that a plan depends on; no padding between members. */
struct mt_cuda_dnn_key {
	int32_t pass, dtype, layout, spatial, math, groups;
	int32_t images, in_channels, out_channels;
	int32_t in[3], kernel[3], out[3], stride[3], pad[3], dilation[3];
};

struct mt_cuda_dnn_plan {
	struct mt_cuda_dnn_key key;
	int used;
	int refused;      /* cuDNN has nothing for it */
	int bias_refused; /* … with the bias in the same call */
	uint64_t workspace;
	cudnnTensorDescriptor_t x, out, bias;
	cudnnFilterDescriptor_t weight;
	cudnnConvolutionDescriptor_t conv;
};

enum {
	MT_CUDA_DNN_PLANS = 128,          /* then the oldest makes room */
	MT_CUDA_DNN_MOST_WORKSPACE = 1024 /* MiB; what wants more is refused */
};

struct mt_cuda_dnn_plans {
	struct mt_cuda_dnn_plan plan[MT_CUDA_DNN_PLANS];
	int next;
};

void mt__cuda_dnn_key(struct mt_cuda_dnn_key *key, const struct mt_cuda_dnn_call *call, enum mt_cuda_precision fast);

/* The plan, made where there is none: *status is what cuDNN says of it, whose meaning is the caller's to remember. */
struct mt_cuda_dnn_plan *mt__cuda_dnn_plan(struct mt_cuda_dnn_plans *plans, const struct mt_cudnn *dnn,
                                           cudnnHandle_t handle, const struct mt_cuda_dnn_key *key,
                                           cudnnStatus_t *status);

void mt__cuda_dnn_plans_free(struct mt_cuda_dnn_plans *plans, const struct mt_cudnn *dnn);

#endif
