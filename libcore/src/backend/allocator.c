/* The caching allocator: freed buffers are kept by size class, and handed out again in queue order.
 *
 * One queue a device makes that safe at once: what still runs on a freed buffer runs before whatever uses it next.
 * The queue's scratch is one of them: a kernel that needs more borrows from the cache, a tensor that finds none there of
 * its size takes the scratch.
 * Plugins' alloc and free are raw; when memory runs out, or more than MT_MEMORY_FRACTION of the device would be taken,
 * the queue is waited for, the cache given back, and alloc tried once more. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "backend/device_impl.h"
#include "base/error.h"
#include "base/log.h"

#define MOST_BYTES ((uint64_t)PTRDIFF_MAX / 2) /* its class is below MT__SIZE_CLASSES */
#define LARGER_CLASSES 128                     /* scratch may be borrowed of buffers up to 16 times as large */
#define ASK_FIRST ((uint64_t)1 << 30)          /* from here on total memory is looked at before the plugin is asked */

uint32_t mt__size_class(uint64_t bytes, uint64_t *capacity) {
	if (bytes <= MT__SMALLEST_BUFFER) {
		*capacity = MT__SMALLEST_BUFFER;
		return 0;
	}
	/* 2^top ≤ last < 2^(top+1), and a step is a 32nd of 2^top */
	uint64_t last = bytes - 1;
	uint32_t top = 63u - (uint32_t)__builtin_clzll(last);
	uint32_t shift = top - 5;
	uint32_t steps = (uint32_t)(last >> shift) + 1; /* 33 … 64 */
	*capacity = (uint64_t)steps << shift;
	return (top - 8) * 32 + (steps - 32);
}

uint64_t mt__class_bytes(uint32_t class) {
	if (class == 0)
		return MT__SMALLEST_BUFFER;
	uint32_t octave = (class - 1) / 32, steps = (class - 1) % 32 + 33;
	return (uint64_t)steps << (octave + 3);
}

/* A decimal like 0.75, whatever the locale; −1 where text is none. */
static double parse_decimal(const char *text) {
	double value = 0, unit = 1;
	int digits = 0;
	for (; *text >= '0' && *text <= '9'; text++, digits++)
		value = 10 * value + (*text - '0');
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9'; text++, digits++)
			value += (unit /= 10) * (*text - '0');
	return digits > 0 && *text == '\0' ? value : -1;
}

mt_status mt__memory_fraction(double *out) {
	const char *text = mt__getenv("MT_MEMORY_FRACTION");
	*out = text != NULL ? parse_decimal(text) : 1;
	if (*out > 0 && *out <= 1)
		return MT_OK;
	return mt__fail(MT_E_ARG, "MT_MEMORY_FRACTION=%s: a number above 0 and up to 1 is needed, as in 0.5", text);
}

void mt__allocator_init(struct mt__allocator *a) {
	const char *cache = mt__getenv("MT_BUFFER_CACHE");
	a->keeps = cache == NULL || strcmp(cache, "off") != 0;
	if (mt__memory_fraction(&a->fraction) != MT_OK) /* said when the environment was checked */
		a->fraction = 1;
}

/* ---- the plugin's functions; the caller holds the device's lock ---- */

static int32_t raw_alloc(mt_device *d, uint64_t bytes, void **base, struct mt__call *call) {
	*base = NULL;
	mt__call_begin(call);
	int32_t result = d->api.alloc(d->handle, bytes, base);
	mt__call_end(call);
	return result;
}

static void raw_free(mt_device *d, void *base) {
	struct mt__call call;
	mt__call_begin(&call);
	int32_t result = d->api.free(d->handle, base);
	mt__call_end(&call);
	if (result != MT_OK) {
		char text[MT__CALL_TEXT];
		mt__log(MT_LOG_ERROR, MT_LOG_MEMORY, "%s: free failed: %s", d->name,
		        mt__call_message(&call, text, sizeof text));
	}
}

/* What the device has in all, and free; 0 where it does not tell. */
static struct mt_memory_info ask_memory(mt_device *d) {
	struct mt_memory_info info = {.struct_size = sizeof info};
	struct mt__call call;
	mt__call_begin(&call);
	int32_t result = d->api.memory_info(d->handle, &info);
	mt__call_end(&call);
	return result == MT_OK ? info : (struct mt_memory_info){0};
}

/* ---- giving back ---- */

/* The next buffer to give back, scratch last; NULL when there is none left. */
static void *next_to_free(mt_device *d, uint32_t *class) {
	struct mt__allocator *a = &d->allocator;
	void *base = NULL;
	mt__lock_take(&a->lock);
	for (; *class < MT__SIZE_CLASSES && base == NULL; *class += base == NULL) {
		struct mt__bucket *bucket = &a->buckets[*class];
		if (bucket->count > 0) {
			base = bucket->items[--bucket->count];
			a->taken -= mt__class_bytes(*class);
		} else {
			mt__free(bucket->items);
			*bucket = (struct mt__bucket){0};
		}
	}
	if (base == NULL && d->host_queue.scratch != NULL) {
		base = d->host_queue.scratch;
		a->taken -= d->host_queue.capacity;
		a->scratch = 0;
		d->host_queue.scratch = NULL;
		d->host_queue.capacity = 0;
	}
	mt__lock_give(&a->lock);
	return base;
}

void mt__allocator_trim_locked(mt_device *d) {
	uint32_t class = 0;
	mt__wait_for_queue(d);
	for (void *base = next_to_free(d, &class); base != NULL; base = next_to_free(d, &class))
		raw_free(d, base);
}

/* ---- taking ---- */

/* Why there is no buffer. */
struct why {
	char text[1024];
};

static mt_status no_buffer(mt_device *d, uint64_t bytes, int32_t result, const char *words, struct why *why) {
	if (mt__call_status(result) != MT_E_MEMORY && words[0] != '\0') { /* a device that is lost, not one that is full */
		snprintf(why->text, sizeof why->text, "alloc of %llu bytes failed: %s", (unsigned long long)bytes, words);
		return mt__call_status(result);
	}
	struct mt_memory_info info = ask_memory(d);
	struct mt__allocator *a = &d->allocator;
	mt__lock_take(&a->lock);
	unsigned long long in_use = mt__bytes_in_use(a), cached = a->taken - in_use;
	mt__lock_give(&a->lock);
	const char *open = words[0] != '\0' ? " (" : "", *close = words[0] != '\0' ? ")" : "";
	snprintf(why->text, sizeof why->text,
	         "out of memory: %llu bytes asked for, %llu in use by this process, %llu cached, the device has %llu free "
	         "of %llu%s%s%s",
	         (unsigned long long)bytes, in_use, cached, (unsigned long long)info.free_bytes,
	         (unsigned long long)info.total_bytes, open, words, close);
	return mt__call_status(result);
}

static mt_status check_address(mt_device *d, void **base, struct why *why) {
	uintptr_t address = (uintptr_t)*base;
	if (address == 0) {
		snprintf(why->text, sizeof why->text, "R6: alloc succeeded without an address");
		return MT_E_PLUGIN;
	}
	if ((address & (d->info.alignment - 1)) == 0)
		return MT_OK;
	raw_free(d, *base);
	snprintf(why->text, sizeof why->text, "R9: alloc gave %p, which is not aligned to %u bytes", (void *)address,
	         d->info.alignment);
	return MT_E_PLUGIN;
}

/* raw_alloc, within the share of the device's memory that this process may take. */
static int32_t alloc_within(mt_device *d, uint64_t capacity, void **base, struct mt__call *call) {
	struct mt__allocator *a = &d->allocator;
	uint64_t total = a->fraction < 1 ? ask_memory(d).total_bytes : 0;
	if (total != 0) {
		mt__lock_take(&a->lock);
		uint64_t taken = a->taken;
		mt__lock_give(&a->lock);
		if ((double)taken + (double)capacity > a->fraction * (double)total) {
			*base = NULL;
			mt__call_begin(call);
			mt__host_api.set_error(MT_E_MEMORY, "MT_MEMORY_FRACTION allows no more");
			mt__call_end(call);
			return MT_E_MEMORY;
		}
	}
	return raw_alloc(d, capacity, base, call);
}

/* A buffer from the plugin; once more after a trim. */
static mt_status alloc_fresh(mt_device *d, uint64_t capacity, void **base, struct why *why) {
	struct mt__call call;
	char words[MT__CALL_TEXT];
	/* a CPU's alloc may promise more than there is, and the first write then kills the process */
	if (capacity >= ASK_FIRST) {
		uint64_t total = ask_memory(d).total_bytes;
		if (total != 0 && capacity > total)
			return no_buffer(d, capacity, MT_E_MEMORY, "more than the whole device", why);
	}
	int32_t result = alloc_within(d, capacity, base, &call);
	if (mt__call_status(result) == MT_E_MEMORY) {
		mt__log(MT_LOG_INFO, MT_LOG_MEMORY, "%s: alloc of %llu bytes failed: trimming the cache", d->name,
		        (unsigned long long)capacity);
		mt__allocator_trim_locked(d);
		result = alloc_within(d, capacity, base, &call);
	}
	if (result != MT_OK)
		return no_buffer(d, capacity, result, mt__call_message(&call, words, sizeof words), why);
	mt__log(MT_LOG_DEBUG, MT_LOG_MEMORY, "%s: %llu bytes at %p", d->name, (unsigned long long)capacity, *base);
	return check_address(d, base, why);
}

/* What is in use now may be more than ever; the caller has the allocator's lock. */
static void note_most(struct mt__allocator *a) {
	uint64_t now = mt__bytes_in_use(a) + a->scratch;
	if (now > a->most)
		a->most = now;
}

/* A buffer of this capacity leaves the cache or comes from the plugin; the caller has the allocator's lock. */
static void begin_use(struct mt__allocator *a, uint64_t capacity) {
	a->in_use += capacity;
	note_most(a);
}

/* A cached buffer of this class, or NULL; counts it as in use. */
static void *take_cached(struct mt__allocator *a, uint32_t class, uint64_t capacity) {
	struct mt__bucket *bucket = &a->buckets[class];
	void *base = NULL;
	mt__lock_take(&a->lock);
	if (bucket->count > 0) {
		base = bucket->items[--bucket->count];
		begin_use(a, capacity);
	}
	mt__lock_give(&a->lock);
	return base;
}

static mt_status take_fresh(mt_device *d, uint64_t capacity, void **base, struct why *why) {
	mt_status status = alloc_fresh(d, capacity, base, why);
	if (status != MT_OK) {
		*base = NULL;
		return status;
	}
	mt__lock_take(&d->allocator.lock);
	d->allocator.taken += capacity;
	begin_use(&d->allocator, capacity);
	mt__lock_give(&d->allocator.lock);
	return MT_OK;
}

/* The queue's scratch, where it has this capacity, or NULL: what comes next in the queue may have it, like any buffer
 * that was freed.  The caller has the device's lock. */
static void *take_scratch(mt_device *d, uint64_t capacity) {
	struct mt__allocator *a = &d->allocator;
	mt_host_queue *queue = &d->host_queue;
	void *base = queue->scratch;
	if (base == NULL || queue->capacity != capacity || !a->keeps)
		return NULL;
	queue->scratch = NULL;
	queue->capacity = 0;
	mt__lock_take(&a->lock);
	a->scratch = 0;
	begin_use(a, capacity);
	mt__lock_give(&a->lock);
	return base;
}

mt_status mt__buffer_alloc(mt_device *d, uint64_t bytes, void **base, uint64_t *capacity) {
	struct why why;
	*base = NULL;
	*capacity = 0;
	if (bytes == 0)
		return MT_OK;
	mt_status status = mt__device_check(d);
	if (status != MT_OK)
		return status;
	if (bytes > MOST_BYTES)
		return mt__fail(MT_E_MEMORY, "device %s: out of memory: %llu bytes are more than an address space holds",
		                d->name, (unsigned long long)bytes);
	uint32_t class = mt__size_class(bytes, capacity);
	*base = take_cached(&d->allocator, class, *capacity);
	if (*base != NULL)
		return MT_OK;
	mt__lock_take(&d->lock);
	*base = take_scratch(d, *capacity);
	if (*base == NULL)
		status = take_fresh(d, *capacity, base, &why);
	mt__lock_give(&d->lock);
	return status == MT_OK ? MT_OK : mt__fail(status, "device %s: %s", d->name, why.text);
}

/* Puts a buffer on its bucket; 0 where there is no room for it: then it is no longer counted as taken. */
static int keep(struct mt__allocator *a, void *base, uint64_t capacity) {
	uint64_t same;
	struct mt__bucket *bucket = &a->buckets[mt__size_class(capacity, &same)];
	if (a->keeps && bucket->count == bucket->capacity) {
		uint32_t more = bucket->capacity != 0 ? bucket->capacity * 2 : 8;
		void **items = mt__realloc(bucket->items, more * sizeof *items);
		if (items != NULL) {
			bucket->items = items;
			bucket->capacity = more;
		}
	}
	if (bucket->count < bucket->capacity) {
		bucket->items[bucket->count++] = base;
		return 1;
	}
	a->taken -= capacity;
	return 0;
}

void mt__buffer_free(mt_device *d, void *base, uint64_t capacity) {
	/* after a fork the parent's locks and memory are not ours: the child forgets them */
	if (base == NULL || d->allocator.generation != mt__fork_generation)
		return;
	struct mt__allocator *a = &d->allocator;
	mt__lock_take(&a->lock);
	a->in_use -= capacity;
	int kept = keep(a, base, capacity);
	mt__lock_give(&a->lock);
	if (kept)
		return;
	mt__lock_take(&d->lock);
	mt__wait_for_queue(d);
	raw_free(d, base);
	mt__lock_give(&d->lock);
}

/* ---- scratch ---- */

/* Where the old scratch goes.  To the cache, where queue order keeps it whole for the kernels before; but back to the
 * plugin when more than ever is asked for, lest every size on the way up stays. */
static void outgrow(mt_device *d, uint64_t asked) {
	struct mt__allocator *a = &d->allocator;
	mt_host_queue *queue = &d->host_queue;
	void *old = queue->scratch;
	int record = asked > queue->most && (d->info.flags & MT_DEVICE_ASYNC) == 0, kept = 0;
	mt__lock_take(&a->lock);
	a->scratch = 0;
	if (record)
		a->taken -= queue->capacity;
	else
		kept = keep(a, old, queue->capacity);
	mt__lock_give(&a->lock);
	queue->scratch = NULL;
	queue->capacity = 0;
	if (kept)
		return;
	mt__wait_for_queue(d);
	raw_free(d, old);
}

/* The smallest cached buffer of at least this class that is not too large, or NULL; it is no longer cached. */
static void *borrow(struct mt__allocator *a, uint32_t class, uint64_t *capacity) {
	void *base = NULL;
	mt__lock_take(&a->lock);
	for (uint32_t i = class; base == NULL && i < MT__SIZE_CLASSES && i < class + LARGER_CLASSES; i++)
		if (a->buckets[i].count > 0) {
			base = a->buckets[i].items[--a->buckets[i].count];
			*capacity = mt__class_bytes(i);
		}
	mt__lock_give(&a->lock);
	return base;
}

static mt_status fresh_scratch(mt_device *d, uint64_t capacity, void **base) {
	struct why why;
	mt_status status = alloc_fresh(d, capacity, base, &why);
	if (status != MT_OK) {
		mt__log(MT_LOG_INFO, MT_LOG_MEMORY, "%s: scratch: %s", d->name, why.text);
		return status;
	}
	mt__lock_take(&d->allocator.lock);
	d->allocator.taken += capacity;
	mt__lock_give(&d->allocator.lock);
	return MT_OK;
}

/* Counts this much of the scratch as in use: what is more in a borrowed buffer is as idle as in the cache. */
static void count_scratch(struct mt__allocator *a, uint64_t bytes) {
	mt__lock_take(&a->lock);
	a->scratch = bytes;
	note_most(a);
	mt__lock_give(&a->lock);
}

/* Exchanged for a larger one where it is too small.  Scratch counts as cached, for no tensor holds it.  Called by a
 * kernel: the thread has the device's lock, and a failure is the kernel's to report. */
void *mt__queue_scratch(mt_host_queue *queue, uint64_t bytes) {
	uint64_t needed, capacity;
	if (queue == NULL || bytes > MOST_BYTES)
		return NULL;
	mt_device *d = queue->device;
	struct mt__allocator *a = &d->allocator;
	uint32_t class = mt__size_class(bytes, &needed);
	if (queue->scratch == NULL || needed > queue->capacity) {
		if (queue->scratch != NULL)
			outgrow(d, bytes);
		capacity = needed;
		void *base = borrow(a, class, &capacity);
		if (base == NULL && fresh_scratch(d, capacity, &base) != MT_OK)
			return NULL;
		queue->scratch = base;
		queue->capacity = capacity;
		queue->most = bytes > queue->most ? bytes : queue->most;
	}
	if (needed > a->scratch)
		count_scratch(a, needed);
	return queue->scratch;
}
