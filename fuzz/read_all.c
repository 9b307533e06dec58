#include "read_all.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mt/mt.h"

long fuzz_valid;

const char *fuzz_file(const void *data, size_t bytes) {
	static int fd = -1;
	static char path[32];
	if (fd < 0) {
		fd = memfd_create("mt-fuzz", MFD_CLOEXEC);
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	}
	if (fd < 0 || ftruncate(fd, 0) != 0 || (bytes > 0 && pwrite(fd, data, bytes, 0) != (ssize_t)bytes))
		return NULL;
	return path;
}

void fuzz_require(fuzz_reader reader, const void *data, size_t bytes) {
	const char *wrong = reader(data, bytes);
	if (wrong == NULL)
		return;
	fprintf(stderr, "fuzz: %s\n", wrong);
	abort();
}

/* After a failure: the slot must say what it was, and name the file. */
static const char *check_error(const char *path) {
	mt_status status;
	const char *message = mt_error_take(&status);
	if (status == MT_OK)
		return "failed without an error";
	if (status == MT_E_INTERNAL || status == MT_E_NULL)
		return "failed with an error that is not the file's";
	return strstr(message, path) != NULL || status == MT_E_MEMORY ? NULL : "failed without naming the file";
}

static int dtype_is_known(mt_dtype dtype) {
	return mt_dtype_size(dtype) != 0;
}

/* Whether every element of t can be had, and what is known before of its dtype and shape is true. */
static const char *check_tensor(mt_tensor *t, mt_dtype dtype, int rank, const int64_t *shape) {
	size_t bytes = (size_t)mt_tensor_numel(t) * mt_dtype_size(mt_tensor_dtype(t));
	if (!dtype_is_known(mt_tensor_dtype(t)) || mt_tensor_dtype(t) != dtype || mt_tensor_rank(t) != rank)
		return "another dtype or rank than was told";
	for (int d = 0; d < rank; d++)
		if (mt_tensor_size(t, d) != shape[d] || shape[d] < 0)
			return "another shape than was told";
	unsigned char *host = malloc(bytes + 1);
	if (host == NULL)
		return "more elements than there is memory";
	const char *wrong = mt_to_host(t, host, bytes) == MT_OK ? NULL : "elements that cannot be had";
	for (size_t i = 0; dtype == MT_BOOL && i < bytes; i++)
		if (host[i] > 1)
			wrong = "a bool other than 0 and 1";
	free(host);
	fuzz_valid++;
	return wrong;
}

static const char *read_tensors(mt_tensor_file *f, const char *path) {
	const char *wrong = NULL;
	for (int64_t i = 0; wrong == NULL && i < mt_tensor_file_count(f); i++) {
		int64_t shape[MT_MAX_RANK];
		mt_dtype dtype = 0;
		int rank = 0;
		if (mt_tensor_file_find(f, mt_tensor_file_name(f, i)) != i)
			return "a name that does not find its tensor";
		if (mt_tensor_file_info(f, i, &dtype, &rank, shape) != MT_OK)
			return "no dtype and shape of a tensor that is there";
		mt_tensor *t = mt_tensor_file_read(f, i);
		wrong = t ? check_tensor(t, dtype, rank, shape) : check_error(path);
		int was_read = t != NULL;
		t = mt_tensor_file_map(f, i);
		if (wrong == NULL)
			wrong = t ? check_tensor(t, dtype, rank, shape) : check_error(path);
		if (wrong == NULL && was_read != (t != NULL))
			wrong = "a tensor that can be read or mapped, but not both";
	}
	(void)mt_tensor_file_note(f, "format");
	return wrong;
}

const char *fuzz_read_safetensors(const void *data, size_t bytes) {
	const char *path = fuzz_file(data, bytes);
	mt_scope *scope = mt_scope_begin();
	mt_tensor_file *f = path ? mt_tensor_file_open(path) : NULL;
	const char *wrong = path == NULL ? "no file in memory" : f == NULL ? check_error(path) : read_tensors(f, path);
	mt_tensor_file_close(f);
	mt_scope_end(scope);
	return wrong;
}

const char *fuzz_read_npy(const void *data, size_t bytes) {
	const char *path = fuzz_file(data, bytes);
	mt_scope *scope = mt_scope_begin();
	mt_tensor *t = path ? mt_npy_read(path) : NULL;
	const char *wrong = path == NULL ? "no file in memory"
	                    : t == NULL  ? check_error(path)
	                                 : check_tensor(t, mt_tensor_dtype(t), mt_tensor_rank(t), mt_tensor_shape(t));
	mt_scope_end(scope);
	return wrong;
}

static const char *read_arrays(mt_npz *z, const char *path) {
	const char *wrong = NULL;
	for (int64_t i = 0; wrong == NULL && i < mt_npz_count(z); i++) {
		int64_t shape[MT_MAX_RANK];
		mt_dtype dtype = 0;
		int rank = 0;
		mt_scope *scope = mt_scope_begin();
		if (mt_npz_find(z, mt_npz_name(z, i)) != i)
			wrong = "a name that does not find its array";
		else if (mt_npz_info(z, i, &dtype, &rank, shape) != MT_OK)
			wrong = check_error(path);
		else {
			mt_tensor *t = mt_npz_read(z, i);
			wrong = t ? check_tensor(t, dtype, rank, shape) : check_error(path);
		}
		mt_scope_end(scope);
	}
	return wrong;
}

const char *fuzz_read_npz(const void *data, size_t bytes) {
	const char *path = fuzz_file(data, bytes);
	mt_npz *z = path ? mt_npz_open(path) : NULL;
	const char *wrong = path == NULL ? "no file in memory" : z == NULL ? check_error(path) : read_arrays(z, path);
	mt_npz_close(z);
	return wrong;
}

static const char *check_array(const mt_host_array *a) {
	const unsigned char *data = a->data;
	int64_t n = 1;
	unsigned sum = 0;
	if (a->dtype != MT_U8 || a->rank < 1 || a->rank > MT_MAX_RANK)
		return "an array of another dtype or rank";
	for (int d = 0; d < a->rank; d++)
		n *= a->shape[d];
	if (n < 0 || (n > 0 && data == NULL))
		return "an array without its data";
	for (int64_t i = 0; i < n; i++)
		sum += data[i];
	fuzz_valid++;
	return sum == 1u << 31 ? "an unlikely sum" : NULL; /* so that the bytes are read */
}

const char *fuzz_read_idx(const void *data, size_t bytes) {
	const char *path = fuzz_file(data, bytes), *wrong;
	mt_host_array a;
	if (path == NULL)
		return "no file in memory";
	mt_status status = mt_idx_read(path, &a);
	if (status == MT_OK)
		wrong = check_array(&a);
	else
		wrong = a.data != NULL || a.rank != 0 ? "a failure that left something behind" : check_error(path);
	mt_host_array_free(&a);
	return wrong;
}
