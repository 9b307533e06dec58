/* The slow side of the device's lock. */
#include "backend/lock.h"

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#else
#include <sched.h>
#endif

enum { SPINS = 100 };

/* Sleeps while the state is 2; may wake for no reason. */
static void sleep_while_wanted(struct mt__lock *lock) {
#if defined(__linux__)
	syscall(SYS_futex, &lock->state, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
#else
	(void)lock;
	sched_yield();
#endif
}

void mt__lock_wait(struct mt__lock *lock) {
	/* most calls are short: look a while before the kernel is asked */
	for (int i = 0; i < SPINS; i++) {
		int expected = 0;
		if (atomic_load_explicit(&lock->state, memory_order_relaxed) == 0 &&
		    atomic_compare_exchange_weak_explicit(&lock->state, &expected, 1, memory_order_acquire,
		                                          memory_order_relaxed))
			return;
#if defined(__x86_64__)
		__builtin_ia32_pause();
#endif
	}
	while (atomic_exchange_explicit(&lock->state, 2, memory_order_acquire) != 0)
		sleep_while_wanted(lock);
}

void mt__lock_wake(struct mt__lock *lock) {
#if defined(__linux__)
	syscall(SYS_futex, &lock->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
#else
	(void)lock;
#endif
}
