/* Writing a file whole or not at all. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/whole_file.h"
#include "mt/io.h"

static mt_status fail_errno(const struct mt__whole_file *f, const char *what) {
	return mt__fail(MT_E_IO, "%s: %s: %s", f->path, what, strerror(errno));
}

/* What is to be replaced: path, or where its links lead.  Devices and folders are refused: a rename would put a plain
 * file in their place. */
static mt_status resolve(struct mt__whole_file *f) {
	struct stat info;
	if (stat(f->path, &info) != 0) {
		if (errno != ENOENT)
			return fail_errno(f, "cannot write");
		f->target = mt__strdup(f->path);
	} else {
		if (!S_ISREG(info.st_mode))
			return mt__fail(MT_E_IO, "%s: cannot write: not a regular file", f->path);
		char *real = realpath(f->path, NULL);
		if (real == NULL)
			return fail_errno(f, "cannot write");
		f->target = mt__strdup(real);
		free(real); /* the C library's, not mt__alloc's */
	}
	return f->target ? MT_OK : mt__fail_memory(f->path, strlen(f->path) + 1);
}

/* The next free name beside the target.  0 when out of memory. */
static int next_temporary(struct mt__whole_file *f) {
	static atomic_uint counter;
	struct mt_text name = {0};
	mt__free(f->temporary);
	mt__text_add(&name, "%s.tmp-%ld-%u", f->target, (long)getpid(), atomic_fetch_add(&counter, 1u));
	if (name.failed)
		mt__text_free(&name);
	f->temporary = name.failed ? NULL : name.data;
	return f->temporary != NULL;
}

/* A file without a name: a process that is killed leaves nothing behind.  −1 where the file system has no such files. */
static int open_nameless(const struct mt__whole_file *f) {
#ifdef O_TMPFILE
	char *folder = mt__strdup(f->target);
	if (folder == NULL)
		return -1;
	char *slash = strrchr(folder, '/');
	if (slash != NULL)
		slash[slash == folder] = '\0';
	int fd = open(slash ? folder : ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
	mt__free(folder);
	return fd;
#else
	(void)f;
	return -1;
#endif
}

/* open rather than mkstemp: the umask then decides who may read the result. */
static mt_status open_named(struct mt__whole_file *f) {
	do {
		if (!next_temporary(f))
			return mt__fail_memory(f->path, strlen(f->target));
		f->fd = open(f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	} while (f->fd < 0 && errno == EEXIST);
	if (f->fd >= 0)
		return MT_OK;
	mt__free(f->temporary); /* another's, or none */
	f->temporary = NULL;
	return fail_errno(f, "cannot write");
}

/* Gives a file without a name its temporary one: a rename needs it. */
static mt_status name_file(struct mt__whole_file *f) {
	char self[64];
	int failed;
	snprintf(self, sizeof self, "/proc/self/fd/%d", f->fd);
	do {
		if (!next_temporary(f))
			return mt__fail_memory(f->path, strlen(f->target));
		failed = linkat(AT_FDCWD, self, AT_FDCWD, f->temporary, AT_SYMLINK_FOLLOW) != 0;
	} while (failed && errno == EEXIST);
	if (!failed)
		return MT_OK;
	mt__free(f->temporary);
	f->temporary = NULL;
	return fail_errno(f, "cannot write");
}

/* Whether name is PREFIX.tmp-PROCESS-NUMBER of a process that is no more. */
static int is_left_behind(const char *name, const char *prefix, size_t length) {
	long process;
	unsigned number;
	char end;
	return strncmp(name, prefix, length) == 0 && sscanf(name + length, ".tmp-%ld-%u%c", &process, &number, &end) == 2 &&
	       process > 0 && kill((pid_t)process, 0) != 0 && errno == ESRCH;
}

/* Removes what processes left beside the target that were killed between giving a file its temporary name and renaming
 * it.  Only where files have no names before, and so on a file system of this machine alone. */
static void sweep(const struct mt__whole_file *f) {
	const char *slash = strrchr(f->target, '/');
	const char *base = slash ? slash + 1 : f->target;
	char *folder = mt__strdup(f->target);
	if (folder == NULL)
		return;
	folder[base - f->target] = '\0';
	DIR *d = opendir(slash ? folder : ".");
	mt__free(folder);
	if (d == NULL)
		return;
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		if (is_left_behind(e->d_name, base, strlen(base)))
			(void)unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
}

mt_status mt__whole_file_open(struct mt__whole_file *f, const char *path) {
	memset(f, 0, sizeof *f);
	f->path = path;
	f->fd = -1;
	mt_status status = resolve(f);
	if (status != MT_OK)
		return status;
	f->fd = access("/proc/self/fd", X_OK) == 0 ? open_nameless(f) : -1;
	if (f->fd >= 0) {
		sweep(f);
		return MT_OK;
	}
	status = open_named(f);
	return status == MT_OK ? MT_OK : mt__whole_file_close(f, status);
}

mt_status mt__whole_file_write(struct mt__whole_file *f, const void *data, size_t bytes) {
	const char *at = data;
	while (bytes > 0) {
		ssize_t done = write(f->fd, at, bytes);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return fail_errno(f, "cannot write");
		at += done;
		bytes -= (size_t)done;
	}
	return MT_OK;
}

/* Makes the rename last.  A folder that cannot be synced (some file systems) is no failure: the file is there. */
static void sync_folder(char *target) {
	char *slash = strrchr(target, '/');
	if (slash != NULL)
		slash[slash == target] = '\0';
	int fd = open(slash ? target : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

mt_status mt__whole_file_close(struct mt__whole_file *f, mt_status status) {
	if (f->fd >= 0) {
		if (status == MT_OK && fsync(f->fd) != 0)
			status = fail_errno(f, "cannot write");
		if (status == MT_OK && f->temporary == NULL)
			status = name_file(f);
		if (close(f->fd) != 0 && status == MT_OK)
			status = fail_errno(f, "cannot write");
		if (status == MT_OK && rename(f->temporary, f->target) != 0)
			status = fail_errno(f, "cannot replace");
		if (status == MT_OK)
			sync_folder(f->target);
		else if (f->temporary != NULL)
			unlink(f->temporary);
	}
	mt__free(f->temporary);
	mt__free(f->target);
	memset(f, 0, sizeof *f);
	f->fd = -1;
	return status;
}

mt_status mt_write_file(const char *path, const void *data, size_t bytes) {
	if (path == NULL || (data == NULL && bytes > 0))
		return mt__fail_arg_null("write_file", path == NULL ? "path" : "data");
	struct mt__whole_file f;
	mt_status status = mt__whole_file_open(&f, path);
	if (status != MT_OK)
		return status;
	return mt__whole_file_close(&f, mt__whole_file_write(&f, data, bytes));
}
