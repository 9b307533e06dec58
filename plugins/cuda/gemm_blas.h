/* A product in the words of BLAS: transposes, leading dimensions, strided batches, and what has to be copied first.
 * Plain C, tested without a GPU. */
#ifndef MT_CUDA_GEMM_BLAS_H
#define MT_CUDA_GEMM_BLAS_H

#include "gemm_plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Strides in elements. */
struct mt_cuda_blas_matrix {
	int transposed;
	int packed;     /* lies in scratch: no layout of BLAS fits, or none that the batch needs */
	int64_t ld;     /* from one column, as stored, to the next */
	int64_t batch;  /* from one matrix of a strided batch to the next */
	int64_t matrix; /* packed: from one matrix to the next, batches in the product's order */
	uint64_t bytes; /* of scratch */
};

enum mt_cuda_blas_bias {
	MT_CUDA_BLAS_NO_BIAS,
	MT_CUDA_BLAS_BIAS_FUSED,
	MT_CUDA_BLAS_BIAS_PACKED, /* fused, once its elements are next to each other in scratch */
	MT_CUDA_BLAS_BIAS_AFTER   /* by the epilogue */
};

/* D = op(A) op(B), column-major: A [rows, k], B [k, columns], D [rows, columns].  A is the product's b and B its a, as
 * D is outᵀ; where swapped A is a, B is b, and D is out itself.
 * A packed D gets Σ a b alone, in the dtype that is summed in; out is then the epilogue's. */
struct mt_cuda_blas {
	int swapped;
	int64_t rows, columns, k;
	struct mt_cuda_blas_matrix a, b, d;
	int64_t count;             /* matrices of a strided batch */
	struct mt_cuda_walk outer; /* the batches that are left, one call each; arrays: A, B, D */
	enum mt_cuda_blas_bias bias;
	int relu;     /* fused */
	int epilogue; /* a pass over out follows */
};

enum {
	MT_CUDA_BLAS_CALLS = 16,  /* for one product, at most: where batches need more, operands are packed */
	MT_CUDA_BLAS_ALIGNED = 16 /* bytes that the columns of a packed operand are a multiple of */
};

/* Whether relu is left to cuBLASLt.  Ours passes NaN on; whether theirs does is not documented. */
enum { MT_CUDA_BLAS_FUSES_RELU = 0 };

/* For a product of floats with k ≥ 1.  fuse: bias and activation may be left to the library. */
void mt__cuda_blas(struct mt_cuda_blas *blas, const struct mt_cuda_product *p, int fuse);

/* Whether an array (a or b) is the same matrix in every batch: then it is packed once. */
int mt__cuda_blas_is_shared(const struct mt_cuda_walk *batch, int array);

#ifdef __cplusplus
}
#endif

#endif
