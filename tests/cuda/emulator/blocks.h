/* What the emulator's parts know of one another. */
#ifndef MT_EMULATOR_BLOCKS_H
#define MT_EMULATOR_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#include "cuda_runtime_api.h"

namespace mt_emulated {

constexpr size_t MEMORY_BYTES = (size_t)4 << 30;

/* Limits of every device (those of one: gpu.h). */
enum {
	MULTIPROCESSORS = 4,
	MOST_THREADS = 1024,      /* of a block */
	MOST_BLOCK_DEPTH = 64,    /* blockDim.z */
	MOST_GRID_HEIGHT = 65535, /* gridDim.y and .z */
	SHARED_BYTES = 48 << 10,
	SHARED_BYTES_OF_ALL = 228 << 10, /* of a multiprocessor, where there is most */
};

/* The order in which blocks, warps and lanes run, from MT_EMULATOR_ORDER: forward, reverse, random or random:SEED. */
enum class order { forward, reverse, random };
order chosen_order();

/* A pseudo-random number below n. */
uint64_t random_below(uint64_t n);

/* Of the bits that are set in mask, the one whose turn it is. */
unsigned pick(unsigned mask);

/* Whether a kernel's thread calls, and not the host. */
bool in_kernel();

/* Of the thread that runs, in its block. */
unsigned thread_number();

/* Says on stderr which block of which kernel runs. */
void describe_kernel();

/* Forgets asynchronous copies that nobody waited for: when a block ends. */
void end_pipelines(unsigned threads);

/* How much dynamic shared memory a kernel may be launched with (cudaFuncSetAttribute). */
size_t dynamic_shared_allowed(const void *kernel);

/* Keeps the error for cudaGetLastError, and returns it. */
cudaError_t keep(cudaError_t error);

} // namespace mt_emulated

#endif
