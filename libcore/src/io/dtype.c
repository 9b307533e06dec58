/* Names of dtypes in safetensors files. */
#include <string.h>

#include "io/safetensors.h"

static const struct {
	mt_dtype dtype;
	const char *name;
} names[] = {
	{MT_F32, "F32"}, {MT_F64, "F64"}, {MT_F16, "F16"}, {MT_BF16, "BF16"},
	{MT_I32, "I32"}, {MT_I64, "I64"}, {MT_U8, "U8"},   {MT_BOOL, "BOOL"},
};

const char *mt__safetensors_dtype_name(mt_dtype dtype) {
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].dtype == dtype)
			return names[i].name;
	return NULL;
}

mt_dtype mt__safetensors_dtype(const char *name) {
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].dtype;
	return 0;
}
