/* With MT_EMULATOR_LAUNCHES=FILE: what kernels were launched with. */
#ifndef MT_EMULATOR_LAUNCHES_H
#define MT_EMULATOR_LAUNCHES_H

#include "emulated_grid.h"

namespace mt_emulated {

/* Appends a line where this is the kernel's first launch in this process, or the largest so far:
 *     offset of the kernel, in hexadecimal; threads of a block; bytes of dynamic shared memory; library or program
 * nm tells the names of offsets. */
void note_launch(const launch &l);

} // namespace mt_emulated

#endif
