/* What is known of the accesses to each byte that kernels share: device memory, and shared memory of both kinds. */
#ifndef MT_EMULATOR_SHADOW_H
#define MT_EMULATOR_SHADOW_H

#include <stddef.h>
#include <stdint.h>

#include "happens_before.h"

namespace mt_emulated {

/* Threads that have accessed a byte, as far as they do not come before one another. */
struct marks {
	mark last;
	uint32_t warps; /* of last's block, a bit each, since its last __syncthreads */
	uint32_t lanes; /* of last's warp */
	mark other;     /* one of another block, or of another warp */
};

struct cell {
	uint32_t run;    /* what the rest is about: a launch, or a block's shared memory */
	uint32_t bytes;  /* 0, or which four cells (cells_of) have the bytes of this word one by one */
	uint32_t strong; /* 0, or which (strong_of) has the volatile and atomic accesses */
	mark write;
	marks reads;
};

struct strong_marks {
	marks reads, writes;
};

struct region {
	const char *name;
	uintptr_t begin;
	size_t bytes;
	cell *cells; /* one a word of 4 bytes */
	uint32_t run;
};

enum { MEMORY, DYNAMIC_SHARED, STATIC_SHARED, REGIONS };
extern region regions[REGIONS];

/* Finds the regions of the launch that begins, with nothing known about them. */
void shadow_begin_launch();

/* Nothing is known about shared memory any more. */
void shadow_begin_block();

/* Parts of cells: they are there until the next launch. */
uint32_t new_cells(const cell &each);
cell *cells_of(uint32_t which);
uint32_t new_strong();
strong_marks *strong_of(uint32_t which);

/* The region that p lies in, NULL for what no other thread can see. */
inline region *region_of(const void *p) {
	for (region &r : regions)
		if ((uintptr_t)p - r.begin < r.bytes)
			return &r;
	return nullptr;
}

} // namespace mt_emulated

#endif
