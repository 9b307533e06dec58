/* The options of a CUDA device.  Plain C, tested without a GPU. */
#ifndef MT_CUDA_OPTIONS_H
#define MT_CUDA_OPTIONS_H

#include "mt/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

enum mt_cuda_path {
	MT_CUDA_AUTO,    /* the library where it is, else the kernels here */
	MT_CUDA_LIBRARY, /* cuBLASLt, cuDNN: an error where it is not there */
	MT_CUDA_OWN      /* the kernels here */
};

enum mt_cuda_precision { MT_CUDA_F32, MT_CUDA_TF32, MT_CUDA_BF16 };

struct mt_cuda_options {
	int synchronous;             /* sync=0|1: wait after each kernel, so that an error names its op */
	enum mt_cuda_path gemm;      /* gemm=auto|cublas|tiled */
	enum mt_cuda_path conv;      /* conv=auto|cudnn|direct */
	enum mt_cuda_precision fast; /* precision=f32|tf32|bf16: of f32 products and convolutions */
};

/* Reads MT_CUDA_SYNC and MT_MATMUL_PRECISION, then the options, which win.  MT_OK, or MT_E_ARG with the message, which
 * names the option, its value and what is possible, in why. */
int32_t mt__cuda_parse_options(const struct mt_option *options, uint64_t n_options, struct mt_cuda_options *out,
                               char *why, size_t size);

#ifdef __cplusplus
}
#endif

#endif
