/* The emulated devices: how many there are, which one a thread works on, and what is wrong with them. */
#ifndef MT_EMULATOR_DEVICES_H
#define MT_EMULATOR_DEVICES_H

#include <stddef.h>

#include "cuda_runtime_api.h"

namespace mt_emulated {

enum { MOST_DEVICES = 8 };

int device_count();
int current_device();
size_t memory_bytes(); /* of each device: MT_EMULATOR_MEMORY */

/* What every call of the runtime begins with: cudaSuccess, or the reason why it can do nothing.  No driver and no device;
 * a forked child of a process that had begun to use CUDA; the end of the process; a device that is lost. */
cudaError_t enter();
cudaError_t enter(int device);

/* Counts a kernel that begins on a device; false, and the device is lost, where MT_EMULATOR_FAULT=DEVICE:N says that the
 * N-th one leaves its memory. */
bool begin_kernel(int device);
bool is_lost(int device);

/* A whole number from the environment. */
size_t number_from(const char *variable, size_t otherwise);

} // namespace mt_emulated

#endif
