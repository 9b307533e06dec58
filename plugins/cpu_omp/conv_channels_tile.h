/* The register tile of convolution with output channels in the vector lanes: R positions × V vectors of channels.
 *
 *     out[r, lane] = start[lane] + Σ_{channel, tap} x[channel, tap, r] · w[channel, tap, lane]
 *
 * x is read in place, one element broadcast at a time, so that positions may lie any step apart; w is packed in panels.
 * A tap says where it reads, relative to the tile's first position and to the channel's weights.
 * V = 0: half a vector. */
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
	vec_f32_half half[CHANNELS_MAX_R];
	MT_UNROLL
	for (int r = 0; r < R; r++) {
		half[r] = vec_f32_half_load(t->start);
		MT_UNROLL
		for (int v = 0; v < 2; v++)
			sum[r][v] = vec_f32_load(t->start + v * VL, VL);
	}
	const int64_t step = t->x_step, step3 = 3 * step;
	const float *x = t->x, *w = t->w;
	const struct channels_tap *const taps = t->taps, *const end = taps + t->n_taps;
	for (int64_t c = t->channels; c > 0; c--) {
		for (const struct channels_tap *tap = taps; tap != end; tap++) {
			const float *x0 = x + tap->x, *from = w + tap->w;
			const float *x4 = R > 4 ? x0 + 4 * step : x0;
			const float *x8 = R > 8 ? x4 + 4 * step : x0;
			const float *x12 = R > 12 ? x8 + 4 * step : x0;
			__builtin_prefetch(x0 + R * step);
			vec_f32 w0 = V > 0 ? vec_f32_load(from, VL) : (vec_f32){0}, w1 = V > 1 ? vec_f32_load(from + VL, VL) : w0;
			vec_f32_half wh = V > 0 ? (vec_f32_half){0} : vec_f32_half_load(from);
			MT_UNROLL
			for (int r = 0; r < R; r++) {
				float s = (r < 4 ? x0 : r < 8 ? x4 : r < 12 ? x8 : x12)[vec_row(r, step, step3)];
				if (V == 0)
					half[r] += s * wh;
				else
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
		float *to = t->out + r * t->out_step;
		if (V == 0)
			vec_f32_half_store(to, t->relu ? vec_f32_half_relu(half[r]) : half[r]);
		MT_UNROLL
		for (int v = 0; v < V; v++)
			vec_f32_store(to + v * VL, VL, t->relu ? vec_f32_relu(sum[r][v]) : sum[r][v]);
	}
}

/* The constants make one unrolled kernel of each case. */
static void run_channels_tile(int R, int V, const struct channels_tile *t) {
#define TILE(R, V)                                                                                                     \
	case 3 * (R) + (V):                                                                                                \
		channels_tile(R, V, t);                                                                                        \
		break;
	switch (3 * R + V) { CHANNELS_TILES(TILE) }
#undef TILE
}

#endif
