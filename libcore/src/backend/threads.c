/* The thread budget of the process: OMP_NUM_THREADS, else CPU affinity and cgroup quota. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/call.h"
#include "base/log.h"

enum { MOST_CPUS = 1 << 16, LINE = 4096 };

/* The first number of OMP_NUM_THREADS ("4" or "4,2"); 0 where it is absent or is none, as OpenMP treats it. */
static int from_openmp(const char *variable) {
	const char *text = mt__getenv(variable);
	if (text == NULL)
		return 0;
	char *end;
	errno = 0;
	long n = strtol(text, &end, 10);
	if (errno == 0 && end != text && n >= 1 && n <= MOST_CPUS && (*end == '\0' || *end == ',' || *end == ' '))
		return (int)n;
	mt__log(MT_LOG_WARN, MT_LOG_GENERAL, "%s=%s: a whole number from 1 to %d is needed; ignored", variable, text,
	        MOST_CPUS);
	return 0;
}

static int from_affinity(void) {
	for (int cpus = 1024; cpus <= MOST_CPUS; cpus *= 2) {
		cpu_set_t *set = CPU_ALLOC(cpus);
		size_t bytes = CPU_ALLOC_SIZE(cpus);
		if (set == NULL)
			break;
		int got = sched_getaffinity(0, bytes, set);
		int error = errno, n = got == 0 ? CPU_COUNT_S(bytes, set) : 0;
		CPU_FREE(set);
		if (n > 0)
			return n;
		/* EINVAL: the kernel's mask is longer than ours */
		if (got == 0 || error != EINVAL)
			break;
	}
	return 1;
}

static int read_line(const char *folder, const char *path, const char *file, char *line) {
	char name[LINE];
	if (snprintf(name, sizeof name, "%s%s/%s", folder, path, file) >= (int)sizeof name)
		return 0;
	FILE *in = fopen(name, "re");
	if (in == NULL)
		return 0;
	int got = fgets(line, 128, in) != NULL;
	fclose(in);
	return got;
}

static int whole_cpus(long long quota, long long period) {
	if (quota <= 0 || period <= 0)
		return 0;
	long long cpus = (quota + period - 1) / period;
	return cpus < MOST_CPUS ? (int)cpus : MOST_CPUS;
}

/* One cgroup's limit in CPUs, rounded up; 0: none. */
static int limit_at(const char *root, int version, const char *path) {
	char line[128];
	long long quota = 0, period = 0;
	if (version == 2) {
		if (!read_line(root, path, "cpu.max", line) || sscanf(line, "%lld %lld", &quota, &period) != 2)
			return 0;
		return whole_cpus(quota, period);
	}
	if (!read_line(root, path, "cpu.cfs_quota_us", line) || sscanf(line, "%lld", &quota) != 1 ||
	    !read_line(root, path, "cpu.cfs_period_us", line) || sscanf(line, "%lld", &period) != 1)
		return 0;
	return whole_cpus(quota, period);
}

/* The smallest limit of the cgroup and those above it. */
static int smallest_limit(const char *root, int version, char *path) {
	int least = 0;
	for (;;) {
		int limit = limit_at(root, version, path);
		if (limit > 0 && (least == 0 || limit < least))
			least = limit;
		char *slash = strrchr(path, '/');
		if (slash == NULL)
			return least;
		*slash = '\0';
	}
}

static int has_word(const char *list, const char *word) {
	size_t length = strlen(word);
	for (const char *at = list; (at = strstr(at, word)) != NULL; at += length)
		if ((at == list || at[-1] == ',') && (at[length] == ',' || at[length] == '\0'))
			return 1;
	return 0;
}

/* Lines of /proc/self/cgroup read ID:CONTROLLERS:PATH; version 2 has no controllers there. */
static int from_cgroup(void) {
	char line[LINE];
	int least = 0;
	FILE *in = fopen("/proc/self/cgroup", "re");
	if (in == NULL)
		return 0;
	while (fgets(line, sizeof line, in) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		char *controllers = strchr(line, ':');
		char *path = controllers != NULL ? strchr(++controllers, ':') : NULL;
		if (path == NULL)
			continue;
		*path++ = '\0';
		int limit = 0;
		if (controllers[0] == '\0')
			limit = smallest_limit("/sys/fs/cgroup", 2, path);
		else if (has_word(controllers, "cpu"))
			limit = smallest_limit("/sys/fs/cgroup/cpu", 1, path);
		if (limit > 0 && (least == 0 || limit < least))
			least = limit;
	}
	fclose(in);
	return least;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int budget = 1;

static void find_budget(void) {
	int asked = from_openmp("OMP_NUM_THREADS"), most = from_openmp("OMP_THREAD_LIMIT");
	int quota = asked > 0 ? 0 : from_cgroup();
	budget = asked > 0 ? asked : from_affinity();
	if (quota > 0 && quota < budget)
		budget = quota;
	if (most > 0 && most < budget)
		budget = most;
	mt__log(MT_LOG_INFO, MT_LOG_GENERAL, "thread budget: %d", budget);
}

int32_t mt__thread_budget(void) {
	pthread_once(&once, find_budget);
	return budget;
}
