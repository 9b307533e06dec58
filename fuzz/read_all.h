/* Reading whole files of any content, for fuzzing and for the test that damages good files: each reader does all that the
 * API offers with the bytes as a file, and returns NULL where that ended in a valid tensor or in an error, else what is
 * wrong. */
#ifndef FUZZ_READ_ALL_H
#define FUZZ_READ_ALL_H

#include <stddef.h>

typedef const char *(*fuzz_reader)(const void *data, size_t bytes);

const char *fuzz_read_safetensors(const void *data, size_t bytes);
const char *fuzz_read_npy(const void *data, size_t bytes);
const char *fuzz_read_npz(const void *data, size_t bytes);
const char *fuzz_read_idx(const void *data, size_t bytes);

/* Ends the process where the reader finds something wrong: what libFuzzer takes for a finding. */
void fuzz_require(fuzz_reader reader, const void *data, size_t bytes);

/* The path of a file in memory that holds the bytes, until the next call; NULL where there can be none. */
const char *fuzz_file(const void *data, size_t bytes);

/* How many readings ended with a valid tensor or array, over all calls: a test that only ever fails tests little. */
extern long fuzz_valid;

#endif
