/* Reading .npy: what stands before the data, then the data. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/npy.h"
#include "io/regular.h"
#include "mt/io.h"

enum { MAGIC = 8, LONGEST_START = 12 }; /* with the header's length */

static mt_status fail_short(const struct mt__npy_source *s, uint64_t needed, const char *of) {
	return mt__fail(MT_E_FORMAT, "%s: expected %" PRIu64 " bytes of %s, got %" PRIu64, s->what, needed, of, s->bytes);
}

/* Magic number, version and the header's length (*length is 0 before); *start is how many bytes that is. */
static mt_status read_start(const struct mt__npy_source *s, uint64_t *start, uint64_t *length) {
	unsigned char raw[LONGEST_START];
	if (s->bytes < MAGIC)
		return fail_short(s, MAGIC, "magic number and version");
	mt_status status = s->read(s->context, raw, MAGIC);
	if (status != MT_OK)
		return status;
	if (memcmp(raw, "\x93NUMPY", 6) != 0)
		return mt__fail(MT_E_FORMAT, "%s: expected NumPy's magic number, \\x93NUMPY", s->what);
	if (raw[6] < 1 || raw[6] > 3 || raw[7] != 0)
		return mt__fail(MT_E_UNSUPPORTED, "%s: expected format version 1.0, 2.0 or 3.0, got %d.%d", s->what, raw[6],
		                raw[7]);
	unsigned n = raw[6] == 1 ? 2 : 4;
	*start = MAGIC + n;
	if (s->bytes < *start)
		return fail_short(s, *start, "magic number, version and header length");
	status = s->read(s->context, raw + MAGIC, n);
	if (status != MT_OK)
		return status;
	for (unsigned i = 0; i < n; i++)
		*length |= (uint64_t)raw[MAGIC + i] << 8 * i;
	return MT_OK;
}

mt_status mt__npy_read_header(const struct mt__npy_source *s, struct mt__npy_header *out) {
	uint64_t start = 0, length = 0;
	mt_status status = read_start(s, &start, &length);
	if (status != MT_OK)
		return status;
	uint64_t most = s->bytes - start < MT__NPY_MAX_HEADER ? s->bytes - start : MT__NPY_MAX_HEADER;
	if (length > most)
		return mt__fail(MT_E_FORMAT, "%s: expected a header of at most %" PRIu64 " bytes, got %" PRIu64, s->what, most,
		                length);
	char *text = mt__alloc((size_t)length);
	if (text == NULL)
		return mt__fail_memory(s->what, (size_t)length);
	status = s->read(s->context, text, (size_t)length);
	if (status == MT_OK)
		status = mt__npy_parse_header(s->what, text, (size_t)length, out);
	mt__free(text);
	if (status == MT_OK && s->bytes - start - length != out->bytes)
		return mt__fail(MT_E_FORMAT, "%s: expected %" PRIu64 " bytes of data from its shape and dtype, got %" PRIu64,
		                s->what, out->bytes, s->bytes - start - length);
	return status;
}

/* ---- data ------------------------------------------------------------------------------------------------------- */

static void swap_elements(unsigned char *data, uint64_t bytes, size_t size) {
	for (uint64_t i = 0; i < bytes; i += size)
		for (size_t k = 0; k < size / 2; k++) {
			unsigned char low = data[i + k];
			data[i + k] = data[i + size - 1 - k];
			data[i + size - 1 - k] = low;
		}
}

/* A bool is 0 or 1 everywhere in libmt. */
static mt_status check_bools(const char *what, const unsigned char *data, uint64_t n) {
	for (uint64_t i = 0; i < n; i++)
		if (data[i] > 1)
			return mt__fail(MT_E_FORMAT, "%s: expected a bool of 0 or 1, got %d", what, data[i]);
	return MT_OK;
}

/* Column-major data is row-major data of the reversed shape. */
static mt_tensor *from_fortran(const struct mt__npy_header *h, const void *data) {
	int64_t shape[MT_MAX_RANK], dims[MT_MAX_RANK];
	for (int d = 0; d < h->rank; d++) {
		dims[d] = h->rank - 1 - d;
		shape[d] = h->shape[dims[d]];
	}
	mt_scope *scope = mt_scope_begin();
	if (scope == NULL)
		return NULL;
	return mt_scope_end_keep(scope,
	                         mt_contiguous(mt_permute(mt_from_data(h->rank, shape, h->dtype, data), h->rank, dims)));
}

mt_tensor *mt__npy_read_data(const struct mt__npy_source *s, const struct mt__npy_header *h) {
	unsigned char *data = mt__alloc((size_t)h->bytes);
	if (data == NULL) {
		mt__fail_memory(s->what, (size_t)h->bytes);
		return NULL;
	}
	mt_tensor *t = NULL;
	if (s->read(s->context, data, (size_t)h->bytes) == MT_OK &&
	    (h->dtype != MT_BOOL || check_bools(s->what, data, h->bytes) == MT_OK)) {
		if (h->swapped)
			swap_elements(data, h->bytes, mt_dtype_size(h->dtype));
		t = h->fortran ? from_fortran(h, data) : mt_from_data(h->rank, h->shape, h->dtype, data);
	}
	mt__free(data);
	return t;
}

/* ---- a file of one array ---------------------------------------------------------------------------------------- */

struct file {
	const char *path;
	int fd;
	uint64_t at;
};

static mt_status read_file(void *context, void *dst, size_t bytes) {
	struct file *f = context;
	mt_status status = mt__regular_pread(f->fd, f->path, dst, bytes, f->at);
	f->at += bytes;
	return status;
}

mt_tensor *mt_npy_read(const char *path) {
	struct file f = {.path = path};
	struct mt__npy_source source = {.what = path, .read = read_file, .context = &f};
	struct mt__npy_header header;
	mt_tensor *t = NULL;
	if (path == NULL) {
		mt__fail_arg_null("npy_read", "path");
		return NULL;
	}
	if (mt__regular_open(path, &f.fd, &source.bytes) != MT_OK)
		return NULL;
	if (mt__npy_read_header(&source, &header) == MT_OK)
		t = mt__npy_read_data(&source, &header);
	close(f.fd);
	return t;
}
