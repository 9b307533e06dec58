/* Which accesses to memory come before which others in the grid that runs, by the CUDA C++ Programming Guide: what the
 * threads of a block did before __syncthreads comes before what they do after it, and so for the lanes of a __syncwarp.
 * Shuffles and votes order no memory ("do not imply a memory barrier"), and nothing orders the blocks of a grid. */
#ifndef MT_EMULATOR_HAPPENS_BEFORE_H
#define MT_EMULATOR_HAPPENS_BEFORE_H

#include <stdint.h>

#include "blocks.h"

namespace mt_emulated {

constexpr unsigned LANES = 32;

/* An access.  Times count the barriers of any kind that a block has gone through, from 1. */
struct mark {
	uint32_t block, time; /* the block's number in its grid; 0: no access */
	int32_t code;         /* where in this library the access is (race_report.h) */
	uint16_t thread;      /* of its block, with OF_WARP */
};

/* Of an access that all lanes make together (wmma): which of them makes it is open. */
constexpr uint16_t OF_WARP = 0x8000;

inline unsigned thread_of(const mark &m) {
	return m.thread & ~(unsigned)OF_WARP;
}
inline unsigned warp_of(const mark &m) {
	return thread_of(m) / LANES;
}

/* Of an asynchronous copy that nobody has waited for: comes before nothing. */
constexpr uint32_t IN_FLIGHT = UINT32_MAX;

struct block_clock {
	uint32_t block, time;
	unsigned thread;  /* that runs */
	uint16_t of_warp; /* OF_WARP while it makes such an access, else 0 */
	uint32_t barrier; /* the last __syncthreads: what was done up to this time comes before now */
	uint32_t
		warp[MOST_THREADS / 32]; /* … that a warp's lanes did, before now in this warp: the last whole __syncwarp */
	uint32_t known[MOST_THREADS][LANES]; /* … that a lane did, before now in a thread: __syncwarp of some lanes */
	uint32_t last[MOST_THREADS]; /* the last barrier of a thread that has returned: later ones do not order it */
};
extern block_clock now;

void clock_begin(uint32_t block);

/* Every thread of the block that has not returned has come to a barrier. */
void clock_barrier();

/* These lanes of a warp have come to __syncwarp, of those that have not returned. */
void clock_warp(unsigned warp, unsigned lanes, unsigned alive);

/* The thread that runs returns. */
void clock_return();

/* Whether m comes before what the running thread does now. */
inline bool comes_before(const mark &m) {
	if (m.block != now.block || m.time == IN_FLIGHT)
		return false;
	if (m.thread == now.thread && now.of_warp == 0)
		return true;
	unsigned thread = thread_of(m), warp = thread / LANES;
	if (m.time > now.last[thread])
		return false;
	if (m.time <= now.barrier)
		return true;
	return warp == now.thread / LANES && (m.time <= now.warp[warp] || m.time <= now.known[now.thread][thread % LANES]);
}

} // namespace mt_emulated

#endif
