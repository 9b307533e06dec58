/* The register tile of the weight gradient with output channels in the vector lanes: R rows × V vectors.
 *
 *     sums[r, lane] (+)= Σ_{row of positions, position} x[row, position, r] · g[row, position, lane]
 *
 * x is read in place, one element broadcast at a time; g is a panel.  V = 0: half a vector. */
#ifndef MT_OMP_CONV_CHANNELS_WEIGHT_TILE_H
#define MT_OMP_CONV_CHANNELS_WEIGHT_TILE_H

#include "conv_channels.h"

/* A row of positions: where it finds the tap, where its gradients are, how long it is. */
struct weight_row {
	const float *x, *g;
	int64_t n;
};

struct weight_tile {
	const struct weight_row *rows;
	float *sums;
	int64_t n_rows;
	int64_t x_at, g_at, less; /* added to each row's x and g, taken from its length */
	int64_t x_row, x_step, sums_row;
	int first; /* the sums begin here */
};

MT_INLINE void weight_tile(const int R, const int V, const struct weight_tile *t) {
	vec_f32 sum[CHANNELS_MAX_R][2];
	vec_f32_half half[CHANNELS_MAX_R];
	MT_UNROLL
	for (int r = 0; r < R; r++) {
		sum[r][0] = sum[r][1] = (vec_f32){0};
		half[r] = (vec_f32_half){0};
		for (int v = 0; v < (V > 1 ? 2 : 1); v++)
			__builtin_prefetch(t->sums + r * t->sums_row + v * VL, 1);
	}
	const int64_t row = t->x_row, row3 = 3 * row, step = t->x_step;
	for (int64_t i = 0; i < t->n_rows; i++) {
		const float *g = t->rows[i].g + t->g_at, *x0 = t->rows[i].x + t->x_at;
		const float *x4 = R > 4 ? x0 + 4 * row : x0;
		const float *x8 = R > 8 ? x4 + 4 * row : x0;
		const float *x12 = R > 12 ? x8 + 4 * row : x0;
		for (int64_t p = t->rows[i].n - t->less; p > 0; p--) {
			vec_f32 g0 = V > 0 ? vec_f32_load(g, VL) : (vec_f32){0}, g1 = V > 1 ? vec_f32_load(g + VL, VL) : g0;
			vec_f32_half gh = V > 0 ? (vec_f32_half){0} : vec_f32_half_load(g);
			MT_UNROLL
			for (int r = 0; r < R; r++) {
				float s = (r < 4 ? x0 : r < 8 ? x4 : r < 12 ? x8 : x12)[vec_row(r, row, row3)];
				if (V == 0)
					half[r] += s * gh;
				else
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
		float *to = t->sums + r * t->sums_row;
		if (V == 0)
			vec_f32_half_store(to, t->first ? half[r] : vec_f32_half_load(to) + half[r]);
		MT_UNROLL
		for (int v = 0; v < V; v++)
			vec_f32_store(to + v * VL, VL, t->first ? sum[r][v] : vec_f32_load(to + v * VL, VL) + sum[r][v]);
	}
}

/* The constants make one unrolled kernel of each case. */
static void run_weight_tile(int R, int V, const struct weight_tile *t) {
#define TILE(R, V)                                                                                                     \
	case 3 * (R) + (V):                                                                                                \
		weight_tile(R, V, t);                                                                                          \
		break;
	switch (3 * R + V) { CHANNELS_TILES(TILE) }
#undef TILE
}

#endif
