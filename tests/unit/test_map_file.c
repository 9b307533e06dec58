/* Tensors over a mapped file: nothing is read before it is touched, nothing that is written reaches the file, and the
 * mapping is there exactly as long as something needs it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends.h"
#include "files.h"

/* How many mappings of this process have the test's file. */
static int mappings(void) {
	char line[512];
	int n = 0;
	FILE *maps = fopen("/proc/self/maps", "r");
	while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
		n += strstr(line, files_path("a.safetensors")) != NULL;
	if (maps != NULL)
		fclose(maps);
	return n;
}

static int maps_here(void) {
	struct mt_device_info info;
	return mt_device_describe(mt_device_current(), &info) == MT_OK && info.memory_kind == MT_MEMORY_HOST;
}

static int save(int n, const char *const *names, mt_tensor *const *tensors) {
	return MT_CHECK_INT(mt_save_tensors(files_path("a.safetensors"), n, names, tensors), MT_OK);
}

static mt_tensor *ramp(int64_t n) {
	return mt_arange(mt_i(0), mt_i(n), mt_i(1), MT_F32);
}

/* ---- what it gives ------------------------------------------------------------------------------------------------ */

static void test_values(void) {
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16, MT_BF16, MT_I32, MT_I64, MT_U8, MT_BOOL};
	enum { N = 8 };
	const char *names[N];
	mt_tensor *t[N];
	for (int i = 0; i < N; i++) {
		names[i] = mt_dtype_name(dtypes[i]);
		t[i] = mt_cast(mt_randint(0, 2, MT_SHAPE(3, 8)), dtypes[i]); /* every one begins aligned */
	}
	MT_REQUIRE(save(N, names, t));
	mt_tensor_file *f = mt_tensor_file_open(files_path("a.safetensors"));
	MT_REQUIRE(f != NULL);
	for (int i = 0; i < N; i++) {
		mt_scope *scope = mt_scope_begin();
		int64_t at = mt_tensor_file_find(f, names[i]);
		mt_tensor *mapped = mt_tensor_file_map(f, at), *read = mt_tensor_file_read(f, at);
		double same = 0;
		row("%s", names[i]);
		MT_CHECK_INT(mappings(), maps_here());
		MT_CHECK_INT(mt_tensor_dtype(mapped), dtypes[i]);
		CHECK_SHAPE(mapped, 3, 8);
		MT_CHECK(mt_item(mt_all(mt_eq(mapped, read), MT_ALL_AXES, 0), &same) == MT_OK && same == 1);
		mt_scope_end(scope);
		MT_CHECK_INT(mappings(), 0);
	}
	mt_tensor_file_close(f);
}

/* The second tensor begins at an odd byte, the third is empty: both are read. */
static void test_not_mapped(void) {
	static const char header[] = "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
								 "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[1,9]},"
								 "\"c\":{\"dtype\":\"F32\",\"shape\":[0,3],\"data_offsets\":[9,9]}}";
	static const float values[2] = {1.5f, -2};
	uint64_t length = sizeof header - 1;
	FILE *file = fopen(files_path("a.safetensors"), "wb");
	MT_REQUIRE(file != NULL);
	fwrite(&length, sizeof length, 1, file);
	fwrite(header, 1, length, file);
	fwrite("\7", 1, 1, file);
	fwrite(values, sizeof values, 1, file);
	MT_CHECK_INT(fclose(file), 0);
	mt_tensor_file *f = mt_tensor_file_open(files_path("a.safetensors"));
	MT_REQUIRE(f != NULL);
	mt_scope *scope = mt_scope_begin();
	CHECK_VALUES(mt_tensor_file_map(f, 0), 7);
	MT_CHECK_INT(mappings(), maps_here());
	mt_scope_end(scope);
	CHECK_VALUES(mt_tensor_file_map(f, 1), 1.5, -2);
	CHECK_SHAPE(mt_tensor_file_map(f, 2), 0, 3);
	MT_CHECK_INT(mappings(), 0);
	mt_tensor_file_close(f);
}

/* ---- lazy, private, lasting --------------------------------------------------------------------------------------- */

enum { PAGES = 512 };

/* Pages of this process's mapping of t that it has touched, by /proc/self/pagemap's present bit; −1 where it cannot be
 * had. */
static int touched(const mt_tensor *t) {
	long page = sysconf(_SC_PAGESIZE);
	uintptr_t at = (uintptr_t)mt_data((mt_tensor *)(uintptr_t)t) / (uintptr_t)page;
	int n = 0, fd = open("/proc/self/pagemap", O_RDONLY);
	if (fd < 0)
		return -1;
	for (int i = 0; i < PAGES; i++) {
		uint64_t entry = 0;
		if (pread(fd, &entry, sizeof entry, (off_t)((at + (uintptr_t)i) * sizeof entry)) != sizeof entry)
			n = -PAGES - 1;
		n += (int)(entry >> 63);
	}
	close(fd);
	return n < 0 ? -1 : n;
}

/* Drops the file from the system's cache, so that a page that is resident was asked for. */
static void forget(const char *path) {
	int fd = open(path, O_RDONLY);
	MT_REQUIRE(fd >= 0);
	fsync(fd);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
}

static void test_lazy(void) {
	static const char *const name = "w";
	int64_t n = PAGES * sysconf(_SC_PAGESIZE) / (int64_t)sizeof(float);
	double value = 0;
	if (!maps_here())
		return;
	mt_tensor *t = ramp(n);
	MT_REQUIRE(save(1, &name, &t));
	forget(files_path("a.safetensors"));
	mt_tensor_file *f = mt_tensor_file_open(files_path("a.safetensors"));
	mt_tensor *w = mt_tensor_file_map(f, 0);
	MT_REQUIRE(w != NULL);
	int before = touched(w);
	if (before < 0)
		MT_SKIP("no /proc/self/pagemap");
	MT_CHECK_INT(before, 0);
	MT_CHECK(mt_get(w, (int64_t[]){n / 2}, &value) == MT_OK && value == (double)(n / 2));
	int one = touched(w);
	MT_CHECK_MSG(one >= 1 && one < PAGES, "%d pages after one element was read", one); /* the system reads ahead */
	MT_CHECK(mt_item(mt_max(w, MT_ALL_AXES, 0), &value) == MT_OK && value == (double)(n - 1));
	MT_CHECK_INT(touched(w), PAGES);
	mt_tensor_file_close(f);
}

static void test_private(void) {
	static const char *const names[] = {"a", "b"};
	mt_tensor *t[] = {ramp(6), ramp(6)};
	struct stat before, after;
	MT_REQUIRE(save(2, names, t));
	MT_REQUIRE(stat(files_path("a.safetensors"), &before) == 0);
	mt_tensor_file *f = mt_tensor_file_open(files_path("a.safetensors"));
	mt_tensor *a = mt_tensor_file_map(f, 0), *b = mt_tensor_file_map(f, 1), *again = mt_tensor_file_map(f, 0);
	MT_REQUIRE(a != NULL && b != NULL && again != NULL);
	MT_CHECK(mt_mul_scalar_(a, mt_f(-1)) != NULL && mt_set(a, (int64_t[]){5}, mt_f(99)) == MT_OK);
	CHECK_VALUES(a, 0, -1, -2, -3, -4, 99);
	CHECK_VALUES(b, 0, 1, 2, 3, 4, 5);     /* though it lies in the same page of the file */
	CHECK_VALUES(again, 0, 1, 2, 3, 4, 5); /* each mapping has its own copy */
	CHECK_VALUES(mt_tensor_file_read(f, 0), 0, 1, 2, 3, 4, 5);
	MT_CHECK(stat(files_path("a.safetensors"), &after) == 0 && before.st_mtim.tv_sec == after.st_mtim.tv_sec &&
	         before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
	mt_tensor_file_close(f);
}

/* A parameter over a mapped file trains. */
static void test_trains(void) {
	static const char *const name = "w";
	mt_tensor *t = ramp(4);
	MT_REQUIRE(save(1, &name, &t));
	mt_tensor_file *f = mt_tensor_file_open(files_path("a.safetensors"));
	mt_tensor *w = mt_requires_grad_(mt_tensor_file_map(f, 0), 1);
	mt_tensor_file_close(f);
	mt_optim *o = mt_optim_sgd(&w, 1, 0.5, (mt_sgd_options){0});
	MT_REQUIRE(o != NULL);
	MT_CHECK(mt_backward(mt_sum(mt_mul(w, w), MT_ALL_AXES, 0)) == MT_OK && mt_optim_step(o) == MT_OK);
	CHECK_VALUES(w, 0, 0, 0, 0);
	mt_optim_free(o);
}

static void test_lasts(void) {
	static const char *const name = "w";
	mt_tensor *t = ramp(5);
	MT_REQUIRE(save(1, &name, &t));
	mt_tensor_file *f = mt_tensor_file_open(files_path("a.safetensors"));
	mt_scope *scope = mt_scope_begin();
	mt_tensor *view = mt_retain(mt_slice(mt_tensor_file_map(f, 0), 0, 1, 4, 2));
	mt_tensor_file_close(f);
	mt_scope_end(scope);
	MT_CHECK_INT(mappings(), maps_here());
	/* a new file in its place is another file */
	t = mt_zeros(MT_SHAPE(5), MT_F32);
	MT_REQUIRE(save(1, &name, &t));
	CHECK_VALUES(view, 1, 3);
	mt_release(view);
	MT_CHECK_INT(mappings(), 0);
}

/* ---- what is refused ---------------------------------------------------------------------------------------------- */

static void test_refused(void) {
	static const char header[] = "{\"a\":{\"dtype\":\"BOOL\",\"shape\":[2],\"data_offsets\":[0,2]}}";
	uint64_t length = sizeof header - 1;
	FILE *file = fopen(files_path("a.safetensors"), "wb");
	MT_REQUIRE(file != NULL);
	fwrite(&length, sizeof length, 1, file);
	fwrite(header, 1, length, file);
	fwrite("\1\2", 1, 2, file);
	MT_CHECK_INT(fclose(file), 0);
	mt_tensor_file *f = mt_tensor_file_open(files_path("a.safetensors"));
	MT_REQUIRE(f != NULL);
	int64_t live = mt_live_tensors();
	MT_CHECK(mt_tensor_file_map(f, 0) == NULL);
	CHECK_ERROR(MT_E_FORMAT, "'a': expected a bool of 0 or 1, got 2");
	MT_CHECK(mt_tensor_file_map(f, 1) == NULL);
	CHECK_ERROR(MT_E_ARG, "tensor_file_map: ");
	MT_CHECK(mt_tensor_file_map(f, -1) == NULL);
	CHECK_ERROR(MT_E_ARG, "tensor -1 is out of range, there are 1");
	MT_CHECK(mt_tensor_file_map(NULL, 0) == NULL);
	CHECK_ERROR(MT_E_NULL, "tensor_file_map: file");
	MT_CHECK(truncate(files_path("a.safetensors"), (off_t)(8 + length + 1)) == 0);
	MT_CHECK(mt_tensor_file_map(f, 0) == NULL);
	CHECK_ERROR(MT_E_IO, "became shorter");
	MT_CHECK_INT(mt_live_tensors(), live);
	MT_CHECK_INT(mappings(), 0);
	mt_tensor_file_close(f);
}

#define EACH(name)                                                                                                     \
	static void each_##name(void) {                                                                                    \
		each_backend(test_##name);                                                                                     \
	}
EACH(values)
EACH(not_mapped)
EACH(lazy)
EACH(private)
EACH(trains)
EACH(lasts)
EACH(refused)

static const mt_test_case cases[] = {
	{"values", each_values}, {"not_mapped", each_not_mapped}, {"lazy", each_lazy},       {"private", each_private},
	{"trains", each_trains}, {"lasts", each_lasts},           {"refused", each_refused}, {0}};
static const mt_test_suite suites[] = {{"map_file", cases, files_make, files_remove}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
