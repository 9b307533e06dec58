/* cuDNN's stand-in: handles and descriptors. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atomic>

#include "stand_in.h"

static std::atomic<int> handles, descriptors;

void wrong(const char *format, ...) {
	va_list arguments;
	va_start(arguments, format);
	fputs("cuDNN's stand-in: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	abort();
}

void note(const char *format, ...) {
	static const char *path = getenv("MT_CUDNN_LOG");
	FILE *file = path ? fopen(path, "a") : nullptr;
	if (!file)
		return;
	va_list arguments;
	va_start(arguments, format);
	vfprintf(file, format, arguments);
	va_end(arguments);
	fclose(file);
}

/* ---- the library ---- */

size_t cudnnGetVersion(void) {
	const char *version = getenv("MT_CUDNN_VERSION");
	return version ? strtoul(version, nullptr, 10) : CUDNN_VERSION;
}

const char *cudnnGetErrorString(cudnnStatus_t status) {
	switch (status) {
#define STATUS(name)                                                                                                   \
	case name:                                                                                                         \
		return #name;
		STATUS(CUDNN_STATUS_SUCCESS)
		STATUS(CUDNN_STATUS_NOT_INITIALIZED)
		STATUS(CUDNN_STATUS_BAD_PARAM)
		STATUS(CUDNN_STATUS_NOT_SUPPORTED)
		STATUS(CUDNN_STATUS_NOT_SUPPORTED_SHAPE)
		STATUS(CUDNN_STATUS_NOT_SUPPORTED_LAYOUT)
		STATUS(CUDNN_STATUS_NOT_SUPPORTED_ARCH_MISMATCH)
		STATUS(CUDNN_STATUS_INTERNAL_ERROR)
		STATUS(CUDNN_STATUS_EXECUTION_FAILED)
#undef STATUS
	}
	return "CUDNN_UNKNOWN_STATUS";
}

cudnnStatus_t cudnnCreate(cudnnHandle_t *out) {
	const char *refuses = getenv("MT_CUDNN_REFUSES");
	if (refuses && strcmp(refuses, "create") == 0)
		return CUDNN_STATUS_NOT_INITIALIZED;
	*out = new cudnnContext();
	handles++;
	note("create\n");
	return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
	if (!handle)
		wrong("no handle to destroy");
	delete handle;
	if (--handles == 0 && descriptors != 0)
		wrong("%d descriptors are left after the last handle", descriptors.load());
	note("destroy\n");
	return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
	handle->stream = stream;
	return CUDNN_STATUS_SUCCESS;
}

/* ---- descriptors ---- */

template <class D, class Create> static cudnnStatus_t create(D *out, const char *name, Create real_create) {
	*out = new typename std::remove_pointer<D>::type();
	descriptors++;
	if (real())
		must_agree(name, CUDNN_STATUS_SUCCESS, (real()->*real_create)(&(*out)->real));
	return CUDNN_STATUS_SUCCESS;
}

template <class D, class Destroy> static cudnnStatus_t destroy(D descriptor, const char *name, Destroy real_destroy) {
	if (!descriptor)
		wrong("%s: there is none", name);
	if (real())
		must_agree(name, CUDNN_STATUS_SUCCESS, (real()->*real_destroy)(descriptor->real));
	delete descriptor;
	descriptors--;
	return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t *out) {
	return create(out, __func__, &real_library::create_tensor);
}
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t t) {
	return destroy(t, __func__, &real_library::destroy_tensor);
}
cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t *out) {
	return create(out, __func__, &real_library::create_filter);
}
cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t w) {
	return destroy(w, __func__, &real_library::destroy_filter);
}
cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t *out) {
	return create(out, __func__, &real_library::create_convolution);
}
cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t c) {
	return destroy(c, __func__, &real_library::destroy_convolution);
}
cudnnStatus_t cudnnCreateActivationDescriptor(cudnnActivationDescriptor_t *out) {
	return create(out, __func__, &real_library::create_activation);
}
cudnnStatus_t cudnnDestroyActivationDescriptor(cudnnActivationDescriptor_t a) {
	return destroy(a, __func__, &real_library::destroy_activation);
}

static void copy(int *to, const int *from, int n) {
	memcpy(to, from, (size_t)n * sizeof *to);
}

/* cudnnSetTensorNdDescriptor: "nbDims is outside the range [4, CUDNN_DIM_MAX]"; 2^31 - 1 elements; no dim below 1. */
static bool are_dims(const int *dims, int rank) {
	double elements = 1;
	for (int d = 0; d < rank; d++) {
		if (dims[d] < 1)
			return false;
		elements *= dims[d];
	}
	return rank >= 4 && rank <= MOST_DIMS && elements <= INT32_MAX;
}

static bool is_type(cudnnDataType_t type) {
	return type == CUDNN_DATA_FLOAT || type == CUDNN_DATA_DOUBLE || type == CUDNN_DATA_HALF ||
	       type == CUDNN_DATA_BFLOAT16;
}

cudnnStatus_t cudnnSetTensorNdDescriptor(cudnnTensorDescriptor_t t, cudnnDataType_t type, int rank, const int *dims,
                                         const int *strides) {
	if (!t || !is_type(type) || !are_dims(dims, rank))
		wrong("%s: rank %d, or a dim", __func__, rank);
	for (int d = 0; d < rank; d++)
		if (strides[d] < 1)
			wrong("%s: a stride of %d", __func__, strides[d]);
	t->rank = rank;
	t->type = type;
	copy(t->dims, dims, rank);
	copy(t->strides, strides, rank);
	if (real())
		must_agree(__func__, CUDNN_STATUS_SUCCESS, real()->set_tensor(t->real, type, rank, dims, strides));
	return CUDNN_STATUS_SUCCESS;
}

/* NCHW: [k, c, space…] in this order; NHWC: [k, space…, c], though dims are given as [k, c, space…]. */
static void filter_strides(cudnnFilterDescriptor_t w) {
	bool last = w->format == CUDNN_TENSOR_NHWC;
	int dense = last ? w->dims[1] : 1;
	w->strides[1] = 1;
	for (int d = w->rank - 1; d >= 0; d--)
		if (!last || d != 1) {
			w->strides[d] = dense;
			dense *= w->dims[d];
		}
}

cudnnStatus_t cudnnSetFilterNdDescriptor(cudnnFilterDescriptor_t w, cudnnDataType_t type, cudnnTensorFormat_t format,
                                         int rank, const int *dims) {
	if (!w || !is_type(type) || !are_dims(dims, rank))
		wrong("%s: rank %d, or a dim", __func__, rank);
	if (format != CUDNN_TENSOR_NCHW && format != CUDNN_TENSOR_NHWC)
		wrong("%s: format %d", __func__, (int)format);
	w->rank = rank;
	w->type = type;
	w->format = format;
	copy(w->dims, dims, rank);
	filter_strides(w);
	if (real())
		must_agree(__func__, CUDNN_STATUS_SUCCESS, real()->set_filter(w->real, type, format, rank, dims));
	return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetConvolutionNdDescriptor(cudnnConvolutionDescriptor_t c, int spatial, const int *pad,
                                              const int *stride, const int *dilation, cudnnConvolutionMode_t mode,
                                              cudnnDataType_t computed) {
	if (!c || spatial < 2 || spatial > MOST_DIMS - 2 || !is_type(computed))
		wrong("%s: %d dims", __func__, spatial);
	for (int d = 0; d < spatial; d++)
		if (pad[d] < 0 || stride[d] < 1 || dilation[d] < 1)
			wrong("%s: padding %d, stride %d, dilation %d", __func__, pad[d], stride[d], dilation[d]);
	c->spatial = spatial;
	copy(c->pad, pad, spatial);
	copy(c->stride, stride, spatial);
	copy(c->dilation, dilation, spatial);
	c->mode = mode;
	c->computed = computed;
	c->groups = 1;
	if (real())
		must_agree(__func__, CUDNN_STATUS_SUCCESS,
		           real()->set_convolution(c->real, spatial, pad, stride, dilation, mode, computed));
	return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetConvolutionGroupCount(cudnnConvolutionDescriptor_t c, int groups) {
	if (!c || groups < 1)
		wrong("%s: %d", __func__, groups);
	c->groups = groups;
	if (real())
		must_agree(__func__, CUDNN_STATUS_SUCCESS, real()->set_groups(c->real, groups));
	return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t c, cudnnMathType_t math) {
	if (!c || (math != CUDNN_DEFAULT_MATH && math != CUDNN_TENSOR_OP_MATH && math != CUDNN_FMA_MATH))
		wrong("%s: %d", __func__, (int)math);
	c->math = math;
	if (real())
		must_agree(__func__, CUDNN_STATUS_SUCCESS, real()->set_math(c->real, math));
	return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetActivationDescriptor(cudnnActivationDescriptor_t a, cudnnActivationMode_t mode,
                                           cudnnNanPropagation_t nan, double coefficient) {
	if (!a)
		wrong("%s: no descriptor", __func__);
	a->set = 1;
	a->mode = mode;
	a->nan = nan;
	if (real())
		must_agree(__func__, CUDNN_STATUS_SUCCESS, real()->set_activation(a->real, mode, nan, coefficient));
	return CUDNN_STATUS_SUCCESS;
}
