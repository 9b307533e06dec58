/* An open safetensors file. */
#ifndef MT_IO_TENSOR_FILE_H
#define MT_IO_TENSOR_FILE_H

#include <jansson.h>

#include "mt/io.h"

struct mt__entry {
	char *name;
	mt_dtype dtype;
	int rank;
	int64_t shape[MT_MAX_RANK];
	uint64_t begin, end; /* within the data */
};

struct mt_tensor_file {
	char *path;
	int fd;
	uint64_t data_at, data_bytes;
	struct mt__entry *entries; /* sorted by begin */
	int64_t n;
	json_t *notes; /* __metadata__: an object of texts; NULL where there is none */
};

/* Reads exactly bytes at offset of the file.  MT_E_IO otherwise. */
mt_status mt__tensor_file_pread(const mt_tensor_file *f, void *dst, size_t bytes, uint64_t offset);

/* MT_OK where file is open and has a tensor i; else what op says of it. */
mt_status mt__tensor_file_check(const char *op, const mt_tensor_file *file, int64_t i);

/* MT_E_FORMAT where data, all of e, holds a bool that is neither 0 nor 1. */
mt_status mt__tensor_file_check_bools(const mt_tensor_file *f, const struct mt__entry *e, const unsigned char *data);

#endif
