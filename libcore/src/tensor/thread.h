/* What the tensor layer keeps per thread: the autorelease stack with its scopes, and the caches of object headers. */
#ifndef MT_TENSOR_THREAD_H
#define MT_TENSOR_THREAD_H

#include "tensor/slab.h"
#include "tensor/tensor.h"

struct mt__scope_mark {
	uint64_t serial; /* unique in the process: the public handle */
	size_t count;    /* height of the stack where the scope began */
};

/* One stack of tensors for all scopes of the thread: a scope is everything above its mark. */
struct mt__thread {
	mt_tensor **pool;
	size_t count, capacity;
	struct mt__scope_mark *marks;
	size_t n_marks, marks_capacity;
	struct mt__slab_cache tensors, storages, nodes;
	/* Idle storages that keep a buffer of the smallest class, all of one device: the next small tensor needs neither the
	 * slab nor the allocator and its lock. */
	struct mt__slab_cache small;
	int registered;
};

/* Initial-exec: one instruction to reach it, and small enough for the static TLS block even after dlopen. */
extern _Thread_local struct mt__thread mt__thread __attribute__((tls_model("initial-exec")));

extern struct mt__slab mt__tensor_slab, mt__storage_slab, mt__node_slab;

/* Sees to it that the thread's stack is drained at its exit.  0 where that cannot be had. */
int mt__thread_register(void);

int mt__pool_grow(struct mt__thread *thread);

/* Room for one more tensor on the stack; 0 with MT_E_MEMORY. */
static inline int mt__pool_reserve(struct mt__thread *thread) {
	return thread->count < thread->capacity || mt__pool_grow(thread);
}

/* Gives one reference of t to the current scope, after mt__pool_reserve. */
static inline void mt__pool_push(struct mt__thread *thread, mt_tensor *t) {
	thread->pool[thread->count++] = t;
}

#endif
