/* Runs grids: one block after the other, one thread of it at a time, each on a fibre, until it waits or returns. */
#include "blocks.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mutex>

#include "arena.h"
#include "emulated_grid.h"
#include "fibres.h"
#include "happens_before.h"
#include "launches.h"
#include "race.h"
#include "shared.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace mt_emulated {

enum class stage : uint8_t { ready, at_barrier, meeting, returned };

struct thread {
	uint3 index;
	fibre *on; /* NULL before it starts */
	stage at;
	const char *what; /* what it waits in */
	const char *file; /* … and where, at a barrier */
	int line;
	unsigned mask; /* while meeting */
	void (*join)(void *const *given);
	void *given;
};

struct warp {
	unsigned alive, ready; /* a bit a lane */
};

/* What __syncthreads_count and its kin have heard so far, and what the last barrier gave. */
struct tally {
	int sum, all;
};

static const launch *grid;
static thread threads[MOST_THREADS];
static warp warps[MOST_THREADS / warpSize];
static unsigned n_threads, n_warps;
static unsigned self;    /* the thread that runs */
static unsigned live;    /* threads that have not returned */
static unsigned arrived; /* … and those of them at the barrier */
static tally heard, told;
static bool gave_way;

/* ---- what cannot go on ---- */

void describe_kernel() {
	Dl_info info;
	fprintf(stderr, "CUDA emulator: block (%u, %u, %u) of a grid of %u x %u x %u, %u x %u x %u threads", blockIdx.x,
	        blockIdx.y, blockIdx.z, gridDim.x, gridDim.y, gridDim.z, blockDim.x, blockDim.y, blockDim.z);
	if (dladdr(grid->kernel, &info))
		fprintf(stderr, "; kernel: addr2line -Cfe %s %#zx", info.dli_fname,
		        (size_t)((const char *)grid->kernel - (const char *)info.dli_fbase));
	fprintf(stderr, "\n");
}

[[noreturn]] void trap(const char *what) {
	describe_kernel();
	fprintf(stderr, "CUDA emulator: thread %u (%u, %u, %u): %s\n", self, threadIdx.x, threadIdx.y, threadIdx.z, what);
	abort();
}

static bool same_wait(const thread &a, const thread &b) {
	return a.at == b.at &&
	       (a.at == stage::returned || (a.what == b.what && (a.at != stage::meeting || a.mask == b.mask)));
}

static bool same_place(const thread &a, const thread &b) {
	return a.line == b.line && (a.file == b.file || strcmp(a.file, b.file) == 0);
}

[[noreturn]] static void deadlock() {
	describe_kernel();
	fprintf(stderr, "CUDA emulator: the block cannot go on, its threads wait for one another:\n");
	for (unsigned first = 0, end; first < n_threads; first = end) {
		const thread &t = threads[first];
		for (end = first + 1; end < n_threads && same_wait(t, threads[end]); end++)
			;
		fprintf(stderr, "  threads %u to %u: ", first, end - 1);
		if (t.at == stage::returned)
			fprintf(stderr, "have returned\n");
		else if (t.at == stage::meeting)
			fprintf(stderr, "wait in %s for lanes %#x\n", t.what, t.mask);
		else
			fprintf(stderr, "wait in %s\n", t.what);
	}
	abort();
}

/* ---- waiting ---- */

static void make_ready(unsigned t) {
	threads[t].at = stage::ready;
	warps[t / warpSize].ready |= 1u << t % warpSize;
}

/* The thread that runs is no longer ready. */
static void stop(stage at) {
	threads[self].at = at;
	warps[self / warpSize].ready &= ~(1u << self % warpSize);
}

static void wait(stage at, const char *what) {
	threads[self].what = what;
	stop(at);
}

/* "the execution is likely to hang or produce unintended side effects" (CUDA C++ Programming Guide, __syncthreads). */
static void check_barrier() {
	const thread *first = nullptr;
	for (unsigned t = 0; t < n_threads; t++) {
		const thread &one = threads[t];
		if (one.at != stage::at_barrier)
			continue;
		if (!first)
			first = &one;
		if (same_place(*first, one))
			continue;
		char text[512];
		snprintf(text, sizeof text, "waits in %s at %s:%d, thread %u in that at %s:%d", one.what, one.file, one.line,
		         (unsigned)(first - threads), first->file, first->line);
		self = t;
		threadIdx = one.index;
		trap(text);
	}
}

static void release_barrier() {
	check_barrier();
	told = heard;
	heard = {0, 1};
	arrived = 0;
	clock_barrier();
	for (unsigned t = 0; t < n_threads; t++)
		if (threads[t].at == stage::at_barrier)
			make_ready(t);
}

static tally barrier(const char *what, bool predicate, const char *file, int line) {
	threads[self].file = file;
	threads[self].line = line;
	heard.sum += predicate;
	heard.all &= predicate;
	wait(stage::at_barrier, what);
	if (++arrived == live)
		release_barrier();
	leave_fibre();
	return told;
}

unsigned thread_number() {
	return self;
}

unsigned lane() {
	return self % warpSize;
}

/* Ends the meeting that thread t waits in, if all have come. */
static void end_meeting(unsigned t) {
	const thread &one = threads[t];
	unsigned first = t - t % warpSize, there = one.mask & warps[t / warpSize].alive;
	void *given[warpSize] = {};
	for (unsigned rest = there; rest != 0; rest &= rest - 1) {
		unsigned lane = (unsigned)__builtin_ctz(rest);
		const thread &other = threads[first + lane];
		if (other.at != stage::meeting || other.mask != one.mask || other.join != one.join)
			return;
		given[lane] = other.given;
	}
	one.join(given);
	if (one.join == join_memory)
		clock_warp(t / warpSize, there, warps[t / warpSize].alive);
	for (unsigned rest = there; rest != 0; rest &= rest - 1)
		make_ready(first + (unsigned)__builtin_ctz(rest));
}

void meet(unsigned mask, const char *what, void (*join)(void *const *given), void *given) {
	thread &t = threads[self];
	if ((mask >> lane() & 1) == 0) {
		char text[128];
		snprintf(text, sizeof text, "calls %s with a mask (%#x) that leaves itself out", what, mask);
		trap(text);
	}
	t.mask = mask;
	t.join = join;
	t.given = given;
	wait(stage::meeting, what);
	end_meeting(self);
	leave_fibre();
}

void yield() {
	gave_way = true;
	leave_fibre();
}

/* ---- running ---- */

/* The thread that ran has returned: others may have waited for nobody else. */
static void finish_thread() {
	unsigned w = self / warpSize;
	stop(stage::returned);
	clock_return();
	warps[w].alive &= ~(1u << self % warpSize);
	live--;
	if (live > 0 && arrived == live)
		release_barrier();
	for (unsigned rest = warps[w].alive; rest != 0; rest &= rest - 1) {
		unsigned t = w * warpSize + (unsigned)__builtin_ctz(rest);
		if (threads[t].at == stage::meeting)
			end_meeting(t);
	}
}

static void body() {
	grid->call(grid->closure);
}

static bool runs;

bool in_kernel() {
	return runs;
}

static void run_thread(unsigned t) {
	thread &one = threads[t];
	self = now.thread = t;
	threadIdx = one.index;
	if (!one.on && !(one.on = take_fibre()))
		trap("no memory for its stack");
	if (enter_fibre(one.on, body))
		finish_thread();
}

static bool is_random;

/* Lets a warp run as far as it can; in random order, a step. */
static void run_warp(unsigned w) {
	gave_way = false;
	do {
		for (unsigned todo = warps[w].ready; todo != 0;) {
			unsigned lane = pick(todo);
			todo &= ~(1u << lane);
			run_thread(w * warpSize + lane);
		}
	} while (warps[w].ready != 0 && !is_random && !gave_way);
}

static unsigned ready_warps() {
	unsigned ready = 0;
	for (unsigned w = 0; w < n_warps; w++)
		ready |= (unsigned)(warps[w].ready != 0) << w;
	return ready;
}

static void run_block(uint32_t at) {
	for (unsigned t = 0; t < n_threads; t++) {
		threads[t].on = nullptr;
		threads[t].at = stage::ready;
	}
	for (unsigned w = 0; w < n_warps; w++) {
		unsigned left = n_threads - w * warpSize;
		warps[w].alive = warps[w].ready = left < warpSize ? (1u << left) - 1 : 0xFFFFFFFFu;
	}
	live = n_threads;
	arrived = 0;
	heard = {0, 1};
	poison_dynamic_shared();
	race_begin_block(at);
	while (live > 0) {
		unsigned todo = ready_warps();
		if (todo == 0)
			deadlock();
		while (todo != 0) {
			unsigned w = pick(todo);
			todo &= ~(1u << w);
			run_warp(w);
		}
	}
	race_end_block();
	end_pipelines(n_threads);
	if (!dynamic_shared_is_whole())
		trap("the block wrote past its dynamic shared memory");
}

/* ---- grids ---- */

static uint64_t common_divisor(uint64_t a, uint64_t b) {
	return b == 0 ? a : common_divisor(b, a % b);
}

/* Blocks in an order that visits each once: i · step + start modulo their number. */
static void run_blocks() {
	uint64_t blocks = (uint64_t)gridDim.x * gridDim.y * gridDim.z, step = 1, start = 0;
	if (chosen_order() == order::reverse) {
		step = blocks - 1;
		start = blocks - 1;
	} else if (chosen_order() == order::random) {
		start = random_below(blocks);
		do
			step = 1 + random_below(blocks);
		while (common_divisor(step, blocks) != 1);
	}
	uint64_t at = start;
	for (uint64_t i = 0; i < blocks; i++) {
		blockIdx.x = (unsigned)(at % gridDim.x);
		blockIdx.y = (unsigned)(at / gridDim.x % gridDim.y);
		blockIdx.z = (unsigned)(at / gridDim.x / gridDim.y);
		run_block((uint32_t)at);
		at = (at + step) % blocks;
	}
}

cudaError_t check(const launch &l) {
	uint64_t in_block = (uint64_t)l.block.x * l.block.y * l.block.z;
	if (in_block == 0 || in_block > MOST_THREADS || l.block.z > MOST_BLOCK_DEPTH || l.grid.x == 0 || l.grid.y == 0 ||
	    l.grid.z == 0 || l.grid.x > INT32_MAX || l.grid.y > MOST_GRID_HEIGHT || l.grid.z > MOST_GRID_HEIGHT)
		return cudaErrorInvalidConfiguration;
	return l.shared_bytes > dynamic_shared_allowed(l.kernel) ? cudaErrorInvalidValue : cudaSuccess;
}

static void place_threads() {
	n_threads = blockDim.x * blockDim.y * blockDim.z;
	n_warps = (n_threads + warpSize - 1) / warpSize;
	for (unsigned t = 0; t < n_threads; t++)
		threads[t].index = {t % blockDim.x, t / blockDim.x % blockDim.y, t / blockDim.x / blockDim.y};
}

cudaError_t run(const launch &l) {
	static std::mutex one_at_a_time;
	cudaError_t error = check(l);
	if (error != cudaSuccess)
		return keep(error);
	std::lock_guard<std::mutex> hold(one_at_a_time);
	note_launch(l);
	grid = &l;
	gridDim = l.grid;
	blockDim = l.block;
	is_random = chosen_order() == order::random;
	place_threads();
	if (!place_dynamic_shared(l.shared_bytes))
		return keep(cudaErrorMemoryAllocation);
	poison_static_shared();
	arena_access access;
	race_begin_launch();
	runs = true;
	run_blocks();
	runs = false;
	return cudaSuccess;
}

} // namespace mt_emulated

/* ---- barriers, as kernels call them ---- */

void __syncthreads(const char *file, int line) {
	mt_emulated::barrier("__syncthreads", true, file, line);
}
int __syncthreads_count(int predicate, const char *file, int line) {
	return mt_emulated::barrier("__syncthreads_count", predicate != 0, file, line).sum;
}
int __syncthreads_and(int predicate, const char *file, int line) {
	return mt_emulated::barrier("__syncthreads_and", predicate != 0, file, line).all;
}
int __syncthreads_or(int predicate, const char *file, int line) {
	return mt_emulated::barrier("__syncthreads_or", predicate != 0, file, line).sum != 0;
}
