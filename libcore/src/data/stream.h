/* Random numbers of data/: streams of their own in the Philox block space, apart from the process's generator (which
 * counts blocks from 0) and from each other.  A stream is (seed, kind, index); each has 2^32 blocks. */
#ifndef MT_DATA_STREAM_H
#define MT_DATA_STREAM_H

#include <stdint.h>

enum mt__stream_kind { MT__STREAM_SHUFFLE = 2, MT__STREAM_DIGIT = 3, MT__STREAM_POINTS = 4 };

struct mt__stream {
	uint64_t seed, block;
	uint32_t word[4];
	int used; /* words of the current block that are used up */
};

struct mt__stream mt__stream_open(uint64_t seed, enum mt__stream_kind kind, uint64_t index);

/* The next 32 random bits. */
uint32_t mt__stream_u32(struct mt__stream *s);

/* In [0, 1), 24 bits. */
static inline float mt__stream_unit(struct mt__stream *s) {
	return (float)(mt__stream_u32(s) >> 8) * 0x1p-24f;
}

/* In [low, high). */
static inline float mt__stream_range(struct mt__stream *s, float low, float high) {
	return low + (high - low) * mt__stream_unit(s);
}

/* In [0, n), n ≥ 1, without bias (Lemire 2019). */
static inline uint32_t mt__stream_below(struct mt__stream *s, uint32_t n) {
	uint64_t product = (uint64_t)mt__stream_u32(s) * n;
	if ((uint32_t)product < n) {
		uint32_t threshold = (0u - n) % n;
		while ((uint32_t)product < threshold)
			product = (uint64_t)mt__stream_u32(s) * n;
	}
	return (uint32_t)(product >> 32);
}

#endif
