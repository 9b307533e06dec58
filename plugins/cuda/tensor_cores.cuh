/* Products of matrices on tensor cores (nvcuda::wmma) in f16 and bf16: which code has them, and which devices run it. */
#ifndef MT_CUDA_TENSOR_CORES_CUH
#define MT_CUDA_TENSOR_CORES_CUH

#include "element.cuh"

/* Whether this pass of the compiler, for one architecture, has fragments of T.  Where it has not, a kernel of them is empty:
 * it is not to be started there. */
template <class T> constexpr bool has_fragments = true;
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
template <> constexpr bool has_fragments<__nv_bfloat16> = false;
#endif

/* Whether the code that a device of this capability (10 · major + minor) runs has fragments of the dtype.  It is the newest
 * that is not newer than the device: that for sm_75 on an sm_90, compiled by the driver, where the library has no other. */
inline bool has_tensor_cores(int32_t dtype, int capability) {
	const int architectures[] = {__CUDA_ARCH_LIST__};
	bool for_bf16 = false;
	for (int architecture : architectures)
		for_bf16 = for_bf16 || (architecture >= 800 && architecture / 10 <= capability);
	return dtype == MT_F16 || (dtype == MT_BF16 && for_bf16);
}

#endif
