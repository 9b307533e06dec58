#include "failing.h"

#include <stdlib.h>

#include "mt/mt.h"

long failing_countdown = -1, failing_outstanding;

static int fails_now(void) {
	return failing_countdown >= 0 && failing_countdown-- == 0;
}

static void *alloc(size_t bytes) {
	void *p = fails_now() ? NULL : malloc(bytes ? bytes : 1);
	failing_outstanding += p != NULL;
	return p;
}

static void *resize(void *old, size_t bytes) {
	void *p = fails_now() ? NULL : realloc(old, bytes ? bytes : 1);
	failing_outstanding += p != NULL && old == NULL;
	return p;
}

static void release(void *p) {
	failing_outstanding -= p != NULL;
	free(p);
}

void failing_install(void) {
	mt_set_allocator(alloc, resize, release);
}
