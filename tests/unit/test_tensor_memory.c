/* Host memory that runs out: every allocation of a piece of work fails once, and nothing crashes, leaks or is lost. */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backends.h"
#include "mt/dlpack.h"

/* ---- an allocator that fails at its n-th call --------------------------------------------------------------------- */

static int64_t countdown = -1; /* −1: never */
static int64_t blocks;

static int fails(void) {
	return countdown >= 0 && countdown-- == 0;
}

static void *counted_alloc(size_t bytes) {
	void *p = fails() ? NULL : malloc(bytes);
	blocks += p != NULL;
	return p;
}

static void *counted_resize(void *old, size_t bytes) {
	void *p = fails() ? NULL : realloc(old, bytes);
	blocks += p != NULL && old == NULL;
	return p;
}

static void counted_release(void *p) {
	blocks -= p != NULL;
	free(p);
}

/* ---- work --------------------------------------------------------------------------------------------------------- */

/* x by way of DLPack; what cannot be taken is given back. */
static mt_tensor *lent_and_taken(mt_tensor *x) {
	DLManagedTensor *lent = mt_to_dlpack(x);
	mt_tensor *back = mt_from_dlpack(lent);
	if (back == NULL && lent != NULL)
		lent->deleter(lent);
	return back;
}

/* Makes, joins, lends, prints, differentiates.  Not 0 where everything went well. */
static int work(void) {
	int ok = 0;
	mt_scope *scope = mt_scope_begin();
	if (scope == NULL)
		return 0;
	mt_tensor *x = mt_requires_grad_(mt_from_data(MT_SHAPE(2, 3), MT_F32, (float[]){1, 2, 3, 4, 5, 6}), 1);
	mt_tensor *bools = mt_from_data(MT_SHAPE(2), MT_BOOL, (uint8_t[]){0, 7});
	mt_tensor *parts[30];
	for (int i = 0; i < 30; i++)
		parts[i] = mt_slice(mt_reshape(mt_transpose(x, 0, 1), MT_SHAPE(6)), 0, i % 6, i % 6 + 1, 1);
	mt_tensor *windows = x != NULL ? mt_as_strided(x, 2, (int64_t[]){4, 3}, (int64_t[]){1, 1}, 0) : NULL;
	mt_tensor *y = mt_cat((mt_tensor *[]){mt_cat(parts, 30, 0), mt_flatten(windows, 0, -1)}, 2, 0);
	mt_tensor *z = mt_copy_(mt_zeros(MT_SHAPE(42), MT_F32), y);
	char *text = mt_tensor_to_string(mt_expand(z, MT_SHAPE(30, 42)));
	mt_tensor *number = mt_scalar_tensor(mt_f(1), MT_F32), *at = mt_scalar_tensor(mt_i(0), MT_I64);
	mt_tensor *lent = lent_and_taken(bools);
	if (text != NULL && lent != NULL && mt_randperm(9) != NULL && mt_gather(number, 0, at) != NULL &&
	    mt_arange(mt_i(0), mt_i(4), mt_i(1), MT_F16) != NULL && mt_tensor_set_name(x, "x") == MT_OK &&
	    mt_backward_from(z, mt_ones_like(z), 0) == MT_OK) {
		double g = 0;
		ok = mt_get(mt_grad(x), (int64_t[]){0, 2}, &g) == MT_OK && MT_CHECK(g == 8);
	}
	mt_free(text);
	mt_scope_end(scope);
	return ok;
}

/* Fails allocation 0, 1, 2, … of work, until none is left to fail; returns how many there were.
 * growth: blocks that the caches which stay may gain in one go. */
static int sweep(int growth) {
	int64_t live = mt_live_tensors(), rest = blocks;
	int unseen = 0; /* a cache that cannot grow does without */
	for (int n = 0;; n++) {
		mt_test_row("allocation %d", n);
		countdown = n;
		int ok = work();
		int reached = countdown < 0;
		countdown = -1;
		mt_status status;
		mt_error_take(&status);
		MT_CHECK_INT(status, ok ? MT_OK : MT_E_MEMORY);
		MT_CHECK(ok || reached);
		unseen += ok && reached;
		MT_CHECK_INT(mt_live_tensors(), live);
		if (!MT_CHECK(blocks <= rest + growth) || !reached) {
			MT_CHECK(unseen <= (growth > 0 ? 3 : 0));
			return n;
		}
		rest = blocks;
	}
}

static void test_sweep(void) {
	mt_set_allocator(counted_alloc, counted_resize, counted_release);
	mt_device *device = mt_device_open("naive");
	MT_REQUIRE(device != NULL && mt_device_use(device) == MT_OK);
	int cold = sweep(20); /* chunks of headers, the thread's stack, lists of cached buffers: made on the way */
	MT_CHECK(work());
	int warm = sweep(0);
	mt_test_note("%d allocations, then %d", cold, warm);
	MT_CHECK(cold >= warm && warm >= 8);
	MT_CHECK(work());
}

/* ---- messages ----------------------------------------------------------------------------------------------------- */

static void *no_memory(size_t bytes) {
	(void)bytes;
	return NULL;
}

/* A thread's first failure, where there is no memory for its message: told in brief; the next one is told whole. */
static void *fail_first(void *long_word) {
	mt_set_allocator(no_memory, counted_resize, counted_release);
	mt_error_set(MT_E_ARG, "first: %s", (const char *)long_word);
	const char *brief = mt_error_take(NULL);
	MT_CHECK(strlen(brief) == 159 && strncmp(brief, "first: xxx", 10) == 0 && strcmp(brief + 156, "...") == 0);
	MT_CHECK_STR(mt_error_take(NULL), "");
	mt_set_allocator(counted_alloc, counted_resize, counted_release);
	mt_error_set(MT_E_ARG, "second: %s", (const char *)long_word);
	MT_CHECK_INT(strlen(mt_error_take(NULL)), 8 + strlen(long_word));
	return NULL;
}

static void test_message(void) {
	char word[1001];
	pthread_t thread;
	memset(word, 'x', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	mt_set_allocator(counted_alloc, counted_resize, counted_release);
	int64_t before = blocks;
	MT_REQUIRE(pthread_create(&thread, NULL, fail_first, word) == 0);
	pthread_join(thread, NULL);
	MT_CHECK_INT(blocks, before); /* it went with the thread */
}

static const mt_test_case cases[] = {{"sweep", test_sweep}, {"message", test_message}, {NULL, NULL}};
static const mt_test_suite suites[] = {{"memory", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
