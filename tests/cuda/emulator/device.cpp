#include "device.h"

#include <stdio.h>
#include <stdlib.h>

namespace mt_emulated {

static const device_limits devices[] = {
	{75, 1024, 16, 64, 64},   {80, 2048, 32, 164, 163},  {86, 1536, 16, 100, 99},  {89, 1536, 24, 100, 99},
	{90, 2048, 32, 228, 227}, {100, 2048, 32, 228, 227}, {120, 1536, 24, 100, 99},
};

static const device_limits &chosen() {
	const char *text = getenv("MT_EMULATOR_ARCH");
	int capability = text ? atoi(text) : 90;
	for (const device_limits &d : devices)
		if (d.capability == capability)
			return d;
	fprintf(stderr, "CUDA emulator: MT_EMULATOR_ARCH=%s: it is 75, 80, 86, 89, 90, 100 or 120\n", text);
	abort();
}

const device_limits &limits() {
	static const device_limits &one = chosen();
	return one;
}

} // namespace mt_emulated
