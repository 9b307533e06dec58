/* Planes of depthwise convolution: K × K taps in registers, vectors along x, images read in place.  A mask for each tap
 * and vector says which of its elements lie in the image, so that a row needs no zeros around it.
 *
 * Where the step is 1, a row of the source is loaded once, at each of the K offsets, for all of the K rows that need it:
 * K loads for K² products. */
#ifndef MT_OMP_CONV_DEPTHWISE_TILE_H
#define MT_OMP_CONV_DEPTHWISE_TILE_H

#include "vector.h"

#define VL VL_F32
#define MAX_K 5

/* Elements [begin, end) of a vector; the rest is not touched in memory, and loads as zero. */
#if defined(MT_ISA_AVX512)
typedef __mmask16 lane_mask;
MT_INLINE lane_mask make_mask(int begin, int end) {
	return (__mmask16)((1u << end) - (1u << begin));
}
MT_INLINE vec_f32 load_masked(const float *p, lane_mask m) {
	return (vec_f32)_mm512_maskz_loadu_ps(m, p);
}
#elif defined(MT_ISA_AVX2)
typedef __m256i lane_mask;
MT_INLINE lane_mask make_mask(int begin, int end) {
	return mask_f32(begin, end);
}
MT_INLINE vec_f32 load_masked(const float *p, lane_mask m) {
	return (vec_f32)_mm256_maskload_ps(p, m);
}
#else
typedef struct {
	int begin, end;
} lane_mask;
MT_INLINE lane_mask make_mask(int begin, int end) {
	return (lane_mask){begin, end};
}
MT_INLINE vec_f32 load_masked(const float *p, lane_mask m) {
	return vec_f32_window(p, m.begin, m.end);
}
#endif

/* Element i of the vector at position `at` exists where 0 ≤ at + i < extent, and is wanted where i < most. */
static inline lane_mask mask_at(int64_t at, int64_t extent, int64_t most) {
	int64_t end = mt__omp_max(0, mt__omp_min(mt__omp_min(VL, most), extent - at));
	int64_t begin = mt__omp_max(0, mt__omp_min(end, -at));
	return make_mask((int)begin, (int)end);
}

/* out[y, x] = bias + Σ weight[ky, kx] · from[y · step + ky − pad[0], x · step + kx − pad[1]];  then relu where asked for.
 * Rows are from_row and out_row apart. */
struct depthwise_plane {
	const float *from;
	float *out;
	int64_t from_row, out_row;
	int64_t from_extent[2], out_extent[2], pad[2];
	float weight[MAX_K * MAX_K], bias;
	int relu;
};

/* V vectors of columns from `column` on, all rows, step 1: sum[k] is that of the row whose tap k is next. */
MT_INLINE void depthwise_columns(const int K, const int V, const struct depthwise_plane *p, int64_t column) {
	lane_mask mask[MAX_K][2];
	vec_f32 sum[MAX_K][2];
	int n[2];
	MT_UNROLL
	for (int v = 0; v < V; v++) {
		n[v] = (int)mt__omp_min(VL, p->out_extent[1] - column - v * VL);
		MT_UNROLL
		for (int k = 0; k < K; k++)
			mask[k][v] = mask_at(column + v * VL + k - p->pad[1], p->from_extent[1], n[v]);
	}
	MT_UNROLL
	for (int k = 0; k < K; k++) {
		MT_UNROLL
		for (int v = 0; v < V; v++)
			sum[k][v] = (vec_f32){0} + p->bias;
	}
	const float *from = p->from + column - p->pad[1] - p->pad[0] * p->from_row;
	float *out = p->out + column - (K - 1) * p->out_row;
	for (int64_t y = 1 - K; y < p->out_extent[0]; y++, from += p->from_row, out += p->out_row) {
		int64_t at = y + K - 1 - p->pad[0];
		if (at >= 0 && at < p->from_extent[0]) {
			MT_UNROLL
			for (int kx = 0; kx < K; kx++) {
				MT_UNROLL
				for (int v = 0; v < V; v++) {
					vec_f32 x = load_masked(from + v * VL + kx, mask[kx][v]);
					MT_UNROLL
					for (int k = 0; k < K; k++)
						sum[k][v] += p->weight[(K - 1 - k) * K + kx] * x;
				}
			}
		}
		MT_UNROLL
		for (int v = 0; v < V; v++) {
			if (y >= 0)
				vec_f32_store(out + v * VL, n[v], p->relu ? vec_f32_relu(sum[0][v]) : sum[0][v]);
			MT_UNROLL
			for (int k = 0; k + 1 < K; k++)
				sum[k][v] = sum[k + 1][v];
			sum[K - 1][v] = (vec_f32){0} + p->bias;
		}
	}
}

/* Masks for load_taps_by_two: of the n positions from `column` on, in an image `extent` wide. */
MT_INLINE void masks_by_two(const int K, lane_mask mask[MAX_K + 1][2], int64_t column, int64_t pad, int64_t extent,
                            int n) {
	MT_UNROLL
	for (int k = 0; k < K; k += 2) {
		MT_UNROLL
		for (int v = 0; v < 2; v++)
			mask[k][v] = mask_at(2 * column + v * VL + k - pad, extent, 2 * n - v * VL);
	}
}

/* x[k] = elements k, k + 2, k + 4, … at p, k < K: two taps from each pair of vectors. */
MT_INLINE void load_taps_by_two(const int K, vec_f32 x[MAX_K + 1], const float *p, const lane_mask mask[MAX_K + 1][2]) {
	MT_UNROLL
	for (int k = 0; k < K; k += 2)
		vec_f32_part(load_masked(p + k, mask[k][0]), load_masked(p + k + VL, mask[k][1]), &x[k], &x[k + 1]);
}

/* One vector of columns, all rows, step 2.  sum[m] is of result row y + m; rows 2·y and 2·y + 1 of the padded source, each
 * read once, give it its taps 2·(H − m) and one more. */
MT_INLINE void depthwise_columns_by_two(const int K, const struct depthwise_plane *p, int64_t column) {
	const int H = (K - 1) / 2;
	int n = (int)mt__omp_min(VL, p->out_extent[1] - column);
	lane_mask mask[MAX_K + 1][2];
	masks_by_two(K, mask, column, p->pad[1], p->from_extent[1], n);
	vec_f32 sum[MAX_K], x[MAX_K + 1];
	MT_UNROLL
	for (int m = 0; m <= H; m++)
		sum[m] = (vec_f32){0} + p->bias;
	for (int64_t y = -H; y < p->out_extent[0]; y++) {
		int64_t at = 2 * (y + H) - p->pad[0];
		const float *from = p->from + at * p->from_row + 2 * column - p->pad[1];
		if (at >= 0 && at < p->from_extent[0]) {
			load_taps_by_two(K, x, from, mask);
			MT_UNROLL
			for (int m = 0; m <= H; m++) {
				MT_UNROLL
				for (int k = 0; k < K; k++)
					sum[m] += p->weight[2 * (H - m) * K + k] * x[k];
			}
		}
		if (y >= 0)
			vec_f32_store(p->out + y * p->out_row + column, n, p->relu ? vec_f32_relu(sum[0]) : sum[0]);
		if (at + 1 >= 0 && at + 1 < p->from_extent[0]) {
			load_taps_by_two(K, x, from + p->from_row, mask);
			MT_UNROLL
			for (int m = 1; m <= H; m++) {
				MT_UNROLL
				for (int k = 0; k < K; k++)
					sum[m] += p->weight[(2 * (H - m) + 1) * K + k] * x[k];
			}
		}
		MT_UNROLL
		for (int m = 0; m < H; m++)
			sum[m] = sum[m + 1];
		sum[H] = (vec_f32){0} + p->bias;
	}
}

/* out[q] = Σ weight[k] · from[(q + pad − k) / 2] where that divides, in both dims: 2·VL columns from 2 · column on, all
 * rows.  Column 2 · i + phase finds tap kx at from[i + (phase + pad − kx) / 2]. */
MT_INLINE void depthwise_columns_between(const int K, const struct depthwise_plane *p, int64_t column) {
	lane_mask mask[MAX_K];
	int64_t shift[MAX_K];
	int phase[MAX_K], n = (int)mt__omp_min(2 * VL, p->out_extent[1] - 2 * column);
	MT_UNROLL
	for (int k = 0; k < K; k++) {
		phase[k] = (int)((k + p->pad[1]) & 1);
		shift[k] = (phase[k] + p->pad[1] - k) / 2;
		mask[k] = mask_at(column + shift[k], p->from_extent[1], VL);
	}
	for (int64_t y = 0; y < p->out_extent[0]; y++) {
		vec_f32 sum[2] = {{0}, {0}};
		for (int ky = (int)((y + p->pad[0]) & 1); ky < K; ky += 2) {
			int64_t at = (y + p->pad[0] - ky) / 2;
			if (y + p->pad[0] < ky || at >= p->from_extent[0])
				continue;
			const float *from = p->from + at * p->from_row + column;
			MT_UNROLL
			for (int kx = 0; kx < K; kx++) {
				vec_f32 one = p->weight[ky * K + kx] * load_masked(from + shift[kx], mask[kx]);
				if (phase[kx])
					sum[1] += one;
				else
					sum[0] += one;
			}
		}
		vec_f32 low, high;
		vec_f32_join(sum[0], sum[1], &low, &high);
		float *out = p->out + y * p->out_row + 2 * column;
		vec_f32_store(out, n < VL ? n : VL, low);
		if (n > VL)
			vec_f32_store(out + VL, n - VL, high);
	}
}

/* The weight gradient's sums: sums[ky · K + kx] += Σ g[y, x] · x[y · step + ky − pad[0], x · step + kx −
 * pad[1]] over one vector of columns; p->from is x, p->out is g. */

/* Step 1: g[ky] is the row whose tap ky the source's row is.  Every row that is multiplied exists: 0 · ∞ is not 0. */
MT_INLINE void depthwise_weights(const int K, const struct depthwise_plane *p, int64_t column, vec_f32 *sums) {
	lane_mask mask[MAX_K];
	vec_f32 sum[MAX_K * MAX_K], g[MAX_K];
	int n = (int)mt__omp_min(VL, p->out_extent[1] - column);
	const lane_mask g_mask = make_mask(0, n);
	MT_UNROLL
	for (int k = 0; k < K; k++) {
		mask[k] = mask_at(column + k - p->pad[1], p->from_extent[1], n);
		g[k] = (vec_f32){0};
	}
	MT_UNROLL
	for (int i = 0; i < K * K; i++)
		sum[i] = sums[i];
	for (int64_t y = 0; y < p->out_extent[0] + K - 1; y++) {
		int64_t at = y - p->pad[0];
		MT_UNROLL
		for (int k = K - 1; k > 0; k--)
			g[k] = g[k - 1];
		if (y < p->out_extent[0])
			g[0] = load_masked(p->out + y * p->out_row + column, g_mask);
		if (at < 0 || at >= p->from_extent[0])
			continue;
		const float *from = p->from + at * p->from_row + column - p->pad[1];
		const bool all = y >= K - 1 && y < p->out_extent[0];
		MT_UNROLL
		for (int kx = 0; kx < K; kx++) {
			vec_f32 x = load_masked(from + kx, mask[kx]);
			MT_UNROLL
			for (int ky = 0; ky < K; ky++)
				if (all || (y >= ky && y - ky < p->out_extent[0]))
					sum[ky * K + kx] += g[ky] * x;
		}
	}
	MT_UNROLL
	for (int i = 0; i < K * K; i++)
		sums[i] = sum[i];
}

/* Step 2: g[m] is of row y + m. */
MT_INLINE void depthwise_weights_by_two(const int K, const struct depthwise_plane *p, int64_t column, vec_f32 *sums) {
	const int H = (K - 1) / 2;
	int n = (int)mt__omp_min(VL, p->out_extent[1] - column);
	const lane_mask g_mask = make_mask(0, n);
	lane_mask mask[MAX_K + 1][2];
	masks_by_two(K, mask, column, p->pad[1], p->from_extent[1], n);
	vec_f32 sum[MAX_K * MAX_K], g[MAX_K], x[MAX_K + 1];
	MT_UNROLL
	for (int i = 0; i < K * K; i++)
		sum[i] = sums[i];
	MT_UNROLL
	for (int m = 0; m <= H; m++)
		g[m] = (vec_f32){0};
	for (int64_t y = -H; y < p->out_extent[0]; y++) {
		int64_t at = 2 * (y + H) - p->pad[0], last = p->out_extent[0] - 1 - y;
		const float *from = p->from + at * p->from_row + 2 * column - p->pad[1];
		MT_UNROLL
		for (int m = 0; m < H; m++)
			g[m] = g[m + 1];
		if (H <= last)
			g[H] = load_masked(p->out + (y + H) * p->out_row + column, g_mask);
		const bool all = y >= 0 && H <= last;
		MT_UNROLL
		for (int odd = 0; odd < 2; odd++) {
			if (at + odd < 0 || at + odd >= p->from_extent[0])
				continue;
			load_taps_by_two(K, x, from + odd * p->from_row, mask);
			MT_UNROLL
			for (int m = odd; m <= H; m++) {
				MT_UNROLL
				for (int k = 0; k < K; k++)
					if (all || (y + m >= 0 && m <= last))
						sum[(2 * (H - m) + odd) * K + k] += g[m] * x[k];
			}
		}
	}
	MT_UNROLL
	for (int i = 0; i < K * K; i++)
		sums[i] = sum[i];
}

#endif
