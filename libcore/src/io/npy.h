/* The .npy format, shared by files of one array and archives:
 *     8 bytes      0x93 "NUMPY", major and minor version
 *     2 or 4       length of the header, little-endian (4 from version 2.0 on)
 *     header       a Python dict {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }, padded with spaces and \n
 *     data         the elements, row-major, or column-major where fortran_order is True */
#ifndef MT_IO_NPY_H
#define MT_IO_NPY_H

#include "mt/tensor.h"

#define MT__NPY_MAX_HEADER 65535 /* what version 1.0 can have; the dtypes that need more are none of mt's */
#define MT__NPY_PREAMBLE 256 /* enough for what mt writes before the data: rank MT_MAX_RANK with 19 digits an extent */

struct mt__npy_header {
	mt_dtype dtype;
	int swapped; /* big-endian */
	int fortran;
	int rank;
	int64_t shape[MT_MAX_RANK];
	uint64_t bytes; /* of data; at most INT64_MAX */
};

/* ---- npy_dtype.c ---- */

/* "<f4" for MT_F32; NULL where NumPy has none. */
const char *mt__npy_descr(mt_dtype dtype);
/* The dtype and byte order of length bytes of a descr.  what begins the message: a path.  MT_E_UNSUPPORTED. */
mt_status mt__npy_parse_descr(const char *what, const char *descr, size_t length, mt_dtype *dtype, int *swapped);

/* ---- npy_header.c ---- */

/* The header's text, length bytes of anything.  MT_E_FORMAT, MT_E_UNSUPPORTED. */
mt_status mt__npy_parse_header(const char *what, const char *text, size_t length, struct mt__npy_header *out);

/* ---- npy_read.c ---- */

/* Where a .npy's bytes come from, in order. */
struct mt__npy_source {
	const char *what; /* begins messages: the path, and the array's name in an archive */
	uint64_t bytes;   /* in all */
	mt_status (*read)(void *context, void *dst, size_t bytes); /* exactly; a failure with the error set */
	void *context;
};

/* Everything before the data; source->bytes must be what the header says. */
mt_status mt__npy_read_header(const struct mt__npy_source *source, struct mt__npy_header *out);
/* The data after it.  NULL with the error set. */
mt_tensor *mt__npy_read_data(const struct mt__npy_source *source, const struct mt__npy_header *header);

/* ---- npy_write.c ---- */

/* What a tensor will be as a .npy. */
struct mt__npy_image {
	char preamble[MT__NPY_PREAMBLE]; /* all before the data */
	size_t preamble_bytes, data_bytes;
	int fortran;
};

/* MT_E_DTYPE. */
mt_status mt__npy_image(const char *what, mt_tensor *t, struct mt__npy_image *out);
/* Copies the data of t, whose image this is, to dst. */
mt_status mt__npy_copy_data(mt_tensor *t, const struct mt__npy_image *image, void *dst);

#endif
