/* Storages made and given back: inline where the thread's cache of small ones does. */
#ifndef MT_TENSOR_STORAGE_H
#define MT_TENSOR_STORAGE_H

#include "backend/buffers.h"
#include "tensor/thread.h"

struct mt_storage *mt__storage_new_slow(mt_device *device, uint64_t bytes);
/* The end of a storage that nobody refers to. */
void mt__storage_free(struct mt_storage *storage);

/* Storage of bytes on device with one reference, content undefined; NULL with the error set. */
static inline struct mt_storage *mt__storage_new(struct mt__thread *thread, mt_device *device, uint64_t bytes) {
	struct mt_storage *s = (struct mt_storage *)thread->small.items;
	if (bytes - 1 >= MT__SMALLEST_BUFFER || s == NULL || s->device != device) /* 0 − 1 is most of all */
		return mt__storage_new_slow(device, bytes);
	thread->small.items = thread->small.items->next;
	thread->small.count--;
	atomic_fetch_sub_explicit(&mt__allocator_of(device)->idle, MT__SMALLEST_BUFFER, memory_order_relaxed);
	atomic_init(&s->references, 1);
	atomic_init(&s->version, 0);
	atomic_init(&s->saved, 0);
	s->bytes = bytes;
	return s;
}

/* Gives up one reference.  Who holds the only one need not count it down. */
static inline void mt__storage_release(struct mt__thread *thread, struct mt_storage *s) {
	if (atomic_load_explicit(&s->references, memory_order_acquire) != 1 &&
	    atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel) != 1)
		return;
	const struct mt_storage *other = (struct mt_storage *)thread->small.items;
	struct mt__allocator *a = mt__allocator_of(s->device);
	if (s->capacity != MT__SMALLEST_BUFFER || thread->small.count >= thread->small.limit ||
	    (other != NULL && other->device != s->device) || a->generation != mt__fork_generation) {
		mt__storage_free(s);
		return;
	}
	struct mt__slab_item *item = (struct mt__slab_item *)s;
	item->next = thread->small.items;
	thread->small.items = item;
	thread->small.count++;
	atomic_fetch_add_explicit(&a->idle, MT__SMALLEST_BUFFER, memory_order_relaxed);
}

#endif
