/* libFuzzer over .npy files: scripts/fuzz npy. */
#include "read_all.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t bytes);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t bytes) {
	fuzz_require(fuzz_read_npy, data, bytes);
	return 0;
}
