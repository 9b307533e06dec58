/* What the sources of cuDNN's stand-in share.
 *
 * A call that the real library would refuse whoever makes it (CUDNN_STATUS_BAD_PARAM, and what its documentation rules
 * out) ends the program with a message: the plugin takes a refusal for something that cuDNN has no kernel for, and
 * would hide it.
 *
 *     MT_CUDNN_LOG=FILE      a line in FILE for each handle, and each convolution that was computed
 *     MT_CUDNN_REFUSES=WHAT  what cuDNN may refuse, or fail in (refusals.cpp)
 *     MT_CUDNN_VERSION=N     what cudnnGetVersion says
 *     MT_CUDNN_REAL=FILE     a real libcudnn: it is given every descriptor too, and must agree (real.cpp) */
#ifndef MT_STAND_IN_H
#define MT_STAND_IN_H

#include <stdint.h>

#include "cudnn.h"

enum { MOST_DIMS = 8 };

struct cudnnContext {
	cudaStream_t stream;
};

struct cudnnTensorStruct {
	int rank; /* 0: not set */
	cudnnDataType_t type;
	int dims[MOST_DIMS], strides[MOST_DIMS];
	cudnnTensorDescriptor_t real;
};

struct cudnnFilterStruct {
	int rank;
	cudnnDataType_t type;
	cudnnTensorFormat_t format;
	int dims[MOST_DIMS], strides[MOST_DIMS];
	cudnnFilterDescriptor_t real;
};

struct cudnnConvolutionStruct {
	int spatial;
	int pad[MOST_DIMS], stride[MOST_DIMS], dilation[MOST_DIMS];
	cudnnConvolutionMode_t mode;
	cudnnDataType_t computed;
	cudnnMathType_t math;
	int groups;
	cudnnConvolutionDescriptor_t real;
};

struct cudnnActivationStruct {
	int set;
	cudnnActivationMode_t mode;
	cudnnNanPropagation_t nan;
	cudnnActivationDescriptor_t real;
};

enum pass { FORWARD, BACKWARD_DATA, BACKWARD_FILTER };

/* One convolution; x, w and y stand for their gradients where those are asked for. */
struct convolution {
	pass which;
	cudnnTensorDescriptor_t x;
	cudnnFilterDescriptor_t w;
	cudnnConvolutionDescriptor_t conv;
	cudnnTensorDescriptor_t y;
	int algorithm;
};

/* Ends the program. */
[[noreturn]] void wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line in MT_CUDNN_LOG. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

bool is_channels_last(const int *dims, const int *strides, int rank);

/* ---- rules.cpp: ends the program where the library has no such thing ---- */

void check_convolution(const convolution &c);
void check_bias(const convolution &c, cudnnTensorDescriptor_t z, cudnnTensorDescriptor_t bias,
                cudnnActivationDescriptor_t activation);

/* A number that depends on all that the descriptors say. */
uint64_t hash_of(const convolution &c);

/* ---- refusals.cpp ---- */

enum moment { MEASURED, COMPUTED, COMPUTED_WITH_BIAS };

/* CUDNN_STATUS_SUCCESS, or what the environment asks for. */
cudnnStatus_t refusal(const convolution &c, moment when);

/* What the convolution's workspace has to be, exactly. */
size_t workspace_of(const convolution &c);

/* ---- real.cpp ---- */

struct real_library {
	__typeof__(cudnnCreateTensorDescriptor) *create_tensor;
	__typeof__(cudnnSetTensorNdDescriptor) *set_tensor;
	__typeof__(cudnnDestroyTensorDescriptor) *destroy_tensor;
	__typeof__(cudnnCreateFilterDescriptor) *create_filter;
	__typeof__(cudnnSetFilterNdDescriptor) *set_filter;
	__typeof__(cudnnDestroyFilterDescriptor) *destroy_filter;
	__typeof__(cudnnCreateConvolutionDescriptor) *create_convolution;
	__typeof__(cudnnSetConvolutionNdDescriptor) *set_convolution;
	__typeof__(cudnnSetConvolutionGroupCount) *set_groups;
	__typeof__(cudnnSetConvolutionMathType) *set_math;
	__typeof__(cudnnDestroyConvolutionDescriptor) *destroy_convolution;
	__typeof__(cudnnCreateActivationDescriptor) *create_activation;
	__typeof__(cudnnSetActivationDescriptor) *set_activation;
	__typeof__(cudnnDestroyActivationDescriptor) *destroy_activation;
	__typeof__(cudnnGetConvolutionNdForwardOutputDim) *output_dims;
	__typeof__(cudnnGetErrorString) *text;
};

/* NULL where none was asked for. */
const real_library *real();

/* Ends the program where the real library does not answer as the stand-in does. */
void must_agree(const char *function, cudnnStatus_t here, cudnnStatus_t there);

#endif
