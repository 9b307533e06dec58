/* cuBLASLt's functions, and plans: what its heuristic said about a product, kept.  Only where the toolkit has it. */
#ifndef MT_CUDA_GEMM_LT_PLANS_H
#define MT_CUDA_GEMM_LT_PLANS_H

#include <cublasLt.h>

#include "gemm_blas.h"
#include "mt_cuda.h"

#define MT_CUDA_LT_FUNCTIONS(X)                                                                                        \
	X(Create)                                                                                                          \
	X(Destroy)                                                                                                         \
	X(GetStatusName)                                                                                                   \
	X(GetVersion)                                                                                                      \
	X(Matmul)                                                                                                          \
	X(MatmulAlgoGetHeuristic)                                                                                          \
	X(MatmulDescCreate)                                                                                                \
	X(MatmulDescDestroy)                                                                                               \
	X(MatmulDescSetAttribute)                                                                                          \
	X(MatmulPreferenceCreate)                                                                                          \
	X(MatmulPreferenceDestroy)                                                                                         \
	X(MatmulPreferenceSetAttribute)                                                                                    \
	X(MatrixLayoutCreate)                                                                                              \
	X(MatrixLayoutDestroy)                                                                                             \
	X(MatrixLayoutSetAttribute)

struct mt_cuda_lt_functions {
#define MT_CUDA_LT_MEMBER(name) __typeof__(cublasLt##name) *name;
	MT_CUDA_LT_FUNCTIONS(MT_CUDA_LT_MEMBER)
#undef MT_CUDA_LT_MEMBER
};

/* All that a plan depends on; without padding, and compared as bytes. */
struct mt_cuda_lt_key {
	int64_t rows, columns, k, count;
	int64_t ld[3], batch[3];            /* A, B, D */
	int32_t dtype, summed;              /* summed: D is in the dtype that is summed in */
	int32_t transposed_a, transposed_b; /* 0 or 1 */
	int32_t bias, relu;                 /* fused */
	uint32_t aligned[3], bias_aligned;  /* addresses are multiples of it: up to 256 bytes */
};

struct mt_cuda_lt_plan {
	struct mt_cuda_lt_key key;
	uint64_t used; /* when, last; 0: never */
	int usable;    /* 0: the library has nothing for it */
	cublasLtMatmulDesc_t product;
	cublasLtMatrixLayout_t a, b, d;
	cublasLtMatmulAlgo_t algorithm;
	size_t workspace;
};

enum { MT_CUDA_LT_SETS = 64, MT_CUDA_LT_WAYS = 4, MT_CUDA_LT_WORKSPACE = 32 << 20 };

struct mt_cuda_gemm {
	struct mt_cuda_lt_functions lt;
	cublasLtHandle_t handle; /* NULL: not there, why says so */
	char why[512];
	uint64_t now;
	struct mt_cuda_lt_plan plans[MT_CUDA_LT_SETS][MT_CUDA_LT_WAYS];
};

/* Loads the library for a device that is the thread's current one, and logs which it is, or why there is none.  NULL
 * where memory ran out. */
struct mt_cuda_gemm *mt__cuda_lt_open(const mt_plugin_device *device);

/* The plan for key, made at the first call.  NULL with the message set where something broke.  Valid until two other
 * plans have been asked for. */
struct mt_cuda_lt_plan *mt__cuda_lt_plan(struct mt_cuda_gemm *g, const struct mt_cuda_lt_key *key,
                                         enum mt_cuda_precision precision);

/* A status other than success, as an error of mt. */
int32_t mt__cuda_lt_fail(const struct mt_cuda_gemm *g, cublasStatus_t status, const char *what);

#endif
