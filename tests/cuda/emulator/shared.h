/* Static shared memory is what this library has of thread-local variables that begin as 0.  Dynamic shared memory ends where a page begins that cannot be touched. */
#ifndef MT_EMULATOR_SHARED_H
#define MT_EMULATOR_SHARED_H

#include <stddef.h>

namespace mt_emulated {

/* Fills all kernels' static shared memory with 0xFF: before each launch. */
void poison_static_shared();

/* Where this host thread has all kernels' static shared memory, and the launch's dynamic: bytes.  offset: of the static in
 * thread-local memory. */
size_t static_shared_bounds(const void **where, size_t *offset);
size_t dynamic_shared_bounds(const void **where);

/* For the launch that begins; false where there is no memory. */
bool place_dynamic_shared(size_t bytes);

/* Fills dynamic shared memory with 0xFF: before each block. */
void poison_dynamic_shared();

/* Whether nobody wrote to the few bytes between its end and the page that cannot be touched. */
bool dynamic_shared_is_whole();

} // namespace mt_emulated

#endif
