/* gemm_tiles and gemm_tensor: each tile, how both operands lie, read at once or not, one piece of k or two. */
#include "gemm.cuh"
#include "gemm_epilogue.h"
#include "variants.h"

constexpr int64_t BATCHES = 2;

struct variant {
	mt_cuda_gemm_kernel kernel;
	const char *name;
	int64_t side, depth, pack;
	bool a_along_k, b_along_k, vector;
	int pieces;
};

/* An operand [BATCHES, outer, k] in memory, k or the outer index inside, with a few elements between its rows. */
struct layout {
	int64_t outer, inner, batch;
	layout(int64_t extent, int64_t k, bool along_k, int64_t gap)
		: outer(along_k ? k + gap : 1), inner(along_k ? 1 : extent + gap),
		  batch(along_k ? extent * (k + gap) : k * (extent + gap)) {
	}
};

struct shape {
	int64_t m, n, k;
};

/* Some more than one tile each way; three steps of k and a bit. */
static shape shape_of(const variant &v) {
	int64_t bit = v.vector ? v.pack : 5;
	return {v.side + 2 * bit - !v.vector, v.side + bit, 3 * v.depth + bit};
}

static mt_cuda_gemm_plan plan_of(const variant &v, const mt_cuda_product &p) {
	mt_cuda_gemm_plan plan = {};
	plan.kernel = v.kernel;
	int64_t steps = (p.k + v.depth - 1) / v.depth;
	plan.splits = v.pieces;
	plan.k_chunk = (steps + v.pieces - 1) / v.pieces * v.depth;
	plan.tiles_down = (p.m + v.side - 1) / v.side;
	plan.tiles_across = (p.n + v.side - 1) / v.side;
	plan.a = {v.a_along_k, v.vector};
	plan.b = {v.b_along_k, v.vector};
	if (v.pieces > 1)
		plan.scratch = (uint64_t)(v.pieces * BATCHES * p.m * p.n * mt__cuda_gemm_sum_size(p.dtype));
	return plan;
}

static int32_t multiply(mt_queue *queue, const variant &v, const mt_cuda_product &p) {
	mt_cuda_gemm_plan plan = plan_of(v, p);
	void *scratch = plan.scratch > 0 ? scratch_of(plan.scratch) : nullptr;
	int32_t status = v.kernel == MT_CUDA_GEMM_TENSOR ? mt__cuda_gemm_tensor(queue, &p, &plan, scratch)
	                                                 : mt__cuda_gemm_tiles(queue, &p, &plan, scratch);
	if (status != MT_OK || plan.splits == 1)
		return status;
	const mt_cuda_gemm_sums sums = {scratch, plan.splits, BATCHES * p.m * p.n, p.n, 1, p.m * p.n};
	return mt__cuda_gemm_combine(queue, &p, &sums);
}

/* out = relu(alpha · a bᵀ + out + bias), row by row with a gap between them that nobody writes. */
template <class T> static void run(mt_queue *queue, int32_t dtype, const variant &v) {
	bool is_float = dtype != MT_I32 && dtype != MT_I64 && dtype != MT_U8;
	shape s = shape_of(v);
	int64_t gap = v.vector ? v.pack : 3, row = s.n + 3;
	layout la(s.m, s.k, v.a_along_k, gap), lb(s.n, s.k, v.b_along_k, gap);
	device_array<T> a(BATCHES * la.batch, 1), b(BATCHES * lb.batch, 2), out(BATCHES * s.m * row, 3), bias(s.n, 4);

	mt_cuda_product p = {};
	p.dtype = dtype;
	p.activation = MT_ACT_RELU;
	p.alpha = is_float ? 2 : 1;
	p.beta = 1;
	p.m = s.m, p.n = s.n, p.k = s.k;
	p.a = {(char *)a.at, la.outer, la.inner};
	p.b = {(char *)b.at, lb.outer, lb.inner};
	p.out = {(char *)out.at, row, 1};
	p.bias = {(char *)bias.at, 0, 1};
	const int64_t batches = BATCHES, batch_of_out = s.m * row;
	const int64_t *strides[] = {&la.batch, &lb.batch, &batch_of_out};
	mt__cuda_walk(&p.batch, 3, 1, &batches, strides);

	std::string wrong = multiply(queue, v, p) == MT_OK ? "" : "it failed";
	auto wrapped = [&](double x) { return is_float ? x : (double)number_as<T>(x); };
	for (int64_t batch = 0; batch < BATCHES; batch++)
		for (int64_t i = 0; i < s.m; i++)
			for (int64_t j = 0; j < s.n; j++) {
				double sum = 0;
				const double *x = &a[batch * la.batch + i * la.outer], *y = &b[batch * lb.batch + j * lb.outer];
				for (int64_t k = 0; k < s.k; k++)
					sum += x[k * la.inner] * y[k * lb.inner];
				double &to = out[(batch * s.m + i) * row + j];
				to = wrapped(p.alpha * sum + to + bias[j]);
				to = to > 0 ? to : 0;
			}
	if (wrong.empty())
		wrong = out.difference("out");
	report(std::string("matmul ") + name_of<T>() + " " + v.name + (v.a_along_k ? ", a along k" : ", a across k") +
	           (v.b_along_k ? ", b along k" : ", b across k") + (v.vector ? ", at once" : "") +
	           (v.pieces > 1 ? ", in pieces" : ""),
	       wrong);
}

template <class T> static void run_layouts(mt_queue *queue, int32_t dtype, variant v) {
	for (int i = 0; i < 16; i++) {
		v.a_along_k = i & 1;
		v.b_along_k = i & 2;
		v.vector = i & 4;
		v.pieces = i & 8 ? 2 : 1;
		run<T>(queue, dtype, v);
	}
}

template <class T> static void run_tiles(mt_queue *queue, int32_t dtype) {
	run_layouts<T>(queue, dtype, {MT_CUDA_GEMM_TILES_32, "32 x 32", 32, 32, 4, false, false, false, 1});
	run_layouts<T>(queue, dtype, {MT_CUDA_GEMM_TILES_64, "64 x 64", 64, 16, 4, false, false, false, 1});
}

void run_matmul(mt_queue *queue) {
	const variant large = {MT_CUDA_GEMM_TILES_128, "128 x 128", 128, 8, 4, false, false, false, 1};
	const variant tensor = {MT_CUDA_GEMM_TENSOR, "on tensor cores", 128, 32, 8, false, false, false, 1};
	run_layouts<float>(queue, MT_F32, large);
	run_layouts<__half>(queue, MT_F16, tensor);
	run_layouts<__nv_bfloat16>(queue, MT_BF16, tensor);
	run_tiles<float>(queue, MT_F32);
	run_tiles<double>(queue, MT_F64);
	run_tiles<__half>(queue, MT_F16);
	run_tiles<__nv_bfloat16>(queue, MT_BF16);
	run_tiles<int32_t>(queue, MT_I32);
	run_tiles<int64_t>(queue, MT_I64);
	run_tiles<uint8_t>(queue, MT_U8);
}
