/* MT_EMULATOR_BLOCKS=N: kernels whose blocks go on to further work where a grid would be too large do so with N blocks
 * already.  What one round leaves in shared memory and the next overwrites needs arrays of 65536 blocks otherwise.  Linked
 * with --wrap=mt__cuda_blocks. */
#include <stdint.h>
#include <stdlib.h>

extern "C" {

unsigned __real_mt__cuda_blocks(int64_t count, int64_t per_block, int64_t most);

/* From INT32_MAX on nothing is left for further rounds. */
unsigned __wrap_mt__cuda_blocks(int64_t count, int64_t per_block, int64_t most) {
	static const char *const text = getenv("MT_EMULATOR_BLOCKS");
	int64_t few = text ? strtoll(text, nullptr, 10) : 0;
	return __real_mt__cuda_blocks(count, per_block, few > 0 && few < most && most < INT32_MAX ? few : most);
}

} // extern "C"
