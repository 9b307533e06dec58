/* Reading .npz: the archive's directory, then single members as .npy. */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/npy.h"
#include "io/regular.h"
#include "io/zip_file.h"
#include "mt/io.h"

#define SUFFIX ".npy"

enum {
	MOST_EXPANSION = 1032, /* of deflate */
	CHUNK = 1 << 24        /* libzip 1.7 miscounts what it inflates in one call of 4 GiB or more */
};

struct mt_npz {
	char *path;
	struct mt__zip_file file;
	zip_t *archive;
	char **names;
	int64_t n;
};

/* ---- the directory ---------------------------------------------------------------------------------------------- */

static mt_status fail_archive(const mt_npz *npz) {
	return mt__zip_fail(npz->path, zip_get_error(npz->archive));
}

static int has_suffix(const char *name) {
	size_t length = strlen(name);
	return length >= strlen(SUFFIX) && strcmp(name + length - strlen(SUFFIX), SUFFIX) == 0;
}

static int by_text(const void *a, const void *b) {
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static mt_status check_distinct(const mt_npz *npz) {
	size_t bytes = (size_t)npz->n * sizeof(char *);
	const char **sorted = mt__alloc(bytes);
	if (sorted == NULL)
		return mt__fail_memory(npz->path, bytes);
	mt_status status = MT_OK;
	memcpy(sorted, npz->names, bytes);
	qsort(sorted, (size_t)npz->n, sizeof *sorted, by_text);
	for (int64_t i = 1; i < npz->n && status == MT_OK; i++)
		if (strcmp(sorted[i - 1], sorted[i]) == 0)
			status = mt__fail(MT_E_FORMAT, "%s: two arrays are named '%.200s'", npz->path, sorted[i]);
	mt__free(sorted);
	return status;
}

static mt_status read_directory(mt_npz *npz) {
	zip_int64_t n = zip_get_num_entries(npz->archive, 0);
	npz->names = mt__calloc((size_t)n + 1, sizeof *npz->names);
	if (npz->names == NULL)
		return mt__fail_memory(npz->path, (size_t)n * sizeof *npz->names);
	for (zip_int64_t i = 0; i < n; i++) {
		const char *name = zip_get_name(npz->archive, (zip_uint64_t)i, 0);
		if (name == NULL)
			return fail_archive(npz);
		char *copy = mt__strdup(name);
		if (copy == NULL)
			return mt__fail_memory(npz->path, strlen(name) + 1);
		if (has_suffix(copy))
			copy[strlen(copy) - strlen(SUFFIX)] = '\0';
		npz->names[npz->n++] = copy;
	}
	return check_distinct(npz);
}

static mt_status open_archive(mt_npz *npz, const char *path) {
	npz->path = mt__strdup(path);
	if (npz->path == NULL)
		return mt__fail_memory(path, strlen(path) + 1);
	mt_status status = mt__regular_open(path, &npz->file.fd, &npz->file.bytes);
	if (status != MT_OK)
		return status;
	npz->archive = mt__zip_open(&npz->file, ZIP_RDONLY, path);
	return npz->archive ? read_directory(npz) : mt_error_peek();
}

mt_npz *mt_npz_open(const char *path) {
	if (path == NULL) {
		mt__fail_arg_null("npz_open", "path");
		return NULL;
	}
	mt_npz *npz = mt__calloc(1, sizeof *npz);
	if (npz == NULL) {
		mt__fail_memory(path, sizeof *npz);
		return NULL;
	}
	npz->file.fd = -1;
	if (open_archive(npz, path) == MT_OK)
		return npz;
	mt_npz_close(npz);
	return NULL;
}

void mt_npz_close(mt_npz *npz) {
	if (npz == NULL)
		return;
	if (npz->archive != NULL)
		zip_discard(npz->archive);
	for (int64_t i = 0; i < npz->n; i++)
		mt__free(npz->names[i]);
	mt__free(npz->names);
	mt__free(npz->path);
	zip_error_fini(&npz->file.error);
	if (npz->file.fd >= 0)
		close(npz->file.fd);
	mt__free(npz);
}

int64_t mt_npz_count(const mt_npz *npz) {
	return npz ? npz->n : 0;
}

const char *mt_npz_name(const mt_npz *npz, int64_t i) {
	return npz && i >= 0 && i < npz->n ? npz->names[i] : NULL;
}

/* The first array whose name is these length bytes. */
static int64_t find(const mt_npz *npz, const char *name, size_t length) {
	for (int64_t i = 0; i < npz->n; i++)
		if (strncmp(npz->names[i], name, length) == 0 && npz->names[i][length] == '\0')
			return i;
	return -1;
}

int64_t mt_npz_find(const mt_npz *npz, const char *name) {
	if (npz == NULL || name == NULL)
		return -1;
	int64_t i = find(npz, name, strlen(name));
	return i < 0 && has_suffix(name) ? find(npz, name, strlen(name) - strlen(SUFFIX)) : i;
}

/* ---- members ---------------------------------------------------------------------------------------------------- */

/* A member that is read. */
struct member {
	struct mt_text what; /* "PATH: array 'NAME'" */
	zip_file_t *file;
	struct mt__npy_source source;
};

static mt_status read_member(void *context, void *dst, size_t bytes) {
	struct member *m = context;
	char *at = dst;
	while (bytes > 0) {
		zip_int64_t done = zip_fread(m->file, at, bytes < CHUNK ? bytes : CHUNK);
		if (done < 0)
			return mt__zip_fail(m->what.data, zip_file_get_error(m->file));
		if (done == 0)
			return mt__fail(MT_E_FORMAT, "%s: ends before the size in the archive's directory", m->what.data);
		at += done;
		bytes -= (size_t)done;
	}
	return MT_OK;
}

/* The end of the data: libzip compares size and checksum there. */
static mt_status check_end(struct member *m) {
	char extra;
	zip_int64_t got = zip_fread(m->file, &extra, 1);
	if (got < 0)
		return mt__zip_fail(m->what.data, zip_file_get_error(m->file));
	return got == 0 ? MT_OK
	                : mt__fail(MT_E_FORMAT, "%s: goes on after the size in the archive's directory", m->what.data);
}

/* Before anything is allocated: whether the bytes there are can be what is promised. */
static mt_status check_sizes(const mt_npz *npz, const char *what, const zip_stat_t *info) {
	if (info->encryption_method != ZIP_EM_NONE)
		return mt__fail(MT_E_UNSUPPORTED, "%s: is encrypted", what);
	if (info->comp_method != ZIP_CM_STORE && info->comp_method != ZIP_CM_DEFLATE)
		return mt__fail(MT_E_UNSUPPORTED, "%s: expected a member stored (0) or deflated (8), got compression method %d",
		                what, info->comp_method);
	uint64_t most = info->comp_method == ZIP_CM_STORE ? info->comp_size : info->comp_size * MOST_EXPANSION;
	if (info->comp_size > npz->file.bytes || info->comp_size > INT64_MAX / MOST_EXPANSION || info->size > most)
		return mt__fail(MT_E_FORMAT, "%s: expected a size that %" PRIu64 " bytes of the archive can hold, got %" PRIu64,
		                what, info->comp_size < npz->file.bytes ? (uint64_t)info->comp_size : npz->file.bytes,
		                (uint64_t)info->size);
	return MT_OK;
}

static mt_status open_member(mt_npz *npz, int64_t i, struct member *m) {
	const zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
	zip_stat_t info;
	mt__text_add(&m->what, "%s: array '%.200s'", npz->path, npz->names[i]);
	if (m->what.failed)
		return mt__fail_memory(npz->path, strlen(npz->path));
	if (zip_stat_index(npz->archive, (zip_uint64_t)i, 0, &info) != 0)
		return mt__zip_fail(m->what.data, zip_get_error(npz->archive));
	if ((info.valid & needed) != needed)
		return mt__fail(MT_E_FORMAT, "%s: the archive's directory does not tell its size", m->what.data);
	mt_status status = check_sizes(npz, m->what.data, &info);
	if (status != MT_OK)
		return status;
	m->file = zip_fopen_index(npz->archive, (zip_uint64_t)i, 0);
	if (m->file == NULL)
		return mt__zip_fail(m->what.data, zip_get_error(npz->archive));
	m->source = (struct mt__npy_source){.what = m->what.data, .bytes = info.size, .read = read_member, .context = m};
	return MT_OK;
}

static void close_member(struct member *m) {
	if (m->file != NULL)
		zip_fclose(m->file);
	mt__text_free(&m->what);
}

static mt_status check_index(const char *op, const mt_npz *npz, int64_t i) {
	if (npz == NULL)
		return mt__fail_arg_null(op, "npz");
	if (i < 0 || i >= npz->n)
		return mt__fail(MT_E_ARG, "%s: %s: array %" PRId64 " is out of range, there are %" PRId64, op, npz->path, i,
		                npz->n);
	return MT_OK;
}

mt_status mt_npz_info(mt_npz *npz, int64_t i, mt_dtype *dtype, int *rank, int64_t *shape) {
	struct mt__npy_header header;
	struct member m = {0};
	mt_status status = check_index("npz_info", npz, i);
	if (status != MT_OK)
		return status;
	status = open_member(npz, i, &m);
	if (status == MT_OK)
		status = mt__npy_read_header(&m.source, &header);
	close_member(&m);
	if (status != MT_OK)
		return status;
	if (dtype != NULL)
		*dtype = header.dtype;
	if (rank != NULL)
		*rank = header.rank;
	if (shape != NULL)
		memcpy(shape, header.shape, sizeof header.shape);
	return MT_OK;
}

mt_tensor *mt_npz_read(mt_npz *npz, int64_t i) {
	struct mt__npy_header header;
	struct member m = {0};
	if (check_index("npz_read", npz, i) != MT_OK)
		return NULL;
	mt_scope *scope = mt_scope_begin();
	mt_tensor *t = NULL;
	if (scope && open_member(npz, i, &m) == MT_OK && mt__npy_read_header(&m.source, &header) == MT_OK)
		t = mt__npy_read_data(&m.source, &header);
	if (t != NULL && check_end(&m) != MT_OK)
		t = NULL; /* the scope frees it */
	close_member(&m);
	return scope ? mt_scope_end_keep(scope, t) : NULL;
}
