/* Writing .npz: libzip compresses and lays out; the arrays are fetched one by one while it does. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/npy.h"
#include "io/whole_file.h"
#include "io/zip_file.h"
#include "mt/io.h"
#include "tensor/tensor.h"

enum { MOST_NAME = 65531 }; /* the format's limit less ".npy" */

/* The year 1980 begins, for every member: the same arrays give the same bytes. */
enum { DOS_TIME = 0, DOS_DATE = 1 << 5 | 1 };

/* An array as libzip's source. */
struct member {
	const char *path;
	mt_tensor *t;
	struct mt__npy_image image;
	char *data; /* NULL but while it is read */
	size_t at;
	zip_error_t error;
};

static size_t size_of(const struct member *m) {
	return m->image.preamble_bytes + m->image.data_bytes;
}

static zip_int64_t begin_member(struct member *m) {
	m->at = 0;
	m->data = mt__alloc(m->image.data_bytes);
	if (m->data == NULL)
		mt__fail_memory(m->path, m->image.data_bytes);
	if (m->data != NULL && mt__npy_copy_data(m->t, &m->image, m->data) == MT_OK)
		return 0;
	mt__free(m->data);
	m->data = NULL;
	zip_error_set(&m->error, ZIP_ER_INTERNAL, 0); /* the cause is in libmt's slot */
	return -1;
}

static zip_int64_t read_some(struct member *m, char *dst, zip_uint64_t room) {
	size_t head = m->image.preamble_bytes, bytes;
	const char *from;
	if (m->at < head) {
		from = m->image.preamble + m->at;
		bytes = head - m->at;
	} else {
		from = m->data + (m->at - head);
		bytes = size_of(m) - m->at;
	}
	if (room < bytes)
		bytes = (size_t)room;
	memcpy(dst, from, bytes);
	m->at += bytes;
	return (zip_int64_t)bytes;
}

static zip_int64_t on_command(void *context, void *data, zip_uint64_t length, zip_source_cmd_t command) {
	struct member *m = context;
	switch (command) {
	case ZIP_SOURCE_OPEN:
		return begin_member(m);
	case ZIP_SOURCE_READ:
		return read_some(m, data, length);
	case ZIP_SOURCE_CLOSE:
		mt__free(m->data);
		m->data = NULL;
		return 0;
	case ZIP_SOURCE_STAT: {
		zip_stat_t *info = data;
		zip_stat_init(info);
		info->size = size_of(m);
		info->valid |= ZIP_STAT_SIZE;
		return sizeof *info;
	}
	case ZIP_SOURCE_ERROR:
		return zip_error_to_data(&m->error, data, length);
	case ZIP_SOURCE_SUPPORTS:
		return ZIP_SOURCE_SUPPORTS_READABLE | ZIP_SOURCE_MAKE_COMMAND_BITMASK(ZIP_SOURCE_SUPPORTS);
	case ZIP_SOURCE_FREE:
		return 0;
	default:
		zip_error_set(&m->error, ZIP_ER_OPNOTSUPP, 0);
		return -1;
	}
}

/* ---- the archive ------------------------------------------------------------------------------------------------ */

static mt_status check_member(const char *path, const char *name, mt_tensor *t) {
	if (name == NULL || name[0] == '\0')
		return mt__fail(MT_E_ARG, "%s: the array name '%s' is not allowed", path, name ? name : "NULL");
	if (strlen(name) > MOST_NAME)
		return mt__fail(MT_E_ARG, "%s: expected array names of at most %d bytes, got %zu: '%.40s…'", path, MOST_NAME,
		                strlen(name), name);
	return mt__check_tensor("npz_write", name, t) ? MT_OK : mt_error_peek();
}

static mt_status fail_add(zip_t *archive, const char *path, const char *name) {
	zip_error_t *error = zip_get_error(archive);
	if (zip_error_code_zip(error) == ZIP_ER_EXISTS)
		return mt__fail(MT_E_ARG, "%s: two arrays are named '%.200s'", path, name);
	if (zip_error_code_zip(error) == ZIP_ER_INVAL)
		return mt__fail(MT_E_ARG, "%s: the array name '%.200s' is not valid UTF-8", path, name);
	return mt__zip_fail(path, error);
}

static mt_status add_member(zip_t *archive, struct member *m, const char *name, int compress) {
	struct mt_text full = {0};
	mt__text_add(&full, "%s.npy", name);
	zip_source_t *source = full.failed ? NULL : zip_source_function(archive, on_command, m);
	if (source == NULL) {
		mt__text_free(&full);
		return mt__fail_memory(m->path, strlen(name));
	}
	zip_int64_t at = zip_file_add(archive, full.data, source, ZIP_FL_ENC_UTF_8);
	mt__text_free(&full);
	if (at < 0) {
		zip_source_free(source); /* the archive did not take it */
		return fail_add(archive, m->path, name);
	}
	if (zip_set_file_compression(archive, (zip_uint64_t)at, compress ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0) != 0 ||
	    zip_file_set_dostime(archive, (zip_uint64_t)at, DOS_TIME, DOS_DATE, 0) != 0)
		return mt__zip_fail(m->path, zip_get_error(archive));
	return MT_OK;
}

/* libzip writes no archive without members: this is one, the end of a directory of none. */
static mt_status write_empty(struct mt__whole_file *f) {
	static const char end[22] = "PK\5\6";
	return mt__whole_file_write(f, end, sizeof end);
}

static mt_status write_archive(struct mt__whole_file *f, int64_t n, const char *const *names, struct member *members,
                               int compress) {
	struct mt__zip_file target = {.fd = f->fd};
	zip_t *archive = mt__zip_open(&target, ZIP_TRUNCATE, f->path);
	mt_status status = archive ? MT_OK : mt_error_peek();
	for (int64_t i = 0; i < n && status == MT_OK; i++)
		status = add_member(archive, &members[i], names[i], compress);
	if (status == MT_OK && zip_close(archive) == 0)
		archive = NULL;
	else if (status == MT_OK)
		status = mt_error_peek() ? mt_error_peek() : mt__zip_fail(f->path, zip_get_error(archive));
	if (archive != NULL)
		zip_discard(archive);
	zip_error_fini(&target.error);
	return status;
}

static mt_status make_image(const char *path, const char *name, mt_tensor *t, struct mt__npy_image *out) {
	struct mt_text what = {0};
	mt__text_add(&what, "%s: array '%.200s'", path, name);
	mt_status status = what.failed ? mt__fail_memory(path, strlen(path)) : mt__npy_image(what.data, t, out);
	mt__text_free(&what);
	return status;
}

static mt_status make_members(const char *path, int64_t n, const char *const *names, mt_tensor *const *tensors,
                              struct member *members) {
	for (int64_t i = 0; i < n; i++) {
		mt_status status = check_member(path, names[i], tensors[i]);
		if (status == MT_OK)
			status = make_image(path, names[i], tensors[i], &members[i].image);
		if (status != MT_OK)
			return status;
		members[i].path = path;
		members[i].t = tensors[i];
		zip_error_init(&members[i].error);
	}
	return MT_OK;
}

mt_status mt_npz_write(const char *path, int64_t n, const char *const *names, mt_tensor *const *tensors, int compress) {
	static const char op[] = "npz_write";
	struct mt__whole_file f;
	if (path == NULL || (n > 0 && (names == NULL || tensors == NULL)))
		return mt__fail_arg_null(op, path == NULL ? "path" : names == NULL ? "names" : "tensors");
	if (n < 0)
		return mt__fail(MT_E_ARG, "%s: n must not be negative, got %" PRId64, op, n);
	struct member *members = mt__calloc((size_t)n + 1, sizeof *members);
	if (members == NULL)
		return mt__fail_memory(path, (size_t)n * sizeof *members);
	mt_status status = make_members(path, n, names, tensors, members);
	if (status == MT_OK)
		status = mt__whole_file_open(&f, path);
	if (status == MT_OK)
		status = mt__whole_file_close(&f, n > 0 ? write_archive(&f, n, names, members, compress) : write_empty(&f));
	mt__free(members);
	return status;
}
