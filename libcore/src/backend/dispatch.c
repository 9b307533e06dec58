/* The one way to a kernel. */
#include <string.h>

#include "backend/device_impl.h"
#include "base/error.h"
#include "base/log.h"

static inline __attribute__((always_inline)) int32_t run(const struct mt_kernel_table *table, mt_queue *queue,
                                                         enum mt_kernel_id kernel, const void *args) {
	switch (kernel) {
#define MT_KERNEL(id, NAME, name, group, must)                                                                         \
	case MT_K_##NAME:                                                                                                  \
		return table->name(queue, args);
#include "mt/kernels.def"
#undef MT_KERNEL
	default:
		return MT_E_INTERNAL;
	}
}

int32_t mt__run_kernel(const struct mt_kernel_table *table, mt_queue *queue, enum mt_kernel_id kernel,
                       const void *args) {
	return run(table, queue, kernel, args);
}

mt_status mt__fail_plugin(const char *what, int32_t result, const char *message) {
	mt_status status = mt__call_status(result);
	size_t n = strlen(what);
	if (strncmp(message, what, n) == 0 && strncmp(message + n, ": ", 2) == 0)
		message += n + 2; /* the plugin has named the op itself */
	if (status != result)
		return mt__fail(status, "%s: the plugin returned status %d: %s", what, result,
		                message[0] != '\0' ? message : "no message given (R6)");
	return mt__fail(status, "%s: %s", what, message[0] != '\0' ? message : mt_status_text(status));
}

/* A kernel that failed; unlocks the device. */
static __attribute__((noinline, cold)) mt_status failed(mt_device *d, enum mt_kernel_id kernel, int32_t op, void *args,
                                                        int32_t result) {
	char message[MT__CALL_TEXT];
	mt__call_message(&d->call, message, sizeof message);
	mt__lock_give(&d->lock);
	if (result == MT_E_UNSUPPORTED)
		return mt__fallback(d, kernel, op, args, message[0] != '\0' ? message : "no reason given (R7)");
	return mt__fail_plugin(mt__kernel_op_name(kernel, op), result, message);
}

/* Dispatch with a clock: waits for the kernel to finish, so that the time is its own. */
static __attribute__((noinline)) mt_status instrumented(mt_device *d, enum mt_kernel_id kernel, int32_t op,
                                                        void *args) {
	mt__log(MT_LOG_DEBUG, MT_LOG_DISPATCH, "%s: %s %s", d->name, mt__kernel_op_name(kernel, op),
	        mt__dtype_word(mt__primary_dtype(&mt__kernels[kernel], args)));
	mt__lock_take(&d->lock);
	mt__call_begin(&d->call);
	uint64_t start = mt__now();
	int32_t result = run(&d->kernels, d->queue, kernel, args);
	if (result == MT_OK && (d->info.flags & MT_DEVICE_ASYNC) != 0 && mt__profile_on())
		result = d->api.synchronize(d->queue);
	uint64_t end = mt__now();
	mt__call_end(&d->call);
	if (result != MT_OK)
		return failed(d, kernel, op, args, result);
	d->native++;
	mt__profile_add(d, kernel, op, args, end - start, 0);
	mt__lock_give(&d->lock);
	return MT_OK;
}

static inline __attribute__((always_inline)) mt_status dispatch(mt_device *d, enum mt_kernel_id kernel, int32_t op,
                                                                void *args, int claimed) {
	if (d->allocator.generation != mt__fork_generation)
		return mt__device_check(d);
	if (!claimed)
		return mt__fallback(d, kernel, op, args, "");
	if (atomic_load_explicit(&mt__instrumented, memory_order_relaxed))
		return instrumented(d, kernel, op, args);
	mt__lock_take(&d->lock);
	mt__call_begin(&d->call);
	int32_t result = run(&d->kernels, d->queue, kernel, args);
	mt__call_end(&d->call);
	if (result != MT_OK)
		return failed(d, kernel, op, args, result);
	d->native++;
	mt__lock_give(&d->lock);
	return MT_OK;
}

mt_status mt__dispatch(mt_device *d, enum mt_kernel_id kernel, int32_t op, void *args) {
	return dispatch(d, kernel, op, args, mt__claims(d, kernel, op, args));
}

static inline int takes(const mt_device *d, enum mt_kernel_id kernel, int32_t op, int32_t dtype) {
	return (d->support.dtypes[kernel][op] >> dtype) & 1;
}

mt_status mt__dispatch_zip(mt_device *d, int32_t dtype, struct mt_zip_args *args) {
	return dispatch(d, MT_K_ZIP, args->op, args, takes(d, MT_K_ZIP, args->op, dtype));
}

mt_status mt__dispatch_map(mt_device *d, int32_t dtype, struct mt_map_args *args) {
	return dispatch(d, MT_K_MAP, args->op, args, takes(d, MT_K_MAP, args->op, dtype));
}

mt_status mt__dispatch_matmul(mt_device *d, int32_t dtype, struct mt_matmul_args *args) {
	return dispatch(d, MT_K_MATMUL, 0, args, takes(d, MT_K_MATMUL, 0, dtype));
}
