#include "cuda_pipeline.h"

#include <stdint.h>
#include <string.h>

#include <vector>

#include "blocks.h"
#include "emulated_grid.h"
#include "race.h"

namespace mt_emulated {

struct copy {
	void *to;
	const void *from;
	size_t size, zeros;
	uint64_t stage;
	const void *code; /* that asked for it */
};

struct pipeline {
	std::vector<copy> copies;
	size_t finished; /* of them */
	uint64_t stage;  /* being filled: as many are committed */
};

static pipeline pipelines[MOST_THREADS];
static bool in_use;

static void finish(const copy &c) {
	race_access(access::read, c.from, c.size - c.zeros, c.code);
	race_access(access::land, c.to, c.size, c.code);
	memcpy(c.to, c.from, c.size - c.zeros);
	memset((char *)c.to + c.size - c.zeros, 0, c.zeros);
}

void end_pipelines(unsigned threads) {
	for (unsigned t = 0; in_use && t < threads; t++) {
		pipelines[t].copies.clear();
		pipelines[t].finished = 0;
	}
	in_use = false;
}

} // namespace mt_emulated

using namespace mt_emulated;

void __pipeline_memcpy_async(void *to, const void *from, size_t size, size_t zeros) {
	pipeline &mine = pipelines[thread_number()];
	if ((size != 4 && size != 8 && size != 16) || zeros > size)
		trap("__pipeline_memcpy_async takes 4, 8 or 16 bytes");
	if ((uintptr_t)to % size != 0 || (uintptr_t)from % size != 0)
		trap("__pipeline_memcpy_async: an address is no multiple of the size");
	in_use = true;
	race_access(access::read, from, size - zeros, __builtin_return_address(0));
	race_access(access::copy, to, size, __builtin_return_address(0));
	mine.copies.push_back({to, from, size, zeros, mine.stage, __builtin_return_address(0)});
}

void __pipeline_commit() {
	pipelines[thread_number()].stage++;
}

void __pipeline_wait_prior(size_t stages) {
	pipeline &mine = pipelines[thread_number()];
	while (mine.finished < mine.copies.size() && mine.copies[mine.finished].stage + stages < mine.stage)
		finish(mine.copies[mine.finished++]);
}
