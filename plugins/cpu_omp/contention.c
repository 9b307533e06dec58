/* Spells on one thread. */
#include <sys/resource.h>

#include "contention.h"

/* Nanoseconds. */
enum { SHORTEST = 10000000, LONGEST = 1280000000 };

/* Waits are forgotten by half in HALF_LIFE; a spell begins where TOO_MUCH is remembered: about a fifth of the time. */
enum { HALF_LIFE = 50000000, TOO_MUCH = 15000000 };

_Atomic(int64_t) mt__omp_alone_until;

/* Of this process: how often the kernel had taken a core from it when we last looked. */
static _Atomic(long) preemptions;
static _Atomic(int64_t) last_spell, last_end;

/* Waits remembered, as of the last of them, and all since the last spell began.  (Two queues that wait at the same time
 * may lose one.) */
static _Atomic(int64_t) waited, last_wait, waited_since;

/* The same moment by both clocks; 0: not yet. */
static _Atomic(int64_t) base_time;
static _Atomic(uint64_t) base_ticks;

static int64_t now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

bool mt__omp_still_alone(void) {
	int64_t until = atomic_load_explicit(&mt__omp_alone_until, memory_order_relaxed);
	if (until == 0 || now() < until)
		return until != 0;
	atomic_compare_exchange_strong(&mt__omp_alone_until, &until, 0);
	return false;
}

/* Ticks in nanoseconds, by what has passed of both since the first call, which gives 0. */
static int64_t nanoseconds(uint64_t ticks, int64_t time) {
	int64_t base = atomic_load(&base_time);
	if (base == 0) {
		atomic_store(&base_ticks, mt__omp_ticks());
		atomic_store(&base_time, time);
		return 0;
	}
	uint64_t passed = mt__omp_ticks() - atomic_load(&base_ticks);
	return passed > 0 ? (int64_t)((double)ticks * (double)(time - base) / (double)passed) : 0;
}

static bool is_core_taken(void) {
	struct rusage usage;
	return getrusage(RUSAGE_SELF, &usage) == 0 && atomic_exchange(&preemptions, usage.ru_nivcsw) != usage.ru_nivcsw;
}

/* All waits that are remembered, `wait` with them. */
static int64_t remember(int64_t time, int64_t wait) {
	int64_t halves = (time - atomic_exchange(&last_wait, time)) / HALF_LIFE;
	int64_t all = (halves < 63 ? atomic_load(&waited) >> halves : 0) + wait;
	atomic_store(&waited, all);
	atomic_fetch_add(&waited_since, wait);
	return all;
}

/* The new spell is twice as long as the last one where waits took half the time since that ended: one thread alone gets as
 * much done as two that wait so long. */
static void begin_spell(int64_t time) {
	const bool two_are_worse = 2 * atomic_load(&waited_since) >= time - atomic_load(&last_end);
	int64_t spell = atomic_load(&last_spell);
	spell = spell == 0 || !two_are_worse ? SHORTEST : spell < LONGEST ? 2 * spell : LONGEST;
	atomic_store(&waited, 0);
	atomic_store(&waited_since, 0);
	atomic_store(&last_spell, spell);
	atomic_store(&last_end, time + spell);
	atomic_store(&mt__omp_alone_until, time + spell);
}

void mt__omp_waited(bool is_late, uint64_t ticks) {
	int64_t time = now(), wait = nanoseconds(ticks, time);
	if ((is_late || is_core_taken()) && remember(time, wait) >= TOO_MUCH)
		begin_spell(time);
}
