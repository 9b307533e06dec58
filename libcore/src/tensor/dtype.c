/* Dtypes: names, sizes, promotion. */
#include <string.h>

#include "base/error.h"
#include "tensor/promote.h"
#include "tensor/tensor.h"

static const char *const names[MT_DTYPE_END_] = {
#define MT_DTYPE(id, NAME, name, bytes, class) [id] = #name,
#include "mt/dtypes.def"
#undef MT_DTYPE
};

const uint8_t mt__element_bytes[16] = {
#define MT_DTYPE(id, NAME, name, bytes, class) [id] = bytes,
#include "mt/dtypes.def"
#undef MT_DTYPE
};
_Static_assert(MT_DTYPE_END_ <= 16, "every dtype has its entry");

#define N_DTYPES (MT_DTYPE_END_ - 1)

static const uint8_t promotions[N_DTYPES][N_DTYPES] = {
#define MT_PROMOTE(A, f32, f64, f16, bf16, i32, i64, u8, bool_)                                                        \
	[MT_##A - 1] = {MT_##f32, MT_##f64, MT_##f16, MT_##bf16, MT_##i32, MT_##i64, MT_##u8, MT_##bool_},
#include "tensor/promote.def"
#undef MT_PROMOTE
};

static int is_dtype(mt_dtype dtype) {
	return dtype > 0 && dtype < MT_DTYPE_END_;
}

const char *mt_dtype_name(mt_dtype dtype) {
	return is_dtype(dtype) ? names[dtype] : "?";
}

size_t mt_dtype_size(mt_dtype dtype) {
	return is_dtype(dtype) ? mt__element_bytes[dtype] : 0;
}

mt_status mt_dtype_parse(const char *name, mt_dtype *out) {
	if (name == NULL || out == NULL)
		return mt__fail_arg_null("dtype_parse", name == NULL ? "name" : "out");
	for (mt_dtype d = 1; d < MT_DTYPE_END_; d++)
		if (strcmp(names[d], name) == 0) {
			*out = d;
			return MT_OK;
		}
	return mt__fail(MT_E_ARG, "dtype_parse: '%.40s' is no dtype; there are"
#define MT_DTYPE(id, NAME, dtype, bytes, class) " " #dtype
#include "mt/dtypes.def"
#undef MT_DTYPE
	                ,
	                name);
}

mt_dtype mt_promote(mt_dtype a, mt_dtype b) {
	return is_dtype(a) && is_dtype(b) ? promotions[a - 1][b - 1] : 0;
}

int mt__is_float(mt_dtype dtype) {
	return is_dtype(dtype) && (MT_SET_FLOAT & MT_DTYPE_BIT(dtype)) != 0;
}

int mt__is_integer(mt_dtype dtype) {
	return is_dtype(dtype) && (MT_SET_INTEGER & MT_DTYPE_BIT(dtype)) != 0;
}

mt_dtype mt__to_float(mt_dtype dtype) {
	return is_dtype(dtype) && !mt__is_float(dtype) ? MT_F32 : dtype;
}

mt_dtype mt__promote_scalar(mt_dtype tensor, mt_scalar scalar) {
	if (scalar.tag == MT_SCALAR_F64)
		return mt__to_float(tensor);
	return scalar.tag == MT_SCALAR_I64 && tensor == MT_BOOL ? MT_I64 : tensor;
}
