/* What is decided about a matrix product before anything is launched: plain C, tested without a GPU. */
#ifndef MT_CUDA_GEMM_PLAN_H
#define MT_CUDA_GEMM_PLAN_H

#include "options.h"
#include "walk.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the product ---- */

/* One matrix of a product, or rather one of each batch.  Strides are in elements and 0 along an extent of 1.
 * outer: along m for a, along n for b.  inner: along k. */
struct mt_cuda_operand {
	char *at;
	int64_t outer, inner;
};

struct mt_cuda_target {
	char *at;
	int64_t row, column;
};

/* out[i, j] = act(alpha · Σ_p a[i, p] b[j, p] + beta · out[i, j] + bias[i · row + j · column]) for each batch.
 * Batch dims that only go on where m or n ends have become part of it, and the product is turned (outᵀ = bᵀ aᵀ) where
 * out has its smaller stride along its rows: out is written along j. */
struct mt_cuda_product {
	int32_t dtype, activation;
	double alpha, beta;
	int64_t m, n, k;
	struct mt_cuda_operand a, b;
	struct mt_cuda_target out;
	struct mt_cuda_target bias; /* at is NULL where there is none */
	struct mt_cuda_walk batch;  /* arrays: a, b, out */
};

enum { MT_CUDA_GEMM_A, MT_CUDA_GEMM_B, MT_CUDA_GEMM_OUT };

void mt__cuda_product(struct mt_cuda_product *p, const struct mt_matmul_args *args);

/* Products of at most so many multiplications are done by the kernels here unless cuBLASLt is asked for: a call of
 * theirs costs the host less than the arithmetic costs the GPU. */
enum { MT_CUDA_GEMM_TINY = 32 * 32 * 32 };

/* Whether cuBLASLt can do it, and is to.  It does no integers, and skips a and b where alpha is 0: NaN there would
 * vanish. */
int mt__cuda_gemm_wants_library(const struct mt_cuda_product *p, enum mt_cuda_path path);

/* ---- the kernels here ---- */

enum mt_cuda_gemm_kernel {
	MT_CUDA_GEMM_VECTORS,   /* m or n is at most MT_CUDA_GEMM_FEW: gemm_vector.cu */
	MT_CUDA_GEMM_TILES_32,  /* gemm_tiled.cu: a block computes 32 × 32 of out */
	MT_CUDA_GEMM_TILES_64,  /* 64 × 64 */
	MT_CUDA_GEMM_TILES_128, /* 128 × 128 (f32) */
	MT_CUDA_GEMM_TENSOR     /* 128 × 128 on tensor cores (f16, bf16): gemm_wmma.cu */
};

enum {
	MT_CUDA_GEMM_FEW = 4,
	MT_CUDA_GEMM_ROWS_ALONG_K = 16,   /* of the long side in a block of gemm_vector.cu: two for each of its warps … */
	MT_CUDA_GEMM_ROWS_ACROSS_K = 128, /* … or four for each of a warp's threads */
	MT_CUDA_GEMM_PIECE = 64           /* its pieces of k are multiples of this */
};

/* How blocks read an operand: neighbouring threads along k or along the outer index; several elements at once, or any
 * strides. */
struct mt_cuda_feed {
	int along_k;
	int vector;
};

/* k is cut into `splits` pieces of k_chunk (the last may be shorter); more than one piece leaves its sums in scratch,
 * where the epilogue adds them in order.  What is chosen depends on shapes, strides and dtype alone, not on the GPU: the
 * same product gives the same bits everywhere. */
struct mt_cuda_gemm_plan {
	enum mt_cuda_gemm_kernel kernel;
	int splits;
	int64_t k_chunk;
	int64_t tiles_down, tiles_across; /* of one matrix; VECTORS: blocks along the long side, and 1 */
	int turned;                       /* VECTORS: the long side is m, the short one n */
	struct mt_cuda_feed a, b;
	uint64_t scratch; /* bytes of sums, 0 with one piece */
};

/* tensor_cores: whether the device has them for the dtype. */
void mt__cuda_gemm_plan(struct mt_cuda_gemm_plan *plan, const struct mt_cuda_product *p, int tensor_cores);

/* ---- dtypes ---- */

/* Bytes of an element, and of what products of it are summed in. */
int mt__cuda_gemm_size(int32_t dtype);
int mt__cuda_gemm_sum_size(int32_t dtype);
int mt__cuda_gemm_is_half(int32_t dtype);

#ifdef __cplusplus
}
#endif

#endif
