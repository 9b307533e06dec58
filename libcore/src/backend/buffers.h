/* The caching allocator, as backend/ and the storages see it. */
#ifndef MT_BACKEND_BUFFERS_H
#define MT_BACKEND_BUFFERS_H

#include "backend/device.h"
#include "backend/lock.h"

/* 32 sizes an octave from 256 bytes on: rounding wastes at most a 32nd of a buffer. */
#define MT__SIZE_CLASSES 1792
#define MT__SMALLEST_BUFFER 256u

struct mt__bucket {
	void **items; /* free buffers of this class, the last freed on top: it is the warmest in the caches */
	uint32_t count, capacity;
};

struct mt__allocator {
	int generation; /* of the process (fork.c): the device's */
	struct mt__lock lock;
	uint64_t taken;     /* bytes of capacity that the plugin gave */
	uint64_t in_use;    /* those of them that storages hold, idle ones too; the others are cached */
	atomic_ullong idle; /* those of in_use that no tensor holds: in the threads' caches of small storages */
	uint64_t scratch;   /* of taken: the queue's scratch */
	uint64_t most;      /* in use and scratch, at most so far */
	int keeps;          /* 0: MT_BUFFER_CACHE=off */
	double fraction;    /* MT_MEMORY_FRACTION; 1 where it is not set */
	struct mt__bucket buckets[MT__SIZE_CLASSES];
};

/* A device begins with its allocator. */
static inline struct mt__allocator *mt__allocator_of(mt_device *d) {
	return (struct mt__allocator *)d;
}

extern int mt__fork_generation;

/* Bytes that tensors hold; the caller has the lock. */
static inline uint64_t mt__bytes_in_use(struct mt__allocator *a) {
	return a->in_use - atomic_load_explicit(&a->idle, memory_order_relaxed);
}

#endif
