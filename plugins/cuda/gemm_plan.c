#include "gemm_plan.h"

#include <math.h>
#include <stdlib.h>

int mt__cuda_gemm_size(int32_t dtype) {
	switch (dtype) {
#define MT_DTYPE(id, NAME, name, bytes, class)                                                                         \
	case MT_##NAME:                                                                                                    \
		return bytes;
#include "mt/dtypes.def"
#undef MT_DTYPE
	default:
		return 1;
	}
}

int mt__cuda_gemm_sum_size(int32_t dtype) {
	return dtype == MT_F64 || dtype == MT_I64 ? 8 : 4;
}

static int is_float(int32_t dtype) {
	return (MT_SET_FLOAT >> dtype & 1u) != 0;
}

int mt__cuda_gemm_is_half(int32_t dtype) {
	return dtype == MT_F16 || dtype == MT_BF16;
}

static int64_t divided_up(int64_t n, int64_t by) {
	return n / by + (n % by != 0);
}

static int64_t rounded_up(int64_t n, int64_t to) {
	return divided_up(n, to) * to;
}

/* ---- the product ---- */

static char *address(const mt_array *a) {
	return (char *)a->base + a->byte_offset;
}

/* Whether a dim goes on where `extent` positions with the strides x and y end. */
static int goes_on(int64_t extent, int64_t x, int64_t x_next, int64_t y, int64_t y_next) {
	return extent == 1 || (x_next == extent * x && y_next == extent * y);
}

/* Makes the batch's dim part of m where b stays the same along it, or of n where a does. */
static int fold_dim(struct mt_cuda_product *p, int d) {
	int64_t a = p->batch.stride[MT_CUDA_GEMM_A][d], b = p->batch.stride[MT_CUDA_GEMM_B][d],
			out = p->batch.stride[MT_CUDA_GEMM_OUT][d], extent = p->batch.shape[d];
	if (b == 0 && goes_on(p->m, p->a.outer, a, p->out.row, out)) {
		p->a.outer = p->m == 1 ? a : p->a.outer;
		p->out.row = p->m == 1 ? out : p->out.row;
		p->m *= extent;
	} else if (a == 0 && (!p->bias.at || p->n == 1) && goes_on(p->n, p->b.outer, b, p->out.column, out)) {
		p->b.outer = p->n == 1 ? b : p->b.outer;
		p->out.column = p->n == 1 ? out : p->out.column;
		p->n *= extent;
	} else {
		return 0;
	}
	mt__cuda_walk_drop(&p->batch, d);
	return 1;
}

/* outᵀ = bᵀ aᵀ */
static void turn(struct mt_cuda_product *p) {
	struct mt_cuda_operand a = p->a;
	p->a = p->b;
	p->b = a;
	p->out = (struct mt_cuda_target){p->out.at, p->out.column, p->out.row};
	p->bias = (struct mt_cuda_target){p->bias.at, p->bias.column, p->bias.row};
	int64_t m = p->m;
	p->m = p->n;
	p->n = m;
	for (int d = 0; d < p->batch.rank; d++) {
		int64_t stride = p->batch.stride[MT_CUDA_GEMM_A][d];
		p->batch.stride[MT_CUDA_GEMM_A][d] = p->batch.stride[MT_CUDA_GEMM_B][d];
		p->batch.stride[MT_CUDA_GEMM_B][d] = stride;
	}
}

void mt__cuda_product(struct mt_cuda_product *p, const struct mt_matmul_args *args) {
	const mt_array *a = args->a, *b = args->b, *out = args->out, *bias = args->bias;
	int row = out->rank - 2, column = row + 1;
	int64_t m = out->shape[row], n = out->shape[column], k = a->shape[column];
	*p = (struct mt_cuda_product){
		.dtype = out->dtype,
		.activation = args->activation,
		.alpha = args->alpha,
		.beta = args->beta,
		.m = m,
		.n = n,
		.k = k,
		.a = {address(a), m == 1 ? 0 : a->stride[row], k == 1 ? 0 : a->stride[column]},
		.b = {address(b), n == 1 ? 0 : b->stride[column], k == 1 ? 0 : b->stride[row]},
		.out = {address(out), m == 1 ? 0 : out->stride[row], n == 1 ? 0 : out->stride[column]},
		.bias = {bias ? address(bias) : NULL, 0, bias && n != 1 ? bias->stride[0] : 0},
	};
	const int64_t *const strides[] = {a->stride, b->stride, out->stride};
	mt__cuda_walk_any_order(&p->batch, 3, row, out->shape, strides);
	for (int d = p->batch.rank - 1; d >= 0; d--)
		fold_dim(p, d);
	if (p->m > 1 && (p->n == 1 || llabs(p->out.row) < llabs(p->out.column)))
		turn(p);
}

static int is_tiny(const struct mt_cuda_product *p) {
	int64_t most = MT_CUDA_GEMM_TINY;
	return p->batch.count == 1 && p->m <= most && p->n <= most && p->m * p->n <= most && p->k <= most / (p->m * p->n);
}

int mt__cuda_gemm_wants_library(const struct mt_cuda_product *p, enum mt_cuda_path path) {
	int can = is_float(p->dtype) && p->k > 0 && p->alpha != 0;
	return can && (path == MT_CUDA_LIBRARY || (path == MT_CUDA_AUTO && !is_tiny(p)));
}

/* ---- feeds ---- */

static int along_k(const struct mt_cuda_operand *o, int64_t extent, int64_t k) {
	if (extent == 1 || k <= 1)
		return extent == 1;
	int64_t inner = llabs(o->inner), outer = llabs(o->outer);
	return inner == 1 || (outer != 1 && inner <= outer);
}

/* Elements are read n at a time where each group of n lies on a multiple of n elements. */
static struct mt_cuda_feed feed(const struct mt_cuda_product *p, const struct mt_cuda_operand *o, int array,
                                int64_t extent, int n) {
	struct mt_cuda_feed f = {along_k(o, extent, p->k), 1};
	int64_t fast = f.along_k ? o->inner : o->outer, slow = f.along_k ? o->outer : o->inner;
	int64_t count = f.along_k ? p->k : extent;
	f.vector = fast == 1 && count % n == 0 && slow % n == 0 &&
	           (uintptr_t)o->at % (uintptr_t)(n * mt__cuda_gemm_size(p->dtype)) == 0;
	for (int d = 0; d < p->batch.rank; d++)
		f.vector = f.vector && p->batch.stride[array][d] % n == 0;
	return f;
}

/* ---- which kernel, and how many pieces of k ---- */

/* A model of a GPU with MULTIPROCESSORS of them, in their cycles: coarse, and the same on every device. */
enum {
	MULTIPROCESSORS = 132,
	START = 600,    /* of a block: first loads, last stores */
	COMBINE = 5000, /* a second launch */
	BYTES = 16,     /* of memory traffic for each cycle of a multiprocessor */
	MOST_SPLITS = 128
};

/* Cycles are those of one step of k: what a block takes of a multiprocessor that has others to run, and what it needs
 * when it is alone there and waits for its own loads.  piece: the least that a piece of k has. */
struct tile {
	enum mt_cuda_gemm_kernel kernel;
	int side, depth, cycles, alone, piece;
};

static const struct tile tiles_128 = {MT_CUDA_GEMM_TILES_128, 128, 8, 150, 190, 32};
static const struct tile tiles_64 = {MT_CUDA_GEMM_TILES_64, 64, 16, 40, 60, 32};
static const struct tile tiles_32 = {MT_CUDA_GEMM_TILES_32, 32, 32, 14, 27, 32};
static const struct tile tensor = {MT_CUDA_GEMM_TENSOR, 128, 32, 25, 40, 128};

/* Elements of out, as a double, which does not overflow. */
static double outputs(const struct mt_cuda_product *p) {
	return (double)p->m * (double)p->n * (double)p->batch.count;
}

static double combine_cycles(const struct mt_cuda_product *p, int splits) {
	if (splits == 1)
		return 0;
	return COMBINE + outputs(p) * (2 * splits + 1) * mt__cuda_gemm_sum_size(p->dtype) / (MULTIPROCESSORS * BYTES);
}

static int64_t chunk(const struct mt_cuda_product *p, int splits, int depth) {
	return rounded_up(divided_up(p->k, splits), depth);
}

static double tile_cycles(const struct mt_cuda_product *p, const struct tile *t, int splits) {
	double blocks =
		(double)divided_up(p->m, t->side) * (double)divided_up(p->n, t->side) * (double)p->batch.count * (double)splits;
	double length = (double)chunk(p, splits, t->depth), alone = START + length * t->alone;
	double busy = ceil(blocks / MULTIPROCESSORS) * (START + length * t->cycles);
	return (busy > alone ? busy : alone) + combine_cycles(p, splits);
}

static void set_pieces(struct mt_cuda_gemm_plan *plan, const struct mt_cuda_product *p, int splits, int depth) {
	plan->k_chunk = chunk(p, splits, depth);
	plan->splits = p->k > plan->k_chunk ? (int)divided_up(p->k, plan->k_chunk) : 1;
	plan->scratch = 0;
	if (plan->splits > 1)
		plan->scratch = (uint64_t)plan->splits * (uint64_t)p->m * (uint64_t)p->n * (uint64_t)p->batch.count *
		                (uint64_t)mt__cuda_gemm_sum_size(p->dtype);
}

static void plan_tiles(struct mt_cuda_gemm_plan *plan, const struct mt_cuda_product *p, int tensor_cores) {
	const struct tile *candidates[] = {&tiles_32, &tiles_64, p->dtype == MT_F32 ? &tiles_128 : &tensor};
	int count = p->dtype == MT_F32 || (mt__cuda_gemm_is_half(p->dtype) && tensor_cores) ? 3 : 2;
	const struct tile *best = candidates[0];
	int best_splits = 1;
	double best_cycles = tile_cycles(p, best, best_splits);
	for (int i = 0; i < count; i++)
		for (int splits = 1; splits <= MOST_SPLITS; splits *= 2) {
			if (splits > 1 && divided_up(p->k, splits) < candidates[i]->piece)
				break;
			double cycles = tile_cycles(p, candidates[i], splits);
			if (cycles >= best_cycles)
				continue;
			best = candidates[i];
			best_splits = splits;
			best_cycles = cycles;
		}
	int vector = best->kernel == MT_CUDA_GEMM_TENSOR ? 8 : 4;
	plan->kernel = best->kernel;
	plan->tiles_down = divided_up(p->m, best->side);
	plan->tiles_across = divided_up(p->n, best->side);
	plan->a = feed(p, &p->a, MT_CUDA_GEMM_A, p->m, vector);
	plan->b = feed(p, &p->b, MT_CUDA_GEMM_B, p->n, vector);
	set_pieces(plan, p, best_splits, best->depth);
}

/* Blocks that fill a GPU twice; a piece of k is long enough to be worth its sum in scratch. */
enum { ENOUGH_BLOCKS = 2 * MULTIPROCESSORS, PIECE_ALONG_K = 2048, PIECE_ACROSS_K = 256 };

static void plan_vectors(struct mt_cuda_gemm_plan *plan, const struct mt_cuda_product *p) {
	plan->kernel = MT_CUDA_GEMM_VECTORS;
	plan->turned = p->m > p->n;
	const struct mt_cuda_operand *o = plan->turned ? &p->a : &p->b;
	int64_t extent = plan->turned ? p->m : p->n;
	int along = along_k(o, extent, p->k), pack = along ? 16 / mt__cuda_gemm_size(p->dtype) : 4;
	plan->a = feed(p, &p->a, MT_CUDA_GEMM_A, p->m, pack);
	plan->b = feed(p, &p->b, MT_CUDA_GEMM_B, p->n, pack);
	plan->tiles_down = divided_up(extent, along ? MT_CUDA_GEMM_ROWS_ALONG_K : MT_CUDA_GEMM_ROWS_ACROSS_K);
	plan->tiles_across = 1;
	double blocks = (double)plan->tiles_down * (double)p->batch.count;
	int splits = 1;
	while (splits < MOST_SPLITS && blocks * splits < ENOUGH_BLOCKS &&
	       p->k / splits > (along ? PIECE_ALONG_K : PIECE_ACROSS_K))
		splits *= 2;
	set_pieces(plan, p, splits, MT_CUDA_GEMM_PIECE);
}

void mt__cuda_gemm_plan(struct mt_cuda_gemm_plan *plan, const struct mt_cuda_product *p, int tensor_cores) {
	*plan = (struct mt_cuda_gemm_plan){.splits = 1};
	if (is_float(p->dtype) && (p->m <= MT_CUDA_GEMM_FEW || p->n <= MT_CUDA_GEMM_FEW))
		plan_vectors(plan, p);
	else
		plan_tiles(plan, p, tensor_cores);
}
