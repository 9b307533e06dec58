/* Which GPU is emulated, and what the code was compiled for. */
#ifndef MT_EMULATOR_GPU_H
#define MT_EMULATOR_GPU_H

namespace mt_emulated {

/* Limits that differ between GPUs.  Capabilities are 10 · major + minor. */
struct device_limits {
	int capability;
	int shared_on_request, shared_of_all; /* bytes: of a block, of a multiprocessor */
	int threads_of_all, blocks_of_all;    /* of a multiprocessor */
};

/* The one that MT_EMULATOR_ARCH names by its capability, else 90. */
const device_limits &gpu();

/* Of a block's shared memory, the bytes that the system keeps for itself. */
int reserved_shared();

/* Whether a library has any code for the devices: MT_EMULATOR_CODE=none denies it. */
bool has_code();

} // namespace mt_emulated

#endif
