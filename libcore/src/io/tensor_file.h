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

#endif
