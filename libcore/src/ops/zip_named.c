/* zip by name: one function an op. */
#include "ops/ops.h"

mt_tensor *mt_add(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_ADD, a, b);
}

mt_tensor *mt_sub(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_SUB, a, b);
}

mt_tensor *mt_mul(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_MUL, a, b);
}

mt_tensor *mt_div(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_DIV, a, b);
}

mt_tensor *mt_pow(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_POW, a, b);
}

mt_tensor *mt_maximum(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_MAX, a, b);
}

mt_tensor *mt_minimum(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_MIN, a, b);
}

mt_tensor *mt_remainder(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_MOD, a, b);
}

mt_tensor *mt_floor_divide(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_FLOOR_DIV, a, b);
}

mt_tensor *mt_atan2(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_ATAN2, a, b);
}

mt_tensor *mt_fmod(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_FMOD, a, b);
}

mt_tensor *mt_hypot(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_HYPOT, a, b);
}

mt_tensor *mt_copysign(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_COPYSIGN, a, b);
}

mt_tensor *mt_lt(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_LT, a, b);
}

mt_tensor *mt_le(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_LE, a, b);
}

mt_tensor *mt_gt(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_GT, a, b);
}

mt_tensor *mt_ge(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_GE, a, b);
}

mt_tensor *mt_eq(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_EQ, a, b);
}

mt_tensor *mt_ne(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_NE, a, b);
}

mt_tensor *mt_logical_and(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_LOGICAL_AND, a, b);
}

mt_tensor *mt_logical_or(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_LOGICAL_OR, a, b);
}

mt_tensor *mt_logical_xor(mt_tensor *a, mt_tensor *b) {
	return mt_zip(MT_ZIP_LOGICAL_XOR, a, b);
}

mt_tensor *mt_add_scalar(mt_tensor *a, mt_scalar b) {
	return mt_zip_scalar(MT_ZIP_ADD, a, b);
}

mt_tensor *mt_sub_scalar(mt_tensor *a, mt_scalar b) {
	return mt_zip_scalar(MT_ZIP_SUB, a, b);
}

mt_tensor *mt_mul_scalar(mt_tensor *a, mt_scalar b) {
	return mt_zip_scalar(MT_ZIP_MUL, a, b);
}

mt_tensor *mt_div_scalar(mt_tensor *a, mt_scalar b) {
	return mt_zip_scalar(MT_ZIP_DIV, a, b);
}

mt_tensor *mt_pow_scalar(mt_tensor *a, mt_scalar b) {
	return mt_zip_scalar(MT_ZIP_POW, a, b);
}

mt_tensor *mt_rsub_scalar(mt_tensor *a, mt_scalar b) {
	return mt_scalar_zip(MT_ZIP_SUB, b, a);
}

mt_tensor *mt_rdiv_scalar(mt_tensor *a, mt_scalar b) {
	return mt_scalar_zip(MT_ZIP_DIV, b, a);
}
