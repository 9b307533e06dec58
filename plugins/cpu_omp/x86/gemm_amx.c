/* The microkernel of AMX: 32 × 32 sums in four tile registers; TDPBF16PS multiplies 16 × 32 by 32 × 16 bf16.
 *
 *     tmm0 tmm1     c, quarters of 16 × 16        tmm4 tmm5     rows 0–15 and 16–31 of a
 *     tmm2 tmm3                                   tmm6 tmm7     columns 0–15 and 16–31 of b
 *
 * Four loads feed four products.  Panels are filled up with zeros to whole tiles, so that one configuration serves all;
 * a half that has no row or column of c is left out. */
#include "x86/levels.h"

#include "vector.h"

#define ROWS 32
#define UNIT 16
/* Depth of a tile, in bf16, and bytes of its rows. */
#define DEPTH 32
#define ROW_BYTES 64

/* Palette 1: eight tiles of 16 rows of 64 bytes. */
struct tile_config {
	uint8_t palette, start_row, reserved[14];
	uint16_t row_bytes[16];
	uint8_t rows[16];
};

static void begin(void) {
	struct tile_config config = {.palette = 1};
	for (int i = 0; i < 8; i++) {
		config.row_bytes[i] = ROW_BYTES;
		config.rows[i] = UNIT;
	}
	_tile_loadconfig(&config);
}

static void end(void) {
	_tile_release();
}

/* A panel of a is [depth/32][32 rows][32]. */
static void pack_rows(uint16_t *panel, const uint16_t *src, int64_t row_stride, int64_t k_stride, int64_t rows,
                      int64_t k, int64_t depth) {
	mt__omp_bf16_pack_blocks(panel, src, row_stride, k_stride, rows, k, depth / DEPTH);
}

static int64_t row_panel_offset(int64_t p) {
	return p * ROWS;
}

/* bottom: there are rows from 16 on; right: there are columns from 16 on. */
MT_INLINE void tile(const int bottom, const int right, int64_t depth, const uint16_t *a, const uint16_t *b, float *c,
                    int64_t ld, int accumulate) {
	const int64_t c_bytes = ld * (int64_t)sizeof *c, b_bytes = MT__OMP_BF16_COLUMNS * 2 * (int64_t)sizeof *b;
	if (accumulate) {
		_tile_loadd(0, c, c_bytes);
		if (right)
			_tile_loadd(1, c + UNIT, c_bytes);
		if (bottom)
			_tile_loadd(2, c + UNIT * ld, c_bytes);
		if (bottom && right)
			_tile_loadd(3, c + UNIT * ld + UNIT, c_bytes);
	} else {
		_tile_zero(0);
		_tile_zero(1);
		_tile_zero(2);
		_tile_zero(3);
	}
	for (int64_t p = 0; p < depth; p += DEPTH) {
		_tile_loadd(6, b, b_bytes);
		_tile_loadd(4, a, ROW_BYTES);
		_tile_dpbf16ps(0, 4, 6);
		if (right) {
			_tile_loadd(7, b + 2 * UNIT, b_bytes);
			_tile_dpbf16ps(1, 4, 7);
		}
		if (bottom) {
			_tile_loadd(5, a + UNIT * DEPTH, ROW_BYTES);
			_tile_dpbf16ps(2, 5, 6);
			if (right)
				_tile_dpbf16ps(3, 5, 7);
		}
		a += ROWS * DEPTH;
		b += MT__OMP_BF16_COLUMNS * DEPTH;
	}
	_tile_stored(0, c, c_bytes);
	if (right)
		_tile_stored(1, c + UNIT, c_bytes);
	if (bottom)
		_tile_stored(2, c + UNIT * ld, c_bytes);
	if (bottom && right)
		_tile_stored(3, c + UNIT * ld + UNIT, c_bytes);
}

static void run_tile(int64_t rows, int64_t columns, int64_t depth, const uint16_t *a, int64_t a_rs, const uint16_t *b,
                     float *c, int64_t ld, int accumulate) {
	(void)a_rs;
	if (rows > UNIT && columns > UNIT)
		tile(1, 1, depth, a, b, c, ld, accumulate);
	else if (rows > UNIT)
		tile(1, 0, depth, a, b, c, ld, accumulate);
	else if (columns > UNIT)
		tile(0, 1, depth, a, b, c, ld, accumulate);
	else
		tile(0, 0, depth, a, b, c, ld, accumulate);
}

/* Of a slice the panel of b, 32 KiB, stays in the first-level cache. */
static const struct mt__omp_bf16_kernel kernel = {
	.tile_rows = ROWS,
	.row_unit = UNIT,
	.panel_rows = ROWS,
	.depth_unit = DEPTH,
	.slice = 512,
	.pack_rows = pack_rows,
	.row_panel_offset = row_panel_offset,
	.tile = run_tile,
	.begin = begin,
	.end = end,
};

static void prepare(struct mt__omp_gemm *g, int threads, struct mt__omp_gemm_plan *plan) {
	mt__omp_bf16_prepare(&kernel, g, threads, plan);
}

static void run(const struct mt__omp_gemm *g, const struct mt__omp_gemm_plan *plan, void *scratch, int thread,
                int threads) {
	mt__omp_bf16_run(&kernel, g, plan, scratch, thread, threads);
}

const struct mt__omp_gemm_engine mt__omp_gemm_amx = {prepare, run};
