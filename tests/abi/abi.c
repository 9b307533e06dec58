#include "abi.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mt/backend.h"

enum { OUTPUT = 256 * 1024, TIMEOUT = 60 };

static char folder[PATH_MAX];
static char output[OUTPUT];

/* ---- files ---- */

static const char *format(const char *text, ...) __attribute__((format(printf, 1, 2)));

static const char *format(const char *text, ...) {
	static char buffers[8][2 * PATH_MAX];
	static int next;
	char *buffer = buffers[next++ % 8];
	va_list args;
	va_start(args, text);
	vsnprintf(buffer, sizeof buffers[0], text, args);
	va_end(args);
	return buffer;
}

int abi_setup(void) {
	umask(022); /* what everyone may write is refused (R17) */
	const char *tmp = getenv("TMPDIR");
	snprintf(folder, sizeof folder, "%s/mt-abi.XXXXXX", tmp != NULL && tmp[0] == '/' ? tmp : "/tmp");
	return mkdtemp(folder) == NULL;
}

int abi_cleanup(void) {
	return system(format("rm -rf '%s'", folder)) != 0;
}

const char *abi_path(const char *name) {
	return format("%s/%s", folder, name);
}

static const char *built(const char *name) {
	const char *build = getenv("MT_TEST_BUILDDIR");
	char *absolute = realpath(format("%s/%s", build != NULL ? build : ".", name), NULL);
	const char *path = format("%s", absolute != NULL ? absolute : name);
	free(absolute);
	return path;
}

const char *abi_mock(void) {
	return built("tests/abi/.libs/mt_mock.so");
}

const char *abi_noentry(void) {
	return built("tests/abi/.libs/mt_mock_noentry.so");
}

const char *abi_naive(void) {
	return built(".libs/mt_naive.so");
}

void abi_write(const char *name, const char *text) {
	FILE *f = fopen(abi_path(name), "w");
	if (f == NULL) {
		MT_CHECK_MSG(0, "%s: %s", name, strerror(errno));
		return;
	}
	fputs(text, f);
	fclose(f);
}

void abi_copy(const char *name, const char *from, long limit) {
	FILE *in = fopen(from, "rb"), *out = fopen(abi_path(name), "wb");
	if (MT_CHECK_MSG(in != NULL && out != NULL, "%s from %s: %s", name, from, strerror(errno)))
		for (int c = 0; limit > 0 && (c = getc(in)) != EOF; limit--)
			putc(c, out);
	if (in != NULL)
		fclose(in);
	if (out != NULL)
		fclose(out);
}

void abi_remove(const char *name) {
	remove(abi_path(name));
}

void abi_manifest(const char *name, const char *backend, const char *library, const char *more) {
	abi_write(name, format("{\"manifest_version\": \"1.0\", \"backends\": [{\"name\": \"%s\", \"library\": \"%s\", "
	                       "\"abi\": 0%s}]}\n",
	                       backend, library, more));
}

/* ---- children ---- */

static void set_environment(const char *const *environment) {
	setenv("MT_MANIFEST_PATH", folder, 1);
	for (; environment != NULL && *environment != NULL; environment++) {
		const char *equals = strchr(*environment, '=');
		char *name = strndup(*environment, (size_t)(equals - *environment));
		if (equals[1] == '\0')
			unsetenv(name);
		else
			setenv(name, equals + 1, 1);
		free(name);
	}
}

static void read_all(int fd) {
	size_t length = 0;
	ssize_t n;
	while (length < OUTPUT - 64 && (n = read(fd, output + length, OUTPUT - 64 - length)) > 0)
		length += (size_t)n;
	output[length] = '\0';
}

const char *abi_child(const char *const *environment, void (*function)(FILE *out, const void *argument),
                      const void *argument) {
	int ends[2], status = 0;
	fflush(NULL);
	if (pipe(ends) != 0)
		return "no pipe";
	pid_t child = fork();
	if (child == 0) {
		close(ends[0]);
		alarm(TIMEOUT);
		set_environment(environment);
		FILE *out = fdopen(ends[1], "w");
		function(out, argument);
		fclose(out);
		exit(0);
	}
	close(ends[1]);
	read_all(ends[0]);
	close(ends[0]);
	if (child < 0 || waitpid(child, &status, 0) != child)
		return "no child";
	char *end = output + strlen(output);
	if (WIFSIGNALED(status))
		sprintf(end, "killed by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		sprintf(end, "exit status %d", WEXITSTATUS(status));
	return output;
}

void abi_open(FILE *out, const void *name) {
	mt_status status;
	mt_device *device = mt_device_open(name);
	const char *message = mt_error_take(&status);
	if (device != NULL)
		fprintf(out, "opened %s\n", mt_device_name(device));
	else
		fprintf(out, "%s: %s\n", mt_status_name(status), message);
}

void abi_list(FILE *out, const void *unused) {
	(void)unused;
	char *text = mt_backends_json();
	if (text != NULL)
		fputs(text, out);
	else
		fprintf(out, "failed: %s\n", mt_error_take(NULL));
	mt_free(text);
}
