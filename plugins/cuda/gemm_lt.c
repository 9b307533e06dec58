#include "gemm_lt.h"

#ifndef MT_HAVE_CUBLAS

int32_t mt__cuda_gemm_library(mt_queue *queue, const struct mt_cuda_product *p, int *done) {
	(void)p;
	*done = 0;
	if (queue->device->options.gemm == MT_CUDA_LIBRARY)
		return mt__cuda_fail(MT_E_DEVICE, "cuda: matmul: gemm=cublas was asked for, but mt was built without cuBLASLt");
	return MT_OK;
}

void mt__cuda_gemm_free(struct mt_cuda_gemm *g) {
	(void)g;
}

#else

#include <string.h>

#include "gemm_epilogue.h"
#include "gemm_lt_plans.h"

/* Matrices in one strided batch: kernels have them along a dim of the grid that ends at 65535. */
enum { MOST_MATRICES = 32768 };

enum { A, B, D, MATRICES };

/* One product on its way through the library. */
struct job {
	mt_queue *queue;
	struct mt_cuda_gemm *g;
	const struct mt_cuda_product *p;
	struct mt_cuda_blas blas;
	struct mt_cuda_lt_plan *plan, *last; /* for MOST_MATRICES or all of them, and for those that are left over */
	char *at[MATRICES], *bias, *workspace;
};

static int64_t matrices_at_once(const struct job *j) {
	return j->blas.count < MOST_MATRICES ? j->blas.count : MOST_MATRICES;
}

static const struct mt_cuda_blas_matrix *matrix_of(const struct job *j, int matrix) {
	return matrix == A ? &j->blas.a : matrix == B ? &j->blas.b : &j->blas.d;
}

static const struct mt_cuda_operand *operand_of(const struct job *j, int matrix) {
	return (matrix == A) == !j->blas.swapped ? &j->p->b : &j->p->a;
}

static int element_size(const struct job *j, int matrix) {
	return matrix == D && j->blas.d.packed ? mt__cuda_gemm_sum_size(j->p->dtype) : mt__cuda_gemm_size(j->p->dtype);
}

static int fuses_bias(const struct mt_cuda_blas *blas) {
	return blas->bias == MT_CUDA_BLAS_BIAS_FUSED || blas->bias == MT_CUDA_BLAS_BIAS_PACKED;
}

/* ---- plans ---- */

/* The largest power of two up to 256 that divides all of n bits' words. */
static uint32_t common_alignment(uint64_t bits) {
	bits |= 256;
	return (uint32_t)(bits & (0 - bits));
}

/* What every address of a matrix is a multiple of; scratch is aligned to 256. */
static uint32_t alignment(const struct job *j, int matrix) {
	const struct mt_cuda_blas_matrix *x = matrix_of(j, matrix);
	uint64_t size = (uint64_t)element_size(j, matrix), bits = 0;
	if (!x->packed)
		bits = (uint64_t)(uintptr_t)(matrix == D ? j->p->out.at : operand_of(j, matrix)->at);
	bits |= (uint64_t)x->batch * size;
	for (int d = 0; d < j->blas.outer.rank; d++)
		bits |= (uint64_t)j->blas.outer.stride[matrix][d] * size;
	return common_alignment(bits);
}

static struct mt_cuda_lt_plan *plan_for(const struct job *j, int64_t count) {
	const struct mt_cuda_blas *blas = &j->blas;
	int bias = fuses_bias(blas);
	struct mt_cuda_lt_key key = {
		.rows = blas->rows,
		.columns = blas->columns,
		.k = blas->k,
		.count = count,
		.dtype = j->p->dtype,
		.summed = blas->d.packed,
		.transposed_a = blas->a.transposed,
		.transposed_b = blas->b.transposed,
		.bias = bias,
		.relu = blas->relu,
	};
	for (int matrix = A; matrix < MATRICES; matrix++) {
		key.ld[matrix] = matrix_of(j, matrix)->ld;
		key.batch[matrix] = count == 1 ? 0 : matrix_of(j, matrix)->batch;
		key.aligned[matrix] = alignment(j, matrix);
	}
	if (bias)
		key.bias_aligned =
			common_alignment(blas->bias == MT_CUDA_BLAS_BIAS_PACKED ? 0 : (uint64_t)(uintptr_t)j->p->bias.at);
	return mt__cuda_lt_plan(j->g, &key, j->queue->device->options.fast);
}

/* MT_OK, with plan NULL where the library has nothing. */
static int32_t find_plans(struct job *j, int fuse) {
	mt__cuda_blas(&j->blas, j->p, fuse);
	int64_t rest = j->blas.count % matrices_at_once(j);
	j->last = NULL;
	j->plan = plan_for(j, matrices_at_once(j));
	if (j->plan && rest > 0)
		j->last = plan_for(j, rest);
	if (!j->plan || (rest > 0 && !j->last))
		return MT_E_DEVICE;
	if (!j->plan->usable || (j->last && !j->last->usable))
		j->plan = NULL;
	return MT_OK;
}

/* ---- scratch ---- */

/* Takes `bytes` of scratch at *from where they are wanted. */
static char *carve(char *scratch, uint64_t *from, uint64_t bytes) {
	char *at = scratch ? scratch + *from : NULL;
	*from += mt__cuda_aligned(bytes);
	return at;
}

/* Places everything in scratch, or only measures where scratch is NULL. */
static uint64_t place(struct job *j, char *scratch) {
	uint64_t bytes = 0;
	for (int matrix = A; matrix < MATRICES; matrix++) {
		const struct mt_cuda_blas_matrix *x = matrix_of(j, matrix);
		j->at[matrix] = x->packed     ? carve(scratch, &bytes, x->bytes)
		                : matrix == D ? j->p->out.at
		                              : operand_of(j, matrix)->at;
	}
	j->bias = j->p->bias.at;
	if (j->blas.bias == MT_CUDA_BLAS_BIAS_PACKED)
		j->bias = carve(scratch, &bytes, (uint64_t)j->blas.rows * (uint64_t)element_size(j, A));
	size_t workspace = j->plan->workspace;
	if (j->last && j->last->workspace > workspace)
		workspace = j->last->workspace;
	j->workspace = carve(scratch, &bytes, workspace);
	return bytes;
}

/* ---- packing ---- */

static int32_t copy(const struct job *j, const mt_array *x, const mt_array *out) {
	const struct mt_copy_args args = {.struct_size = sizeof args, .x = x, .out = out};
	return mt__cuda_copy(j->queue, &args);
}

static int32_t pack_operand(const struct job *j, int matrix) {
	const struct mt_cuda_blas_matrix *to = matrix_of(j, matrix);
	if (!to->packed)
		return MT_OK;
	const struct mt_cuda_operand *o = operand_of(j, matrix);
	const struct mt_cuda_walk *batch = &j->p->batch;
	int array = o == &j->p->a ? MT_CUDA_GEMM_A : MT_CUDA_GEMM_B;
	int along_k = to->transposed == (matrix == A), n = 0;
	mt_array x = {.base = o->at, .buffer_bytes = UINT64_MAX, .dtype = j->p->dtype}, out = x;
	out.base = j->at[matrix];
	out.buffer_bytes = to->bytes;
	int64_t next = to->matrix;
	for (int d = batch->rank - 1; d >= 0 && !mt__cuda_blas_is_shared(batch, array); d--, n++)
		next *= batch->shape[d];
	for (int d = 0; d < n; d++) {
		next /= batch->shape[d];
		x.shape[d] = batch->shape[d];
		x.stride[d] = batch->stride[array][d];
		out.stride[d] = next;
	}
	const int64_t shape[] = {matrix == A ? j->blas.rows : j->blas.columns, j->blas.k};
	const int64_t from[] = {o->outer, o->inner}, stride[] = {along_k ? to->ld : 1, along_k ? 1 : to->ld};
	for (int i = 0; i < 2; i++) {
		x.shape[n + i] = shape[i];
		x.stride[n + i] = from[i];
		out.stride[n + i] = stride[i];
	}
	x.rank = out.rank = n + 2;
	memcpy(out.shape, x.shape, sizeof out.shape);
	return copy(j, &x, &out);
}

static int32_t pack_bias(const struct job *j) {
	if (j->blas.bias != MT_CUDA_BLAS_BIAS_PACKED)
		return MT_OK;
	mt_array x = {.base = j->p->bias.at, .buffer_bytes = UINT64_MAX, .dtype = j->p->dtype, .rank = 1}, out;
	x.shape[0] = j->blas.rows;
	x.stride[0] = j->p->bias.column;
	out = x;
	out.base = j->bias;
	out.stride[0] = 1;
	return copy(j, &x, &out);
}

/* ---- the calls ---- */

/* The batch's matrices from those at `at` on, count of them. */
static cublasStatus_t call(const struct job *j, const struct mt_cuda_lt_plan *plan, char *const *at) {
	const struct mt_cuda_product *p = j->p;
	double alpha = j->blas.d.packed ? 1 : p->alpha, beta = j->blas.d.packed ? 0 : p->beta;
	float narrow_alpha = (float)alpha, narrow_beta = (float)beta;
	int wide = p->dtype == MT_F64;
	return j->g->lt.Matmul(j->g->handle, plan->product, wide ? (void *)&alpha : &narrow_alpha, at[A], plan->a, at[B],
	                       plan->b, wide ? (void *)&beta : &narrow_beta, at[D], plan->d, at[D], plan->d,
	                       &plan->algorithm, j->workspace, plan->workspace, j->queue->stream);
}

static cublasStatus_t set_bias(const struct job *j, const struct mt_cuda_lt_plan *plan) {
	if (!plan || !fuses_bias(&j->blas))
		return CUBLAS_STATUS_SUCCESS;
	const void *bias = j->bias;
	return j->g->lt.MatmulDescSetAttribute(plan->product, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias);
}

/* The matrices of outer position i. */
static void outer_addresses(const struct job *j, int64_t i, char **at) {
	const struct mt_cuda_walk *w = &j->blas.outer;
	memcpy(at, j->at, sizeof j->at);
	for (int d = w->rank - 1; d >= 0; i /= w->shape[d], d--)
		for (int matrix = A; matrix < MATRICES; matrix++)
			at[matrix] += i % w->shape[d] * w->stride[matrix][d] * element_size(j, matrix);
}

static int32_t call_all(const struct job *j) {
	cublasStatus_t status = set_bias(j, j->plan);
	if (status == CUBLAS_STATUS_SUCCESS)
		status = set_bias(j, j->last);
	int64_t at_once = matrices_at_once(j);
	for (int64_t i = 0; i < j->blas.outer.count && status == CUBLAS_STATUS_SUCCESS; i++) {
		char *at[MATRICES];
		outer_addresses(j, i, at);
		for (int64_t left = j->blas.count; left > 0 && status == CUBLAS_STATUS_SUCCESS; left -= at_once) {
			status = call(j, left < at_once ? j->last : j->plan, at);
			for (int matrix = A; matrix < MATRICES; matrix++)
				at[matrix] += at_once * matrix_of(j, matrix)->batch * element_size(j, matrix);
		}
	}
	if (status != CUBLAS_STATUS_SUCCESS)
		return mt__cuda_lt_fail(j->g, status, "cublasLtMatmul");
	return mt__cuda_launched(j->queue, "matmul", cudaSuccess);
}

static int32_t finish(const struct job *j) {
	if (!j->blas.epilogue)
		return MT_OK;
	if (!j->blas.d.packed)
		return mt__cuda_gemm_activate(j->queue, j->p, j->blas.bias == MT_CUDA_BLAS_BIAS_AFTER);
	const struct mt_cuda_gemm_sums sums = {
		.at = j->at[D], .pieces = 1, .row = j->p->n, .column = 1, .batch = j->blas.d.matrix};
	return mt__cuda_gemm_combine(j->queue, j->p, &sums);
}

static int32_t run(struct job *j) {
	uint64_t bytes = place(j, NULL);
	if (bytes > 0) {
		char *scratch = mt__cuda_scratch(j->queue, bytes, "matmul");
		if (!scratch)
			return MT_E_MEMORY;
		place(j, scratch);
	}
	int32_t status = pack_operand(j, A);
	if (status == MT_OK)
		status = pack_operand(j, B);
	if (status == MT_OK)
		status = pack_bias(j);
	if (status == MT_OK)
		status = mt__cuda_enter(j->queue);
	if (status == MT_OK)
		status = call_all(j);
	return status == MT_OK ? finish(j) : status;
}

int32_t mt__cuda_gemm_library(mt_queue *queue, const struct mt_cuda_product *p, int *done) {
	mt_plugin_device *device = queue->device;
	*done = 0;
	int32_t status = mt__cuda_enter(queue);
	if (status == MT_OK && !device->gemm && !(device->gemm = mt__cuda_lt_open(device)))
		status = MT_E_MEMORY;
	if (status != MT_OK)
		return status;
	struct job j = {.queue = queue, .g = device->gemm, .p = p};
	if (!j.g->handle)
		return device->options.gemm == MT_CUDA_LIBRARY
		           ? mt__cuda_fail(MT_E_DEVICE, "cuda: matmul: gemm=cublas was asked for, but: %s", j.g->why)
		           : MT_OK;
	for (int fuse = 1; fuse >= 0 && status == MT_OK && !j.plan; fuse--)
		status = find_plans(&j, fuse);
	if (status != MT_OK || !j.plan)
		return status;
	*done = 1;
	return run(&j);
}

#endif
