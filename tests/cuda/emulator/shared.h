/* Dynamic shared memory: it ends where a page begins that cannot be touched. */
#ifndef MT_EMULATOR_SHARED_H
#define MT_EMULATOR_SHARED_H

#include <stddef.h>

namespace mt_emulated {

/* For the launch that begins; false where there is no memory. */
bool place_dynamic_shared(size_t bytes);

/* Fills it with 0xFF: before each block. */
void poison_dynamic_shared();

/* Whether nobody wrote to the few bytes between its end and the page that cannot be touched. */
bool dynamic_shared_is_whole();

} // namespace mt_emulated

#endif
