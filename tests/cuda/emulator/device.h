/* The device that is emulated: what a GPU of MT_EMULATOR_ARCH (75, 80, 86, 89, 90, 100 or 120; 90 by default) has. */
#ifndef MT_EMULATOR_DEVICE_H
#define MT_EMULATOR_DEVICE_H

namespace mt_emulated {

/* CUDA C++ Programming Guide 13, "Compute capabilities", the table of technical specifications; in KiB, of shared memory. */
struct device_limits {
	int capability;                                /* 10 · major + minor */
	int threads_of_all, blocks_of_all, kib_of_all; /* of a multiprocessor */
	int kib_on_request;                            /* of a block, after cudaFuncSetAttribute */
};

const device_limits &limits();

} // namespace mt_emulated

#endif
