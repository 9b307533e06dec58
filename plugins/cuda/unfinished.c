/* Stands in for kernels whose files are still being written: overridden by their definitions. */
#include "mt_cuda.h"

#define MT_KERNEL(id, NAME, name, group, must)                                                                         \
	__attribute__((weak)) int32_t mt__cuda_##name(mt_queue *queue, const struct mt_##name##_args *args) {              \
		(void)queue, (void)args;                                                                                       \
		return mt__cuda_fail(MT_E_UNSUPPORTED, "cuda: " #name " is not written yet");                                  \
	}
#include "mt/kernels.def"
#undef MT_KERNEL

__attribute__((weak)) void mt__cuda_gemm_free(struct mt_cuda_gemm *gemm) {
	(void)gemm;
}
__attribute__((weak)) void mt__cuda_conv_free(struct mt_cuda_conv *conv) {
	(void)conv;
}
