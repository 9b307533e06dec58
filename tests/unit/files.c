#include "files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

int files_make(void) {
	snprintf(folder, sizeof folder, "/tmp/mt-files.XXXXXX");
	return mkdtemp(folder) == NULL;
}

int files_remove(void) {
	int left_behind = 0;
	DIR *dir = opendir(folder);
	if (dir == NULL)
		return 1;
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		left_behind |= strstr(entry->d_name, ".tmp-") != NULL;
		if (entry->d_name[0] != '.')
			unlink(files_path(entry->d_name));
	}
	closedir(dir);
	return rmdir(folder) != 0 || left_behind;
}

const char *files_path(const char *name) {
	static char paths[4][400];
	static unsigned next;
	char *path = paths[next++ % 4];
	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

int files_write(const char *name, const void *data, size_t bytes) {
	FILE *f = fopen(files_path(name), "wb");
	if (f == NULL)
		return 0;
	size_t done = bytes > 0 ? fwrite(data, 1, bytes, f) : 0;
	return fclose(f) == 0 && done == bytes;
}

unsigned char *files_read(const char *name, size_t *bytes) {
	FILE *f = fopen(files_path(name), "rb");
	unsigned char *data = NULL;
	if (f == NULL)
		return NULL;
	if (fseek(f, 0, SEEK_END) == 0) {
		*bytes = (size_t)ftell(f);
		rewind(f);
		data = malloc(*bytes + 1);
		if (data != NULL && fread(data, 1, *bytes, f) != *bytes) {
			free(data);
			data = NULL;
		}
	}
	fclose(f);
	return data;
}

int files_same(mt_tensor *a, mt_tensor *b) {
	int rank = mt_tensor_rank(a);
	if (a == NULL || b == NULL || mt_tensor_dtype(a) != mt_tensor_dtype(b) || rank != mt_tensor_rank(b))
		return 0;
	for (int d = 0; d < rank; d++)
		if (mt_tensor_size(a, d) != mt_tensor_size(b, d))
			return 0;
	size_t bytes = (size_t)mt_tensor_numel(a) * mt_dtype_size(mt_tensor_dtype(a));
	void *x = malloc(bytes + 1), *y = malloc(bytes + 1);
	int same = x && y && mt_to_host(a, x, bytes) == MT_OK && mt_to_host(b, y, bytes) == MT_OK;
	if (same && bytes > 0)
		same = memcmp(x, y, bytes) == 0;
	free(x);
	free(y);
	return same;
}
