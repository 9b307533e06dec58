/* Cache sizes, asked for once: in a virtual machine each question may cost microseconds. */
#include "omp.h"

#include <stdatomic.h>
#include <unistd.h>

#define LEAST_L2 (256 * 1024)
#define MOST_L2 (2 * 1024 * 1024)

static int64_t ask_l2(void) {
	long bytes = 0;
#ifdef _SC_LEVEL2_CACHE_SIZE
	bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
	if (bytes <= 0)
		bytes = MT__OMP_L2_BYTES;
	return bytes < LEAST_L2 ? LEAST_L2 : bytes > MOST_L2 ? MOST_L2 : bytes;
}

int64_t mt__omp_l2_bytes(void) {
	/* Threads that ask at once find the same. */
	static _Atomic int64_t known;
	int64_t bytes = atomic_load_explicit(&known, memory_order_relaxed);
	if (!bytes) {
		bytes = ask_l2();
		atomic_store_explicit(&known, bytes, memory_order_relaxed);
	}
	return bytes;
}
