/* How far two cores are apart: the nanoseconds that a cache line takes from one to the other.
 *
 *     make bench/distance && bench/distance
 *     27.4 ns
 *
 * Two threads, each on a CPU of its own (the first two that the process may use), take turns at counting a line up: each
 * turn is one transfer.  The median of 41 bursts of 2000.  On a virtual machine it tells where the host has put the CPUs for
 * now: cores with a common third-level cache are some 20 to 60 ns apart, others 100 and more, and what two threads do
 * together is as different (docs/performance/threads.md). */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "bench/clock.h"
#include "bench/stats.h"

enum { BURSTS = 41, TRANSFERS = 2000 };

/* Seconds, beside other programs. */
#define PATIENCE 2.0

static struct {
	_Alignas(128) atomic_long turn; /* even: this thread's; odd: the other's */
	_Alignas(128) int cpu[2];
	double deadline;
} shared;

/* Waits for each second number of [from, to), and counts on; 0 where the other side does not come. */
static int take_turns(long from, long to) {
	for (long mine = from; mine < to; mine += 2) {
		for (long spins = 1; atomic_load_explicit(&shared.turn, memory_order_acquire) != mine; spins++)
			if (spins % 65536 == 0 && bench_now() > shared.deadline)
				return 0;
		atomic_store_explicit(&shared.turn, mine + 1, memory_order_release);
	}
	return 1;
}

static int stay_on(int cpu) {
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static void *other_side(void *unused) {
	if (stay_on(shared.cpu[1]) == 0)
		take_turns(1, (long)TRANSFERS * BURSTS);
	return unused;
}

/* Nanoseconds of a transfer in each burst; returns how many there were. */
static int time_bursts(double times[BURSTS]) {
	for (int n = 0; n < BURSTS; n++) {
		double begin = bench_now();
		if (!take_turns((long)TRANSFERS * n, (long)TRANSFERS * (n + 1)))
			return n;
		times[n] = 1e9 * (bench_now() - begin) / TRANSFERS;
	}
	return BURSTS;
}

/* Whether there are two CPUs, and they are this process's. */
static int find_cpus(void) {
	cpu_set_t set;
	int found = 0;
	if (sched_getaffinity(0, sizeof set, &set) != 0)
		return 0;
	for (int cpu = 0; cpu < CPU_SETSIZE && found < 2; cpu++)
		if (CPU_ISSET(cpu, &set))
			shared.cpu[found++] = cpu;
	return found == 2;
}

static int failed(const char *what) {
	fprintf(stderr, "distance: %s\n", what);
	return 1;
}

int main(void) {
	pthread_t other;
	double times[BURSTS];
	if (!find_cpus())
		return failed("this process has fewer than two CPUs");
	shared.deadline = bench_now() + PATIENCE;
	if (stay_on(shared.cpu[0]) != 0)
		return failed("a thread cannot be kept on its CPU");
	int error = pthread_create(&other, NULL, other_side, NULL);
	if (error != 0)
		return failed(strerror(error));
	int n = time_bursts(times);
	pthread_join(other, NULL);
	if (n == 0)
		return failed("the two threads did not meet: the machine is too busy");
	printf("%.1f ns\n", bench_spread_of(times, n).median);
	return 0;
}
