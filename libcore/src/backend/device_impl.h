/* The device, as backend/ alone sees it. */
#ifndef MT_BACKEND_DEVICE_IMPL_H
#define MT_BACKEND_DEVICE_IMPL_H

#include <stdatomic.h>

#include "backend/buffers.h"
#include "backend/call.h"
#include "backend/device.h"
#include "backend/kernels.h"
#include "backend/lock.h"
#include "backend/registry.h"

/* ---- the caching allocator (allocator.c) ---- */

/* The class of a size, and in *capacity what a buffer of that class really has; and back. */
uint32_t mt__size_class(uint64_t bytes, uint64_t *capacity);
uint64_t mt__class_bytes(uint32_t class);

void mt__allocator_init(struct mt__allocator *allocator);

/* MT_MEMORY_FRACTION, 1 where it is not set.  MT_E_ARG with the error set where it is no number above 0 and up to 1. */
mt_status mt__memory_fraction(double *out);

/* Gives every cached buffer back to the plugin; the caller holds the device's lock. */
void mt__allocator_trim_locked(mt_device *device);

/* ---- the device ---- */

/* What the plugin's queue holds as its host: where scratch comes from. */
struct mt_host_queue {
	mt_device *device;
	void *scratch;
	uint64_t capacity; /* of scratch */
	uint64_t most;     /* bytes that a kernel has asked for so far */
};

struct mt_device {
	struct mt__allocator allocator; /* first: see mt__allocator_of */

	/* read by every dispatch */
	struct mt__lock lock;
	mt_queue *queue;
	struct mt__call call;
	struct mt_kernel_table kernels; /* slots past what the plugin has are NULL */
	struct mt__support support;
	uint64_t native; /* kernels run, under lock */
	atomic_ullong fallback, fallback_bytes;
	atomic_ullong warned[MT_K_END_]; /* a bit an op that was warned about */

	struct mt_host_queue host_queue;
	struct mt__profile_row *profile; /* NULL until profiling begins */

	/* what it is */
	mt_device *next;
	const struct mt__backend *backend;
	int32_t ordinal;
	struct mt__options options; /* all that are in force */
	char *name;
	struct mt_device_info info;
	mt_plugin_device *handle;
	struct mt_device_api api; /* fields past what the plugin has are zero */

	/* what mt__wait_for_queue learned, for the next call that waits and can fail; under lock */
	int32_t late;
	char late_text[MT__CALL_TEXT];
};

/* Every open device, newest first; under the loader's lock. */
extern mt_device *mt__devices;

/* open.c: opens a device of a loaded, usable backend and checks all that it answers; takes options over on success.
 * NULL with the error set. */
mt_device *mt__device_create(const struct mt__backend *backend, int32_t ordinal, struct mt__options *options);

/* open.c: asks the plugin about a device, and checks the answer.  MT_OK, or a status with the reason in why. */
mt_status mt__describe(const struct mt__backend *backend, int32_t ordinal, struct mt_device_info *out, char *why,
                       size_t size);

/* device.c: device 0 of the reference backend with its manifest's options, opened at first use; NULL where there is
 * none, with the reason in why. */
mt_device *mt__reference_device(char *why, size_t size);

/* device.c: the device's name as options make it: "omp:threads=2".  NULL when out of memory; the caller frees it. */
char *mt__device_text(const char *backend, int32_t ordinal, const struct mt__options *options);

/* device.c: reads the process's settings once and says what is wrong with them: MT_E_ARG with the error set. */
mt_status mt__check_environment(void);

/* query.c: waits for the queue where nothing can fail; an error is kept as late.  The caller holds the device's lock. */
void mt__wait_for_queue(mt_device *device);

/* ---- dispatch ---- */

/* Whether the capability table has this call. */
static inline int mt__claims(const mt_device *d, enum mt_kernel_id kernel, int32_t op, const void *args) {
	int32_t dtype = mt__primary_dtype(&mt__kernels[kernel], args);
	if (kernel == MT_K_COPY)
		return (d->support.copy_to[dtype & 31] >> (((const struct mt_copy_args *)args)->out->dtype & 31)) & 1;
	return (d->support.dtypes[kernel][op & (MT__MAX_OPS - 1)] >> (dtype & 31)) & 1;
}

/* Runs a kernel of the table; NULL slots are for the caller to rule out. */
int32_t mt__run_kernel(const struct mt_kernel_table *table, mt_queue *queue, enum mt_kernel_id kernel,
                       const void *args);

/* fallback.c: runs the op on the reference plugin, by policy.  reason: why the device cannot ("" when its capability
 * table says so). */
mt_status mt__fallback(mt_device *device, enum mt_kernel_id kernel, int32_t op, void *args, const char *reason);

/* The policy in force (enum mt_fallback_policy). */
int mt__fallback_policy(void);

/* Fails as a plugin's call did: "WHAT: its message". */
mt_status mt__fail_plugin(const char *what, int32_t result, const char *message);

/* ---- profile.c ---- */

/* Whether dispatch has to take the slow way: the profile is on, or MT_LOG asks for each op. */
extern atomic_int mt__instrumented;

int mt__profile_on(void);
void mt__profile_start_from_environment(void);

/* Adds one run of an op; the caller holds the device's lock. */
void mt__profile_add(mt_device *device, enum mt_kernel_id kernel, int32_t op, const void *args, uint64_t nanoseconds,
                     int fallback);
uint64_t mt__now(void);

#endif
