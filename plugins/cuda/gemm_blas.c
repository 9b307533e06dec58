#include "gemm_blas.h"

#include <stdlib.h>
#include <string.h>

enum { A, B, D, MATRICES };

/* Which array of the product is A, B or D. */
static int array_of(const struct mt_cuda_blas *blas, int matrix) {
	if (matrix == D)
		return MT_CUDA_GEMM_OUT;
	return (matrix == A) == !blas->swapped ? MT_CUDA_GEMM_B : MT_CUDA_GEMM_A;
}

static struct mt_cuda_blas_matrix *matrix_at(struct mt_cuda_blas *blas, int matrix) {
	return matrix == A ? &blas->a : matrix == B ? &blas->b : &blas->d;
}

/* ---- one matrix ---- */

/* Whether one stride is 1 and the other long enough.  extent, and o->outer, are those across k. */
static int fits(const struct mt_cuda_operand *o, int64_t extent, int64_t k, int *along_k, int64_t *ld) {
	if ((o->inner == 1 || k == 1) && (extent == 1 || o->outer >= k)) {
		*along_k = 1;
		*ld = extent == 1 ? k : o->outer;
		return 1;
	}
	if ((o->outer == 1 || extent == 1) && (k == 1 || o->inner >= extent)) {
		*along_k = 0;
		*ld = k == 1 ? extent : o->inner;
		return 1;
	}
	return 0;
}

int mt__cuda_blas_is_shared(const struct mt_cuda_walk *batch, int array) {
	for (int d = 0; d < batch->rank; d++)
		if (batch->stride[array][d] != 0)
			return 0;
	return 1;
}

/* An operand is packed along the index that it can be read along: the copy then reads and writes neighbours. */
static void pack_operand(struct mt_cuda_blas_matrix *x, const struct mt_cuda_product *p,
                         const struct mt_cuda_operand *o, int array, int64_t extent, int *along_k) {
	int size = mt__cuda_gemm_size(p->dtype), unit = MT_CUDA_BLAS_ALIGNED / size;
	*along_k = extent == 1 || o->outer == 0 || (o->inner != 0 && llabs(o->inner) <= llabs(o->outer));
	int64_t fast = *along_k ? p->k : extent, slow = *along_k ? extent : p->k;
	int64_t matrices = mt__cuda_blas_is_shared(&p->batch, array) ? 1 : p->batch.count;
	x->packed = 1;
	x->ld = (fast + unit - 1) / unit * unit;
	x->matrix = x->ld * slow;
	x->bytes = (uint64_t)(x->matrix * matrices) * (uint64_t)size;
}

static void describe_operand(struct mt_cuda_blas *blas, const struct mt_cuda_product *p, int matrix, int pack) {
	struct mt_cuda_blas_matrix *x = matrix_at(blas, matrix);
	int array = array_of(blas, matrix), along_k;
	const struct mt_cuda_operand *o = array == MT_CUDA_GEMM_A ? &p->a : &p->b;
	int64_t extent = matrix == A ? blas->rows : blas->columns;
	if (pack || !fits(o, extent, p->k, &along_k, &x->ld))
		pack_operand(x, p, o, array, extent, &along_k);
	x->transposed = along_k == (matrix == A);
}

static void describe(struct mt_cuda_blas *blas, const struct mt_cuda_product *p, const int *pack) {
	*blas = (struct mt_cuda_blas){.k = p->k};
	int as_rows = (p->out.column == 1 || p->n == 1) && (p->m == 1 || p->out.row >= p->n);
	int as_columns = p->m == 1 && p->out.column >= 1;
	blas->d.packed = pack[MT_CUDA_GEMM_OUT] || !(as_rows || as_columns);
	blas->swapped = !blas->d.packed && !as_rows;
	blas->rows = blas->swapped ? p->m : p->n;
	blas->columns = blas->swapped ? p->n : p->m;
	blas->d.ld = blas->swapped ? p->out.column : p->m == 1 || blas->d.packed ? p->n : p->out.row;
	if (blas->d.packed) {
		blas->d.matrix = p->m * p->n;
		blas->d.bytes = (uint64_t)(blas->d.matrix * p->batch.count) * (uint64_t)mt__cuda_gemm_sum_size(p->dtype);
	}
	describe_operand(blas, p, A, pack[array_of(blas, A)]);
	describe_operand(blas, p, B, pack[array_of(blas, B)]);
}

/* ---- batches ---- */

/* Strides of a matrix over the batch's dims: the array's own, or those that it has in scratch. */
static void batch_strides(struct mt_cuda_blas *blas, const struct mt_cuda_product *p, int matrix, int64_t *stride) {
	const struct mt_cuda_blas_matrix *x = matrix_at(blas, matrix);
	int array = array_of(blas, matrix);
	if (!x->packed || mt__cuda_blas_is_shared(&p->batch, array)) {
		memcpy(stride, p->batch.stride[array], sizeof p->batch.stride[array]);
		return;
	}
	int64_t next = x->matrix;
	for (int d = p->batch.rank - 1; d >= 0; d--) {
		stride[d] = next;
		next *= p->batch.shape[d];
	}
}

/* Whether matrices lie evenly apart, in the order of the batch. */
static int is_even(const struct mt_cuda_walk *batch, const int64_t *stride) {
	struct mt_cuda_walk w;
	mt__cuda_walk(&w, 1, batch->rank, batch->shape, &stride);
	return w.rank == 0 || (w.rank == 1 && w.stride[0][0] >= 0);
}

/* The longest dim that a strided batch can run along, or −1. */
static int strided_dim(const struct mt_cuda_walk *w) {
	int best = -1;
	for (int d = 0; d < w->rank; d++)
		if (w->stride[A][d] >= 0 && w->stride[B][d] >= 0 && w->stride[D][d] >= 0 &&
		    (best < 0 || w->shape[d] > w->shape[best]))
			best = d;
	return best;
}

/* Takes the strided batch out of the walk over all batches; false where too many calls would be left. */
static int take_batch(struct mt_cuda_blas *blas) {
	struct mt_cuda_walk *w = &blas->outer;
	int dim = strided_dim(w);
	blas->count = dim < 0 ? 1 : w->shape[dim];
	for (int matrix = A; matrix < MATRICES; matrix++)
		matrix_at(blas, matrix)->batch = dim < 0 ? 0 : w->stride[matrix][dim];
	if (w->count / blas->count > MT_CUDA_BLAS_CALLS)
		return 0;
	if (dim >= 0)
		mt__cuda_walk_drop(w, dim);
	return 1;
}

/* False where more has to be packed first, which pack then says. */
static int describe_batch(struct mt_cuda_blas *blas, const struct mt_cuda_product *p, int *pack) {
	int64_t stride[MATRICES][MT_MAX_RANK];
	const int64_t *strides[MATRICES];
	for (int matrix = A; matrix < MATRICES; matrix++) {
		batch_strides(blas, p, matrix, stride[matrix]);
		strides[matrix] = stride[matrix];
	}
	mt__cuda_walk(&blas->outer, MATRICES, p->batch.rank, p->batch.shape, strides);
	if (take_batch(blas))
		return 1;
	for (int matrix = A; matrix < MATRICES; matrix++)
		if (!is_even(&p->batch, stride[matrix]))
			pack[array_of(blas, matrix)] = 1;
	return 0;
}

/* ---- bias and activation ---- */

static int is_curved(int32_t activation) {
	return activation != MT_ACT_NONE && activation != MT_ACT_RELU;
}

static enum mt_cuda_blas_bias bias_of(const struct mt_cuda_blas *blas, const struct mt_cuda_product *p, int fuse) {
	if (!p->bias.at)
		return MT_CUDA_BLAS_NO_BIAS;
	int along_rows = p->bias.row == 0 && (!blas->swapped || p->bias.column == 0);
	if (!fuse || blas->d.packed || !along_rows)
		return MT_CUDA_BLAS_BIAS_AFTER;
	return p->bias.column == 1 || blas->rows == 1 ? MT_CUDA_BLAS_BIAS_FUSED : MT_CUDA_BLAS_BIAS_PACKED;
}

void mt__cuda_blas(struct mt_cuda_blas *blas, const struct mt_cuda_product *p, int fuse) {
	int pack[3] = {0};
	describe(blas, p, pack);
	/* f16 and bf16 are rounded once: what is left for the epilogue must see sums in f32 */
	if (mt__cuda_gemm_is_half(p->dtype) &&
	    (is_curved(p->activation) || bias_of(blas, p, fuse) == MT_CUDA_BLAS_BIAS_AFTER) && !blas->d.packed) {
		pack[MT_CUDA_GEMM_OUT] = 1;
		describe(blas, p, pack);
	}
	while (!describe_batch(blas, p, pack))
		describe(blas, p, pack);
	blas->bias = bias_of(blas, p, fuse);
	blas->relu = MT_CUDA_BLAS_FUSES_RELU && fuse && p->activation == MT_ACT_RELU && !blas->d.packed &&
	             blas->bias != MT_CUDA_BLAS_BIAS_AFTER;
	blas->epilogue =
		blas->d.packed || blas->bias == MT_CUDA_BLAS_BIAS_AFTER || (p->activation != MT_ACT_NONE && !blas->relu);
}
