/* Whom to believe (R17): owners and modes of manifests, libraries and folders; where libmt itself lies. */
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/registry.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char libmt_path[PATH_MAX]; /* "" when unknown */
static uid_t libmt_owner;

static void find_libmt(void) {
	Dl_info info;
	struct stat st;
	/* any symbol of libmt tells the file it came from */
	if (dladdr(&libmt_owner, &info) == 0 || info.dli_fname == NULL || realpath(info.dli_fname, libmt_path) == NULL ||
	    stat(libmt_path, &st) != 0) {
		libmt_path[0] = '\0';
		return;
	}
	libmt_owner = st.st_uid;
}

char *mt__libmt_path(void) {
	pthread_once(&once, find_libmt);
	return libmt_path[0] != '\0' ? mt__strdup(libmt_path) : NULL;
}

static int owner_ok(uid_t owner) {
	pthread_once(&once, find_libmt);
	return owner == 0 || owner == geteuid() || (libmt_path[0] != '\0' && owner == libmt_owner);
}

const char *mt__distrust(const char *path, const struct stat *st, enum mt__source source, char *buffer, size_t size) {
	if ((st->st_mode & S_IWOTH) != 0) {
		snprintf(buffer, size, "R17: %s is writable by everyone", path);
		return buffer;
	}
	int given = source == MT__SOURCE_ADD || source == MT__SOURCE_EXPLICIT;
	if (!given && !owner_ok(st->st_uid)) {
		snprintf(buffer, size, "R17: %s belongs to user %ld, who is neither root, nor you, nor the owner of libmt",
		         path, (long)st->st_uid);
		return buffer;
	}
	return NULL;
}
