/* What cuDNN may refuse or fail in, as MT_CUDNN_REFUSES asks for:
 *
 *     create     cudnnCreate (descriptors.cpp)
 *     all        every convolution, when its workspace is asked for
 *     computing  … when it is computed
 *     bias       convolutions with a bias
 *     workspace  nothing, but 2 GiB of workspace is wanted
 *     failing    nothing, but every convolution fails when it is computed
 *     once       nothing, but the first convolution fails: one process's first
 *     measuring  nothing, but the first question for a workspace fails
 *     some       three in eight geometries, each in its own way */
#include <stdlib.h>
#include <string.h>

#include "stand_in.h"

static bool is_asked(const char *what) {
	static const char *asked = getenv("MT_CUDNN_REFUSES");
	return asked && strcmp(asked, what) == 0;
}

static bool is_first() {
	static int calls;
	return calls++ == 0;
}

static cudnnStatus_t refusal_of_some(const convolution &c, moment when) {
	switch (hash_of(c) % 8) {
	case 0:
		return when == MEASURED ? CUDNN_STATUS_NOT_SUPPORTED_ARCH_MISMATCH : CUDNN_STATUS_SUCCESS;
	case 1:
		return when != MEASURED ? CUDNN_STATUS_NOT_SUPPORTED_LAYOUT : CUDNN_STATUS_SUCCESS;
	case 2:
		return when == COMPUTED_WITH_BIAS ? CUDNN_STATUS_NOT_SUPPORTED_SHAPE : CUDNN_STATUS_SUCCESS;
	default:
		return CUDNN_STATUS_SUCCESS;
	}
}

cudnnStatus_t refusal(const convolution &c, moment when) {
	if (is_asked("some"))
		return refusal_of_some(c, when);
	if ((is_asked("all") && when == MEASURED) || (is_asked("computing") && when != MEASURED) ||
	    (is_asked("bias") && when == COMPUTED_WITH_BIAS))
		return CUDNN_STATUS_NOT_SUPPORTED;
	if (is_asked("measuring") && when == MEASURED && is_first())
		return CUDNN_STATUS_INTERNAL_ERROR;
	if (when != MEASURED && (is_asked("failing") || (is_asked("once") && is_first())))
		return CUDNN_STATUS_EXECUTION_FAILED;
	return CUDNN_STATUS_SUCCESS;
}

/* None at all, or an odd number of bytes. */
size_t workspace_of(const convolution &c) {
	if (is_asked("workspace"))
		return (size_t)2 << 30;
	size_t n = (size_t)(hash_of(c) >> 8 & 7);
	return n == 0 ? 0 : n * 1001;
}
