/* Blocks of VL images with one image in each vector lane: [c][z][y][x][VL], rows padded with zeros in x. */
#ifndef MT_OMP_CONV_LANES_H
#define MT_OMP_CONV_LANES_H

#include "conv.h"
#include "vector.h"

#define VL VL_F32

/* The shape of a block. */
struct mt__lanes {
	int64_t channels, extent[3];
	int64_t left, width; /* zeros before a row; the row with zeros on both sides */
};

static inline int64_t mt__lanes_row(const struct mt__lanes *l) {
	return l->width * VL;
}

static inline int64_t mt__lanes_channel(const struct mt__lanes *l) {
	return l->extent[0] * l->extent[1] * mt__lanes_row(l);
}

static inline uint64_t mt__lanes_bytes(const struct mt__lanes *l) {
	return mt__omp_align64((uint64_t)(l->channels * mt__lanes_channel(l)) * sizeof(float));
}

#define mt__lanes_load MT_ISA_NAME(mt__lanes_load)
#define mt__lanes_store MT_ISA_NAME(mt__lanes_store)
#define mt__lanes_is_block MT_ISA_NAME(mt__lanes_is_block)
#define mt__lanes_grad_weight MT_ISA_NAME(mt__lanes_grad_weight)
#define mt__lanes_grad_weight_bytes MT_ISA_NAME(mt__lanes_grad_weight_bytes)

/* Images [first, first + images) of a, images ≤ VL, into a block; the lanes left over become zero. */
void mt__lanes_load(const struct mt__lanes *l, float *block, const struct mt__five_dims *a, int64_t first, int images);

/* A block without padding back to images [first, first + images) of a. */
void mt__lanes_store(const struct mt__lanes *l, const float *block, const struct mt__five_dims *a, int64_t first,
                     int images);

/* Whether a, of these images, lies in memory as its block does: then it is its own block. */
bool mt__lanes_is_block(const struct mt__lanes *l, const struct mt__five_dims *a, int images);

/* Into how many parts each of n blocks is to be divided, so that all threads have about the same work. */
static inline int64_t mt__lanes_parts(int64_t n, int threads) {
	if (n >= 4 * threads)
		return 1;
	int64_t parts = threads, a = n, b = threads;
	while (b) {
		int64_t t = a % b;
		a = b;
		b = t;
	}
	return parts / a;
}

/* conv_lanes_weight.c */
uint64_t mt__lanes_grad_weight_bytes(const struct mt__conv *conv, int threads);
void mt__lanes_grad_weight(const struct mt__conv *conv, void *scratch, int threads);

#endif
