/* What stands in for mt__cuda_conv_library_pays in the plugin for cuDNN's stand-in: with conv=auto, convolutions of 500
 * products and more are worth cuDNN's call, so that cases which end within the day are on both sides. */
#include "conv_plan.h"

int __wrap_mt__cuda_conv_library_pays(const struct mt_cuda_conv_geometry *g);

int __wrap_mt__cuda_conv_library_pays(const struct mt_cuda_conv_geometry *g) {
	return mt__cuda_conv_products(g) >= 500;
}
