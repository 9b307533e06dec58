/* The error slot: one per thread, written by the first failure, emptied by reading. */
#include "base/error.h"

#include <pthread.h>
#include <stdio.h>

#include "base/alloc.h"

enum { MESSAGE_BYTES = 4096, BRIEF_BYTES = 160 };

/* Messages lie on the heap: a library that is loaded while the process runs gets its thread-local memory from a small
 * reserve that all such libraries share, and libmt's is needed there at once (tensor/thread.h). */
struct error_slot {
	mt_status status;        /* MT_OK: empty or read */
	char *message;           /* of MESSAGE_BYTES; NULL before the thread's first failure */
	char brief[BRIEF_BYTES]; /* holds it where there is no memory for message */
};

static _Thread_local struct error_slot slot;

static pthread_once_t exit_once = PTHREAD_ONCE_INIT;
static pthread_key_t exit_key;
static int exit_ready;

static void free_message(void *message) {
	slot.message = NULL;
	mt__free(message);
}

static void make_exit_key(void) {
	exit_ready = pthread_key_create(&exit_key, free_message) == 0;
}

/* Where the thread's messages are written, and how many bytes that is. */
static char *message_room(size_t *bytes) {
	if (slot.message == NULL) {
		pthread_once(&exit_once, make_exit_key);
		slot.message = exit_ready ? mt__alloc(MESSAGE_BYTES) : NULL;
		if (slot.message != NULL && pthread_setspecific(exit_key, slot.message) != 0)
			free_message(slot.message);
	}
	*bytes = slot.message != NULL ? MESSAGE_BYTES : BRIEF_BYTES;
	return slot.message != NULL ? slot.message : slot.brief;
}

mt_status mt__vfail(mt_status status, const char *format, va_list args) {
	if (status == MT_OK)
		status = MT_E_INTERNAL;
	if (slot.status != MT_OK)
		return status;
	size_t room;
	char *message = message_room(&room);
	int n = vsnprintf(message, room, format, args);
	if (n < 0)
		snprintf(message, room, "%s", mt_status_text(status));
	else if ((size_t)n >= room)
		snprintf(message + room - 4, 4, "...");
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
		return "";
	slot.status = MT_OK;
	return slot.message != NULL ? slot.message : slot.brief;
}
