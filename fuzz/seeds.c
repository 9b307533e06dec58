#include "seeds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "mt/mt.h"

static const char *const three[] = {"a", "b.weight", "\xc3\xa9"};

static mt_status write_safetensors(const char *path) {
	mt_tensor *t[] = {mt_ones(MT_SHAPE(2, 3), MT_F32), mt_ones(MT_SHAPE(3), MT_BOOL), mt_zeros(MT_SHAPE(0, 2), MT_I64)};
	return mt_save_tensors(path, 3, three, t);
}

static mt_status write_checkpoint(const char *path) {
	mt_module *net = mt_nn_linear(2, 1, 1);
	mt_tensor *parameters[2];
	int64_t n = mt_module_parameters(net, parameters, 2);
	mt_optim *optim = mt_optim_adam(parameters, n, 0.1, (mt_adam_options){0});
	mt_status status = mt_checkpoint_save(&(mt_checkpoint){.module = net, .optim = optim, .epoch = 1}, path);
	mt_optim_free(optim);
	mt_module_free(net);
	return status;
}

static mt_status write_npy(const char *path) {
	return mt_npy_write(path, mt_ones(MT_SHAPE(2, 3), MT_F32));
}

static mt_status write_npy_bool(const char *path) {
	return mt_npy_write(path, mt_ones(MT_SHAPE(1, 1, 1, 1, 1, 1, 1, 3), MT_BOOL));
}

static mt_status write_npy_fortran(const char *path) {
	return mt_npy_write(path, mt_transpose(mt_ones(MT_SHAPE(3, 2), MT_I64), 0, 1));
}

/* Version 2.0, big-endian. */
static mt_status write_npy_swapped(const char *path) {
	static const char raw[] = "\x93NUMPY\2\0\x3c\0\0\0{'descr': '>i4', 'fortran_order': False, 'shape': (2,)}    \n"
							  "\0\0\0\1\0\0\0\2";
	return mt_write_file(path, raw, sizeof raw - 1);
}

static mt_status write_npz_kind(const char *path, int compress) {
	mt_tensor *t[] = {mt_ones(MT_SHAPE(2, 3), MT_F32), mt_ones(MT_SHAPE(3), MT_BOOL), mt_zeros(MT_SHAPE(0, 2), MT_I64)};
	return mt_npz_write(path, 3, three, t, compress);
}

static mt_status write_npz(const char *path) {
	return write_npz_kind(path, 0);
}

static mt_status write_npz_deflated(const char *path) {
	return write_npz_kind(path, 1);
}

/* As NumPy's zipfile writes: sizes in Zip64's extra field, in the local header alone. */
static mt_status write_npz_zip64(const char *path) {
	static const char raw[] =
		"PK\3\4\x2d\0\0\0\0\0\0\0!\0\x4a\xc0\x97\x12\xff\xff\xff\xff\xff\xff\xff\xff\5\0\x14\0a.npy\1\0\x10\0"
		"\x4c\0\0\0\0\0\0\0\x4c\0\0\0\0\0\0\0"
		"\x93NUMPY\1\0\x40\0{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }      \n\1\2"
		"PK\1\2\x2d\3\x2d\0\0\0\0\0\0\0!\0\x4a\xc0\x97\x12\x4c\0\0\0\x4c\0\0\0\5\0\0\0\0\0\0\0\0\0\0\0\x80\1\0\0\0\0"
		"a.npy"
		"PK\5\6\0\0\0\0\1\0\1\0\x33\0\0\0\x83\0\0\0\0";
	char file[sizeof raw];
	memcpy(file, raw, sizeof raw);
	char *member = memmem(file, sizeof file, "\x93NUMPY", 6);
	uint32_t crc = (uint32_t)crc32(0, (const unsigned char *)member, 0x4c);
	memcpy(file + 14, &crc, 4);
	memcpy((char *)memmem(file, sizeof file, "PK\1\2", 4) + 16, &crc, 4);
	return mt_write_file(path, file, sizeof file);
}

static const unsigned char idx[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 250, 251, 252};

static mt_status write_idx(const char *path) {
	return mt_write_file(path, idx, sizeof idx);
}

static mt_status write_idx_gzip(const char *path) {
	gzFile f = gzopen(path, "wb");
	if (f == NULL)
		return MT_E_IO;
	int whole = gzwrite(f, idx, sizeof idx) == sizeof idx;
	return gzclose(f) == Z_OK && whole ? MT_OK : MT_E_IO;
}

static const struct {
	const char *name;
	mt_status (*write)(const char *path);
	fuzz_reader reader;
} kinds[FUZZ_SEEDS] = {
	{"safetensors-tensors", write_safetensors, fuzz_read_safetensors},
	{"safetensors-checkpoint", write_checkpoint, fuzz_read_safetensors},
	{"npy-c", write_npy, fuzz_read_npy},
	{"npy-bool", write_npy_bool, fuzz_read_npy},
	{"npy-fortran", write_npy_fortran, fuzz_read_npy},
	{"npy-swapped", write_npy_swapped, fuzz_read_npy},
	{"npz-stored", write_npz, fuzz_read_npz},
	{"npz-deflated", write_npz_deflated, fuzz_read_npz},
	{"npz-zip64", write_npz_zip64, fuzz_read_npz},
	{"idx-plain", write_idx, fuzz_read_idx},
	{"idx-gzip", write_idx_gzip, fuzz_read_idx},
};

static int take(struct fuzz_seed *seed, const char *path) {
	FILE *f = fopen(path, "rb");
	seed->data = malloc(65536);
	if (f != NULL && seed->data != NULL)
		seed->bytes = fread(seed->data, 1, 65536, f);
	return f != NULL && fclose(f) == 0 && seed->bytes > 0;
}

int fuzz_make_seeds(struct fuzz_seed *seeds, const char *folder) {
	char path[512];
	int made = 1;
	memset(seeds, 0, FUZZ_SEEDS * sizeof *seeds);
	for (int i = 0; i < FUZZ_SEEDS; i++) {
		mt_scope *scope = mt_scope_begin();
		snprintf(path, sizeof path, "%s/seed", folder);
		seeds[i].name = kinds[i].name;
		seeds[i].reader = kinds[i].reader;
		made &= kinds[i].write(path) == MT_OK && take(&seeds[i], path);
		unlink(path);
		mt_scope_end(scope);
	}
	return made;
}

void fuzz_free_seeds(struct fuzz_seed *seeds) {
	for (int i = 0; i < FUZZ_SEEDS; i++)
		free(seeds[i].data);
}
