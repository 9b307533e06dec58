/* libFuzzer over safetensors files: scripts/fuzz safetensors. */
#include "read_all.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t bytes);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t bytes) {
	fuzz_require(fuzz_read_safetensors, data, bytes);
	return 0;
}
