/* The machine and the build. */
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "apps/bench/commit.h"
#include "bench/machine.h"
#include "bench/peak.h"
#include "mt/status.h"

/* The first line of a file, without what ends it; "" where it cannot be read. */
static void first_line(const char *path, char *out, size_t size) {
	FILE *file = fopen(path, "r");
	out[0] = '\0';
	if (file == NULL)
		return;
	if (fgets(out, (int)size, file) == NULL)
		out[0] = '\0';
	fclose(file);
	out[strcspn(out, "\n")] = '\0';
}

/* The CPU's name: its "model name", or what stands for it on other architectures. */
static void cpu_name(char *out, size_t size) {
	char line[256];
	FILE *file = fopen("/proc/cpuinfo", "r");
	out[0] = '\0';
	while (file != NULL && out[0] == '\0' && fgets(line, sizeof line, file) != NULL) {
		char *value = strchr(line, ':');
		if (value == NULL || (strncmp(line, "model name", 10) != 0 && strncmp(line, "Processor", 9) != 0))
			continue;
		value += 1 + strspn(value + 1, " \t");
		value[strcspn(value, "\n")] = '\0';
		snprintf(out, size, "%s", value);
	}
	if (file != NULL)
		fclose(file);
	if (out[0] == '\0')
		snprintf(out, size, "unknown CPU");
}

static int usable_cores(void) {
	cpu_set_t set;
	if (sched_getaffinity(0, sizeof set, &set) == 0)
		return CPU_COUNT(&set);
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n > 0 ? (int)n : 1;
}

/* "L1d 32K", "L2 1024K", as the kernel tells them of the first CPU. */
static json_t *caches(void) {
	json_t *list = json_array();
	for (int i = 0; i < 8; i++) {
		char path[96], level[16], type[32], size[32], text[96];
		snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/level", i);
		first_line(path, level, sizeof level);
		snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/type", i);
		first_line(path, type, sizeof type);
		snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/size", i);
		first_line(path, size, sizeof size);
		if (level[0] == '\0' || size[0] == '\0')
			break;
		const char *kind = strcmp(type, "Data") == 0 ? "d" : strcmp(type, "Instruction") == 0 ? "i" : "";
		snprintf(text, sizeof text, "L%s%s %s", level, kind, size);
		json_array_append_new(list, json_string(text));
	}
	return list;
}

json_t *bench_machine(void) {
	char cpu[200], os[sizeof(struct utsname)];
	struct utsname names;
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	cpu_name(cpu, sizeof cpu);
	snprintf(os, sizeof os, "unknown");
	if (uname(&names) == 0)
		snprintf(os, sizeof os, "%s %s %s", names.sysname, names.release, names.machine);
	return json_pack("{s:s, s:i, s:o, s:I, s:s, s:s}", "cpu", cpu, "cores", usable_cores(), "caches", caches(),
	                 "memory", (json_int_t)(pages > 0 && page > 0 ? (int64_t)pages * page : 0), "os", os, "isa",
	                 peak_best()->isa);
}

json_t *bench_build(void) {
#if defined(__clang__)
	const char *compiler = "clang " __clang_version__;
#elif defined(__GNUC__)
	const char *compiler = "gcc " __VERSION__;
#else
	const char *compiler = "unknown";
#endif
	return json_pack("{s:s, s:s, s:s?}", "version", mt_version(), "compiler", compiler, "commit", BENCH_COMMIT);
}
