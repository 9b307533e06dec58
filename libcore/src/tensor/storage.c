/* Storage: a device buffer, or memory of others, with a reference count and a write counter. */
#include "tensor/storage.h"

#include "base/error.h"

struct mt__slab mt__storage_slab = MT__SLAB_INIT(struct mt_storage);

_Static_assert(offsetof(struct mt_storage, device) >= sizeof(struct mt__slab_item), "an idle storage keeps its buffer");

/* ---- small ones --------------------------------------------------------------------------------------------------- */

enum { SMALL_LIMIT = MT__SLAB_CACHES ? 64 : 0 };

void mt__small_storages_flush(void) {
	struct mt__thread *thread = &mt__thread;
	while (thread->small.items != NULL) {
		struct mt_storage *s = (struct mt_storage *)thread->small.items;
		struct mt__allocator *a = mt__allocator_of(s->device);
		thread->small.items = thread->small.items->next;
		if (a->generation == mt__fork_generation) {
			atomic_fetch_sub_explicit(&a->idle, MT__SMALLEST_BUFFER, memory_order_relaxed);
			mt__buffer_free(s->device, s->base, s->capacity);
		}
		mt__slab_give(&mt__storage_slab, &thread->storages, s);
	}
	thread->small.count = 0;
	thread->small.limit = 0;
}

/* The cache is for the device that the thread works on now; from a thread that cannot hand it back at its exit, or where
 * buffers are not to be kept, there is none. */
static void small_storages_for(struct mt__thread *thread, mt_device *device) {
	const struct mt_storage *s = (const struct mt_storage *)thread->small.items;
	if (s != NULL && s->device != device)
		mt__small_storages_flush();
	if (thread->small.limit == 0 && mt__allocator_of(device)->keeps && mt__thread_register())
		thread->small.limit = SMALL_LIMIT;
}

/* ---- making and freeing ------------------------------------------------------------------------------------------- */

struct mt_storage *mt__storage_new_slow(mt_device *device, uint64_t bytes) {
	struct mt__thread *thread = &mt__thread;
	struct mt_storage *s = mt__slab_take(&mt__storage_slab, &thread->storages);
	if (s == NULL) {
		mt__fail_memory("storage", sizeof *s);
		return NULL;
	}
	if (mt__buffer_alloc(device, bytes, &s->base, &s->capacity) != MT_OK) {
		mt__slab_give(&mt__storage_slab, &thread->storages, s);
		return NULL;
	}
	if (s->capacity == MT__SMALLEST_BUFFER)
		small_storages_for(thread, device);
	atomic_init(&s->references, 1);
	atomic_init(&s->version, 0);
	atomic_init(&s->saved, 0);
	s->device = device;
	s->bytes = bytes;
	s->read_only = 0;
	s->release = NULL;
	s->context = NULL;
	return s;
}

void mt__storage_put(struct mt_storage *storage, const struct mt__external *memory) {
	storage->base = memory->base;
	storage->bytes = memory->bytes;
	storage->read_only = memory->read_only;
	storage->release = memory->release;
	storage->context = memory->context;
}

/* The owner may free the memory at once, where a cached buffer is reused in queue order: so the queue is waited for. */
static void give_back(mt_device *device, void (*release)(void *context), void *context) {
	if (mt__device_finish(device))
		release(context);
}

void mt__storage_free(struct mt_storage *s) {
	mt_device *device = s->device;
	void (*release)(void *context) = s->release;
	void *base = s->base, *context = s->context;
	uint64_t capacity = s->capacity;
	mt__slab_give(&mt__storage_slab, &mt__thread.storages, s);
	if (release == NULL)
		mt__buffer_free(device, base, capacity);
	else
		give_back(device, release, context); /* the owner's code may well come back to libmt */
}

void mt__storage_swap(mt_tensor *a, mt_tensor *b) {
	struct mt_storage *s = a->storage;
	a->storage = b->storage;
	b->storage = s;
	a->base = a->storage->base;
	a->buffer_bytes = a->storage->bytes;
	b->base = s->base;
	b->buffer_bytes = s->bytes;
}
