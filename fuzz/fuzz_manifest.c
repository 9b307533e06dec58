/* libFuzzer over plugin manifests: scripts/fuzz manifest.  A manifest lies in a folder that only its owner can write, as
 * it must. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static char folder[] = "/tmp/mt-fuzz.XXXXXX", path[sizeof folder + 16];

static void remove_folder(void) {
	unlink(path);
	rmdir(folder);
}

static void make_folder(void) {
	if (mkdtemp(folder) == NULL)
		abort();
	snprintf(path, sizeof path, "%s/a.json", folder);
	atexit(remove_folder);
	setenv("MT_LOG", "error", 1); /* bad manifests are told as warnings */
}

static void write_manifest(const uint8_t *data, size_t bytes) {
	FILE *f = fopen(path, "wb");
	if (f == NULL || fwrite(data, 1, bytes, f) != bytes || fclose(f) != 0)
		abort();
}

/* What was read is whole: a name and, where it is out, a reason. */
static void check(const struct mt__registry *r) {
	for (size_t i = 0; i < r->n_backends; i++)
		if (r->backends[i].name == NULL || (r->backends[i].state == MT__BACKEND_SKIPPED && !r->backends[i].reason))
			abort();
	if (r->n_manifests != 1 || (r->manifests[0].skipped && r->manifests[0].reason == NULL))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
	struct mt__registry registry = {0};
	if (path[0] == '\0')
		make_folder();
	write_manifest(data, bytes);
	if (mt__manifest_read(&registry, path, MT__SOURCE_EXPLICIT) != MT_OK)
		abort();
	check(&registry);
	mt__registry_free(&registry);
	return 0;
}
