/* libFuzzer over IDX files, plain and gzip'd: scripts/fuzz idx. */
#include "read_all.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t bytes);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t bytes) {
	fuzz_require(fuzz_read_idx, data, bytes);
	return 0;
}
