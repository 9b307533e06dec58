/* Spells on one thread. */
#include <sys/resource.h>

#include "contention.h"

/* Nanoseconds.  A region that waits takes a turn of each program that wants the core: tens of milliseconds. */
enum { SHORTEST = 10000000, LONGEST = 1280000000, SOON = 250000000 };

_Atomic(int64_t) mt__omp_alone_until;

/* Of this process: how often the kernel had taken a core from it when we last looked. */
static _Atomic(long) preemptions;
static _Atomic(int64_t) last_spell, last_end;

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

/* The new spell is twice as long as the last one where that ended not long ago. */
void mt__omp_waited(bool is_late) {
	struct rusage usage;
	bool is_taken =
		getrusage(RUSAGE_SELF, &usage) == 0 && atomic_exchange(&preemptions, usage.ru_nivcsw) != usage.ru_nivcsw;
	if (!is_late && !is_taken)
		return;
	int64_t time = now(), spell = atomic_load(&last_spell);
	bool soon = spell > 0 && time - atomic_load(&last_end) < spell + SOON;
	spell = !soon ? SHORTEST : spell < LONGEST ? 2 * spell : LONGEST;
	atomic_store(&last_spell, spell);
	atomic_store(&last_end, time + spell);
	atomic_store(&mt__omp_alone_until, time + spell);
}
