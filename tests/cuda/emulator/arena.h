/* The memory of the emulated devices.  With MT_EMULATOR_PROTECT=1 in the environment only kernels and copies may touch it,
 * and a kernel that of its own device alone: host code that follows a device pointer faults.  With MT_EMULATOR_FENCE=1
 * instead, whoever reads past a block does. */
#ifndef MT_EMULATOR_ARENA_H
#define MT_EMULATOR_ARENA_H

#include <stddef.h>

namespace mt_emulated {

/* Before each block, and after it. */
constexpr size_t ARENA_GUARD_BYTES = 256;

/* bytes of it, aligned to 256, NULL where it is full.  Blocks have guards around them. */
void *arena_allocate(int device, size_t bytes);

/* False where p is no block.  A guard that was written to ends the program.  What was in a block is gone. */
bool arena_free(void *p);

size_t arena_used(int device);

/* The device in one block of which [p, p + bytes) lies; −1: none. */
int arena_of(const void *p, size_t bytes);

/* The block that p lies in. */
bool arena_find(const void *p, const void **block, size_t *bytes);

/* Whoever touches memory has one: of the device whose work is being done, or of all. */
struct arena_access {
	arena_access();
	explicit arena_access(unsigned devices);
	~arena_access();
	unsigned devices; /* a bit each */
};
constexpr unsigned ALL_DEVICES = ~0u;

} // namespace mt_emulated

#endif
