#include "gpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emulated_grid.h"

namespace mt_emulated {

/* CUDA C++ Programming Guide, "Technical Specifications per Compute Capability". */
static const device_limits known[] = {
	{75, 64 << 10, 64 << 10, 1024, 16},   {80, 163 << 10, 164 << 10, 2048, 32}, {86, 99 << 10, 100 << 10, 1536, 16},
	{89, 99 << 10, 100 << 10, 1536, 24},  {90, 227 << 10, 228 << 10, 2048, 32}, {100, 227 << 10, 228 << 10, 2048, 32},
	{120, 99 << 10, 100 << 10, 1536, 24},
};

/* The capability that an environment variable names: one of the known ones, or fallback. */
static const device_limits *named(const char *variable, const device_limits *fallback) {
	const char *text = getenv(variable);
	if (!text || text[0] == '\0')
		return fallback;
	for (const device_limits &one : known)
		if (atoi(text) == one.capability)
			return &one;
	fprintf(stderr, "%s=%s: it is a compute capability from 75 on, as 90\n", variable, text);
	abort();
}

static const device_limits *find(int capability) {
	for (const device_limits &one : known)
		if (one.capability == capability)
			return &one;
	abort();
}

const device_limits &gpu() {
	static const device_limits *chosen = named("MT_EMULATOR_ARCH", find(90));
	return *chosen;
}

int reserved_shared() {
	return gpu().capability >= 80 ? 1024 : 0;
}

bool has_code() {
	static const char *const text = getenv("MT_EMULATOR_CODE");
	return !text || strcmp(text, "none") != 0;
}

int architecture(int i) {
	static const int usual[] = {75, 80, 90};
	static const device_limits *only = has_code() ? named("MT_EMULATOR_CODE", nullptr) : nullptr;
	return 10 * (only ? only->capability : usual[i]);
}

void need_capability(int least, const char *what) {
	int code = 0;
	for (int i = 0; i < ARCHITECTURES; i++)
		if (architecture(i) / 10 <= gpu().capability && architecture(i) / 10 > code)
			code = architecture(i) / 10;
	if (code >= least)
		return;
	char text[128];
	snprintf(text, sizeof text, "%s needs compute capability %d.%d, this code is for %d.%d", what, least / 10,
	         least % 10, code / 10, code % 10);
	trap(text);
}

} // namespace mt_emulated
