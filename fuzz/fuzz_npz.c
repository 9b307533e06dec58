/* libFuzzer over .npz archives: scripts/fuzz npz. */
#include "read_all.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t bytes);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t bytes) {
	fuzz_require(fuzz_read_npz, data, bytes);
	return 0;
}
