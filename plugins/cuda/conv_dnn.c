#include "conv_dnn.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef MT_HAVE_CUDNN
#include <dlfcn.h>

#include "conv_dnn_plans.h"
#endif

struct mt_cuda_conv {
	int told;      /* which library is used, in the log */
	int tried;     /* to have cuDNN */
	char why[512]; /* it is not there; "" where it is */
#ifdef MT_HAVE_CUDNN
	struct mt_cudnn dnn;
	cudnnHandle_t handle;
	cudnnActivationDescriptor_t identity;
	struct mt_cuda_dnn_plans plans;
#endif
};

/* ---- the log ---- */

__attribute__((format(printf, 3, 4))) static void tell(const mt_plugin_device *device, int32_t level,
                                                       const char *format, ...) {
	char text[768];
	int n = snprintf(text, sizeof text, "cuda:%d: ", device->ordinal);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text + n, sizeof text - (size_t)n, format, arguments);
	va_end(arguments);
	mt__cuda_host->log(level, text);
}

static struct mt_cuda_conv *state_of(mt_plugin_device *device) {
	if (!device->conv)
		device->conv = calloc(1, sizeof *device->conv);
	return device->conv;
}

/* Why the kernels here do this convolution; NULL where cuDNN is to be asked. */
static const char *why_not(const mt_plugin_device *device, const struct mt_cuda_dnn_call *call) {
	const char *reason = mt__cuda_conv_inexpressible(call->geometry);
	if (!reason && ((uintptr_t)call->x | (uintptr_t)call->weight | (uintptr_t)call->out) % 16 != 0)
		reason = "an array's address is no multiple of 16";
	if (!reason && device->options.conv == MT_CUDA_AUTO && !mt__cuda_conv_library_pays(call->geometry))
		reason = "it is too small";
	return reason;
}

#ifdef MT_HAVE_CUDNN

/* ---- the library ---- */

static int refuse(struct mt_cuda_conv *c, const char *what, const char *reason) {
	snprintf(c->why, sizeof c->why, "%s: %s", what, reason);
	return 0;
}

static int find_functions(struct mt_cuda_conv *c, void *library) {
	const struct {
		const char *name;
		void **to;
	} wanted[] = {
#define F(name) {#name, (void **)&c->dnn.name},
		MT_CUDNN_FUNCTIONS(F)
#undef F
	};
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		*wanted[i].to = dlsym(library, wanted[i].name);
		if (!*wanted[i].to)
			return refuse(c, wanted[i].name, "is not in the library");
	}
	return 1;
}

/* The identity, for cudnnConvolutionBiasActivationForward, which is documented for CUDNN_NOT_PROPAGATE_NAN alone. */
static int make_handle(struct mt_cuda_conv *c) {
	cudnnStatus_t status = c->dnn.cudnnCreate(&c->handle);
	if (status == CUDNN_STATUS_SUCCESS)
		status = c->dnn.cudnnCreateActivationDescriptor(&c->identity);
	if (status == CUDNN_STATUS_SUCCESS)
		status =
			c->dnn.cudnnSetActivationDescriptor(c->identity, CUDNN_ACTIVATION_IDENTITY, CUDNN_NOT_PROPAGATE_NAN, 0);
	return status == CUDNN_STATUS_SUCCESS || refuse(c, "cudnnCreate", c->dnn.cudnnGetErrorString(status));
}

/* "9.1.0" */
static void version_of(const struct mt_cuda_conv *c, char *text, size_t size) {
	size_t version = c->dnn.cudnnGetVersion(), unit = version >= 90000 ? 10000 : 1000;
	snprintf(text, size, "%zu.%zu.%zu", version / unit, version % unit / 100, version % 100);
}

/* Numbers of statuses are others in another major version, whatever a link in a file system says. */
static int has_version(struct mt_cuda_conv *c, const char *soname) {
	char version[64], why[128];
	version_of(c, version, sizeof version);
	if (atoi(version) == CUDNN_MAJOR)
		return 1;
	snprintf(why, sizeof why, "it is cuDNN %s, mt was built for %d", version, CUDNN_MAJOR);
	return refuse(c, soname, why);
}

static void load_library(struct mt_cuda_conv *c) {
	char soname[32], why[400];
	snprintf(soname, sizeof soname, "libcudnn.so.%d", CUDNN_MAJOR);
	void *library = mt__cuda_library(soname, why, sizeof why);
	if (!library)
		refuse(c, soname, why);
	else if (find_functions(c, library) && has_version(c, soname))
		make_handle(c);
}

/* Whether cuDNN is there. */
static int has_library(mt_plugin_device *device, struct mt_cuda_conv *c) {
	if (!c->tried) {
		c->tried = 1;
		load_library(c);
		if (c->why[0] == '\0') {
			char version[64];
			version_of(c, version, sizeof version);
			tell(device, MT_LOG_INFO, "%s by cuDNN %s",
			     device->options.conv == MT_CUDA_AUTO ? "large convolutions" : "convolutions", version);
		}
	}
	return c->why[0] == '\0';
}

/* ---- calls ---- */

union number {
	float f;
	double d;
};

static union number number_of(int32_t dtype, int value) {
	union number n;
	if (dtype == MT_F64)
		n.d = value;
	else
		n.f = (float)value;
	return n;
}

static cudnnStatus_t forward_with_bias(const struct mt_cuda_conv *c, const struct mt_cuda_dnn_plan *p,
                                       const struct mt_cuda_dnn_call *call, void *workspace) {
	union number one = number_of(call->dtype, 1), zero = number_of(call->dtype, 0);
	const char *bias = (const char *)call->bias->base + call->bias->byte_offset;
	return c->dnn.cudnnConvolutionBiasActivationForward(
		c->handle, &one, p->x, call->x, p->weight, call->weight, p->conv, MT_CUDNN_FORWARD, workspace, p->workspace,
		&zero, p->out, call->out, p->bias, bias, c->identity, p->out, call->out);
}

static cudnnStatus_t product(const struct mt_cuda_conv *c, const struct mt_cuda_dnn_plan *p,
                             const struct mt_cuda_dnn_call *call, void *workspace) {
	union number one = number_of(call->dtype, 1), zero = number_of(call->dtype, 0);
	switch (call->pass) {
	case MT_CUDA_CONV_FORWARD:
		return c->dnn.cudnnConvolutionForward(c->handle, &one, p->x, call->x, p->weight, call->weight, p->conv,
		                                      MT_CUDNN_FORWARD, workspace, p->workspace, &zero, p->out, call->out);
	case MT_CUDA_CONV_GRAD_INPUT:
		return c->dnn.cudnnConvolutionBackwardData(c->handle, &one, p->weight, call->weight, p->out, call->out, p->conv,
		                                           MT_CUDNN_BACKWARD_DATA, workspace, p->workspace, &zero, p->x,
		                                           call->x);
	default:
		return c->dnn.cudnnConvolutionBackwardFilter(c->handle, &one, p->x, call->x, p->out, call->out, p->conv,
		                                             MT_CUDNN_BACKWARD_FILTER, workspace, p->workspace, &zero,
		                                             p->weight, call->weight);
	}
}

/* Whether cuDNN has nothing for the call, in words of version 9, where statuses come in thousands, or 8. */
static int is_refusal(cudnnStatus_t status) {
#if CUDNN_MAJOR >= 9
	return status / 1000 == CUDNN_STATUS_NOT_SUPPORTED / 1000 || status / 1000 == CUDNN_STATUS_BAD_PARAM / 1000;
#else
	return status == CUDNN_STATUS_NOT_SUPPORTED || status == CUDNN_STATUS_BAD_PARAM ||
	       status == CUDNN_STATUS_ARCH_MISMATCH;
#endif
}

static const char *pass_name(enum mt_cuda_conv_pass pass) {
	return pass == MT_CUDA_CONV_FORWARD      ? "conv"
	       : pass == MT_CUDA_CONV_GRAD_INPUT ? "conv_grad_input"
	                                         : "conv_grad_weight";
}

static void tell_refusal(const mt_queue *queue, const struct mt_cuda_conv *c, const struct mt_cuda_dnn_call *call,
                         const struct mt_cuda_dnn_plan *p, cudnnStatus_t status) {
	const char *name = pass_name(call->pass), *text = c->dnn.cudnnGetErrorString(status);
	int32_t level = is_refusal(status) ? MT_LOG_INFO : MT_LOG_WARN;
	if (p->workspace > (uint64_t)MT_CUDA_DNN_MOST_WORKSPACE << 20)
		tell(queue->device, level, "%s by the kernels here: cuDNN wants %llu MiB of workspace", name,
		     (unsigned long long)(p->workspace >> 20));
	else if (p->bias_refused && call->bias_with_it)
		tell(queue->device, level, "%s by the kernels here: cuDNN does not add the bias: %s", name, text);
	else
		tell(queue->device, level, "%s by the kernels here: cuDNN says %s", name, text);
}

/* The kernels here take over, from now on; where cuDNN was asked for by name, only what it refuses: what goes wrong in it
 * is an error each time. */
static int32_t give_up(const mt_queue *queue, const struct mt_cuda_conv *c, const struct mt_cuda_dnn_call *call,
                       struct mt_cuda_dnn_plan *p, cudnnStatus_t status) {
	(void)cudaGetLastError(); /* what cuDNN leaves must not show up in the next launch */
	if (queue->device->options.conv == MT_CUDA_LIBRARY && !is_refusal(status)) {
		p->used = 0;
		return mt__cuda_fail(MT_E_DEVICE, "cuda: %s: cuDNN: %s", pass_name(call->pass),
		                     c->dnn.cudnnGetErrorString(status));
	}
	p->refused = 1;
	tell_refusal(queue, c, call, p, status);
	return MT_OK;
}

/* cuDNN adds a bias that is dense and aligned. */
static int can_add_bias(const struct mt_cuda_dnn_plan *p, const mt_array *bias) {
	return bias && !p->bias_refused && (bias->stride[0] == 1 || bias->shape[0] == 1) &&
	       ((uintptr_t)bias->base + bias->byte_offset) % 16 == 0;
}

static int32_t run(mt_queue *queue, struct mt_cuda_conv *c, struct mt_cuda_dnn_call *call, struct mt_cuda_dnn_plan *p,
                   enum mt_cuda_dnn_done *done) {
	uint64_t bytes = p->workspace > call->scratch_bytes ? p->workspace : call->scratch_bytes;
	if (bytes > 0 && !(call->scratch = mt__cuda_scratch(queue, bytes, pass_name(call->pass))))
		/* scratch is asked for once: the kernels here can do what is asked where they need none */
		return queue->device->options.conv == MT_CUDA_AUTO && call->scratch_bytes == 0 ? MT_OK : MT_E_MEMORY;
	void *workspace = p->workspace > 0 ? call->scratch : NULL;
	cudnnStatus_t status = c->dnn.cudnnSetStream(c->handle, queue->stream);
	if (status != CUDNN_STATUS_SUCCESS)
		return give_up(queue, c, call, p, status);
	*done = MT_CUDA_DNN_PRODUCT;
	if (can_add_bias(p, call->bias)) {
		status = forward_with_bias(c, p, call, workspace);
		*done = MT_CUDA_DNN_WITH_BIAS;
		p->bias_refused = is_refusal(status);
	}
	if (p->bias_refused && call->bias_with_it) {
		*done = MT_CUDA_DNN_NOTHING;
		tell_refusal(queue, c, call, p, status);
		return MT_OK;
	}
	if (*done == MT_CUDA_DNN_PRODUCT || p->bias_refused) {
		status = product(c, p, call, workspace);
		*done = MT_CUDA_DNN_PRODUCT;
	}
	if (status == CUDNN_STATUS_SUCCESS)
		return mt__cuda_launched(queue, pass_name(call->pass), cudaSuccess);
	*done = MT_CUDA_DNN_NOTHING;
	return give_up(queue, c, call, p, status);
}

static int32_t ask(mt_queue *queue, struct mt_cuda_conv *c, struct mt_cuda_dnn_call *call,
                   enum mt_cuda_dnn_done *done) {
	struct mt_cuda_dnn_key key;
	cudnnStatus_t status;
	mt__cuda_dnn_key(&key, call, queue->device->options.fast);
	struct mt_cuda_dnn_plan *p = mt__cuda_dnn_plan(&c->plans, &c->dnn, c->handle, &key, &status);
	if (status != CUDNN_STATUS_SUCCESS)
		return give_up(queue, c, call, p, status);
	if (p->refused || (call->bias_with_it && !can_add_bias(p, call->bias)))
		return MT_OK;
	return run(queue, c, call, p, done);
}

void mt__cuda_conv_free(struct mt_cuda_conv *c) {
	if (!c)
		return;
	if (c->tried && c->why[0] == '\0')
		mt__cuda_dnn_plans_free(&c->plans, &c->dnn);
	if (c->identity)
		c->dnn.cudnnDestroyActivationDescriptor(c->identity);
	if (c->handle)
		c->dnn.cudnnDestroy(c->handle);
	free(c);
}

#else

static int has_library(mt_plugin_device *device, struct mt_cuda_conv *c) {
	(void)device;
	snprintf(c->why, sizeof c->why, "mt was built without cudnn.h");
	return 0;
}

static int32_t ask(mt_queue *queue, struct mt_cuda_conv *c, struct mt_cuda_dnn_call *call,
                   enum mt_cuda_dnn_done *done) {
	(void)queue, (void)c, (void)call, (void)done;
	return MT_OK;
}

void mt__cuda_conv_free(struct mt_cuda_conv *c) {
	free(c);
}

#endif

int32_t mt__cuda_dnn(mt_queue *queue, struct mt_cuda_dnn_call *call, enum mt_cuda_dnn_done *done) {
	mt_plugin_device *device = queue->device;
	struct mt_cuda_conv *c = state_of(device);
	*done = MT_CUDA_DNN_NOTHING;
	if (!c)
		return mt__cuda_fail(MT_E_MEMORY, "cuda: no memory for convolutions");
	if (device->options.conv == MT_CUDA_OWN) {
		if (!c->told++)
			tell(device, MT_LOG_INFO, "convolutions by the kernels here (conv=direct)");
		return MT_OK;
	}
	if (device->options.conv == MT_CUDA_AUTO && why_not(device, call))
		return MT_OK;
	int32_t status = mt__cuda_enter(queue);
	if (status != MT_OK)
		return status;
	if (!has_library(device, c)) {
		if (device->options.conv == MT_CUDA_LIBRARY)
			return mt__cuda_fail(MT_E_DEVICE, "cuda: conv=cudnn was asked for, but %s", c->why);
		if (!c->told++)
			tell(device, MT_LOG_INFO, "convolutions by the kernels here: %s", c->why);
		return MT_OK;
	}
	return why_not(device, call) ? MT_OK : ask(queue, c, call, done);
}
