/* The blocked product of bf16, for any microkernel: packing, the grid of threads, blocks for the second-level cache,
 * the epilogue.
 *
 *     step     of k, at most MAX_DEPTH: a and b of a block of c are packed for it by all threads; barrier
 *     block    rows whose panels of a fill half the second-level cache, and columns where the step has several slices
 *     slice    the depth of one call of the microkernel
 *
 * Sums of a tile go into a buffer of f32, which the epilogue reads as soon as the last slice is in: a thread's own
 * buffer, or one of the whole block of c where k takes several steps. */
#include "gemm_bf16.h"

#include "activate.h"
#include "convert.h"

#include <string.h>

#define COLUMNS MT__OMP_BF16_COLUMNS
#define MAX_DEPTH 2048
#define MAX_EXTENT 2048
/* Of a block of c whose sums wait for further steps of k. */
#define MAX_WAITING_EXTENT 1024
/* Tiles in each direction whose sums wait for further slices: at 32 rows, 256 KiB. */
#define SLICED_TILES 8

/* One block of c, [m × n] at (i0, j0), and one step of k that goes into it. */
struct block {
	const struct mt__omp_bf16_kernel *kernel;
	const struct mt__omp_gemm *g;
	const struct mt__omp_gemm_plan *plan;
	uint16_t *a_panels, *b_panels;
	float *bias, *waiting, *own;
	int64_t i0, j0, p0, m, n, k, depth;
	int64_t row_tiles, column_tiles;
};

/* VFPCLASSPS's name for subnormal numbers. */
#define FPCLASS_SUBNORMAL 0x20

/* A part of a block: rows and columns of tiles. */
struct part {
	int64_t r_begin, r_end, c_begin, c_end;
};

/* Rows [*begin, *end) of a row tile: as even as row_unit allows. */
static void tile_rows(const struct block *b, int64_t tile, int64_t *begin, int64_t *end) {
	int64_t unit = b->kernel->row_unit;
	mt__omp_share(mt__omp_ceil_div(b->m, unit), (int)tile, (int)b->row_tiles, begin, end);
	*begin *= unit;
	*end = mt__omp_min(*end * unit, b->m);
}

/* ---- packing ---- */

static void pack_share(const struct block *b, int thread, int threads) {
	const struct mt__omp_gemm *g = b->g;
	int64_t begin, end, i, i_end;
	mt__omp_share(b->plan->pack_a ? b->row_tiles : 0, thread, threads, &begin, &end);
	for (int64_t r = begin; r < end; r++) {
		tile_rows(b, r, &i, &i_end);
		b->kernel->pack_rows(b->a_panels + r * b->kernel->panel_rows * b->depth,
		                     (const uint16_t *)g->a + (b->i0 + i) * g->a_rs + b->p0 * g->a_cs, g->a_rs, g->a_cs,
		                     i_end - i, b->k, b->depth);
	}
	mt__omp_share(b->column_tiles, thread, threads, &begin, &end);
	for (int64_t c = begin; c < end; c++) {
		int64_t j = c * COLUMNS;
		mt__omp_bf16_pack_pairs(b->b_panels + j * b->depth, COLUMNS,
		                        (const uint16_t *)g->b + (b->j0 + j) * g->b_cs + b->p0 * g->b_rs, g->b_cs, g->b_rs,
		                        mt__omp_min(COLUMNS, b->n - j), b->k, b->depth / 2);
	}
}

/* ---- the epilogue ---- */

/* A tile's sums and where it goes. */
struct result {
	float *y;
	int64_t ld, i, j, rows, columns; /* i and j in all of c */
};

/* c[j] = bf16(y[j]) for all columns.  The instruction would make zeros of what is subnormal. */
MT_INLINE void store_whole_row(uint16_t *c, const float *y) {
#if defined(__AVX512BF16__)
	__m512 low = _mm512_loadu_ps(y), high = _mm512_loadu_ps(y + 16);
	if (!(_mm512_fpclass_ps_mask(low, FPCLASS_SUBNORMAL) | _mm512_fpclass_ps_mask(high, FPCLASS_SUBNORMAL))) {
		_mm512_storeu_si512(c, (__m512i)_mm512_cvtne2ps_pbh(high, low));
		return;
	}
#endif
	for (int j = 0; j < COLUMNS; j++)
		c[j] = mt_f32_to_bf16(y[j]);
}

/* y = alpha · y + beta · c + bias, and ReLU: over the padding too, which is never stored. */
static void scale(const struct mt__omp_gemm *g, const float *bias, const struct result *t) {
	float alpha = (float)g->alpha, beta = (float)g->beta, old[COLUMNS] = {0}, add[COLUMNS] = {0};
	if (bias && !g->bias_of_rows)
		memcpy(add, bias + t->j, sizeof add);
	for (int64_t i = 0; i < t->rows; i++) {
		float *y = t->y + i * t->ld;
		float row_bias = bias && g->bias_of_rows ? bias[t->i + i] : 0;
		if (beta != 0)
			load_run(old, MT_BF16, (const uint16_t *)g->c + (t->i + i) * g->c_rs + t->j * g->c_cs, g->c_cs, t->columns);
		for (int j = 0; j < COLUMNS; j++)
			y[j] = alpha * y[j] + beta * old[j] + add[j] + row_bias;
		if (g->activation == MT_ACT_RELU)
			for (int j = 0; j < COLUMNS; j++)
				y[j] = y[j] <= 0 ? 0 : y[j];
	}
}

/* Asks for the lines of c that finish will write. */
static void expect(const struct mt__omp_gemm *g, const struct result *t) {
	if (g->c_cs == 1)
		for (int64_t i = 0; i < t->rows; i++)
			__builtin_prefetch((uint16_t *)g->c + (t->i + i) * g->c_rs + t->j, 1);
}

static void finish(const struct mt__omp_gemm *g, const float *bias, const struct result *t) {
	if (g->alpha != 1 || g->beta != 0 || bias || g->activation == MT_ACT_RELU)
		scale(g, bias, t);
	if (g->activation > MT_ACT_RELU)
		mt__omp_activate(g->activation, MT_F32, t->y, t->rows, COLUMNS, t->ld);
	for (int64_t i = 0; i < t->rows; i++) {
		uint16_t *c = (uint16_t *)g->c + (t->i + i) * g->c_rs + t->j * g->c_cs;
		if (g->c_cs == 1 && t->columns == COLUMNS) {
			store_whole_row(c, t->y + i * t->ld);
		} else {
			uint16_t row[COLUMNS];
			store_whole_row(row, t->y + i * t->ld);
			for (int64_t j = 0; j < t->columns; j++)
				c[j * g->c_cs] = row[j];
		}
	}
}

/* ---- the product ---- */

/* Tile (r, c), slice [p, p + depth) of this step.  own: the sums of this thread's block, from (r0, c0) on. */
static void run_tile(const struct block *b, int64_t r, int64_t c, int64_t p, int64_t r0, int64_t c0) {
	const struct mt__omp_bf16_kernel *kernel = b->kernel;
	int64_t i, i_end, j = c * COLUMNS, depth = mt__omp_min(kernel->slice, b->depth - p);
	tile_rows(b, r, &i, &i_end);
	struct result t = {.i = b->i0 + i, .j = b->j0 + j, .rows = i_end - i, .columns = mt__omp_min(COLUMNS, b->n - j)};
	if (b->waiting) {
		t.ld = b->plan->nb;
		t.y = b->waiting + i * t.ld + j;
	} else {
		t.ld = COLUMNS;
		t.y = b->own + ((r - r0) * SLICED_TILES + c - c0) * kernel->tile_rows * COLUMNS;
	}
	bool packed = b->plan->pack_a, last = p + depth == b->depth && b->p0 + b->k == b->g->k;
	const uint16_t *a = packed ? b->a_panels + r * kernel->panel_rows * b->depth + kernel->row_panel_offset(p)
	                           : (const uint16_t *)b->g->a + t.i * b->g->a_rs + b->p0 + p;
	if (last)
		expect(b->g, &t);
	kernel->tile(t.rows, t.columns, depth, a, packed ? 0 : b->g->a_rs, b->b_panels + j * b->depth + p * COLUMNS, t.y,
	             t.ld, p + b->p0 > 0);
	if (last)
		finish(b->g, b->bias, &t);
}

static void compute_part(const struct block *b, const struct part *t) {
	const struct mt__omp_bf16_kernel *kernel = b->kernel;
	bool sliced = b->depth > kernel->slice;
	int64_t panel_bytes = kernel->panel_rows * mt__omp_max(b->depth, 1) * (int64_t)sizeof(uint16_t);
	int64_t r_step = sliced ? SLICED_TILES : MT__OMP_L2_BYTES / 2 / panel_bytes + 1;
	int64_t c_step = sliced ? SLICED_TILES : 1;
	for (int64_t r0 = t->r_begin; r0 < t->r_end; r0 += r_step)
		for (int64_t c0 = t->c_begin; c0 < t->c_end; c0 += c_step) {
			int64_t r_end = mt__omp_min(t->r_end, r0 + r_step), c_end = mt__omp_min(t->c_end, c0 + c_step), p = 0;
			/* Once even for k = 0. */
			do {
				for (int64_t c = c0; c < c_end; c++)
					for (int64_t r = r0; r < r_end; r++)
						run_tile(b, r, c, p, sliced ? r0 : r, c0);
				p += kernel->slice;
			} while (p < b->depth);
		}
}

/* How a grid of tiles is divided among the threads: rows × columns parts, the largest as small as can be. */
static void divide(const struct block *b, int threads, int *rows, int *columns) {
	int64_t best = INT64_MAX;
	*rows = *columns = 1;
	for (int r = 1; r <= threads; r++) {
		int c = threads / r;
		int64_t cost = mt__omp_ceil_div(b->row_tiles, r) * mt__omp_ceil_div(b->column_tiles, c);
		if (cost < best)
			best = cost, *rows = r, *columns = c;
	}
}

static void compute_share(const struct block *b, int thread, int threads) {
	int rows, columns;
	struct part t;
	divide(b, threads, &rows, &columns);
	if (thread >= rows * columns)
		return;
	mt__omp_share(b->row_tiles, thread % rows, rows, &t.r_begin, &t.r_end);
	mt__omp_share(b->column_tiles, thread / rows, columns, &t.c_begin, &t.c_end);
	if (b->kernel->begin)
		b->kernel->begin();
	compute_part(b, &t);
	if (b->kernel->end)
		b->kernel->end();
}

static void load_bias(const struct mt__omp_gemm *g, float *bias) {
	int64_t n = g->bias_of_rows ? g->m : g->n;
	load_run(bias, MT_BF16, g->bias, g->bias_stride, n);
	memset(bias + n, 0, COLUMNS * sizeof *bias);
}

/* A thread's own sums: those of SLICED_TILES² tiles; one tile's where a step is one slice. */
static uint64_t own_bytes(const struct mt__omp_bf16_kernel *kernel, const struct mt__omp_gemm_plan *plan) {
	bool sliced = mt__omp_round_up(plan->kb, kernel->depth_unit) > kernel->slice;
	return (uint64_t)kernel->tile_rows * COLUMNS * sizeof(float) * (sliced ? SLICED_TILES * SLICED_TILES : 1);
}

void mt__omp_bf16_run(const struct mt__omp_bf16_kernel *kernel, const struct mt__omp_gemm *g,
                      const struct mt__omp_gemm_plan *plan, void *scratch, int thread, int threads) {
	char *space = scratch;
	struct block b = {.kernel = kernel, .g = g, .plan = plan};
	b.a_panels = mt__omp_take(&space, plan->a_bytes);
	b.b_panels = mt__omp_take(&space, plan->b_bytes);
	if (plan->through_buffer)
		b.waiting = mt__omp_take(&space, plan->buffer_bytes);
	if (g->bias) {
		int64_t n = (g->bias_of_rows ? g->m : g->n) + COLUMNS;
		b.bias = mt__omp_take(&space, mt__omp_align64((uint64_t)n * sizeof(float)));
		if (thread == 0)
			load_bias(g, b.bias);
	}
	b.own = (float *)(void *)(space + own_bytes(kernel, plan) * (uint64_t)thread);
	for (b.j0 = 0; b.j0 < g->n; b.j0 += plan->nb)
		for (b.i0 = 0; b.i0 < g->m; b.i0 += plan->mb)
			/* Once even for k = 0. */
			for (b.p0 = 0; b.p0 == 0 || b.p0 < g->k; b.p0 += plan->kb) {
				b.m = mt__omp_min(plan->mb, g->m - b.i0);
				b.n = mt__omp_min(plan->nb, g->n - b.j0);
				b.k = mt__omp_min(plan->kb, g->k - b.p0);
				b.depth = mt__omp_round_up(b.k, kernel->depth_unit);
				b.row_tiles = mt__omp_ceil_div(b.m, kernel->tile_rows);
				b.column_tiles = mt__omp_ceil_div(b.n, COLUMNS);
				pack_share(&b, thread, threads);
				if (threads > 1) {
#pragma omp barrier
				}
				compute_share(&b, thread, threads);
				if (threads > 1) {
#pragma omp barrier
				}
			}
}

void mt__omp_bf16_prepare(const struct mt__omp_bf16_kernel *kernel, struct mt__omp_gemm *g, int threads,
                          struct mt__omp_gemm_plan *plan) {
	/* The stride of an extent of one is free: let it be the best. */
	if (g->n == 1)
		g->c_cs = g->b_cs = 1;
	if (g->m == 1)
		g->c_rs = g->a_rs = 1;
	if (g->k == 1)
		g->a_cs = g->b_rs = 1;
	bool transposed = g->c_cs != 1 && g->c_rs == 1;
	if (transposed)
		mt__omp_gemm_transpose(g);

	/* Rows of a tile a multiple of 4 KiB apart would share a few sets of the first-level cache. */
	bool in_place = kernel->in_place && g->a_cs == 1 && g->k % 2 == 0 && g->a_rs != 0 && g->a_rs * 2 % 4096 != 0;
	*plan = (struct mt__omp_gemm_plan){.transposed = transposed, .pack_a = !in_place, .pack_b = 1};
	plan->kb = mt__omp_block_extent(g->k, MAX_DEPTH, kernel->slice < MAX_DEPTH ? kernel->slice : kernel->depth_unit);
	plan->kb = mt__omp_min(plan->kb, mt__omp_round_up(mt__omp_max(g->k, 1), kernel->depth_unit));
	plan->through_buffer = g->k > plan->kb;
	int64_t most = plan->through_buffer ? MAX_WAITING_EXTENT : MAX_EXTENT;
	plan->mb = mt__omp_block_extent(g->m, most, kernel->row_unit);
	plan->nb = mt__omp_block_extent(g->n, most, COLUMNS);

	uint64_t depth = (uint64_t)mt__omp_round_up(plan->kb, kernel->depth_unit) * sizeof(uint16_t);
	uint64_t panels = (uint64_t)(mt__omp_ceil_div(plan->mb, kernel->tile_rows) * kernel->panel_rows);
	plan->a_bytes = plan->pack_a ? mt__omp_align64(panels * depth) : 0;
	plan->b_bytes = mt__omp_align64((uint64_t)plan->nb * depth);
	plan->buffer_bytes = plan->through_buffer ? (uint64_t)(plan->mb * plan->nb) * sizeof(float) : 0;
	plan->buffer_bytes = mt__omp_align64(plan->buffer_bytes);
	uint64_t bias = g->bias ? (uint64_t)((g->bias_of_rows ? g->m : g->n) + COLUMNS) * sizeof(float) : 0;
	plan->scratch_bytes = plan->a_bytes + plan->b_bytes + plan->buffer_bytes + mt__omp_align64(bias) +
	                      own_bytes(kernel, plan) * (uint64_t)threads;
}
