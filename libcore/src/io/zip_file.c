/* An open file as libzip's source or target. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "io/zip_file.h"

static zip_int64_t fail(struct mt__zip_file *f, int code) {
	zip_error_set(&f->error, code, errno);
	return -1;
}

static zip_int64_t read_some(struct mt__zip_file *f, void *dst, zip_uint64_t bytes) {
	ssize_t done;
	do
		done = pread(f->fd, dst, (size_t)bytes, (off_t)f->read_at);
	while (done < 0 && errno == EINTR);
	if (done < 0)
		return fail(f, ZIP_ER_READ);
	f->read_at += (uint64_t)done;
	return done;
}

static zip_int64_t write_all(struct mt__zip_file *f, const void *src, zip_uint64_t bytes) {
	const char *at = src;
	for (zip_uint64_t left = bytes; left > 0;) {
		ssize_t done = pwrite(f->fd, at, (size_t)left, (off_t)f->write_at);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return fail(f, ZIP_ER_WRITE);
		at += done;
		left -= (zip_uint64_t)done;
		f->write_at += (uint64_t)done;
	}
	if (f->bytes < f->write_at)
		f->bytes = f->write_at;
	return (zip_int64_t)bytes;
}

static zip_int64_t seek(struct mt__zip_file *f, uint64_t *at, void *data, zip_uint64_t length) {
	zip_int64_t to = zip_source_seek_compute_offset(*at, f->bytes, data, length, &f->error);
	if (to < 0)
		return -1;
	*at = (uint64_t)to;
	return 0;
}

static zip_int64_t tell_size(struct mt__zip_file *f, zip_stat_t *info) {
	zip_stat_init(info);
	info->size = f->bytes;
	info->valid |= ZIP_STAT_SIZE;
	return sizeof *info;
}

static zip_int64_t on_command(void *context, void *data, zip_uint64_t length, zip_source_cmd_t command) {
	struct mt__zip_file *f = context;
	switch (command) {
	case ZIP_SOURCE_OPEN:
		f->read_at = 0;
		return 0;
	case ZIP_SOURCE_READ:
		return read_some(f, data, length);
	case ZIP_SOURCE_SEEK:
		return seek(f, &f->read_at, data, length);
	case ZIP_SOURCE_TELL:
		return (zip_int64_t)f->read_at;
	case ZIP_SOURCE_STAT:
		return tell_size(f, data);
	case ZIP_SOURCE_ERROR:
		return zip_error_to_data(&f->error, data, length);
	case ZIP_SOURCE_BEGIN_WRITE:
		f->write_at = 0;
		return 0;
	case ZIP_SOURCE_WRITE:
		return write_all(f, data, length);
	case ZIP_SOURCE_SEEK_WRITE:
		return seek(f, &f->write_at, data, length);
	case ZIP_SOURCE_TELL_WRITE:
		return (zip_int64_t)f->write_at;
	case ZIP_SOURCE_SUPPORTS:
		return ZIP_SOURCE_SUPPORTS_WRITABLE | ZIP_SOURCE_MAKE_COMMAND_BITMASK(ZIP_SOURCE_ACCEPT_EMPTY);
	case ZIP_SOURCE_ACCEPT_EMPTY: /* a file of no bytes is no archive */
	case ZIP_SOURCE_CLOSE:
	case ZIP_SOURCE_COMMIT_WRITE: /* the file's owner keeps or removes what was written */
	case ZIP_SOURCE_ROLLBACK_WRITE:
	case ZIP_SOURCE_REMOVE:
	case ZIP_SOURCE_FREE:
		return 0;
	default:
		zip_error_set(&f->error, ZIP_ER_OPNOTSUPP, 0);
		return -1;
	}
}

zip_t *mt__zip_open(struct mt__zip_file *file, int flags, const char *path) {
	zip_error_t error;
	zip_error_init(&error);
	zip_error_init(&file->error);
	zip_source_t *source = zip_source_function_create(on_command, file, &error);
	zip_t *archive = source ? zip_open_from_source(source, flags, &error) : NULL;
	if (archive == NULL) {
		mt__zip_fail(path, &error);
		zip_source_free(source); /* an archive would have taken it */
	}
	zip_error_fini(&error);
	return archive;
}

static mt_status status_of(const zip_error_t *error) {
	switch (zip_error_code_zip(error)) {
	case ZIP_ER_MEMORY:
		return MT_E_MEMORY;
	case ZIP_ER_MULTIDISK:
	case ZIP_ER_COMPNOTSUPP:
	case ZIP_ER_ENCRNOTSUPP:
	case ZIP_ER_NOPASSWD:
	case ZIP_ER_OPNOTSUPP:
		return MT_E_UNSUPPORTED;
	default: /* a file that ends early is told as a read error of no system error */
		return zip_error_system_type(error) == ZIP_ET_SYS && zip_error_code_system(error) != 0 ? MT_E_IO : MT_E_FORMAT;
	}
}

mt_status mt__zip_fail(const char *what, zip_error_t *error) {
	return mt__fail(status_of(error), "%s: %s", what, zip_error_strerror(error));
}
