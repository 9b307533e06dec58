#include "failing.h"

#include <stdlib.h>

#include "mt_test.h"

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

int failing_run(mt_status (*run)(void), long n) {
	mt_scope *scope = mt_scope_begin();
	mt_status status;
	int64_t tensors = mt_live_tensors();
	long before = failing_outstanding;
	mt_test_row("allocation %ld", n);
	failing_countdown = n;
	mt_status result = run();
	int reached = failing_countdown < 0;
	failing_countdown = -1;
	mt_error_take(&status);
	mt_scope_end(scope);
	if (reached) /* a cache may do without its block: then the run succeeds */
		MT_CHECK_MSG(result == status || result == MT_OK, "result %d, error %d", (int)result, (int)status);
	else
		MT_CHECK_INT(result, MT_OK);
	MT_CHECK_INT(mt_live_tensors(), tensors);
	MT_CHECK_MSG(failing_outstanding <= before + 8, "%ld blocks stayed",
	             failing_outstanding - before); /* caches and slabs may grow */
	return !reached;
}
