/* file_peer: what the test against other programs' files runs.
 *
 *     file_peer make FOLDER                 NAME.npy for each of the arrays below; of all of them made.npz, deflated.npz and,
 *                                           with bf16, made.safetensors
 *     file_peer convert FILE OUT            every array of a .npy (as "array"), .npz or .safetensors file to OUT, an .npz or
 *                                           .safetensors file
 *     file_peer lenet BACKEND WEIGHTS INPUT.npy LOGITS.npy SAVED
 *                                           train_mnist's lenet: weights by mt_load_state, logits of the input, and the
 *                                           weights again by mt_save_state
 *
 * Element i, row-major, of an array is (7 i mod 120) − 60, without the − 60 in u8; i mod 2 in bool. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mt/mt.h"
#include "train_mnist/train_mnist.h"

enum { MOST = 64, ELEMENTS = 64 };

static int fail(const char *what) {
	fprintf(stderr, "file_peer: %s: %s\n", what, mt_error_take(NULL));
	return 1;
}

static int ends_with(const char *text, const char *end) {
	size_t length = strlen(text);
	return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

/* ---- make ------------------------------------------------------------------------------------------------------- */

static mt_tensor *pattern(int rank, const int64_t *shape, mt_dtype dtype) {
	double values[ELEMENTS];
	for (int i = 0; i < ELEMENTS; i++)
		values[i] = dtype == MT_BOOL ? i % 2 : 7 * i % 120 - (dtype == MT_U8 ? 0 : 60);
	return mt_cast(mt_from_data(rank, shape, MT_F64, values), dtype);
}

static int write_all(const char *folder, const char *name, const char *const *names, mt_tensor *const *t, int n) {
	char path[512];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	mt_status status = ends_with(name, ".safetensors") ? mt_save_tensors(path, n, names, t)
	                                                   : mt_npz_write(path, n, names, t, name[0] == 'd');
	return status == MT_OK ? 0 : fail(path);
}

static int make(const char *folder) {
	static const char *const names[] = {"f32",  "f64",     "f16",    "i32",   "i64",   "u8",
	                                    "bool", "fortran", "scalar", "empty", "rank8", "bf16"};
	enum { N = sizeof names / sizeof *names };
	mt_tensor *t[N];
	for (int i = 0; i < 7; i++) {
		mt_dtype dtype = 0;
		if (mt_dtype_parse(names[i], &dtype) != MT_OK)
			return fail(names[i]);
		t[i] = pattern(MT_SHAPE(2, 3, 4), dtype);
	}
	t[7] = mt_transpose(pattern(MT_SHAPE(3, 5), MT_F32), 0, 1);
	t[8] = pattern(MT_SHAPE0, MT_F64);
	t[9] = pattern(MT_SHAPE(0, 3), MT_I64);
	t[10] = pattern(MT_SHAPE(1, 2, 1, 2, 1, 2, 1, 2), MT_U8);
	t[11] = pattern(MT_SHAPE(4), MT_BF16);
	for (int i = 0; i < N - 1; i++) {
		char path[512];
		snprintf(path, sizeof path, "%s/%s.npy", folder, names[i]);
		if (mt_npy_write(path, t[i]) != MT_OK)
			return fail(path);
	}
	return write_all(folder, "made.npz", names, t, N - 1) || write_all(folder, "deflated.npz", names, t, N - 1) ||
	       write_all(folder, "made.safetensors", names, t, N);
}

/* ---- convert ---------------------------------------------------------------------------------------------------- */

struct arrays {
	const char *names[MOST]; /* the open file's */
	mt_tensor *t[MOST];
	int n;
};

static int take(struct arrays *a, const char *name, mt_tensor *t) {
	if (t == NULL || a->n == MOST)
		return 0;
	a->names[a->n] = name;
	a->t[a->n++] = t;
	return 1;
}

static int take_npz(struct arrays *a, mt_npz *z) {
	int ok = z != NULL;
	for (int64_t i = 0; ok && i < mt_npz_count(z); i++)
		ok = take(a, mt_npz_name(z, i), mt_npz_read(z, i));
	return ok;
}

static int take_safetensors(struct arrays *a, mt_tensor_file *f) {
	int ok = f != NULL;
	for (int64_t i = 0; ok && i < mt_tensor_file_count(f); i++)
		ok = take(a, mt_tensor_file_name(f, i), mt_tensor_file_read(f, i));
	return ok;
}

static int convert(const char *from, const char *to) {
	struct arrays a = {.n = 0};
	mt_npz *z = ends_with(from, ".npz") ? mt_npz_open(from) : NULL;
	mt_tensor_file *f = ends_with(from, ".safetensors") ? mt_tensor_file_open(from) : NULL;
	int ok = ends_with(from, ".npy")   ? take(&a, "array", mt_npy_read(from))
	         : ends_with(from, ".npz") ? take_npz(&a, z)
	                                   : take_safetensors(&a, f);
	if (ok)
		ok = (ends_with(to, ".npz") ? mt_npz_write(to, a.n, a.names, a.t, 1)
		                            : mt_save_tensors(to, a.n, a.names, a.t)) == MT_OK;
	mt_npz_close(z);
	mt_tensor_file_close(f);
	return ok ? 0 : fail(from);
}

/* ---- lenet ------------------------------------------------------------------------------------------------------ */

static int lenet(char **argument) {
	mt_device *device = mt_device_open(argument[0]);
	int i = 0;
	if (device == NULL || mt_device_use(device) != MT_OK)
		return fail(argument[0]);
	while (model_names[i] != NULL && strcmp(model_names[i], "lenet") != 0)
		i++;
	mt_module *net = model_names[i] ? models[i].build() : NULL;
	if (net == NULL || mt_load_state(net, argument[1]) != MT_OK)
		return fail(argument[1]);
	mt_tensor *logits = mt_forward(net, mt_npy_read(argument[2]));
	if (logits == NULL)
		return fail(argument[2]);
	int ok = mt_npy_write(argument[3], logits) == MT_OK && mt_save_state(net, argument[4]) == MT_OK;
	mt_module_free(net);
	return ok ? 0 : fail(argument[3]);
}

int main(int argc, char **argv) {
	if (argc == 3 && strcmp(argv[1], "make") == 0)
		return make(argv[2]);
	if (argc == 4 && strcmp(argv[1], "convert") == 0)
		return convert(argv[2], argv[3]);
	if (argc == 7 && strcmp(argv[1], "lenet") == 0)
		return lenet(argv + 2);
	fprintf(stderr, "file_peer: usage: make FOLDER | convert FILE OUT | lenet BACKEND WEIGHTS INPUT LOGITS SAVED\n");
	return 2;
}
