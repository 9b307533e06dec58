/* Data races of kernels, as the CUDA C++ Programming Guide has them: two threads of a grid access the same bytes, one of
 * them writes, not both by atomics or as volatile, and neither access comes before the other (happens_before.h).  Kernels
 * that are compiled with -fsanitize=thread tell each access (instrumented.cpp); the first that is wrong ends the program. */
#ifndef MT_EMULATOR_RACE_H
#define MT_EMULATOR_RACE_H

#include <stddef.h>
#include <stdint.h>

namespace mt_emulated {

enum class access : uint8_t {
	read,
	write,
	strong_read,  /* volatile */
	strong_write, /* volatile, or the change an atomic makes */
	copy,         /* an asynchronous copy to here begins: until it has landed, every access is wrong */
	land,         /* the thread that asked for the copy has waited for it */
};

/* Whether kernels tell their accesses: set before any of them runs. */
extern bool is_watching;

/* Accesses are looked at from the beginning of a block to its end. */
void race_begin_launch();
void race_begin_block(uint32_t block);
void race_end_block();

/* Whether this host thread is the one that runs a block. */
bool runs_block();

/* The running thread accesses [p, p + bytes): of memory and shared memory alone it is looked at. */
void race_access(access how, const void *p, size_t bytes, const void *code);

} // namespace mt_emulated

#endif
