/* cuDNN's stand-in: workspaces, and convolutions by plain loops, in f64 and rounded once. */
#include <stdio.h>
#include <string.h>

#include "cuda_bf16.h"
#include "cuda_fp16.h"
#include "stand_in.h"

/* ---- elements ---- */

static size_t size_of(cudnnDataType_t type) {
	return type == CUDNN_DATA_DOUBLE ? 8 : type == CUDNN_DATA_FLOAT ? 4 : 2;
}

static double get(cudnnDataType_t type, const void *from, int64_t i) {
	switch (type) {
	case CUDNN_DATA_DOUBLE:
		return ((const double *)from)[i];
	case CUDNN_DATA_HALF:
		return __half2float(((const __half *)from)[i]);
	case CUDNN_DATA_BFLOAT16:
		return __bfloat162float(((const __nv_bfloat16 *)from)[i]);
	default:
		return ((const float *)from)[i];
	}
}

static void put(cudnnDataType_t type, void *to, int64_t i, double value) {
	switch (type) {
	case CUDNN_DATA_DOUBLE:
		((double *)to)[i] = value;
		break;
	case CUDNN_DATA_HALF:
		((__half *)to)[i] = __float2half_rn((float)value);
		break;
	case CUDNN_DATA_BFLOAT16:
		((__nv_bfloat16 *)to)[i] = __float2bfloat16_rn((float)value);
		break;
	default:
		((float *)to)[i] = (float)value;
	}
}

/* alpha and beta: double for CUDNN_DATA_DOUBLE, else float. */
static double factor(cudnnDataType_t type, const void *at) {
	return type == CUDNN_DATA_DOUBLE ? *(const double *)at : *(const float *)at;
}

/* ---- arrays in memory ---- */

/* Indices of an array, one after the other in the order of its dims. */
struct indices {
	int rank;
	const int *dims;
	int at[MOST_DIMS];
	bool done;

	indices(const int *d, int r) : rank(r), dims(d), at(), done(false) {
	}
	void next() {
		int d = rank - 1;
		for (; d >= 0 && ++at[d] == dims[d]; d--)
			at[d] = 0;
		done = d < 0;
	}
	int64_t offset(const int *strides) const {
		int64_t offset = 0;
		for (int d = 0; d < rank; d++)
			offset += (int64_t)at[d] * strides[d];
		return offset;
	}
};

static size_t elements(const int *dims, int rank) {
	size_t count = 1;
	for (int d = 0; d < rank; d++)
		count *= (size_t)dims[d];
	return count;
}

struct memory {
	const char *name;
	const char *at;
	size_t bytes;
};

static bool overlap(const memory &a, const memory &b) {
	return a.bytes > 0 && b.bytes > 0 && a.at < b.at + b.bytes && b.at < a.at + a.bytes;
}

/* Arrays are dense, aligned to 16 bytes, and apart from one another. */
static void check_memory(const convolution &c, const void *x, const void *w, const void *y, const void *bias,
                         const void *workspace, size_t bytes) {
	size_t size = size_of(c.x->type);
	const memory all[] = {
		{"x", (const char *)x, elements(c.x->dims, c.x->rank) * size},
		{"w", (const char *)w, elements(c.w->dims, c.w->rank) * size},
		{"y", (const char *)y, elements(c.y->dims, c.y->rank) * size},
		{"the bias", (const char *)bias, bias ? (size_t)c.y->dims[1] * size : 0},
		{"the workspace", (const char *)workspace, bytes},
	};
	for (const memory &m : all) {
		if (m.bytes > 0 && (!m.at || (uintptr_t)m.at % 16 != 0))
			wrong("%s is at %p", m.name, (const void *)m.at);
		for (const memory &other : all)
			if (&m != &other && overlap(m, other))
				wrong("%s and %s overlap", m.name, other.name);
	}
	if (bytes != workspace_of(c))
		wrong("a workspace of %zu bytes, where %zu were asked for", bytes, workspace_of(c));
	if ((uintptr_t)workspace % 256 != 0)
		wrong("the workspace is at %p", workspace);
}

/* ---- the sums ---- */

/* Where output o and tap t meet: x's index, or false outside of x. */
static bool meet(const convolution &c, const int *out, const int *tap, int64_t *offset) {
	for (int d = 0; d < c.conv->spatial; d++) {
		int at = out[d] * c.conv->stride[d] - c.conv->pad[d] + tap[d] * c.conv->dilation[d];
		if (at < 0 || at >= c.x->dims[d + 2])
			return false;
		*offset += (int64_t)at * c.x->strides[d + 2];
	}
	return true;
}

/* Calls f(offset in x, in w, in y) for all products. */
template <class F> static void products(const convolution &c, F f) {
	int of_group = c.w->dims[0] / c.conv->groups;
	for (indices y(c.y->dims, c.y->rank); !y.done; y.next()) {
		int64_t y_offset = y.offset(c.y->strides);
		int first = y.at[1] / of_group * c.w->dims[1];
		for (indices tap(c.w->dims + 1, c.w->rank - 1); !tap.done; tap.next()) {
			int64_t x_offset = (int64_t)y.at[0] * c.x->strides[0] + (int64_t)(first + tap.at[0]) * c.x->strides[1];
			int64_t w_offset = (int64_t)y.at[1] * c.w->strides[0] + tap.offset(c.w->strides + 1);
			if (meet(c, y.at + 2, tap.at + 1, &x_offset))
				f(x_offset, w_offset, y_offset);
		}
	}
}

static double *zeros(size_t count) {
	return new double[count]();
}

/* What is left where nothing is written, or where the library has failed. */
static void poison(void *at, size_t bytes) {
	memset(at, 0xFF, bytes);
}

static double *sums_of(const convolution &c, const void *x, const void *w, const void *y) {
	cudnnDataType_t type = c.x->type;
	double *sums;
	switch (c.which) {
	case FORWARD:
		sums = zeros(elements(c.y->dims, c.y->rank));
		products(c, [&](int64_t i, int64_t j, int64_t k) { sums[k] += get(type, x, i) * get(type, w, j); });
		break;
	case BACKWARD_DATA:
		sums = zeros(elements(c.x->dims, c.x->rank));
		products(c, [&](int64_t i, int64_t j, int64_t k) { sums[i] += get(type, w, j) * get(type, y, k); });
		break;
	default:
		sums = zeros(elements(c.w->dims, c.w->rank));
		products(c, [&](int64_t i, int64_t j, int64_t k) { sums[j] += get(type, x, i) * get(type, y, k); });
	}
	return sums;
}

struct buffers {
	void *x, *w, *y;
	const void *bias;
	void *workspace;
	size_t bytes;
};

static void *result(const convolution &c, const buffers &b, size_t *count) {
	*count = c.which == FORWARD         ? elements(c.y->dims, c.y->rank)
	         : c.which == BACKWARD_DATA ? elements(c.x->dims, c.x->rank)
	                                    : elements(c.w->dims, c.w->rank);
	return c.which == FORWARD ? b.y : c.which == BACKWARD_DATA ? b.x : b.w;
}

static void add_bias(const convolution &c, const void *bias, double *sums) {
	for (indices y(c.y->dims, c.y->rank); !y.done; y.next())
		sums[y.offset(c.y->strides)] += get(c.y->type, bias, y.at[1]);
}

static void tell(const convolution &c, const char *bias) {
	static const char *const passes[] = {"forward", "backward_data", "backward_filter"};
	const char *type = c.x->type == CUDNN_DATA_DOUBLE  ? "f64"
	                   : c.x->type == CUDNN_DATA_HALF  ? "f16"
	                   : c.x->type == CUDNN_DATA_FLOAT ? "f32"
	                                                   : "bf16";
	note("%s%s %s %s %dd math=%d%s\n", passes[c.which], bias, type, c.w->format == CUDNN_TENSOR_NHWC ? "nhwc" : "nchw",
	     c.conv->spatial, (int)c.conv->math, c.conv->groups > 1 ? " groups" : "");
}

static cudnnStatus_t compute(cudnnHandle_t handle, const convolution &c, const void *alpha, const void *beta,
                             const buffers &b) {
	size_t count;
	cudnnDataType_t type = c.x->type;
	void *out = result(c, b, &count);
	if (!handle || !handle->stream)
		wrong("no handle, or no stream of the queue's");
	if (!alpha || !beta || factor(type, alpha) != 1 || factor(type, beta) != 0)
		wrong("alpha and beta are not 1 and 0");
	check_convolution(c);
	check_memory(c, b.x, b.w, b.y, b.bias, b.workspace, b.bytes);
	cudnnStatus_t status = refusal(c, b.bias ? COMPUTED_WITH_BIAS : COMPUTED);
	poison(b.workspace, b.bytes);
	poison(out, count * size_of(type));
	if (status != CUDNN_STATUS_SUCCESS)
		return status;
	double *sums = sums_of(c, b.x, b.w, b.y);
	if (b.bias)
		add_bias(c, b.bias, sums);
	for (size_t i = 0; i < count; i++)
		put(type, out, (int64_t)i, sums[i]);
	delete[] sums;
	tell(c, b.bias ? "+bias" : "");
	return CUDNN_STATUS_SUCCESS;
}

/* ---- the calls ---- */

static cudnnStatus_t measure(cudnnHandle_t handle, const convolution &c, size_t *bytes) {
	if (!handle || !bytes)
		wrong("no handle");
	check_convolution(c);
	cudnnStatus_t status = refusal(c, MEASURED);
	if (status == CUDNN_STATUS_SUCCESS)
		*bytes = workspace_of(c);
	return status;
}

cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(cudnnHandle_t handle, cudnnTensorDescriptor_t x,
                                                      cudnnFilterDescriptor_t w, cudnnConvolutionDescriptor_t conv,
                                                      cudnnTensorDescriptor_t y, cudnnConvolutionFwdAlgo_t algorithm,
                                                      size_t *bytes) {
	return measure(handle, {FORWARD, x, w, conv, y, (int)algorithm}, bytes);
}

cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(cudnnHandle_t handle, cudnnFilterDescriptor_t w,
                                                           cudnnTensorDescriptor_t dy,
                                                           cudnnConvolutionDescriptor_t conv,
                                                           cudnnTensorDescriptor_t dx,
                                                           cudnnConvolutionBwdDataAlgo_t algorithm, size_t *bytes) {
	return measure(handle, {BACKWARD_DATA, dx, w, conv, dy, (int)algorithm}, bytes);
}

cudnnStatus_t cudnnGetConvolutionBackwardFilterWorkspaceSize(cudnnHandle_t handle, cudnnTensorDescriptor_t x,
                                                             cudnnTensorDescriptor_t dy,
                                                             cudnnConvolutionDescriptor_t conv,
                                                             cudnnFilterDescriptor_t dw,
                                                             cudnnConvolutionBwdFilterAlgo_t algorithm, size_t *bytes) {
	return measure(handle, {BACKWARD_FILTER, x, dw, conv, dy, (int)algorithm}, bytes);
}

cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t handle, const void *alpha, cudnnTensorDescriptor_t lx,
                                      const void *x, cudnnFilterDescriptor_t lw, const void *w,
                                      cudnnConvolutionDescriptor_t conv, cudnnConvolutionFwdAlgo_t algorithm,
                                      void *workspace, size_t bytes, const void *beta, cudnnTensorDescriptor_t ly,
                                      void *y) {
	return compute(handle, {FORWARD, lx, lw, conv, ly, (int)algorithm}, alpha, beta,
	               {(void *)x, (void *)w, y, nullptr, workspace, bytes});
}

cudnnStatus_t cudnnConvolutionBiasActivationForward(
	cudnnHandle_t handle, const void *alpha1, cudnnTensorDescriptor_t lx, const void *x, cudnnFilterDescriptor_t lw,
	const void *w, cudnnConvolutionDescriptor_t conv, cudnnConvolutionFwdAlgo_t algorithm, void *workspace,
	size_t bytes, const void *alpha2, cudnnTensorDescriptor_t lz, const void *z, cudnnTensorDescriptor_t lbias,
	const void *bias, cudnnActivationDescriptor_t activation, cudnnTensorDescriptor_t ly, void *y) {
	convolution c = {FORWARD, lx, lw, conv, ly, (int)algorithm};
	check_bias(c, lz, lbias, activation);
	if (!bias || z != y)
		wrong("no bias, or z is another array than y");
	return compute(handle, c, alpha1, alpha2, {(void *)x, (void *)w, y, bias, workspace, bytes});
}

cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t handle, const void *alpha, cudnnFilterDescriptor_t lw,
                                           const void *w, cudnnTensorDescriptor_t ly, const void *dy,
                                           cudnnConvolutionDescriptor_t conv, cudnnConvolutionBwdDataAlgo_t algorithm,
                                           void *workspace, size_t bytes, const void *beta, cudnnTensorDescriptor_t lx,
                                           void *dx) {
	return compute(handle, {BACKWARD_DATA, lx, lw, conv, ly, (int)algorithm}, alpha, beta,
	               {dx, (void *)w, (void *)dy, nullptr, workspace, bytes});
}

cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t handle, const void *alpha, cudnnTensorDescriptor_t lx,
                                             const void *x, cudnnTensorDescriptor_t ly, const void *dy,
                                             cudnnConvolutionDescriptor_t conv,
                                             cudnnConvolutionBwdFilterAlgo_t algorithm, void *workspace, size_t bytes,
                                             const void *beta, cudnnFilterDescriptor_t lw, void *dw) {
	return compute(handle, {BACKWARD_FILTER, lx, lw, conv, ly, (int)algorithm}, alpha, beta,
	               {(void *)x, dw, (void *)dy, nullptr, workspace, bytes});
}
