/* What forward, input gradient and weight gradient with output channels in the vector lanes have in common: panels of
 * channels, and rows of a source that are read pixel by pixel. */
#ifndef MT_OMP_CONV_CHANNELS_H
#define MT_OMP_CONV_CHANNELS_H

#include "conv.h"
#include "vector.h"

#define VL VL_F32

/* Channels of a panel; where fewer are left, one vector or half a vector is computed with. */
#define PANEL (2 * VL)

/* Rows of a register tile: 2·R sums are held beside a panel's two vectors and one element broadcast. */
#if defined(MT_ISA_AVX512)
#define CHANNELS_MAX_R 14
#elif defined(MT_ISA_AVX2)
#define CHANNELS_MAX_R 6
#else
#define CHANNELS_MAX_R 4
#endif

/* All tiles of R rows × V vectors: TILE(R, V) of each.  V = 0 is half a vector, where that takes half the time. */
#if defined(MT_ISA_AVX512)
#define CHANNELS_HALVES 1
#define CHANNELS_ROWS(TILE, R) TILE(R, 0) TILE(R, 1) TILE(R, 2)
#else
#define CHANNELS_HALVES 0
#define CHANNELS_ROWS(TILE, R) TILE(R, 1) TILE(R, 2)
#endif
#define CHANNELS_ROWS_4(TILE)                                                                                          \
	CHANNELS_ROWS(TILE, 1)                                                                                             \
	CHANNELS_ROWS(TILE, 2)                                                                                             \
	CHANNELS_ROWS(TILE, 3)                                                                                             \
	CHANNELS_ROWS(TILE, 4)
#if CHANNELS_MAX_R > 4
#define CHANNELS_ROWS_6(TILE)                                                                                          \
	CHANNELS_ROWS_4(TILE)                                                                                              \
	CHANNELS_ROWS(TILE, 5)                                                                                             \
	CHANNELS_ROWS(TILE, 6)
#endif
#if CHANNELS_MAX_R == 14
#define CHANNELS_TILES(TILE)                                                                                           \
	CHANNELS_ROWS_6(TILE)                                                                                              \
	CHANNELS_ROWS(TILE, 7)                                                                                             \
	CHANNELS_ROWS(TILE, 8)                                                                                             \
	CHANNELS_ROWS(TILE, 9)                                                                                             \
	CHANNELS_ROWS(TILE, 10)                                                                                            \
	CHANNELS_ROWS(TILE, 11)                                                                                            \
	CHANNELS_ROWS(TILE, 12)                                                                                            \
	CHANNELS_ROWS(TILE, 13)                                                                                            \
	CHANNELS_ROWS(TILE, 14)
#elif CHANNELS_MAX_R == 6
#define CHANNELS_TILES CHANNELS_ROWS_6
#else
#define CHANNELS_TILES CHANNELS_ROWS_4
#endif

typedef float vec_f32_half __attribute__((vector_size(MT_VECTOR_BYTES / 2)));
typedef float vec_f32_half_mem __attribute__((vector_size(MT_VECTOR_BYTES / 2), aligned(4), may_alias));

MT_INLINE vec_f32_half vec_f32_half_load(const float *p) {
	return *(const vec_f32_half_mem *)p;
}

MT_INLINE void vec_f32_half_store(float *p, vec_f32_half x) {
	*(vec_f32_half_mem *)p = x;
}

/* vec_f32_relu of half a vector. */
MT_INLINE vec_f32_half vec_f32_half_relu(vec_f32_half x) {
	typedef int32_t half_i32 __attribute__((vector_size(MT_VECTOR_BYTES / 2)));
	return (vec_f32_half)((half_i32)x & ~(x <= 0));
}

static inline int64_t mt__panels(int64_t channels) {
	return mt__omp_ceil_div(channels, PANEL);
}

/* The V of a panel of so many channels, and what it costs. */
static inline int mt__panel_vectors(int64_t channels) {
	return channels > VL ? 2 : channels > VL / 2 || !CHANNELS_HALVES ? 1 : 0;
}

static inline int mt__panel_cost(int64_t channels) {
	int V = mt__panel_vectors(channels);
	return V ? 2 * V : 1;
}

/* Whether a filter's taps of one channel follow one another. */
static inline bool mt__taps_even(const struct mt__conv *c) {
	const int64_t *stride = c->weight.stride, *k = c->kernel;
	return (k[2] == 1 || stride[4] == 1) && (k[1] == 1 || stride[3] == k[2]) && (k[0] == 1 || stride[2] == k[1] * k[2]);
}

/* Some rows of one group's channels of one image: either where they are, or a copy whose rows have zeros on both sides,
 * so that every tap of every position reads something. */
struct mt__rows {
	int64_t channels, extent[3]; /* of the group; of the image */
	int64_t left, width;         /* zeros before a row; the row with zeros on both sides */
	int cut;                     /* the dim whose rows are divided into strips: the first that is longer than 1, or y */
	bool in_place;               /* no zeros are needed */
	bool channels_last;          /* in the copy, as in the array */
};

/* Rows [begin, end) of dim `cut`: element (c, z, y, x) is at data + c · stride[0] + … + x · stride[3], where the row
 * `begin` counts as 0. */
struct mt__strip {
	const float *data, *from; /* from: element 0 in the array */
	float *copy;
	int64_t stride[4];
	int64_t begin, end;
};

#define mt__rows_of MT_ISA_NAME(mt__rows_of)
#define mt__rows_strip MT_ISA_NAME(mt__rows_strip)
#define mt__rows_fill MT_ISA_NAME(mt__rows_fill)
#define mt__rows_bytes MT_ISA_NAME(mt__rows_bytes)
#define mt__panel_in MT_ISA_NAME(mt__panel_in)
#define mt__panel_out MT_ISA_NAME(mt__panel_out)
#define mt__panel_stream MT_ISA_NAME(mt__panel_stream)
#define mt__channels_grad_weight MT_ISA_NAME(mt__channels_grad_weight)
#define mt__channels_grad_weight_bytes MT_ISA_NAME(mt__channels_grad_weight_bytes)

/* Rows of a's channels whose taps reach from low ≤ 0 to high in x. */
struct mt__rows mt__rows_of(const struct mt__five_dims *a, int64_t channels, int64_t low, int64_t high);

/* The copy of n rows of dim `cut`. */
uint64_t mt__rows_bytes(const struct mt__rows *r, int64_t n);

/* Rows [begin, end) of image `image` from channel `first` of a on; `space` is for the copy. */
struct mt__strip mt__rows_strip(const struct mt__rows *r, const struct mt__five_dims *a, int64_t image, int64_t first,
                                int64_t begin, int64_t end, float *space);

/* Makes the copy of channels [begin, end) of a strip, unless they stay in place. */
void mt__rows_fill(const struct mt__rows *r, const struct mt__five_dims *a, const struct mt__strip *s, int64_t begin,
                   int64_t end);

/* A panel [positions][PANEL], zero from channel `channels` ≤ PANEL on, from and to positions `step` apart of channels
 * `stride` apart. */
void mt__panel_in(float *panel, const float *from, int64_t stride, int64_t step, int64_t channels, int64_t positions);
void mt__panel_out(const float *panel, float *to, int64_t stride, int64_t step, int64_t channels, int64_t positions);

/* mt__panel_out with step 1, past the caches; false, and nothing written, where alignment forbids it. */
bool mt__panel_stream(const float *panel, float *to, int64_t stride, int64_t channels, int64_t positions);

/* conv_channels_weight.c */
uint64_t mt__channels_grad_weight_bytes(const struct mt__conv *conv, int threads);
void mt__channels_grad_weight(const struct mt__conv *conv, void *scratch, int threads);

#endif
