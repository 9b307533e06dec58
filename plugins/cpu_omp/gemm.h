/* Matrix product, the engine below matmul: c = act(alpha · a @ b + beta · c + bias) for one problem.
 *
 * Blocked and packed after Goto & van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008), and BLIS:
 * blocks of a and b are copied into panels that the microkernel (gemm_tile.inc) reads in order.  Small problems are
 * read in place.  How k is divided depends on the shape alone, and every element is summed in the same order whatever
 * tile it falls into, so the result has the same bits for any number of threads. */
#ifndef MT_OMP_GEMM_H
#define MT_OMP_GEMM_H

#include "isa.h"

/* The longest stretch of the summed index that is packed at a time. */
#define MT__OMP_GEMM_MAX_DEPTH 512

/* Writes the panel dst[p · ld + i] = element (i, p) for i in [i0, i0 + width), p in [p0, p0 + n), counted from i0, p0;
 * zero for i from width to ld.  i counts a's rows or b's columns, p is the index that is summed over. */
typedef void mt__omp_pack(const void *context, void *dst, int64_t ld, int64_t i0, int64_t width, int64_t p0, int64_t n);

/* Strides are in elements of dtype (f32, f64, f16 or bf16), which all arrays have. */
struct mt__omp_gemm {
	int64_t m, n, k;
	const void *a, *b, *bias; /* bias: NULL, or one value a column (a row where bias_of_rows), bias_stride apart */
	void *c;
	int64_t a_rs, a_cs, b_rs, b_cs, c_rs, c_cs, bias_stride;
	double alpha, beta;
	int32_t dtype;
	int32_t activation;
	int bias_of_rows;
	/* Where given, a or b is not an array: its panels come from here.  f32 and f64; c's columns adjacent. */
	mt__omp_pack *make_a, *make_b;
	const void *make_context;
};

/* How a problem of a given shape is computed. */
struct mt__omp_gemm_plan {
	int64_t kb;         /* the depth of a step */
	int64_t nb, mb;     /* columns of b, rows of results, that are packed (gathered) at a time */
	int pack_a, pack_b; /* 0: read in place */
	int hold_b;         /* in registers, while the rows of a pass by */
	int keep_a;         /* panels of a step's a stay for all blocks of columns */
	int prefetch;       /* c isn't expected in the cache */
	int foresee_a;      /* a isn't either */
	int transposed;     /* a, b and c were exchanged */
	int through_buffer; /* results gather in a buffer of f32 (f64) before they are converted and stored */
	uint64_t a_bytes, b_bytes, buffer_bytes, thread_bytes; /* of scratch, for one thread */
	uint64_t scratch_bytes;
};

#define mt__omp_gemm_prepare MT_ISA_NAME(mt__omp_gemm_prepare)
#define mt__omp_gemm_run MT_ISA_NAME(mt__omp_gemm_run)
#define mt__omp_gemm_transpose MT_ISA_NAME(mt__omp_gemm_transpose)
#define mt__omp_gemv MT_ISA_NAME(mt__omp_gemv)
#define mt__omp_gemm_tiny MT_ISA_NAME(mt__omp_gemm_tiny)
#define mt__omp_gemm_choose MT_ISA_NAME(mt__omp_gemm_choose)
#define mt__omp_gemm_dots_cost MT_ISA_NAME(mt__omp_gemm_dots_cost)
#define mt__omp_gemm_dots_pieces MT_ISA_NAME(mt__omp_gemm_dots_pieces)
#define mt__omp_gemm_dots MT_ISA_NAME(mt__omp_gemm_dots)
#define mt__omp_gemm_turn_cost MT_ISA_NAME(mt__omp_gemm_turn_cost)
#define mt__omp_gemm_turn_pieces MT_ISA_NAME(mt__omp_gemm_turn_pieces)
#define mt__omp_gemm_turn MT_ISA_NAME(mt__omp_gemm_turn)
#define mt__omp_gemm_is_small MT_ISA_NAME(mt__omp_gemm_is_small)
#define mt__omp_gemm_small MT_ISA_NAME(mt__omp_gemm_small)
#define mt__omp_gemm_alone MT_ISA_NAME(mt__omp_gemm_alone)
#define mt__omp_gemm_alone_bytes MT_ISA_NAME(mt__omp_gemm_alone_bytes)
#define mt__omp_gemm_low MT_ISA_NAME(mt__omp_gemm_low)
#define mt__omp_gemm_low_bytes MT_ISA_NAME(mt__omp_gemm_low_bytes)
#define mt__omp_gemm_low_fit MT_ISA_NAME(mt__omp_gemm_low_fit)
#define mt__omp_gemm_low_tiny MT_ISA_NAME(mt__omp_gemm_low_tiny)
#define mt__omp_gemm_low_is_tiny MT_ISA_NAME(mt__omp_gemm_low_is_tiny)

/* g as the product of the transposes: cᵀ = bᵀ @ aᵀ. */
void mt__omp_gemm_transpose(struct mt__omp_gemm *g);

/* Turns g into its transpose where c is stored by columns, and plans it by shape, dtype and strides for at most
 * `threads` threads; pointers are not looked at, so that problems of a batch that differ only in them share a plan. */
void mt__omp_gemm_prepare(struct mt__omp_gemm *g, int threads, struct mt__omp_gemm_plan *plan);

/* Part `thread` of the `threads` parts of one problem; parts do not wait for each other.  scratch:
 * plan->scratch_bytes, the same for all parts. */
void mt__omp_gemm_run(const struct mt__omp_gemm *g, const struct mt__omp_gemm_plan *plan, void *scratch, int thread,
                      int threads);

/* m = 1, f32 or f64: columns [begin, end) of c.  Ranges that begin at multiples of MT__OMP_GEMV_GRAIN give each column
 * the same bits however many ranges there are. */
#define MT__OMP_GEMV_GRAIN 64
void mt__omp_gemv(const struct mt__omp_gemm *g, int64_t begin, int64_t end);

/* The ways of an f32 product whose elements are adjacent along k in a and in b. */
enum mt__omp_gemm_way {
	MT__OMP_GEMM_TILES, /* prepare and run: b is turned while it is packed */
	MT__OMP_GEMM_DOTS,  /* every element of c as a dot product, lanes along k */
	MT__OMP_GEMM_TURN,  /* avx512, few rows or few columns: the long operand is turned on its way to the registers */
};

/* The fastest way, by shape and strides; tiles for all other products. */
enum mt__omp_gemm_way mt__omp_gemm_choose(const struct mt__omp_gemm *g);

/* What they cost, in multiply-adds of vectors; infinity where they can't.  Pieces [begin, end) of ..._pieces(g). */
double mt__omp_gemm_dots_cost(const struct mt__omp_gemm *g);
int64_t mt__omp_gemm_dots_pieces(const struct mt__omp_gemm *g);
void mt__omp_gemm_dots(const struct mt__omp_gemm *g, int64_t begin, int64_t end);
double mt__omp_gemm_turn_cost(const struct mt__omp_gemm *g);
int64_t mt__omp_gemm_turn_pieces(const struct mt__omp_gemm *g);
void mt__omp_gemm_turn(const struct mt__omp_gemm *g, int64_t begin, int64_t end);

/* f32 or f64, by the definition: for products so small that anything else costs more. */
void mt__omp_gemm_tiny(const struct mt__omp_gemm *g);

/* f32, on the calling thread, without scratch: small enough for the first-level cache, c's columns adjacent, no bias. */
bool mt__omp_gemm_is_small(const struct mt__omp_gemm *g);
void mt__omp_gemm_small(const struct mt__omp_gemm *g);

/* Whether results of so many bytes are expected outside the second-level cache. */
static inline bool mt__omp_gemm_is_far(int64_t bytes) {
	return bytes > 512 * 1024;
}

static inline bool mt__omp_gemm_is_tiny(const struct mt__omp_gemm *g) {
	return (double)g->m * (double)g->n * (double)g->k <= 512;
}

/* f32 or f64, on the calling thread, whichever way of the above is best; scratch: alone_bytes(g). */
uint64_t mt__omp_gemm_alone_bytes(const struct mt__omp_gemm *g);
void mt__omp_gemm_alone(const struct mt__omp_gemm *g, void *scratch);

/* f16 or bf16, on the calling thread, by way of f32 arrays in scratch (low_bytes(g)); fit: small enough for that. */
bool mt__omp_gemm_low_fit(const struct mt__omp_gemm *g);
uint64_t mt__omp_gemm_low_bytes(const struct mt__omp_gemm *g);
void mt__omp_gemm_low(const struct mt__omp_gemm *g, void *scratch);

/* The same for so small a product that the stack will do. */
bool mt__omp_gemm_low_is_tiny(const struct mt__omp_gemm *g);
void mt__omp_gemm_low_tiny(const struct mt__omp_gemm *g);

#endif
