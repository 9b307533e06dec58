/* What a kernel that cannot fail at once leaves behind: the first bad index it saw.  The host reads the record at the
 * next synchronise, upload or download and reports it there (R10). */
#ifndef MT_CUDA_FAULT_CUH
#define MT_CUDA_FAULT_CUH

#include "mt_cuda.h"

/* index is outside [low, high) of kernel's argument; which of several bad ones is told is open. */
__device__ inline void report_index(mt_cuda_fault *fault, int32_t kernel, int64_t index, int64_t low, int64_t high) {
	volatile mt_cuda_fault *f = fault;
	if (f->kernel != 0)
		return;
	f->index = index;
	f->low = low;
	f->high = high;
	__threadfence_system();
	f->kernel = kernel;
}

/* What indices of a kernel's argument may be: [low, extent), negative ones count from extent. */
struct index_range {
	int64_t low, extent;
	int32_t kernel; /* enum mt_kernel_id */
	mt_cuda_fault *fault;
};

/* The position in [0, extent) that an index names; −1, and a report, where there is none. */
__device__ inline int64_t checked_index(const index_range &range, int64_t index) {
	if (index >= range.low && index < range.extent)
		return index < 0 ? index + range.extent : index;
	report_index(range.fault, range.kernel, index, range.low, range.extent);
	return -1;
}

/* The position in [0, extent) that an index names, −1 − … from the end; −1, and a report, where there is none. */
__device__ inline int64_t checked_index(mt_cuda_fault *fault, int32_t kernel, int64_t index, int64_t extent) {
	if (index >= -extent && index < extent)
		return index < 0 ? index + extent : index;
	report_index(fault, kernel, index, -extent, extent);
	return -1;
}

#endif
