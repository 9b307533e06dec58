/* Small good files of each format: what fuzzing starts from, and what a test damages. */
#ifndef FUZZ_SEEDS_H
#define FUZZ_SEEDS_H

#include "read_all.h"

struct fuzz_seed {
	const char *name; /* FORMAT-KIND */
	fuzz_reader reader;
	unsigned char *data; /* malloc'ed */
	size_t bytes;
};

enum { FUZZ_SEEDS = 11 };

/* Makes all of them through files in folder, which is left as it was; 0 where one could not be made. */
int fuzz_make_seeds(struct fuzz_seed *seeds, const char *folder);
void fuzz_free_seeds(struct fuzz_seed *seeds);

#endif
