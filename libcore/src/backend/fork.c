/* Forks: the loader's lock is kept usable across them, and a number tells a parent's devices from a child's.
 *
 * A forked child has the parent's memory, but not its threads, and no right to its GPU contexts: so nothing that was
 * loaded before a fork is called after it.  A child of a process that had loaded nothing starts anew. */
#include <pthread.h>

#include "backend/registry.h"

int mt__fork_generation;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t loader;

static void before_fork(void) {
	pthread_mutex_lock(&loader);
}

static void after_fork_parent(void) {
	pthread_mutex_unlock(&loader);
}

/* Recursive: a plugin's device_count may run a program, and so fork, while the loader holds the lock. */
static void make_mutex(void) {
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&loader, &attributes);
	pthread_mutexattr_destroy(&attributes);
}

/* Made anew rather than unlocked: its owner was a thread of the parent, which the child's thread is not. */
static void after_fork_child(void) {
	mt__fork_generation++;
	make_mutex();
}

static void init(void) {
	make_mutex();
	pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}

void mt__loader_lock(void) {
	pthread_once(&once, init);
	pthread_mutex_lock(&loader);
}

void mt__loader_unlock(void) {
	pthread_mutex_unlock(&loader);
}
