/* Buffers of children: needs libmt's inside, so it is not part of abi.c. */
#include <stdlib.h>

#include "abi.h"
#include "backend/device.h"

static struct {
	mt_device *device;
	void *base;
	uint64_t capacity;
} kept[256];
static int n_kept;

static void release(void) {
	for (int i = 0; i < n_kept; i++) {
		mt__buffer_free(kept[i].device, kept[i].base, kept[i].capacity);
		(void)mt_device_trim(kept[i].device);
	}
}

void *abi_buffer(mt_device *device, const void *contents, uint64_t bytes) {
	void *base;
	uint64_t capacity;
	if (n_kept == 256 || mt__buffer_alloc(device, bytes, &base, &capacity) != MT_OK ||
	    mt__upload(device, base, 0, contents, bytes) != MT_OK)
		exit(99);
	if (n_kept == 0)
		atexit(release);
	kept[n_kept].device = device;
	kept[n_kept].base = base;
	kept[n_kept++].capacity = capacity;
	return base;
}
