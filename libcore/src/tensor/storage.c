/* Storage: a device buffer with a reference count and a write counter. */
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
	return s;
}

void mt__storage_release(struct mt_storage *storage) {
	if (atomic_fetch_sub_explicit(&storage->references, 1, memory_order_acq_rel) != 1)
		return;
	mt__buffer_free(storage->device, storage->base, storage->capacity);
	mt__slab_give(&mt__storage_slab, &mt__thread.storages, storage);
}
