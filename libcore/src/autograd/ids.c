/* Numbers of objects: an open-addressed table that does not grow. */
#include "autograd/graph.h"
#include "base/alloc.h"

int mt__ids_make(struct mt__ids *ids, int64_t n) {
	size_t slots = 4;
	while (slots < 2 * (size_t)n)
		slots *= 2;
	ids->mask = slots - 1;
	ids->keys = mt__calloc(slots, sizeof *ids->keys);
	ids->values = mt__calloc(slots, sizeof *ids->values);
	if (ids->keys != NULL && ids->values != NULL)
		return 1;
	mt__ids_free(ids);
	return 0;
}

void mt__ids_free(struct mt__ids *ids) {
	mt__free(ids->keys);
	mt__free(ids->values);
	*ids = (struct mt__ids){0};
}

/* The slot of key, or the empty one where it belongs.  (Objects of one slab differ in their middle bits.) */
static size_t slot_of(const struct mt__ids *ids, const void *key) {
	size_t at = (size_t)(((uint64_t)(uintptr_t)key * 0x9E3779B97F4A7C15u) >> 32) & ids->mask;
	while (ids->keys[at] != NULL && ids->keys[at] != key)
		at = (at + 1) & ids->mask;
	return at;
}

int64_t mt__ids_find(const struct mt__ids *ids, const void *key) {
	size_t at = slot_of(ids, key);
	return ids->keys[at] != NULL ? ids->values[at] : -1;
}

int64_t mt__ids_add(struct mt__ids *ids, const void *key, int64_t value) {
	size_t at = slot_of(ids, key);
	if (ids->keys[at] != NULL)
		return ids->values[at];
	ids->keys[at] = key;
	ids->values[at] = value;
	return value;
}
