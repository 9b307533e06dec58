#include "happens_before.h"

#include <string.h>

#include <algorithm>

namespace mt_emulated {

block_clock now;
static bool knows; /* whether something in now.known is not 0 */

void clock_begin(uint32_t block) {
	now.block = block;
	now.time = 1;
	now.barrier = 0;
	memset(now.warp, 0, sizeof now.warp);
	memset(now.last, 0xFF, sizeof now.last);
	if (knows)
		memset(now.known, 0, sizeof now.known);
	knows = false;
}

void clock_barrier() {
	now.barrier = now.time++;
}

/* Each lane knows from then on what any of them knew. */
static void share(uint32_t (*known)[LANES], unsigned lanes) {
	uint32_t all[LANES] = {};
	for (unsigned lane = 0; lane < LANES; lane++)
		for (unsigned other = 0; other < LANES && (lanes >> lane & 1); other++)
			all[other] = known[lane][other] > all[other] ? known[lane][other] : all[other];
	for (unsigned lane = 0; lane < LANES; lane++)
		if (lanes >> lane & 1)
			all[lane] = now.time;
	for (unsigned lane = 0; lane < LANES; lane++)
		if (lanes >> lane & 1)
			memcpy(known[lane], all, sizeof all);
}

void clock_warp(unsigned warp, unsigned lanes, unsigned alive) {
	if (lanes == alive) {
		now.warp[warp] = now.time;
	} else {
		share(now.known + warp * LANES, lanes);
		knows = true;
	}
	now.time++;
}

void clock_return() {
	uint32_t whole = now.warp[now.thread / LANES], part = now.known[now.thread][now.thread % LANES];
	now.last[now.thread] = std::max({now.barrier, whole, part});
}

} // namespace mt_emulated
