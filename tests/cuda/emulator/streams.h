/* Streams: what is given to one is done in its order, at once or, with MT_EMULATOR_LATE=1, as late as a GPU might. */
#ifndef MT_EMULATOR_STREAMS_H
#define MT_EMULATOR_STREAMS_H

#include <functional>
#include <mutex>

#include "cuda_runtime_api.h"

namespace mt_emulated {

/* Held by every call that touches streams, events or memory, and while their work is done. */
std::recursive_mutex &runtime_mutex();

/* Adds work to a stream (NULL: the current device's default one). */
cudaError_t submit(cudaStream_t stream, std::function<void()> work);

/* Does all that was given to a device's streams. */
void finish_device(int device);

/* The same for those streams alone that wait for the default stream, and that one. */
void finish_blocking(int device);

/* The device of a stream; −1 where it is none. */
int device_of(cudaStream_t stream);

/* The device whose work is being done; −1: none. */
int running_device();

} // namespace mt_emulated

#endif
