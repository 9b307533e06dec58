#include "blocks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace mt_emulated {

static uint64_t state = 88172645463325252u;

uint64_t random_below(uint64_t n) {
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % n;
}

static order parse_order() {
	const char *text = getenv("MT_EMULATOR_ORDER");
	if (!text || text[0] == '\0' || strcmp(text, "forward") == 0)
		return order::forward;
	if (strcmp(text, "reverse") == 0)
		return order::reverse;
	if (strcmp(text, "random") == 0)
		return order::random;
	if (strncmp(text, "random:", 7) == 0) {
		state += strtoull(text + 7, nullptr, 10) * 0x9E3779B97F4A7C15u;
		return order::random;
	}
	fprintf(stderr, "MT_EMULATOR_ORDER=%s: it is forward, reverse, random or random:SEED\n", text);
	abort();
}

order chosen_order() {
	static const order chosen = parse_order();
	return chosen;
}

unsigned pick(unsigned mask) {
	switch (chosen_order()) {
	case order::forward:
		break;
	case order::reverse:
		return 31u - (unsigned)__builtin_clz(mask);
	case order::random:
		for (uint64_t skip = random_below((uint64_t)__builtin_popcount(mask)); skip > 0; skip--)
			mask &= mask - 1;
		break;
	}
	return (unsigned)__builtin_ctz(mask);
}

} // namespace mt_emulated
