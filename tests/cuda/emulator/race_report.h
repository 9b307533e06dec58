/* What is said of an access that is wrong, before the program ends. */
#ifndef MT_EMULATOR_RACE_REPORT_H
#define MT_EMULATOR_RACE_REPORT_H

#include "happens_before.h"
#include "race.h"

namespace mt_emulated {

/* An access of the thread that runs. */
struct access_at {
	access how;
	bool in_memory; /* of the device: else in shared memory */
	const void *p;
	size_t bytes;
	int32_t code;
};

/* Return addresses in this library, in 32 bits. */
int32_t code_number(const void *code);

/* a, and an access of another thread that does not come before it. */
[[noreturn]] void report_race(const access_at &a, access earlier, const mark &m);

/* a reads what nobody has written: shared memory in this block, device memory since it was allocated. */
[[noreturn]] void report_unwritten(const access_at &a);

/* a touches what is in no block of device memory. */
[[noreturn]] void report_outside(const access_at &a);

} // namespace mt_emulated

#endif
