/* The device to train on, and whether files can be written: what is checked before an hour of training. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "training/training.h"

static int fail_device(const struct cli *cli, const struct training_options *o) {
	char threads[40] = "";
	if (o->threads > 0)
		snprintf(threads, sizeof threads, "--threads %" PRId64 ": ", o->threads);
	return cli_fail(cli, EXIT_FAILURE, "%s%s%s", o->backend ? "--backend: " : "", threads, mt_error_take(NULL));
}

/* backend with the option threads=N: NAME[:ORDINAL][:KEY=VALUE,…] gets a further option, or its first one. */
static mt_device *open_with_threads(const char *backend, int64_t threads) {
	char name[1024];
	int n = snprintf(name, sizeof name, "%s%cthreads=%" PRId64, backend, strchr(backend, '=') ? ',' : ':', threads);
	if (n >= 0 && (size_t)n < sizeof name)
		return mt_device_open(name);
	mt_error_set(MT_E_ARG, "the name has more than %zu bytes", sizeof name);
	return NULL;
}

int training_use_device(const struct cli *cli, const struct training_options *o) {
	mt_device *device = o->backend ? NULL : mt_device_current();
	if (o->backend == NULL && device == NULL)
		return fail_device(cli, o);
	if (o->threads > 0)
		device = open_with_threads(o->backend ? o->backend : mt_device_backend(device), o->threads);
	else if (o->backend != NULL)
		device = mt_device_open(o->backend);
	return device && mt_device_use(device) == MT_OK ? 0 : fail_device(cli, o);
}

int training_check_path(const struct cli *cli, const char *option, const char *path) {
	if (path == NULL)
		return 0;
	char *folder = strdup(path);
	if (folder == NULL)
		return cli_fail(cli, EXIT_FAILURE, "--%s: out of memory", option);
	size_t length = strlen(folder);
	while (length > 1 && folder[length - 1] == '/')
		folder[--length] = '\0'; /* a folder may be named with a slash behind it */
	char *slash = strrchr(folder, '/');
	if (slash != NULL)
		slash[slash == folder] = '\0';
	int bad = access(slash ? folder : ".", W_OK | X_OK) != 0;
	int reason = errno;
	free(folder);
	return bad ? cli_fail(cli, EXIT_FAILURE, "--%s %s: %s", option, path, strerror(reason)) : 0;
}
