/* Opening and reading regular files. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "io/regular.h"

mt_status mt__regular_open(const char *path, int *fd, uint64_t *bytes) {
	struct stat info;
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe is opened too, without waiting, to be refused */
	if (*fd < 0)
		return mt__fail(MT_E_IO, "%s: cannot open: %s", path, strerror(errno));
	if (fstat(*fd, &info) != 0 || !S_ISREG(info.st_mode)) {
		close(*fd);
		*fd = -1;
		return mt__fail(MT_E_IO, "%s: expected a regular file", path);
	}
	*bytes = (uint64_t)info.st_size;
	return MT_OK;
}

mt_status mt__regular_pread(int fd, const char *path, void *dst, size_t bytes, uint64_t offset) {
	char *at = dst;
	while (bytes > 0) {
		ssize_t done = pread(fd, at, bytes, (off_t)offset);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return mt__fail(MT_E_IO, "%s: cannot read: %s", path, strerror(errno));
		if (done == 0)
			return mt__fail(MT_E_IO, "%s: the file became shorter while it was read", path);
		at += done;
		bytes -= (size_t)done;
		offset += (uint64_t)done;
	}
	return MT_OK;
}
