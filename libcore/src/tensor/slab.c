/* Slabs: chunks, and the traffic between a thread's cache and the shared list. */
#include "tensor/slab.h"

#include "base/alloc.h"
#include "tensor/thread.h"

#define CHUNK_BYTES 16384
#define CACHE_LIMIT 512
#define BATCH 128

/* Cuts a new chunk into items on the shared list.  The first item's place links the chunks. */
static void add_chunk(struct mt__slab *slab) {
	char *chunk = mt__alloc(CHUNK_BYTES);
	if (chunk == NULL)
		return;
	struct mt__slab_item *link = (struct mt__slab_item *)chunk;
	link->next = slab->chunks;
	slab->chunks = link;
	size_t n = CHUNK_BYTES / slab->item_bytes;
	for (size_t i = n - 1; i >= 1; i--) {
		struct mt__slab_item *item = (struct mt__slab_item *)(chunk + i * slab->item_bytes);
		item->next = slab->items;
		slab->items = item;
	}
}

void *mt__slab_take_slow(struct mt__slab *slab, struct mt__slab_cache *cache) {
	if (!MT__SLAB_CACHES)
		return mt__alloc(slab->item_bytes);
	pthread_mutex_lock(&slab->lock);
	if (slab->items == NULL)
		add_chunk(slab);
	struct mt__slab_item *taken = slab->items;
	if (taken != NULL) {
		struct mt__slab_item *last = taken;
		int rest = 0;
		for (; rest < BATCH && last->next != NULL; rest++)
			last = last->next;
		slab->items = last->next;
		last->next = NULL;
		cache->items = taken->next;
		cache->count = rest;
	}
	pthread_mutex_unlock(&slab->lock);
	return taken;
}

/* Moves the first n items of the cache, which has as many, to the shared list. */
static void give_batch(struct mt__slab *slab, struct mt__slab_cache *cache, int n) {
	if (n == 0)
		return;
	struct mt__slab_item *first = cache->items, *last = first;
	for (int i = 1; i < n; i++)
		last = last->next;
	cache->items = last->next;
	cache->count -= n;
	pthread_mutex_lock(&slab->lock);
	last->next = slab->items;
	slab->items = first;
	pthread_mutex_unlock(&slab->lock);
}

void mt__slab_give_slow(struct mt__slab *slab, struct mt__slab_cache *cache, struct mt__slab_item *item) {
	if (!MT__SLAB_CACHES) {
		mt__free(item);
		return;
	}
	if (cache->limit == 0 && mt__thread_register())
		cache->limit = CACHE_LIMIT;
	item->next = cache->items;
	cache->items = item;
	cache->count++;
	/* A thread that cannot be registered keeps nothing: nobody would hand it back at its exit. */
	if (cache->count > cache->limit)
		give_batch(slab, cache, cache->limit > 0 ? BATCH : cache->count);
}

void mt__slab_flush(struct mt__slab *slab, struct mt__slab_cache *cache) {
	give_batch(slab, cache, cache->count);
	cache->limit = 0;
}
