/* The register tile of the weight gradient with output channels in the vector lanes: R input channels × V vectors.
 *
 *     sums[r, lane] (+)= Σ_{row, position} x[row, position, r] · g[row, position, lane]
 *
 * x is read in place, one element broadcast at a time; g is a panel. */
#ifndef MT_OMP_CONV_CHANNELS_WEIGHT_TILE_H
#define MT_OMP_CONV_CHANNELS_WEIGHT_TILE_H

#include "conv_channels.h"

/* Where a row of positions finds the tap, and where its gradients are. */
struct row_pair {
	const float *x, *g;
};

struct weight_tile {
	const struct row_pair *rows;
	float *sums;
	int64_t n_rows, width;
	int64_t x_at; /* added to each row's x */
	int64_t x_channel, x_step, sums_channel;
	int first; /* the sums begin here */
};

MT_INLINE void weight_tile(const int R, const int V, const struct weight_tile *t) {
	vec_f32 sum[CHANNELS_MAX_R][2];
	MT_UNROLL
	for (int r = 0; r < R; r++) {
		sum[r][0] = sum[r][1] = (vec_f32){0};
		for (int v = 0; v < V; v++)
			__builtin_prefetch(t->sums + r * t->sums_channel + v * VL, 1);
	}
	const int64_t channel = t->x_channel, channel3 = 3 * channel, step = t->x_step;
	for (int64_t i = 0; i < t->n_rows; i++) {
		const float *g = t->rows[i].g, *x0 = t->rows[i].x + t->x_at;
		const float *x4 = R > 4 ? x0 + 4 * channel : x0;
		const float *x8 = R > 8 ? x4 + 4 * channel : x0;
		const float *x12 = R > 12 ? x8 + 4 * channel : x0;
		for (int64_t p = 0; p < t->width; p++) {
			vec_f32 g0 = vec_f32_load(g, VL), g1 = V > 1 ? vec_f32_load(g + VL, VL) : (vec_f32){0};
			MT_UNROLL
			for (int r = 0; r < R; r++) {
				float s = (r < 4 ? x0 : r < 8 ? x4 : r < 12 ? x8 : x12)[vec_row(r, channel, channel3)];
				sum[r][0] += s * g0;
				if (V > 1)
					sum[r][1] += s * g1;
			}
			g += PANEL;
			x0 += step;
			if (R > 4)
				x4 += step;
			if (R > 8)
				x8 += step;
			if (R > 12)
				x12 += step;
		}
	}
	MT_UNROLL
	for (int r = 0; r < R; r++) {
		MT_UNROLL
		for (int v = 0; v < V; v++) {
			float *to = t->sums + r * t->sums_channel + v * VL;
			vec_f32_store(to, VL, t->first ? sum[r][v] : vec_f32_load(to, VL) + sum[r][v]);
		}
	}
}

/* The constants make one unrolled kernel of each case. */
static void run_weight_tile(int R, int V, const struct weight_tile *t) {
	/* clang-format off */
	switch (2 * R + V - 1) {
	case 2: weight_tile(1, 1, t); break;
	case 3: weight_tile(1, 2, t); break;
	case 4: weight_tile(2, 1, t); break;
	case 5: weight_tile(2, 2, t); break;
	case 6: weight_tile(3, 1, t); break;
	case 7: weight_tile(3, 2, t); break;
	case 8: weight_tile(4, 1, t); break;
	case 9: weight_tile(4, 2, t); break;
#if CHANNELS_MAX_R > 4
	case 10: weight_tile(5, 1, t); break;
	case 11: weight_tile(5, 2, t); break;
	case 12: weight_tile(6, 1, t); break;
	case 13: weight_tile(6, 2, t); break;
#endif
#if CHANNELS_MAX_R > 6
	case 14: weight_tile(7, 1, t); break;
	case 15: weight_tile(7, 2, t); break;
	case 16: weight_tile(8, 1, t); break;
	case 17: weight_tile(8, 2, t); break;
	case 18: weight_tile(9, 1, t); break;
	case 19: weight_tile(9, 2, t); break;
	case 20: weight_tile(10, 1, t); break;
	case 21: weight_tile(10, 2, t); break;
	case 22: weight_tile(11, 1, t); break;
	case 23: weight_tile(11, 2, t); break;
	case 24: weight_tile(12, 1, t); break;
	case 25: weight_tile(12, 2, t); break;
	case 26: weight_tile(13, 1, t); break;
	case 27: weight_tile(13, 2, t); break;
	case 28: weight_tile(14, 1, t); break;
	case 29: weight_tile(14, 2, t); break;
#endif
	}
	/* clang-format on */
}

#endif
