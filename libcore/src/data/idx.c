/* IDX files (yann.lecun.com/exdb/mnist), plain or gzip'd: a magic number 0 0 TYPE RANK, RANK extents as big-endian
 * 32-bit integers, then the elements row-major. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/regular.h"
#include "mt/data.h"

enum { IDX_U8 = 0x08, CHUNK = 1 << 20 };

/* Deflate cannot expand more than this: a small file that promises more is not worth an allocation. */
static const int64_t most_expansion = 1032;

struct idx {
	const char *path;
	gzFile file;
	int64_t file_bytes; /* on disk */
};

static const char *type_name(int type) {
	switch (type) {
	case 0x08:
		return "u8";
	case 0x09:
		return "i8";
	case 0x0B:
		return "i16";
	case 0x0C:
		return "i32";
	case 0x0D:
		return "f32";
	case 0x0E:
		return "f64";
	default:
		return NULL;
	}
}

/* Opens path; zlib reads gzip'd and plain content alike. */
static mt_status open_idx(struct idx *in, const char *path) {
	in->path = path;
	int fd;
	uint64_t bytes;
	mt_status status = mt__regular_open(path, &fd, &bytes);
	if (status != MT_OK)
		return status;
	in->file_bytes = (int64_t)bytes;
	in->file = gzdopen(fd, "rb");
	if (in->file == NULL) {
		close(fd);
		return mt__fail_memory(path, sizeof *in);
	}
	return MT_OK;
}

/* Reads exactly bytes of what; position counts from the file's (unpacked) start. */
static mt_status read_exactly(struct idx *in, void *dst, int64_t bytes, const char *what, int64_t position) {
	int64_t done = 0;
	while (done < bytes) {
		int64_t chunk = bytes - done < CHUNK ? bytes - done : CHUNK;
		int got = gzread(in->file, (char *)dst + done, (unsigned)chunk);
		if (got <= 0)
			break;
		done += got;
	}
	if (done == bytes)
		return MT_OK;
	int code = Z_OK;
	const char *text = gzerror(in->file, &code);
	if (code == Z_ERRNO)
		return mt__fail(MT_E_IO, "%s: cannot read: %s", in->path, strerror(errno));
	if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
		return mt__fail(MT_E_FORMAT, "%s: damaged gzip data: %s", in->path, text);
	return mt__fail(MT_E_FORMAT,
	                "%s: expected %" PRId64 " bytes of %s, got %" PRId64 " (file ends at byte %" PRId64 ")", in->path,
	                bytes, what, done, position + done);
}

static mt_status read_magic(struct idx *in, int *rank) {
	unsigned char magic[4];
	mt_status status = read_exactly(in, magic, 4, "magic number", 0);
	if (status != MT_OK)
		return status;
	if (magic[0] != 0 || magic[1] != 0 || type_name(magic[2]) == NULL)
		return mt__fail(MT_E_FORMAT, "%s: expected an IDX magic number 00 00 TYPE RANK, got %02x %02x %02x %02x",
		                in->path, magic[0], magic[1], magic[2], magic[3]);
	if (magic[2] != IDX_U8)
		return mt__fail(MT_E_UNSUPPORTED, "%s: expected element type u8 (0x08), got %s (0x%02x)", in->path,
		                type_name(magic[2]), magic[2]);
	if (magic[3] < 1 || magic[3] > MT_MAX_RANK)
		return mt__fail(MT_E_FORMAT, "%s: expected 1 to %d dims, got %d", in->path, MT_MAX_RANK, magic[3]);
	*rank = magic[3];
	return MT_OK;
}

/* Reads the extents into shape and their product into *n. */
static mt_status read_shape(struct idx *in, int rank, int64_t *shape, int64_t *n) {
	unsigned char raw[4 * MT_MAX_RANK];
	mt_status status = read_exactly(in, raw, 4 * rank, "extents", 4);
	if (status != MT_OK)
		return status;
	int64_t product = 1;
	for (int d = 0; d < rank; d++) {
		const unsigned char *b = raw + 4 * d;
		uint32_t extent = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
		if (extent > INT32_MAX)
			return mt__fail(MT_E_FORMAT, "%s: expected extents below 2^31, got %" PRIu32 " in dim %d", in->path, extent,
			                d);
		if (extent != 0 && product > INT64_MAX / (int64_t)extent)
			return mt__fail(MT_E_FORMAT, "%s: expected a size below 2^63 bytes, got more at dim %d", in->path, d);
		product *= (int64_t)extent;
		shape[d] = (int64_t)extent;
	}
	*n = product;
	return MT_OK;
}

/* Before n bytes are allocated: whether the file can hold them. */
static mt_status check_size(struct idx *in, int rank, int64_t n) {
	int64_t header = 4 + 4 * (int64_t)rank;
	int plain = gzdirect(in->file);
	if (plain && n != in->file_bytes - header)
		return mt__fail(MT_E_FORMAT, "%s: expected %" PRId64 " bytes of elements, got %" PRId64, in->path, n,
		                in->file_bytes - header);
	if (!plain && n / most_expansion > in->file_bytes)
		return mt__fail(MT_E_FORMAT, "%s: expected %" PRId64 " bytes of elements, got a gzip file of %" PRId64 " bytes",
		                in->path, n, in->file_bytes);
	return MT_OK;
}

static mt_status check_end(struct idx *in, int64_t n) {
	char extra;
	int got = gzread(in->file, &extra, 1);
	if (got > 0)
		return mt__fail(MT_E_FORMAT, "%s: expected %" PRId64 " bytes of elements, got more", in->path, n);
	int code = Z_OK;
	const char *text = gzerror(in->file, &code);
	if (got < 0 || (code != Z_OK && code != Z_STREAM_END))
		return mt__fail(MT_E_FORMAT, "%s: damaged gzip data at its end: %s", in->path, text); /* checksum */
	return MT_OK;
}

static mt_status read_idx(struct idx *in, mt_host_array *out) {
	int64_t n = 0;
	mt_status status = read_magic(in, &out->rank);
	if (status == MT_OK)
		status = read_shape(in, out->rank, out->shape, &n);
	if (status == MT_OK)
		status = check_size(in, out->rank, n);
	if (status != MT_OK)
		return status;
	out->dtype = MT_U8;
	if (n > 0) {
		out->data = mt__alloc((size_t)n);
		if (out->data == NULL)
			return mt__fail_memory(in->path, (size_t)n);
		status = read_exactly(in, out->data, n, "elements", 4 + 4 * (int64_t)out->rank);
	}
	return status == MT_OK ? check_end(in, n) : status;
}

mt_status mt_idx_read(const char *path, mt_host_array *out) {
	if (out == NULL)
		return mt__fail_arg_null("idx_read", "out");
	memset(out, 0, sizeof *out);
	if (path == NULL)
		return mt__fail_arg_null("idx_read", "path");
	struct idx in = {0};
	mt_status status = open_idx(&in, path);
	if (status != MT_OK)
		return status;
	status = read_idx(&in, out);
	gzclose_r(in.file);
	if (status != MT_OK)
		mt_host_array_free(out);
	return status;
}

void mt_host_array_free(mt_host_array *array) {
	if (array == NULL)
		return;
	mt__free(array->data);
	memset(array, 0, sizeof *array);
}
