/* The register tile of convolution with output channels in the vector lanes: R positions × V vectors of channels.
 *
 *     out[r, lane] = start[lane] + Σ_{channel, tap} x[channel, tap, r] · w[channel, tap, lane]
 *
 * x is read in place, one element broadcast at a time, so that positions may lie any step apart; w is packed in panels.
 * A tap says where it reads, relative to the tile's first position and to the channel's weights. */
#ifndef MT_OMP_CONV_CHANNELS_TILE_H
#define MT_OMP_CONV_CHANNELS_TILE_H

#include "conv_channels.h"

struct channels_tap {
	int64_t x, w;
};

struct channels_tile {
	const float *x, *w;
	const float *start; /* PANEL values */
	float *out;
	const struct channels_tap *taps;
	int64_t n_taps, channels;
	int64_t x_channel, w_channel, x_step, out_step;
	int relu;
};

MT_INLINE void channels_tile(const int R, const int V, const struct channels_tile *t) {
	vec_f32 sum[CHANNELS_MAX_R][2];
	MT_UNROLL
	for (int r = 0; r < R; r++) {
		MT_UNROLL
		for (int v = 0; v < V; v++)
			sum[r][v] = vec_f32_load(t->start + v * VL, VL);
	}
	const int64_t step = t->x_step, step3 = 3 * step;
	const float *x = t->x, *w = t->w;
	for (int64_t c = 0; c < t->channels; c++) {
		for (int64_t k = 0; k < t->n_taps; k++) {
			const float *x0 = x + t->taps[k].x, *from = w + t->taps[k].w;
			const float *x4 = R > 4 ? x0 + 4 * step : x0;
			const float *x8 = R > 8 ? x4 + 4 * step : x0;
			const float *x12 = R > 12 ? x8 + 4 * step : x0;
			__builtin_prefetch(x0 + R * step);
			vec_f32 w0 = vec_f32_load(from, VL), w1 = V > 1 ? vec_f32_load(from + VL, VL) : (vec_f32){0};
			MT_UNROLL
			for (int r = 0; r < R; r++) {
				float s = (r < 4 ? x0 : r < 8 ? x4 : r < 12 ? x8 : x12)[vec_row(r, step, step3)];
				sum[r][0] += s * w0;
				if (V > 1)
					sum[r][1] += s * w1;
			}
		}
		x += t->x_channel;
		w += t->w_channel;
	}
	MT_UNROLL
	for (int r = 0; r < R; r++) {
		MT_UNROLL
		for (int v = 0; v < V; v++)
			vec_f32_store(t->out + r * t->out_step + v * VL, VL, t->relu ? vec_f32_relu(sum[r][v]) : sum[r][v]);
	}
}

/* The constants make one unrolled kernel of each case. */
static void run_channels_tile(int R, int V, const struct channels_tile *t) {
	/* clang-format off */
	switch (2 * R + V - 1) {
	case 2: channels_tile(1, 1, t); break;
	case 3: channels_tile(1, 2, t); break;
	case 4: channels_tile(2, 1, t); break;
	case 5: channels_tile(2, 2, t); break;
	case 6: channels_tile(3, 1, t); break;
	case 7: channels_tile(3, 2, t); break;
	case 8: channels_tile(4, 1, t); break;
	case 9: channels_tile(4, 2, t); break;
#if CHANNELS_MAX_R > 4
	case 10: channels_tile(5, 1, t); break;
	case 11: channels_tile(5, 2, t); break;
	case 12: channels_tile(6, 1, t); break;
	case 13: channels_tile(6, 2, t); break;
#endif
#if CHANNELS_MAX_R > 6
	case 14: channels_tile(7, 1, t); break;
	case 15: channels_tile(7, 2, t); break;
	case 16: channels_tile(8, 1, t); break;
	case 17: channels_tile(8, 2, t); break;
	case 18: channels_tile(9, 1, t); break;
	case 19: channels_tile(9, 2, t); break;
	case 20: channels_tile(10, 1, t); break;
	case 21: channels_tile(10, 2, t); break;
	case 22: channels_tile(11, 1, t); break;
	case 23: channels_tile(11, 2, t); break;
	case 24: channels_tile(12, 1, t); break;
	case 25: channels_tile(12, 2, t); break;
	case 26: channels_tile(13, 1, t); break;
	case 27: channels_tile(13, 2, t); break;
	case 28: channels_tile(14, 1, t); break;
	case 29: channels_tile(14, 2, t); break;
#endif
	}
	/* clang-format on */
}

#endif
