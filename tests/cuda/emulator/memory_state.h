/* Which bytes of device memory a kernel may read: those of blocks that were written to, by kernels, copies or fills.  Kept
 * where kernels tell their accesses (race.h). */
#ifndef MT_EMULATOR_MEMORY_STATE_H
#define MT_EMULATOR_MEMORY_STATE_H

#include "race_report.h"

namespace mt_emulated {

/* A device's memory lies there.  And where it lies: 0 bytes before that. */
void state_reserved(int device, const void *begin, size_t bytes);
size_t state_bounds(int device, const void **begin);

void state_allocated(const void *p, size_t bytes);
void state_freed(const void *p, size_t bytes);

/* Of what is not device memory nothing is kept. */
void state_written(const void *p, size_t bytes);
void state_copied(const void *to, const void *from, size_t bytes);

/* Reports an access outside of blocks, and a read of what was not written. */
void check_state(const access_at &a);

} // namespace mt_emulated

#endif
