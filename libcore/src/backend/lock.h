/* The lock around every call into a device: two instructions to take and to give when nobody else wants it, a futex when
 * somebody does ("mutex2" of U. Drepper, Futexes Are Tricky, 2011).  A pthread mutex costs an op some fifty instructions. */
#ifndef MT_BACKEND_LOCK_H
#define MT_BACKEND_LOCK_H

#include <stdatomic.h>

/* All zeros is a free lock. */
struct mt__lock {
	atomic_int state; /* 0 free, 1 taken, 2 taken and somebody may wait */
};

void mt__lock_wait(struct mt__lock *lock); /* takes it when it is not free at once */
void mt__lock_wake(struct mt__lock *lock);

static inline void mt__lock_take(struct mt__lock *lock) {
	int expected = 0;
	if (!atomic_compare_exchange_strong_explicit(&lock->state, &expected, 1, memory_order_acquire,
	                                             memory_order_relaxed))
		mt__lock_wait(lock);
}

static inline void mt__lock_give(struct mt__lock *lock) {
	if (atomic_exchange_explicit(&lock->state, 0, memory_order_release) == 2)
		mt__lock_wake(lock);
}

#endif
