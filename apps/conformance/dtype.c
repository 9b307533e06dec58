/* Dtypes by the suite's own arithmetic: rounding, storing and fetching without any code of libmt or of a plugin. */
#include "dtype.h"

#include <math.h>
#include <string.h>

struct dtype_row {
	const char *name;
	int size, mantissa; /* bits with the hidden one; 0: not a float */
	int max_exponent, min_exponent;
	double largest, tiny; /* finite; smallest normal */
};

static const struct dtype_row dtypes[MT_DTYPE_END_] = {
	[MT_F32] = {"f32", 4, 24, 128, -125, 0x1.fffffep127, 0x1p-126},
	[MT_F64] = {"f64", 8, 53, 1024, -1021, 0x1.fffffffffffffp1023, 0x1p-1022},
	[MT_F16] = {"f16", 2, 11, 16, -13, 0x1.ffcp15, 0x1p-14},
	[MT_BF16] = {"bf16", 2, 8, 128, -125, 0x1.fep127, 0x1p-126},
	[MT_I32] = {"i32", 4, 0, 0, 0, 0, 0},
	[MT_I64] = {"i64", 8, 0, 0, 0, 0, 0},
	[MT_U8] = {"u8", 1, 0, 0, 0, 0, 0},
	[MT_BOOL] = {"bool", 1, 0, 0, 0, 0, 0},
};

int cf_dtype_size(int32_t dtype) {
	return dtypes[dtype].size;
}

const char *cf_dtype_name(int32_t dtype) {
	return dtype > 0 && dtype < MT_DTYPE_END_ ? dtypes[dtype].name : "?";
}

int32_t cf_dtype_named(const char *name) {
	for (int32_t t = 1; t < MT_DTYPE_END_; t++)
		if (strcmp(dtypes[t].name, name) == 0)
			return t;
	return 0;
}

int cf_is_float(int32_t dtype) {
	return dtypes[dtype].mantissa != 0;
}

int cf_is_integer(int32_t dtype) {
	return (MT_SET_INTEGER & MT_DTYPE_BIT(dtype)) != 0;
}

double cf_unit(int32_t dtype) {
	static const double units[MT_DTYPE_END_] = {
		[MT_F32] = 0x1p-24, [MT_F64] = 0x1p-53, [MT_F16] = 0x1p-11, [MT_BF16] = 0x1p-8};
	return units[dtype];
}

double cf_largest(int32_t dtype) {
	return dtypes[dtype].largest;
}

double cf_tiny(int32_t dtype) {
	return dtypes[dtype].tiny;
}

int64_t cf_lowest_integer(int32_t dtype) {
	return dtype == MT_I64 ? INT64_MIN : dtype == MT_I32 ? INT32_MIN : 0;
}

int64_t cf_highest_integer(int32_t dtype) {
	return dtype == MT_I64 ? INT64_MAX : dtype == MT_I32 ? INT32_MAX : dtype == MT_U8 ? UINT8_MAX : 1;
}

int32_t cf_side_dtype(int32_t dtype) {
	return dtype == MT_F16 || dtype == MT_BF16 ? MT_F32 : dtype;
}

int64_t cf_wrap(int32_t dtype, uint64_t bits) {
	switch (dtype) {
	case MT_BOOL:
		return bits != 0;
	case MT_U8:
		return (int64_t)(bits & 0xff);
	case MT_I32:
		return (int32_t)(uint32_t)bits;
	default:
		return (int64_t)bits;
	}
}

/* The integer part modulo 2^64; what is not finite has none. */
static uint64_t integer_bits(long double value) {
	if (!isfinite(value))
		return 0;
	long double rest = fmodl(truncl(value), 0x1p64L);
	return rest < 0 ? (uint64_t)0 - (uint64_t)-rest : (uint64_t)rest;
}

int64_t cf_round_integer(int32_t dtype, long double value) {
	return dtype == MT_BOOL ? value != 0 : cf_wrap(dtype, integer_bits(value));
}

/* To nearest even with this many mantissa bits, gradual underflow, overflow to infinity. */
static double round_float(const struct dtype_row *d, long double value) {
	if (isnan(value) || isinf(value) || value == 0)
		return (double)value;
	int exponent;
	frexpl(value, &exponent);
	if (exponent < d->min_exponent)
		exponent = d->min_exponent;
	long double unit = ldexpl(1.0L, exponent - d->mantissa);
	long double rounded = rintl(value / unit) * unit;
	if (fabsl(rounded) >= ldexpl(1.0L, d->max_exponent))
		return value < 0 ? -INFINITY : INFINITY;
	return (double)(rounded == 0 ? copysignl(0, value) : rounded);
}

double cf_round(int32_t dtype, long double value) {
	switch (dtype) {
	case MT_F64:
		return (double)value;
	case MT_F32:
		return (float)value;
	case MT_F16:
	case MT_BF16:
		return round_float(&dtypes[dtype], value);
	default:
		return (double)cf_round_integer(dtype, value);
	}
}

/* The bits of a value that the dtype holds exactly. */
static uint16_t low_bits(const struct dtype_row *d, double value) {
	int bits = d->mantissa - 1, bias = d->max_exponent - 1;
	uint16_t sign = signbit(value) ? 0x8000 : 0;
	uint16_t infinite = (uint16_t)(((1u << (15 - bits)) - 1) << bits);
	if (isnan(value))
		return (uint16_t)(sign | infinite | (1u << (bits - 1)));
	if (isinf(value))
		return sign | infinite;
	double size = fabs(value);
	if (size < ldexp(1.0, 1 - bias))
		return (uint16_t)(sign | (uint16_t)ldexp(size, bias - 1 + bits));
	int exponent;
	double fraction = frexp(size, &exponent);
	uint16_t mantissa = (uint16_t)(ldexp(fraction, bits + 1) - ldexp(1.0, bits));
	return (uint16_t)(sign | (uint16_t)((exponent - 1 + bias) << bits) | mantissa);
}

static double low_value(const struct dtype_row *d, uint16_t word) {
	int bits = d->mantissa - 1, bias = d->max_exponent - 1, top = (1 << (15 - bits)) - 1;
	int exponent = (word & 0x7fff) >> bits, mantissa = word & ((1 << bits) - 1);
	double sign = (word & 0x8000) ? -1.0 : 1.0;
	if (exponent == top)
		return mantissa != 0 ? NAN : sign * INFINITY;
	if (exponent == 0)
		return sign * ldexp(mantissa, 1 - bias - bits);
	return sign * ldexp(mantissa + (1 << bits), exponent - bias - bits);
}

void cf_store_float(int32_t dtype, unsigned char *p, double value) {
	float f = (float)value;
	uint16_t w;
	switch (dtype) {
	case MT_F32:
		memcpy(p, &f, sizeof f);
		break;
	case MT_F64:
		memcpy(p, &value, sizeof value);
		break;
	default:
		w = low_bits(&dtypes[dtype], value);
		memcpy(p, &w, sizeof w);
	}
}

double cf_fetch_float(int32_t dtype, const unsigned char *p) {
	float f;
	double d;
	uint16_t w;
	switch (dtype) {
	case MT_F32:
		memcpy(&f, p, sizeof f);
		return f;
	case MT_F64:
		memcpy(&d, p, sizeof d);
		return d;
	default:
		memcpy(&w, p, sizeof w);
		return low_value(&dtypes[dtype], w);
	}
}

void cf_store_integer(int32_t dtype, unsigned char *p, int64_t value) {
	int32_t i = (int32_t)value;
	switch (dtype) {
	case MT_I32:
		memcpy(p, &i, sizeof i);
		break;
	case MT_I64:
		memcpy(p, &value, sizeof value);
		break;
	default:
		*p = (unsigned char)value;
	}
}

int64_t cf_fetch_integer(int32_t dtype, const unsigned char *p) {
	int32_t i;
	int64_t l;
	switch (dtype) {
	case MT_I32:
		memcpy(&i, p, sizeof i);
		return i;
	case MT_I64:
		memcpy(&l, p, sizeof l);
		return l;
	default:
		return *p;
	}
}
