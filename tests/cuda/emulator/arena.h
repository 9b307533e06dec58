/* The memory of the emulated device.  With MT_EMULATOR_PROTECT=1 in the environment only kernels and copies may touch it:
 * host code that follows a device pointer faults.  With MT_EMULATOR_FENCE=1 instead, whoever reads past a block does. */
#ifndef MT_EMULATOR_ARENA_H
#define MT_EMULATOR_ARENA_H

#include <stddef.h>

namespace mt_emulated {

/* bytes of it, aligned to 256, NULL where it is full.  Blocks have guards around them. */
void *arena_allocate(size_t bytes);

/* False where p is no block.  A guard that was written to ends the program. */
bool arena_free(void *p);

size_t arena_used();

/* Whether [p, p + bytes) lies in one block. */
bool arena_has(const void *p, size_t bytes);

/* Whoever touches memory has one. */
struct arena_access {
	arena_access();
	~arena_access();
};

} // namespace mt_emulated

#endif
