/* matmul: batches of matrix products.
 *
 *     integers                        plain loops, rows among the threads
 *     m·n·k tiny                      by the definition, matrices among the threads
 *     one row or one column           gemv, columns among the threads
 *     f32, k long beside a or b       dot products, or b turned in registers; rows or columns among the threads
 *     f32, small, on one thread       without a plan
 *     f16 and bf16, small             as f32 in scratch, each matrix on one thread
 *     f16 and bf16, skinny            the same by blocks of columns, blocks among the threads
 *     a batch of matrices             each on one thread
 *     else                            each matrix on all threads
 * The last three may be another engine's (mt__omp_matmul_by), which levels above avx512 have for bf16.
 *
 * Batch extents along which b is broadcast and a and out lie regularly are rows of one larger product. */
#include "gemm_engine.h"
#include "gemm_low.h"

#include "parallel.h"

#include <string.h>

/* Integers: columns whose sums are kept at a time; below FEW_COLUMNS each element is a dot product. */
#define COLUMNS 512
#define FEW_COLUMNS 8

struct batch {
	int64_t count;
	int rank;
	int64_t shape[MT_MAX_RANK], a_stride[MT_MAX_RANK], b_stride[MT_MAX_RANK], c_stride[MT_MAX_RANK];
};

#define T uint32_t
#define S int32_t
#define N(f) f##_i32
#include "matmul_integer.inc"
#undef T
#undef S
#undef N
#define T uint64_t
#define S int64_t
#define N(f) f##_i64
#include "matmul_integer.inc"
#undef T
#undef S
#undef N
#define T uint8_t
#define S uint8_t
#define N(f) f##_u8
#include "matmul_integer.inc"

/* The arguments as one product and the batch around it. */
static void analyse(const struct mt_matmul_args *args, struct mt__omp_gemm *g, struct batch *batch) {
	const mt_array *a = args->a, *b = args->b, *c = args->out;
	int r = c->rank - 2;
	*g = (struct mt__omp_gemm){
		.m = c->shape[r],
		.n = c->shape[r + 1],
		.k = a->shape[r + 1],
		.a = mt__omp_data(a),
		.b = mt__omp_data(b),
		.c = mt__omp_data(c),
		.a_rs = a->stride[r],
		.a_cs = a->stride[r + 1],
		.b_rs = b->stride[r],
		.b_cs = b->stride[r + 1],
		.c_rs = c->stride[r],
		.c_cs = c->stride[r + 1],
		.alpha = args->alpha,
		.beta = args->beta,
		.dtype = c->dtype,
		.activation = args->activation,
	};
	if (args->bias) {
		g->bias = mt__omp_data(args->bias);
		g->bias_stride = args->bias->stride[0];
	}

	batch->count = 1;
	batch->rank = 0;
	bool rows_so_far = true;
	for (int d = r - 1; d >= 0; d--) {
		int64_t extent = c->shape[d];
		if (extent == 1)
			continue;
		if (rows_so_far && g->m == 1)
			g->a_rs = a->stride[d], g->c_rs = c->stride[d];
		rows_so_far =
			rows_so_far && b->stride[d] == 0 && a->stride[d] == g->m * g->a_rs && c->stride[d] == g->m * g->c_rs;
		if (rows_so_far) {
			g->m *= extent;
			continue;
		}
		int i = batch->rank++;
		batch->count *= extent;
		batch->shape[i] = extent;
		batch->a_stride[i] = a->stride[d];
		batch->b_stride[i] = b->stride[d];
		batch->c_stride[i] = c->stride[d];
	}
}

/* Problem number `index` of the batch: g with its addresses. */
static struct mt__omp_gemm problem(const struct mt__omp_gemm *g, const struct batch *batch, int transposed,
                                   int64_t index) {
	int64_t a = 0, b = 0, c = 0;
	for (int i = 0; i < batch->rank; i++) {
		int64_t at = index % batch->shape[i];
		index /= batch->shape[i];
		a += at * batch->a_stride[i];
		b += at * batch->b_stride[i];
		c += at * batch->c_stride[i];
	}
	int64_t size = mt__omp_dtype_size(g->dtype);
	struct mt__omp_gemm one = *g;
	one.a = (const char *)g->a + (transposed ? b : a) * size;
	one.b = (const char *)g->b + (transposed ? a : b) * size;
	one.c = (char *)g->c + c * size;
	return one;
}

static void integer_rows(const struct mt__omp_gemm *g, int64_t begin, int64_t end) {
	if (g->dtype == MT_I32)
		rows_i32(g, begin, end);
	else if (g->dtype == MT_I64)
		rows_i64(g, begin, end);
	else
		rows_u8(g, begin, end);
}

/* Every problem of a batch in pieces; run(one, begin, end) does some pieces of one problem. */
struct pieces {
	const struct mt__omp_gemm *g;
	const struct batch *batch;
	int transposed;
	int64_t each;
	void (*run)(const struct mt__omp_gemm *one, int64_t begin, int64_t end);
};

static void run_pieces(const void *context, int thread, int threads) {
	const struct pieces *p = context;
	int64_t at, end;
	if (threads == 1 && p->batch->count == 1) {
		p->run(p->g, 0, p->each);
		return;
	}
	mt__omp_share(p->batch->count * p->each, thread, threads, &at, &end);
	while (at < end) {
		int64_t index = at / p->each, first = at % p->each, last = mt__omp_min(p->each, first + end - at);
		struct mt__omp_gemm one = problem(p->g, p->batch, p->transposed, index);
		p->run(&one, first, last);
		at += last - first;
	}
}

static void run_tiny(const struct mt__omp_gemm *one, int64_t begin, int64_t end) {
	(void)begin, (void)end;
	mt__omp_gemm_tiny(one);
}

static void run_low_tiny(const struct mt__omp_gemm *one, int64_t begin, int64_t end) {
	(void)begin, (void)end;
	mt__omp_gemm_low_tiny(one);
}

static void run_gemv(const struct mt__omp_gemm *one, int64_t begin, int64_t end) {
	mt__omp_gemv(one, begin * MT__OMP_GEMV_GRAIN, mt__omp_min(one->n, end * MT__OMP_GEMV_GRAIN));
}

/* Every problem of a batch by gemm.c. */
struct products {
	const struct mt__omp_gemm_engine *engine;
	const struct mt__omp_gemm *g;
	const struct mt__omp_gemm_plan *plan;
	const struct batch *batch;
	bool one_each; /* a problem for each thread, rather than all threads on one */
	char *scratch;
};

static void run_products(const void *context, int thread, int threads) {
	const struct products *p = context;
	int64_t begin = 0, end = p->batch->count;
	if (p->one_each)
		mt__omp_share(end, thread, threads, &begin, &end);
	for (int64_t i = begin; i < end; i++) {
		struct mt__omp_gemm one = problem(p->g, p->batch, p->plan->transposed, i);
		if (p->one_each)
			p->engine->run(&one, p->plan, p->scratch + p->plan->scratch_bytes * (uint64_t)thread, 0, 1);
		else
			p->engine->run(&one, p->plan, p->scratch, thread, threads);
	}
}

static const struct mt__omp_gemm_engine plain_engine = {mt__omp_gemm_prepare, mt__omp_gemm_run};

static int32_t blocked(mt_queue *queue, const struct mt__omp_gemm_engine *engine, struct mt__omp_gemm *g,
                       const struct batch *batch, int threads) {
	struct mt__omp_gemm_plan plan;
	bool one_each = batch->count >= 4 * threads || batch->count % threads == 0;
	engine->prepare(g, one_each ? 1 : threads, &plan);
	if (mt__omp_gemm_is_far(batch->count * g->m * g->n * mt__omp_dtype_size(g->dtype)))
		plan.prefetch = 1;
	struct products p = {.engine = engine, .g = g, .plan = &plan, .batch = batch, .one_each = one_each};
	uint64_t bytes = plan.scratch_bytes * (uint64_t)(one_each ? threads : 1);
	p.scratch = mt__omp_scratch(queue, bytes);
	if (!p.scratch)
		return mt__omp_no_scratch(bytes);
	mt__omp_parallel(threads, run_products, &p);
	return MT_OK;
}

static void run_low(const void *context, int thread, int threads) {
	const struct products *p = context;
	uint64_t bytes = mt__omp_gemm_low_bytes(p->g);
	int64_t begin, end;
	mt__omp_share(p->batch->count, thread, threads, &begin, &end);
	for (int64_t i = begin; i < end; i++) {
		struct mt__omp_gemm one = problem(p->g, p->batch, 0, i);
		mt__omp_gemm_low(&one, p->scratch + bytes * (uint64_t)thread);
	}
}

static int32_t low(mt_queue *queue, const struct mt__omp_gemm *g, const struct batch *batch, int threads) {
	struct products p = {.g = g, .batch = batch};
	threads = (int)mt__omp_min(threads, batch->count);
	uint64_t bytes = mt__omp_gemm_low_bytes(g) * (uint64_t)threads;
	p.scratch = mt__omp_scratch(queue, bytes);
	if (!p.scratch)
		return mt__omp_no_scratch(bytes);
	mt__omp_parallel(threads, run_low, &p);
	return MT_OK;
}

int32_t mt__omp_matmul_by(mt_queue *queue, const struct mt_matmul_args *args, mt__omp_choose_engine *choose) {
	struct mt__omp_gemm g;
	struct batch batch;
	analyse(args, &g, &batch);
	double all = (double)g.m * (double)g.n * (double)g.k * (double)batch.count;
	bool real = g.dtype == MT_F32 || g.dtype == MT_F64;

	if (MT_SET_INTEGER & MT_DTYPE_BIT(g.dtype)) {
		struct pieces p = {&g, &batch, 0, g.m, integer_rows};
		mt__omp_parallel(mt__omp_threads(queue, all), run_pieces, &p);
		return MT_OK;
	}
	if (real ? mt__omp_gemm_is_tiny(&g) : mt__omp_gemm_low_is_tiny(&g)) {
		struct pieces p = {&g, &batch, 0, 1, real ? run_tiny : run_low_tiny};
		mt__omp_parallel(mt__omp_threads(queue, all), run_pieces, &p);
		return MT_OK;
	}
	if (real && (g.m == 1 || g.n == 1)) {
		bool transposed = g.m != 1;
		if (transposed)
			mt__omp_gemm_transpose(&g);
		struct pieces p = {&g, &batch, transposed, mt__omp_ceil_div(g.n, MT__OMP_GEMV_GRAIN), run_gemv};
		mt__omp_parallel(mt__omp_threads(queue, all / 2), run_pieces, &p);
		return MT_OK;
	}
	const enum mt__omp_gemm_way way = mt__omp_gemm_choose(&g);
	if (way != MT__OMP_GEMM_TILES) {
		struct pieces p = {&g, &batch, 0, mt__omp_gemm_dots_pieces(&g), mt__omp_gemm_dots};
#if defined(MT_ISA_AVX512)
		if (way == MT__OMP_GEMM_TURN)
			p.each = mt__omp_gemm_turn_pieces(&g), p.run = mt__omp_gemm_turn;
#endif
		mt__omp_parallel(mt__omp_threads(queue, all / 4), run_pieces, &p);
		return MT_OK;
	}
	int threads = mt__omp_threads(queue, all / 4 * (g.dtype == MT_F64 ? 2 : 1));
	if (threads == 1 && batch.count == 1 && mt__omp_gemm_is_small(&g)) {
		mt__omp_gemm_small(&g);
		return MT_OK;
	}
	const struct mt__omp_gemm_engine *engine = choose ? choose(&g) : NULL;
	if (!engine && mt__omp_gemm_low_fit(&g))
		return low(queue, &g, &batch, threads);
	if (!engine && batch.count == 1 && mt__omp_gemm_low_is_skinny(&g))
		return mt__omp_gemm_low_skinny(queue, &g, threads);
	return blocked(queue, engine ? engine : &plain_engine, &g, &batch, threads);
}

int32_t MT_ISA_NAME(mt__omp_matmul)(mt_queue *queue, const struct mt_matmul_args *args) {
	return mt__omp_matmul_by(queue, args, NULL);
}
