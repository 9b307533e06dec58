/* What a device is, what it can do, and moving bytes to and from it. */
#include <stdio.h>
#include <string.h>

#include "backend/device_impl.h"
#include "base/error.h"

mt_status mt__device_check(const mt_device *d) {
	if (d->allocator.generation == mt__fork_generation)
		return MT_OK;
	return mt__fail(MT_E_FORKED,
	                "device %s was opened before this process was forked; open devices in the child, after the fork",
	                d->name);
}

const char *mt_device_name(const mt_device *d) {
	if (d == NULL)
		mt__fail_arg_null("mt_device_name", "device");
	return d != NULL ? d->name : NULL;
}

const char *mt_device_backend(const mt_device *d) {
	if (d == NULL)
		mt__fail_arg_null("mt_device_backend", "device");
	return d != NULL ? d->backend->name : NULL;
}

int mt_device_has_host_memory(const mt_device *d) {
	if (d == NULL)
		mt__fail_arg_null("mt_device_has_host_memory", "device");
	return d != NULL && (d->info.flags & MT_DEVICE_HOST_MEMORY) != 0;
}

mt_status mt_device_describe(const mt_device *d, struct mt_device_info *info) {
	if (d == NULL || info == NULL)
		return mt__fail_arg_null("mt_device_describe", d == NULL ? "device" : "info");
	*info = d->info;
	info->struct_size = sizeof *info;
	return MT_OK;
}

int32_t mt__memory_kind(const mt_device *d, int32_t *ordinal) {
	if (ordinal != NULL)
		*ordinal = d->info.memory_ordinal;
	return d->info.memory_kind;
}

int mt__supports(const mt_device *d, enum mt_kernel_id kernel, int32_t op, int32_t dtype) {
	return (int)kernel > 0 && kernel < MT_K_END_ && op >= 0 && op < MT__MAX_OPS && dtype > 0 && dtype < MT_DTYPE_END_ &&
	       ((d->support.dtypes[kernel][op] >> dtype) & 1) != 0;
}

int mt_device_supports(const mt_device *d, int32_t kernel, int32_t op, int32_t dtype) {
	if (d == NULL)
		mt__fail_arg_null("mt_device_supports", "device");
	return d != NULL && mt__supports(d, (enum mt_kernel_id)kernel, op, dtype);
}

/* ---- calls of the device table ---- */

/* Before: the device's lock, and the bracket that catches the plugin's words.  MT_E_FORKED otherwise. */
static mt_status enter(mt_device *d) {
	mt_status status = mt__device_check(d);
	if (status != MT_OK)
		return status;
	mt__lock_take(&d->lock);
	mt__call_begin(&d->call);
	return MT_OK;
}

/* After: unlocks, and turns a failure into an error. */
static mt_status leave(mt_device *d, const char *what, int32_t result) {
	char message[MT__CALL_TEXT], where[128];
	mt__call_end(&d->call);
	if (result == MT_OK) {
		mt__lock_give(&d->lock);
		return MT_OK;
	}
	mt__call_message(&d->call, message, sizeof message);
	mt__lock_give(&d->lock);
	snprintf(where, sizeof where, "%s: %s", what, d->name);
	return mt__fail_plugin(where, result, message);
}

/* After a call that waited for the queue: an error that came to light while nobody could be told is told now. */
static mt_status leave_waited(mt_device *d, const char *what, int32_t result) {
	char message[MT__CALL_TEXT], where[128];
	int32_t late = d->late;
	if (late == MT_OK)
		return leave(d, what, result);
	d->late = MT_OK;
	memcpy(message, d->late_text, sizeof message);
	mt__call_end(&d->call);
	mt__lock_give(&d->lock);
	snprintf(where, sizeof where, "%s: %s", what, d->name);
	return mt__fail_plugin(where, late, message);
}

void mt__wait_for_queue(mt_device *d) {
	struct mt__call call;
	mt__call_begin(&call);
	int32_t result = d->api.synchronize(d->queue);
	mt__call_end(&call);
	if (result == MT_OK || d->late != MT_OK)
		return;
	d->late = result;
	mt__call_message(&call, d->late_text, sizeof d->late_text);
}

int mt__device_finish(mt_device *d) {
	if (d->allocator.generation != mt__fork_generation)
		return 0;
	if ((d->info.flags & MT_DEVICE_ASYNC) == 0)
		return 1;
	mt__lock_take(&d->lock);
	mt__wait_for_queue(d);
	mt__lock_give(&d->lock);
	return 1;
}

mt_status mt__upload(mt_device *d, void *base, uint64_t offset, const void *src, uint64_t bytes) {
	if (bytes == 0)
		return MT_OK;
	mt_status status = enter(d);
	return status != MT_OK ? status : leave(d, "upload", d->api.upload(d->queue, base, offset, src, bytes));
}

mt_status mt__download(mt_device *d, const void *base, uint64_t offset, void *dst, uint64_t bytes) {
	if (bytes == 0)
		return MT_OK;
	mt_status status = enter(d);
	return status != MT_OK ? status : leave_waited(d, "download", d->api.download(d->queue, base, offset, dst, bytes));
}

mt_status mt_device_synchronize(mt_device *d) {
	if (d == NULL)
		return mt__fail_arg_null("mt_device_synchronize", "device");
	mt_status status = enter(d);
	return status != MT_OK ? status : leave_waited(d, "synchronize", d->api.synchronize(d->queue));
}

mt_status mt_device_memory(mt_device *d, uint64_t *in_use, uint64_t *cached) {
	if (d == NULL)
		return mt__fail_arg_null("mt_device_memory", "device");
	mt_status status = mt__device_check(d);
	if (status != MT_OK)
		return status;
	mt__lock_take(&d->allocator.lock);
	if (in_use != NULL)
		*in_use = mt__bytes_in_use(&d->allocator);
	if (cached != NULL)
		*cached = d->allocator.taken - mt__bytes_in_use(&d->allocator);
	mt__lock_give(&d->allocator.lock);
	return MT_OK;
}

mt_status mt_device_memory_peak(mt_device *d, uint64_t *most, int reset) {
	if (d == NULL)
		return mt__fail_arg_null("mt_device_memory_peak", "device");
	mt_status status = mt__device_check(d);
	if (status != MT_OK)
		return status;
	struct mt__allocator *a = &d->allocator;
	mt__lock_take(&a->lock);
	if (most != NULL)
		*most = a->most;
	if (reset)
		a->most = mt__bytes_in_use(a) + a->scratch;
	mt__lock_give(&a->lock);
	return MT_OK;
}

mt_status mt_device_trim(mt_device *d) {
	if (d == NULL)
		return mt__fail_arg_null("mt_device_trim", "device");
	mt__small_storages_flush();
	mt_status status = enter(d);
	if (status != MT_OK)
		return status;
	mt__allocator_trim_locked(d);
	return leave(d, "trim", MT_OK);
}

mt_status mt_dispatch_counts(struct mt_dispatch_counts *out) {
	if (out == NULL)
		return mt__fail_arg_null("mt_dispatch_counts", "out");
	*out = (struct mt_dispatch_counts){0};
	mt__loader_lock();
	for (mt_device *d = mt__devices; d != NULL; d = d->next) {
		if (d->allocator.generation != mt__fork_generation)
			continue;
		mt__lock_take(&d->lock);
		out->native += d->native;
		mt__lock_give(&d->lock);
		out->fallback += atomic_load(&d->fallback);
		out->fallback_bytes += atomic_load(&d->fallback_bytes);
	}
	mt__loader_unlock();
	return MT_OK;
}
