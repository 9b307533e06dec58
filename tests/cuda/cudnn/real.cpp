/* A real libcudnn beside the stand-in: descriptors need no GPU. */
#include <dlfcn.h>
#include <stdlib.h>

#include "stand_in.h"

static const real_library *load(const char *path) {
	static real_library r;
	const struct {
		const char *name;
		void **to;
	} wanted[] = {
		{"cudnnCreateTensorDescriptor", (void **)&r.create_tensor},
		{"cudnnSetTensorNdDescriptor", (void **)&r.set_tensor},
		{"cudnnDestroyTensorDescriptor", (void **)&r.destroy_tensor},
		{"cudnnCreateFilterDescriptor", (void **)&r.create_filter},
		{"cudnnSetFilterNdDescriptor", (void **)&r.set_filter},
		{"cudnnDestroyFilterDescriptor", (void **)&r.destroy_filter},
		{"cudnnCreateConvolutionDescriptor", (void **)&r.create_convolution},
		{"cudnnSetConvolutionNdDescriptor", (void **)&r.set_convolution},
		{"cudnnSetConvolutionGroupCount", (void **)&r.set_groups},
		{"cudnnSetConvolutionMathType", (void **)&r.set_math},
		{"cudnnDestroyConvolutionDescriptor", (void **)&r.destroy_convolution},
		{"cudnnCreateActivationDescriptor", (void **)&r.create_activation},
		{"cudnnSetActivationDescriptor", (void **)&r.set_activation},
		{"cudnnDestroyActivationDescriptor", (void **)&r.destroy_activation},
		{"cudnnGetConvolutionNdForwardOutputDim", (void **)&r.output_dims},
		{"cudnnGetErrorString", (void **)&r.text},
	};
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		wrong("MT_CUDNN_REAL: %s", dlerror());
	for (const auto &w : wanted)
		if (!(*w.to = dlsym(library, w.name)))
			wrong("MT_CUDNN_REAL: no %s in %s", w.name, path);
	return &r;
}

const real_library *real() {
	static const char *path = getenv("MT_CUDNN_REAL");
	static const real_library *r = path && path[0] != '\0' ? load(path) : nullptr;
	return r;
}

void must_agree(const char *function, cudnnStatus_t here, cudnnStatus_t there) {
	if (here != there)
		wrong("%s: the real library says %s (%d), not %d", function, real()->text(there), (int)there, (int)here);
}
