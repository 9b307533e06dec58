/* The register tile of the weight gradient with images in the vector lanes: R output channels × P taps.
 *
 *     sum[r, p] = Σ_{row, position} g[r, row, position] · x[row, position + p]       (a vector: one sum an image)
 *     out[r, p] = the sum of its lanes
 *
 * A tap p is a kernel position in x, or an input channel where the kernel has one position there. */
#ifndef MT_OMP_CONV_LANES_WEIGHT_TILE_H
#define MT_OMP_CONV_LANES_WEIGHT_TILE_H

#include "conv_lanes.h"

struct weight_tile {
	const float *g, *x;
	int rows;
	const int64_t *row_g, *row_x; /* offsets of each row */
	int64_t positions;            /* of each row */
	int64_t x_position, x_tap, g_channel;
	float *out; /* [R][P] */
};

/* What the registers hold: R·P sums, P vectors of x, and one of g. */
#define WEIGHT_MAX_SUMS 32
#if defined(MT_ISA_AVX512)
#define WEIGHT_MAX_P 6
static const int weight_channels[WEIGHT_MAX_P + 1] = {0, 8, 8, 8, 6, 5, 4};
#elif defined(MT_ISA_AVX2)
#define WEIGHT_MAX_P 3
static const int weight_channels[WEIGHT_MAX_P + 1] = {0, 6, 4, 4};
#else
#define WEIGHT_MAX_P 3
static const int weight_channels[WEIGHT_MAX_P + 1] = {0, 4, 3, 2};
#endif

/* out[i] = the sum of vector i's lanes, i < n.  Pairs of vectors become one, whose neighbouring lanes are added, until a
 * lane is left of each: n − 1 pairs rather than a transpose.  vectors beyond n, up to a power of two, are zero. */
MT_INLINE void sum_lanes(float *out, vec_f32 *vectors, const int n) {
	int count = 1;
	while (count < n)
		count *= 2;
	MT_UNROLL
	for (int lanes = VL; lanes > 1; lanes /= 2) {
		const int pairs = count > 1 ? count / 2 : 1;
		MT_UNROLL
		for (int j = 0; j < pairs; j++) {
			vec_f32 even, odd;
			vec_f32_part(vectors[2 * j], vectors[count > 1 ? 2 * j + 1 : 0], &even, &odd);
			vectors[j] = even + odd;
		}
		count = pairs;
	}
	vec_f32_store(out, n, vectors[0]);
}

MT_INLINE void weight_tile(const int R, const int P, const struct weight_tile *t) {
	vec_f32 sum[8][WEIGHT_MAX_P];
	MT_UNROLL
	for (int r = 0; r < R; r++) {
		MT_UNROLL
		for (int p = 0; p < P; p++)
			sum[r][p] = (vec_f32){0};
	}
	const int64_t tap = t->x_tap, tap3 = 3 * tap, channel = t->g_channel, channel3 = 3 * channel;
	for (int row = 0; row < t->rows; row++) {
		const float *x0 = t->x + t->row_x[row], *x4 = P > 4 ? x0 + 4 * tap : x0;
		const float *g0 = t->g + t->row_g[row], *g4 = R > 4 ? g0 + 4 * channel : g0;
		for (int64_t i = 0; i < t->positions; i++) {
			vec_f32 x[WEIGHT_MAX_P];
			MT_UNROLL
			for (int p = 0; p < P; p++)
				x[p] = vec_f32_load((p < 4 ? x0 : x4) + vec_row(p, tap, tap3), VL);
			MT_UNROLL
			for (int r = 0; r < R; r++) {
				vec_f32 g = vec_f32_load((r < 4 ? g0 : g4) + vec_row(r, channel, channel3), VL);
				MT_UNROLL
				for (int p = 0; p < P; p++)
					sum[r][p] += g * x[p];
			}
			x0 += t->x_position;
			g0 += VL;
			if (P > 4)
				x4 += t->x_position;
			if (R > 4)
				g4 += VL;
		}
	}
	vec_f32 flat[WEIGHT_MAX_SUMS];
	MT_UNROLL
	for (int i = 0; i < WEIGHT_MAX_SUMS; i++)
		flat[i] = i < R * P ? sum[i / P][i % P] : (vec_f32){0};
	sum_lanes(t->out, flat, R * P < VL ? R * P : VL);
	if (R * P > VL)
		sum_lanes(t->out + VL, flat + VL, R * P < 2 * VL ? R * P - VL : VL);
}

/* The constants make one unrolled kernel of each case. */
static void run_weight_tile(int R, int P, const struct weight_tile *t) {
	/* clang-format off */
	switch (10 * R + P) {
	case 11: weight_tile(1, 1, t); break;
	case 21: weight_tile(2, 1, t); break;
	case 31: weight_tile(3, 1, t); break;
	case 41: weight_tile(4, 1, t); break;
	case 12: weight_tile(1, 2, t); break;
	case 22: weight_tile(2, 2, t); break;
	case 32: weight_tile(3, 2, t); break;
	case 13: weight_tile(1, 3, t); break;
	case 23: weight_tile(2, 3, t); break;
#if !defined(MT_ISA_BASE)
	case 51: weight_tile(5, 1, t); break;
	case 61: weight_tile(6, 1, t); break;
	case 42: weight_tile(4, 2, t); break;
	case 33: weight_tile(3, 3, t); break;
	case 43: weight_tile(4, 3, t); break;
#endif
#if defined(MT_ISA_AVX512)
	case 71: weight_tile(7, 1, t); break;
	case 81: weight_tile(8, 1, t); break;
	case 52: weight_tile(5, 2, t); break;
	case 62: weight_tile(6, 2, t); break;
	case 72: weight_tile(7, 2, t); break;
	case 82: weight_tile(8, 2, t); break;
	case 53: weight_tile(5, 3, t); break;
	case 63: weight_tile(6, 3, t); break;
	case 73: weight_tile(7, 3, t); break;
	case 83: weight_tile(8, 3, t); break;
	case 14: weight_tile(1, 4, t); break;
	case 24: weight_tile(2, 4, t); break;
	case 34: weight_tile(3, 4, t); break;
	case 44: weight_tile(4, 4, t); break;
	case 54: weight_tile(5, 4, t); break;
	case 64: weight_tile(6, 4, t); break;
	case 15: weight_tile(1, 5, t); break;
	case 25: weight_tile(2, 5, t); break;
	case 35: weight_tile(3, 5, t); break;
	case 45: weight_tile(4, 5, t); break;
	case 55: weight_tile(5, 5, t); break;
	case 16: weight_tile(1, 6, t); break;
	case 26: weight_tile(2, 6, t); break;
	case 36: weight_tile(3, 6, t); break;
	case 46: weight_tile(4, 6, t); break;
#endif
	}
	/* clang-format on */
}

#endif
