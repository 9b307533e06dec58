/* dtypes of .npy files: a byte order (< little-endian, > big-endian, = the writer's, | none), a kind, a size in bytes. */
#include <string.h>

#include "base/error.h"
#include "io/npy.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error ".npy files are written little-endian"
#endif

static const struct {
	mt_dtype dtype;
	const char *descr;
} written[] = {
	{MT_F32, "<f4"}, {MT_F64, "<f8"}, {MT_F16, "<f2"},  {MT_I32, "<i4"},
	{MT_I64, "<i8"}, {MT_U8, "|u1"},  {MT_BOOL, "|b1"},
};

/* What NumPy has besides, by kind. */
static const struct {
	char kind;
	const char *name;
} others[] = {
	{'f', "another float"},
	{'i', "another signed integer"},
	{'u', "another unsigned integer"},
	{'c', "complex numbers"},
	{'S', "byte strings"},
	{'a', "byte strings"},
	{'U', "text"},
	{'O', "Python objects"},
	{'M', "dates"},
	{'m', "time spans"},
	{'V', "raw bytes, as bfloat16 is stored"},
};

const char *mt__npy_descr(mt_dtype dtype) {
	for (size_t i = 0; i < sizeof written / sizeof *written; i++)
		if (written[i].dtype == dtype)
			return written[i].descr;
	return NULL;
}

static const char *name_of_kind(char kind) {
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (others[i].kind == kind)
			return others[i].name;
	return "unknown";
}

/* A byte order must be told where there is more than one byte; '=' is taken as the order of nearly every machine. */
static int order_fits(char order, mt_dtype dtype) {
	return order == '<' || order == '>' || order == '=' || (order == '|' && mt_dtype_size(dtype) == 1);
}

mt_status mt__npy_parse_descr(const char *what, const char *descr, size_t length, mt_dtype *dtype, int *swapped) {
	for (size_t i = 0; length == 3 && i < sizeof written / sizeof *written; i++)
		if (memcmp(descr + 1, written[i].descr + 1, 2) == 0 && order_fits(descr[0], written[i].dtype)) {
			*dtype = written[i].dtype;
			*swapped = descr[0] == '>' && mt_dtype_size(*dtype) > 1;
			return MT_OK;
		}
	return mt__fail(MT_E_UNSUPPORTED, "%s: expected a dtype of f4 f8 f2 i4 i8 u1 b1, got '%.*s' (%s)", what,
	                length < 20 ? (int)length : 20, descr, length >= 2 ? name_of_kind(descr[1]) : "unknown");
}
