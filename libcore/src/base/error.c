/* The error slot: one per thread, written by the first failure, emptied by reading. */
#include "base/error.h"

#include <stdio.h>

#define MESSAGE_BYTES 4096

struct error_slot {
	mt_status status; /* MT_OK: empty or read */
	char message[MESSAGE_BYTES];
};

static _Thread_local struct error_slot slot;

mt_status mt__vfail(mt_status status, const char *format, va_list args) {
	if (status == MT_OK)
		status = MT_E_INTERNAL;
	if (slot.status != MT_OK)
		return status;
	int n = vsnprintf(slot.message, sizeof slot.message, format, args);
	if (n < 0)
		snprintf(slot.message, sizeof slot.message, "%s", mt_status_text(status));
	else if ((size_t)n >= sizeof slot.message)
		snprintf(slot.message + sizeof slot.message - 4, 4, "...");
	slot.status = status;
	return status;
}

mt_status mt__fail(mt_status status, const char *format, ...) {
	va_list args;
	va_start(args, format);
	status = mt__vfail(status, format, args);
	va_end(args);
	return status;
}

void *mt__fail_null(mt_status status, const char *format, ...) {
	va_list args;
	va_start(args, format);
	mt__vfail(status, format, args);
	va_end(args);
	return NULL;
}

mt_status mt__fail_arg_null(const char *op, const char *arg) {
	return mt__fail(MT_E_NULL, "%s: %s is NULL", op, arg);
}

mt_status mt__fail_memory(const char *what, size_t bytes) {
	return mt__fail(MT_E_MEMORY, "%s: out of memory (%zu bytes)", what, bytes);
}

mt_status mt_error_set(mt_status status, const char *format, ...) {
	va_list args;
	va_start(args, format);
	status = mt__vfail(status, format, args);
	va_end(args);
	return status;
}

mt_status mt_error_peek(void) {
	return slot.status;
}

const char *mt_error_take(mt_status *status) {
	if (status != NULL)
		*status = slot.status;
	if (slot.status == MT_OK)
		slot.message[0] = '\0';
	slot.status = MT_OK;
	return slot.message;
}
