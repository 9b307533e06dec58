/* Asynchronous copies to shared memory, cuda_pipeline_primitives.h's: they happen as late as they may, when the thread
 * waits for them. */
#ifndef MT_EMULATED_CUDA_PIPELINE_H
#define MT_EMULATED_CUDA_PIPELINE_H

#include <stddef.h>

/* Copies size bytes, 4, 8 or 16, the last `zeros` of them as zeros.  to and from are multiples of size. */
void __pipeline_memcpy_async(void *to, const void *from, size_t size, size_t zeros = 0);

/* What was asked for since the last time becomes a stage. */
void __pipeline_commit();

/* Until at most this thread's `stages` last stages are unfinished. */
void __pipeline_wait_prior(size_t stages);

#endif
