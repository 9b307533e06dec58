/* Where there are tensor cores for a dtype: all devices from capability 7.5 on have them for f16, bf16 came with 8.0. */
#ifndef MT_CUDA_TENSOR_CUH
#define MT_CUDA_TENSOR_CUH

#include "element.cuh"

/* Whether this pass of the compiler, for one architecture, has matrix instructions for T. */
template <class T> constexpr bool has_fragments = true;
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
template <> constexpr bool has_fragments<__nv_bfloat16> = false;
#endif

/* The architectures that this library is compiled for; those of the emulator are its own. */
#ifdef __CUDA_ARCH_LIST__
constexpr int architectures[] = {__CUDA_ARCH_LIST__};
#else
constexpr int architectures[] = {900};
#endif

/* Whether kernels may use them for the dtype on a device of this capability (10 · major + minor).  A device runs the newest
 * code that is not newer than itself: that for sm_75 on an sm_80 where there is no other, and it has no matrix instructions
 * for bf16. */
constexpr bool has_tensor(int32_t dtype, int capability) {
	bool code = false;
	for (int architecture : architectures)
		code = code || (architecture >= 800 && architecture / 10 <= capability);
	return dtype == MT_F16 || (dtype == MT_BF16 && code);
}

#endif
