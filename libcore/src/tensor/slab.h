/* Small objects of one size: taken from chunks, kept on a free list per thread, shared through a locked one.
 *
 * A thread takes and gives without a lock while its cache is neither empty nor full; whole batches move between the cache
 * and the slab, so that a thread which only frees does not hoard.  Chunks stay for the process's life. */
#ifndef MT_TENSOR_SLAB_H
#define MT_TENSOR_SLAB_H

#include <pthread.h>
#include <stddef.h>

/* Under AddressSanitizer each object is an allocation of its own, so that use after release is seen. */
#if defined(__SANITIZE_ADDRESS__)
#define MT__SLAB_CACHES 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MT__SLAB_CACHES 0
#endif
#endif
#ifndef MT__SLAB_CACHES
#define MT__SLAB_CACHES 1
#endif

struct mt__slab_item {
	struct mt__slab_item *next;
};

struct mt__slab {
	pthread_mutex_t lock;
	size_t item_bytes; /* a multiple of 16 */
	struct mt__slab_item *items;
	struct mt__slab_item *chunks; /* keeps every chunk reachable */
};

#define MT__SLAB_INIT(type)                                                                                            \
	{ PTHREAD_MUTEX_INITIALIZER, (sizeof(type) + 15) / 16 * 16, NULL, NULL }

struct mt__slab_cache {
	struct mt__slab_item *items;
	int count;
	int limit; /* 0 until the thread has registered for its exit (scope.c) */
};

void *mt__slab_take_slow(struct mt__slab *slab, struct mt__slab_cache *cache);
void mt__slab_give_slow(struct mt__slab *slab, struct mt__slab_cache *cache, struct mt__slab_item *item);

/* Hands the whole cache back to the slab. */
void mt__slab_flush(struct mt__slab *slab, struct mt__slab_cache *cache);

/* An object with undefined content; NULL when out of memory. */
static inline void *mt__slab_take(struct mt__slab *slab, struct mt__slab_cache *cache) {
	struct mt__slab_item *item = cache->items;
	if (item == NULL)
		return mt__slab_take_slow(slab, cache);
	cache->items = item->next;
	cache->count--;
	return item;
}

static inline void mt__slab_give(struct mt__slab *slab, struct mt__slab_cache *cache, void *object) {
	struct mt__slab_item *item = object;
	if (cache->count >= cache->limit) {
		mt__slab_give_slow(slab, cache, item);
		return;
	}
	item->next = cache->items;
	cache->items = item;
	cache->count++;
}

#endif
