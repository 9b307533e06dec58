/* Storage: a device buffer, or memory of others, with a reference count and a write counter. */
#include "backend/device.h"
#include "base/error.h"
#include "tensor/thread.h"

struct mt__slab mt__storage_slab = MT__SLAB_INIT(struct mt_storage);

struct mt_storage *mt__storage_new(mt_device *device, uint64_t bytes) {
	struct mt_storage *s = mt__slab_take(&mt__storage_slab, &mt__thread.storages);
	if (s == NULL) {
		mt__fail_memory("storage", sizeof *s);
		return NULL;
	}
	if (mt__buffer_alloc(device, bytes, &s->base, &s->capacity) != MT_OK) {
		mt__slab_give(&mt__storage_slab, &mt__thread.storages, s);
		return NULL;
	}
	atomic_init(&s->references, 1);
	atomic_init(&s->version, 0);
	atomic_init(&s->saved, 0);
	s->device = device;
	s->bytes = bytes;
	s->read_only = 0;
	s->release = NULL;
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

void mt__storage_release(struct mt_storage *storage) {
	if (atomic_fetch_sub_explicit(&storage->references, 1, memory_order_acq_rel) != 1)
		return;
	struct mt_storage last = *storage;
	mt__slab_give(&mt__storage_slab, &mt__thread.storages, storage);
	if (last.release == NULL)
		mt__buffer_free(last.device, last.base, last.capacity);
	else
		give_back(last.device, last.release, last.context); /* the owner's code may well come back to libmt */
}
