/* Scopes: autorelease pools over one stack of tensors per thread. */
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/device.h"
#include "base/alloc.h"
#include "base/error.h"
#include "tensor/thread.h"

_Thread_local struct mt__thread mt__thread __attribute__((tls_model("initial-exec")));

static pthread_once_t exit_once = PTHREAD_ONCE_INIT;
static pthread_key_t exit_key;
static int exit_ready;
static pid_t exit_process;
static atomic_uint_fast64_t last_serial;

/* ---- the stack ---------------------------------------------------------------------------------------------------- */

/* Releasing may run other code that pushes: pop one by one. */
static inline void pool_shrink(struct mt__thread *thread, size_t count) {
	while (thread->count > count) {
		mt_tensor *t = thread->pool[--thread->count];
		if (mt__is_last(t))
			mt__tensor_free(t);
	}
}

int mt__pool_grow(struct mt__thread *thread) {
	if (!mt__thread_register()) {
		mt__fail(MT_E_MEMORY, "scope: the thread's root scope cannot be made");
		return 0;
	}
	size_t capacity = thread->capacity != 0 ? 2 * thread->capacity : 256;
	mt_tensor **pool = mt__realloc(thread->pool, capacity * sizeof *pool);
	if (pool == NULL) {
		mt__fail_memory("scope", capacity * sizeof *pool);
		return 0;
	}
	thread->pool = pool;
	thread->capacity = capacity;
	return 1;
}

/* ---- the root scope's end ----------------------------------------------------------------------------------------- */

static void drain(struct mt__thread *thread) {
	pool_shrink(thread, 0);
	mt__free(thread->pool);
	mt__free(thread->marks);
	thread->pool = NULL;
	thread->marks = NULL;
	thread->capacity = thread->n_marks = thread->marks_capacity = 0;
	mt__small_storages_flush();
	mt__slab_flush(&mt__tensor_slab, &thread->tensors);
	mt__slab_flush(&mt__storage_slab, &thread->storages);
	mt__slab_flush(&mt__node_slab, &thread->nodes);
	thread->registered = 0;
}

static void on_thread_exit(void *thread) {
	drain(thread);
}

/* Threads that exit() finds running are left alone; so is a forked child, which cannot use the parent's devices. */
static void on_process_exit(void) {
	if (getpid() == exit_process)
		drain(&mt__thread);
}

/* The one thread of a forked child: its idle storages are the parent's devices'. */
static void on_fork(void) {
	mt__thread.small.items = NULL;
	mt__thread.small.count = 0;
}

static void make_exit_key(void) {
	exit_process = getpid();
	exit_ready = pthread_key_create(&exit_key, on_thread_exit) == 0 && atexit(on_process_exit) == 0 &&
	             pthread_atfork(NULL, NULL, on_fork) == 0;
}

int mt__thread_register(void) {
	if (mt__thread.registered)
		return 1;
	pthread_once(&exit_once, make_exit_key);
	if (!exit_ready || pthread_setspecific(exit_key, &mt__thread) != 0)
		return 0;
	mt__thread.registered = 1;
	return 1;
}

/* ---- scopes ------------------------------------------------------------------------------------------------------- */

static __attribute__((noinline, cold)) int marks_grow(struct mt__thread *thread) {
	if (!mt__thread_register())
		return 0;
	size_t capacity = thread->marks_capacity != 0 ? 2 * thread->marks_capacity : 32;
	struct mt__scope_mark *marks = mt__realloc(thread->marks, capacity * sizeof *marks);
	if (marks == NULL)
		return 0;
	thread->marks = marks;
	thread->marks_capacity = capacity;
	return 1;
}

/* The index of an open scope of this thread, counted from 1; 0 where it is none, as NULL is: serials begin at 1. */
static size_t find_mark(const struct mt__thread *thread, const mt_scope *scope) {
	size_t i = thread->n_marks;
	while (i > 0 && thread->marks[i - 1].serial != (uint64_t)(uintptr_t)scope)
		i--;
	return i;
}

mt_scope *mt_scope_begin(void) {
	struct mt__thread *thread = &mt__thread;
	if (thread->n_marks == thread->marks_capacity && !marks_grow(thread))
		return mt__fail_null(MT_E_MEMORY, "scope_begin: out of memory");
	/* A serial as handle, not an address: a scope ended twice, or on another thread, is found to be none. */
	uint64_t serial = atomic_fetch_add_explicit(&last_serial, 1, memory_order_relaxed) + 1;
	thread->marks[thread->n_marks].serial = serial;
	thread->marks[thread->n_marks++].count = thread->count;
	return (mt_scope *)(uintptr_t)serial;
}

void mt_scope_end(mt_scope *scope) {
	struct mt__thread *thread = &mt__thread;
	size_t i = find_mark(thread, scope);
	if (i == 0)
		return;
	thread->n_marks = i - 1;
	pool_shrink(thread, thread->marks[i - 1].count);
}

mt_tensor *mt_scope_end_keep(mt_scope *scope, mt_tensor *t) {
	struct mt__thread *thread = &mt__thread;
	if (t == NULL || t == MT_NONE || find_mark(thread, scope) == 0) {
		mt_scope_end(scope);
		return t;
	}
	mt_retain(t);
	mt_scope_end(scope);
	return mt_autorelease(t);
}

mt_tensor *mt_autorelease(mt_tensor *t) {
	if (t == NULL || t == MT_NONE)
		return t;
	if (!mt__pool_reserve(&mt__thread)) {
		mt_release(t);
		return NULL;
	}
	mt__pool_push(&mt__thread, t);
	return t;
}
