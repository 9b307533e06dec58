/* Work that stays on one thread while other programs want the cores.
 *
 * A waiting thread of libgomp spins for milliseconds before it sleeps.  Where other programs have the core that its
 * partner needs, it spins that long in every region, and two threads take many times longer than one would alone.  So
 * regions are watched: where the calling thread waits for the others longer than it worked, and one of them began late
 * or the kernel has taken a core from this process meanwhile, the wait counts.  Where such waits take more than a fifth
 * of the time, work stays on the calling thread for a spell of 10 ms.  Where they took half the time since the last spell,
 * so that one thread would have done better, the next one is twice as long, up to 1.28 s, and trying again costs little.
 *
 * Results do not depend on it: they are the same bits for any number of threads.  A device that was opened with the
 * option threads=N has N threads always. */
#ifndef MT_OMP_CONTENTION_H
#define MT_OMP_CONTENTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* A clock that costs a region little.  Its unit is a nanosecond or less: CPUs with a time stamp counter count it at one
 * gigahertz at least. */
static inline uint64_t mt__omp_ticks(void) {
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#else
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
#endif
}

/* Ticks, a quarter of a millisecond at least: longer than a thread takes to wake up on a core that is free. */
#define MT__OMP_LONG_WAIT 1000000

/* When the spell ends that now lasts, in nanoseconds of CLOCK_MONOTONIC; 0: there is none. */
extern _Atomic(int64_t) mt__omp_alone_until;

/* Whether that time is still to come; else forgets it. */
bool mt__omp_still_alone(void);

/* A wait of so many ticks.  It counts if a thread began late or the kernel took a core from this process since the last
 * call; a spell begins where waits have come to too much. */
void mt__omp_waited(bool is_late, uint64_t ticks);

static inline bool mt__omp_is_alone(void) {
	return atomic_load_explicit(&mt__omp_alone_until, memory_order_relaxed) != 0 && mt__omp_still_alone();
}

/* A region as it is watched. */
struct mt__omp_region {
	uint64_t begin;          /* when it was asked for */
	uint64_t started, ended; /* the calling thread's part */
	_Atomic(bool) is_late;   /* some thread started long after begin */
};

static inline void mt__omp_region_begin(struct mt__omp_region *r) {
	r->begin = r->started = r->ended = mt__omp_ticks();
	atomic_init(&r->is_late, false);
}

/* Each thread, before and after its part. */
static inline void mt__omp_part_begin(struct mt__omp_region *r, int thread) {
	uint64_t now = mt__omp_ticks();
	if (thread == 0)
		r->started = now;
	/* The cores' clocks may differ by a little, in either direction. */
	if ((int64_t)(now - r->begin) > MT__OMP_LONG_WAIT)
		atomic_store_explicit(&r->is_late, true, memory_order_relaxed);
}

static inline void mt__omp_part_end(struct mt__omp_region *r, int thread) {
	if (thread == 0)
		r->ended = mt__omp_ticks();
}

/* The calling thread, when all are done.  It may have waited before its part, too: libgomp first gathers the threads of
 * the last region. */
static inline void mt__omp_region_end(struct mt__omp_region *r) {
	uint64_t work = r->ended - r->started, wait = mt__omp_ticks() - r->begin - work;
	if (wait > MT__OMP_LONG_WAIT && wait > work)
		mt__omp_waited(atomic_load_explicit(&r->is_late, memory_order_relaxed), wait);
}

#endif
