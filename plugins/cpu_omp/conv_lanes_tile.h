/* The register tile of convolution with images in the vector lanes: R output channels × P positions of one row.
 *
 *     out[r, p] = bias[r] + Σ_{channel, row, tap} w[channel, row, tap, r] · x[channel, row, tap + p]
 *
 * All strides are in floats.  Which rows (of the kernel's first two dims) and taps (of its last) meet the input is the
 * caller's business; zeros stand in the block where only part of a tile meets it. */
#ifndef MT_OMP_CONV_LANES_TILE_H
#define MT_OMP_CONV_LANES_TILE_H

#include "conv_lanes.h"

struct lanes_tile {
	const float *x, *w;
	float *out;
	const float *bias; /* NULL, or R values */
	int relu;
	int rows, taps;
	const int64_t *row_x, *row_w; /* offsets of each row */
	int64_t channels, x_channel, w_channel;
	int64_t x_position, x_tap, w_tap;
	int64_t out_channel, out_position;
};

/* What the registers hold: R·P sums, P vectors of x, and one weight. */
#if defined(MT_ISA_AVX512)
#define LANES_MAX_R 8
#define LANES_MAX_P 8
static const int lanes_positions[LANES_MAX_R + 1] = {0, 8, 8, 7, 6, 5, 4, 3, 3};
#elif defined(MT_ISA_AVX2)
#define LANES_MAX_R 6
#define LANES_MAX_P 6
static const int lanes_positions[LANES_MAX_R + 1] = {0, 6, 4, 3, 3, 2, 2};
#else
#define LANES_MAX_R 4
#define LANES_MAX_P 4
static const int lanes_positions[LANES_MAX_R + 1] = {0, 4, 3, 2, 2};
#endif

MT_INLINE void lanes_tile(const int R, const int P, const struct lanes_tile *t) {
	vec_f32 sum[LANES_MAX_R][LANES_MAX_P];
	MT_UNROLL
	for (int r = 0; r < R; r++) {
		vec_f32 start = (vec_f32){0} + (t->bias ? t->bias[r] : 0);
		MT_UNROLL
		for (int p = 0; p < P; p++)
			sum[r][p] = start;
	}
	const int64_t step = t->x_position, step3 = 3 * step, x_tap = t->x_tap, w_tap = t->w_tap;
	for (int64_t c = 0; c < t->channels; c++)
		for (int row = 0; row < t->rows; row++) {
			const float *x0 = t->x + c * t->x_channel + t->row_x[row];
			const float *x4 = P > 4 ? x0 + 4 * step : x0;
			const float *w = t->w + c * t->w_channel + t->row_w[row];
			for (int k = 0; k < t->taps; k++) {
				vec_f32 x[LANES_MAX_P];
				MT_UNROLL
				for (int p = 0; p < P; p++)
					x[p] = vec_f32_load((p < 4 ? x0 : x4) + vec_row(p, step, step3), VL);
				MT_UNROLL
				for (int r = 0; r < R; r++) {
					float s = w[r];
					MT_UNROLL
					for (int p = 0; p < P; p++)
						sum[r][p] += s * x[p];
				}
				x0 += x_tap;
				if (P > 4)
					x4 += x_tap;
				w += w_tap;
			}
		}
	MT_UNROLL
	for (int r = 0; r < R; r++) {
		MT_UNROLL
		for (int p = 0; p < P; p++) {
			vec_f32 y = t->relu ? vec_f32_relu(sum[r][p]) : sum[r][p];
			vec_f32_store(t->out + r * t->out_channel + p * t->out_position, VL, y);
		}
	}
}

/* The constants make one unrolled kernel of each case. */
static void run_lanes_tile(int R, int P, const struct lanes_tile *t) {
	/* clang-format off */
	switch (10 * R + P) {
	case 11: lanes_tile(1, 1, t); break;
	case 12: lanes_tile(1, 2, t); break;
	case 13: lanes_tile(1, 3, t); break;
	case 14: lanes_tile(1, 4, t); break;
	case 21: lanes_tile(2, 1, t); break;
	case 22: lanes_tile(2, 2, t); break;
	case 23: lanes_tile(2, 3, t); break;
	case 31: lanes_tile(3, 1, t); break;
	case 32: lanes_tile(3, 2, t); break;
	case 41: lanes_tile(4, 1, t); break;
	case 42: lanes_tile(4, 2, t); break;
#if LANES_MAX_R >= 6
	case 15: lanes_tile(1, 5, t); break;
	case 16: lanes_tile(1, 6, t); break;
	case 24: lanes_tile(2, 4, t); break;
	case 33: lanes_tile(3, 3, t); break;
	case 43: lanes_tile(4, 3, t); break;
	case 51: lanes_tile(5, 1, t); break;
	case 52: lanes_tile(5, 2, t); break;
	case 61: lanes_tile(6, 1, t); break;
	case 62: lanes_tile(6, 2, t); break;
#endif
#if LANES_MAX_R >= 8
	case 17: lanes_tile(1, 7, t); break;
	case 18: lanes_tile(1, 8, t); break;
	case 25: lanes_tile(2, 5, t); break;
	case 26: lanes_tile(2, 6, t); break;
	case 27: lanes_tile(2, 7, t); break;
	case 28: lanes_tile(2, 8, t); break;
	case 34: lanes_tile(3, 4, t); break;
	case 35: lanes_tile(3, 5, t); break;
	case 36: lanes_tile(3, 6, t); break;
	case 37: lanes_tile(3, 7, t); break;
	case 44: lanes_tile(4, 4, t); break;
	case 45: lanes_tile(4, 5, t); break;
	case 46: lanes_tile(4, 6, t); break;
	case 53: lanes_tile(5, 3, t); break;
	case 54: lanes_tile(5, 4, t); break;
	case 55: lanes_tile(5, 5, t); break;
	case 63: lanes_tile(6, 3, t); break;
	case 64: lanes_tile(6, 4, t); break;
	case 71: lanes_tile(7, 1, t); break;
	case 72: lanes_tile(7, 2, t); break;
	case 73: lanes_tile(7, 3, t); break;
	case 81: lanes_tile(8, 1, t); break;
	case 82: lanes_tile(8, 2, t); break;
	case 83: lanes_tile(8, 3, t); break;
#endif
	}
	/* clang-format on */
}

#endif
