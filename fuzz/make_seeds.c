/* make_seeds FOLDER: writes each seed to FOLDER/FORMAT/KIND, whose folders are there. */
#include <stdio.h>
#include <string.h>

#include "mt/mt.h"
#include "seeds.h"

int main(int argc, char **argv) {
	struct fuzz_seed seeds[FUZZ_SEEDS];
	if (argc != 2 || !fuzz_make_seeds(seeds, argv[1])) {
		fprintf(stderr, "make_seeds: %s\n", argc != 2 ? "usage: make_seeds FOLDER" : mt_error_take(NULL));
		return 1;
	}
	int failed = 0;
	for (int i = 0; i < FUZZ_SEEDS; i++) {
		char path[512];
		const char *dash = strchr(seeds[i].name, '-');
		snprintf(path, sizeof path, "%s/%.*s/%s", argv[1], (int)(dash - seeds[i].name), seeds[i].name, dash + 1);
		failed |= mt_write_file(path, seeds[i].data, seeds[i].bytes) != MT_OK;
	}
	fuzz_free_seeds(seeds);
	return failed;
}
