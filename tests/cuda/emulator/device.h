/* Which GPU is emulated, and what the code was compiled for. */
#ifndef MT_EMULATOR_DEVICE_H
#define MT_EMULATOR_DEVICE_H

namespace mt_emulated {

/* Limits that differ between GPUs.  Capabilities are 10 · major + minor. */
struct device_limits {
	int capability;
	int shared_on_request, shared_of_all; /* bytes: of a block, of a multiprocessor */
	int threads_of_all, blocks_of_all;    /* of a multiprocessor */
};

/* The one that MT_EMULATOR_DEVICE names by its capability, else 90. */
const device_limits &gpu();

} // namespace mt_emulated

#endif
