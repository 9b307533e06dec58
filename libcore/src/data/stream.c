/* Streams of random numbers over Philox blocks. */
#include "data/stream.h"
#include "mt/philox.h"

struct mt__stream mt__stream_open(uint64_t seed, enum mt__stream_kind kind, uint64_t index) {
	struct mt__stream s = {.seed = seed, .used = 4};
	s.block = (uint64_t)kind << 62 | (index & 0x3FFFFFFFu) << 32;
	return s;
}

uint32_t mt__stream_u32(struct mt__stream *s) {
	if (s->used == 4) {
		mt_philox_block(s->seed, s->block++, s->word);
		s->used = 0;
	}
	return s->word[s->used++];
}
