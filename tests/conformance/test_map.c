/* map: every op of map_ops.def in every dtype and layout, over its domain and the special values. */
#include <math.h>

#include "cases.h"
#include "check.h"

static long double ld_sigmoid(long double x) {
	return x >= 0 ? 1 / (1 + expl(-x)) : expl(x) / (1 + expl(x));
}

static long double ld_gelu_tanh(long double x) {
	long double c = sqrtl(2 / acosl(-1.0L));
	return x / 2 * (1 + tanhl(c * (x + 0.044715L * x * x * x)));
}

static long double ld_mish(long double x) {
	return x * tanhl((x > 0 ? x : x != x ? x : 0) + log1pl(expl(-fabsl(x))));
}

/* The formula column of map_ops.def, as IEEE evaluates it: gelu(-inf) is -inf times 0, NaN, as in PyTorch. */
static long double reference(int32_t op, long double x, long double p, long double q) {
	switch (op) {
	case MT_MAP_NEG: return -x;
	case MT_MAP_ABS: return fabsl(x);
	case MT_MAP_SIGN: return x > 0 ? 1 : x < 0 ? -1 : x;
	case MT_MAP_EXP: return expl(x);
	case MT_MAP_EXPM1: return expm1l(x);
	case MT_MAP_LOG: return logl(x);
	case MT_MAP_LOG1P: return log1pl(x);
	case MT_MAP_SQRT: return sqrtl(x);
	case MT_MAP_RSQRT: return 1 / sqrtl(x);
	case MT_MAP_SQUARE: return x * x;
	case MT_MAP_RECIPROCAL: return 1 / x;
	case MT_MAP_SIN: return sinl(x);
	case MT_MAP_COS: return cosl(x);
	case MT_MAP_TANH: return tanhl(x);
	case MT_MAP_SIGMOID: return ld_sigmoid(x);
	case MT_MAP_RELU: return x <= 0 ? 0 : x;
	case MT_MAP_GELU: return x / 2 * erfcl(-x / sqrtl(2));
	case MT_MAP_GELU_TANH: return ld_gelu_tanh(x);
	case MT_MAP_SILU: return x * ld_sigmoid(x);
	case MT_MAP_SOFTPLUS: return (x > 0 ? x : x != x ? x : 0) + log1pl(expl(-fabsl(x)));
	case MT_MAP_ERF: return erfl(x);
	case MT_MAP_FLOOR: return floorl(x);
	case MT_MAP_CEIL: return ceill(x);
	case MT_MAP_ROUND: return rintl(x);
	case MT_MAP_TRUNC: return truncl(x);
	case MT_MAP_LEAKY_RELU: return x <= 0 ? p * x : x;
	case MT_MAP_ELU: return x <= 0 ? p * expm1l(x) : x;
	case MT_MAP_CLAMP: return x < p ? p : x > q ? q : x;
	case MT_MAP_LOGICAL_NOT: return x == 0;
	case MT_MAP_ISNAN: return isnan(x);
	case MT_MAP_ISINF: return isinf(x);
	case MT_MAP_ISFINITE: return isfinite(x) != 0;
	case MT_MAP_TAN: return tanl(x);
	case MT_MAP_ASIN: return asinl(x);
	case MT_MAP_ACOS: return acosl(x);
	case MT_MAP_ATAN: return atanl(x);
	case MT_MAP_SINH: return sinhl(x);
	case MT_MAP_COSH: return coshl(x);
	case MT_MAP_ASINH: return asinhl(x);
	case MT_MAP_ACOSH: return acoshl(x);
	case MT_MAP_ATANH: return atanhl(x);
	case MT_MAP_EXP2: return exp2l(x);
	case MT_MAP_LOG2: return log2l(x);
	case MT_MAP_LOG10: return log10l(x);
	case MT_MAP_MISH: return ld_mish(x);
	case MT_MAP_SELU: return 1.0507009873554805L * (x <= 0 ? 1.6732632423543772L * expm1l(x) : x);
	case MT_MAP_HARDSIGMOID: return x != x ? x : fminl(fmaxl(x / 6 + 0.5L, 0), 1);
	case MT_MAP_HARDSWISH: return x <= -3 ? 0 : x >= 3 ? x : x * (x + 3) / 6;
	default: return NAN;
	}
}

static const struct map_row {
	int32_t op;
	const char *name;
	uint32_t dtypes;
	int bool_result;
} ops[] = {
#define FLOAT MT_SET_FLOAT
#define NUMBER MT_SET_NUMBER
#define ALL MT_SET_ALL
#define SAME 0
#define BOOL 1
#define MT_MAP(id, NAME, name, dtypes, result, formula) {id, #name, dtypes, result},
#include "mt/map_ops.def"
#undef MT_MAP
#undef FLOAT
#undef NUMBER
#undef ALL
#undef SAME
#undef BOOL
};

/* Allowed error in units of the dtype's roundoff: exact ops 1, elementary functions 2 ULP (4), forms that combine several
 * functions 8; low precision computes in f32 and rounds once. */
static double units_of(int32_t op) {
	switch (op) {
	case MT_MAP_EXP: case MT_MAP_EXPM1: case MT_MAP_LOG: case MT_MAP_LOG1P: case MT_MAP_RSQRT: case MT_MAP_SIN:
	case MT_MAP_COS: case MT_MAP_TANH: case MT_MAP_ERF: case MT_MAP_SIGMOID: case MT_MAP_SOFTPLUS: case MT_MAP_ELU:
		return 4;
	case MT_MAP_ASIN: case MT_MAP_ACOS: case MT_MAP_ATAN: case MT_MAP_COSH: case MT_MAP_EXP2: case MT_MAP_LOG2:
	case MT_MAP_LOG10: case MT_MAP_SELU: case MT_MAP_HARDSIGMOID: case MT_MAP_HARDSWISH:
		return 4;
	case MT_MAP_TAN: case MT_MAP_SINH: case MT_MAP_ASINH: case MT_MAP_ACOSH: case MT_MAP_ATANH: /* CUDA's: 4 ULP */
	case MT_MAP_GELU: case MT_MAP_GELU_TANH: case MT_MAP_SILU: case MT_MAP_MISH:
		return 8;
	default:
		return 1;
	}
}

/* gelu's tails multiply x with a difference from 1 that has few digits left: allowed against |x|, not against y. */
static long double scale_of(int32_t op, int32_t dtype, long double x) {
	if (!isfinite(x))
		return 0;
	if (op == MT_MAP_SILU || op == MT_MAP_MISH) /* the factor of x underflows before the product does */
		return fabsl(x) * kc_tiny(dtype);
	return op == MT_MAP_GELU_TANH || op == MT_MAP_GELU ? fminl(fabsl(x), 16) : 0;
}

static int is_float_only(const struct map_row *row) {
	return (row->dtypes & MT_DTYPE_BIT(MT_I32)) == 0;
}

static void put_special(struct kc_array *x) {
	const double floats[] = {0.0, -0.0, 1.0, -1.0, INFINITY, -INFINITY, NAN, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-30, -1e-30,
	                         1e-41, 88.0, -88.0, 104.0, -104.0, 16.0, 1e4, -1e4, 700.0, -700.0, 1e30, -1e30};
	const double integers[] = {0, 1, -1, 2147483647.0, -2147483648.0, 46341, 255, 128};
	int count = kc_is_float(x->array.dtype) ? (int)(sizeof floats / sizeof *floats) : 8;
	for (int i = 0; i < count && i < x->numel; i++)
		kc_set(x, i, kc_is_float(x->array.dtype) ? floats[i] : integers[i]);
}

static void run_map(struct kc_host *h, const struct map_row *row, int32_t dtype, enum kc_layout in, enum kc_layout out,
                    int rank, const int64_t *shape, double low, double high, int special, int in_place) {
	const double p = row->op != MT_MAP_CLAMP ? 0.25 : dtype == MT_U8 ? 1.0 : -1.0, q = 2.0;
	struct kc_array *x = kc_new(h, in_place ? KC_INOUT : KC_IN, dtype, rank, shape, in);
	kc_fill(h, x, low, high);
	if (special)
		put_special(x);
	struct kc_array *y = in_place ? x : kc_new(h, KC_OUT, row->bool_result ? MT_BOOL : dtype, rank, shape, out);
	const struct mt_map_args args = {.struct_size = sizeof args, .op = row->op, .x = &x->array, .out = &y->array,
	                                 .p0 = {MT_SCALAR_F64, 0, {.f = p}}, .p1 = {MT_SCALAR_F64, 0, {.f = q}}};
	long double *expected = kc_reference(x->numel), *scale = kc_reference(x->numel);
	for (int64_t e = 0; e < x->numel; e++) {
		expected[e] = reference(row->op, x->values[e], p, q);
		scale[e] = scale_of(row->op, dtype, x->values[e]);
	}
	if (kc_run(h, MT_K_MAP, &args))
		kc_check(h, y, expected, scale, units_of(row->op), "map %s %s, %s to %s%s", row->name, kc_dtype_name(dtype),
		         kc_layout_names[in], kc_layout_names[out], in_place ? ", in place" : "");
	kc_reset(h);
	kc_reference_reset();
}

typedef void (*row_fn)(struct kc_host *h, const struct map_row *row, int32_t dtype);

static void each_op(struct kc_host *h, row_fn fn) {
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		for (int32_t t = MT_F32; t < MT_DTYPE_END_; t++)
			if ((ops[i].dtypes & MT_DTYPE_BIT(t)) && kc_has(h, MT_K_MAP, ops[i].op, t, 0))
				fn(h, &ops[i], t);
}

static void layouts_row(struct kc_host *h, const struct map_row *row, int32_t dtype) {
	const int64_t shape[] = {5, 3, 7};
	double low = is_float_only(row) ? -4 : -100, high = is_float_only(row) ? 4 : 100;
	for (int in = 0; in <= KC_BROADCAST; in++)
		for (int out = 0; out < KC_LAYOUTS; out++)
			run_map(h, row, dtype, (enum kc_layout)in, (enum kc_layout)out, 3, shape, low, high, 0, 0);
	run_map(h, row, dtype, KC_CONTIGUOUS, KC_CONTIGUOUS, 0, NULL, low, high, 0, 0);
	if (!row->bool_result)
		for (int in = 0; in < KC_LAYOUTS; in++)
			run_map(h, row, dtype, (enum kc_layout)in, (enum kc_layout)in, 3, shape, low, high, 0, 1);
}

static void special_row(struct kc_host *h, const struct map_row *row, int32_t dtype) {
	const int64_t shape[] = {37};
	run_map(h, row, dtype, KC_CONTIGUOUS, KC_CONTIGUOUS, 1, shape, -10, 10, 1, 0);
	run_map(h, row, dtype, KC_NEGATIVE, KC_STEPPED, 1, shape, -10, 10, 1, 0);
}

static void range_row(struct kc_host *h, const struct map_row *row, int32_t dtype) {
	const int64_t shape[] = {20011};
	const double ranges[] = {0.001, 1, 20, 100, 1000};
	for (int i = 0; i < 5; i++)
		run_map(h, row, dtype, KC_CONTIGUOUS, KC_CONTIGUOUS, 1, shape, -ranges[i], ranges[i], 0, 0);
}

static void large_row(struct kc_host *h, const struct map_row *row, int32_t dtype) {
	const int64_t shape[] = {3, 66000};
	if (dtype == MT_F32)
		run_map(h, row, dtype, KC_CONTIGUOUS, KC_PADDED, 2, shape, -3, 3, 0, 0);
}

static void layouts(struct kc_host *h) {
	each_op(h, layouts_row);
}

static void special(struct kc_host *h) {
	each_op(h, special_row);
}

static void range(struct kc_host *h) {
	each_op(h, range_row);
}

static void large(struct kc_host *h) {
	each_op(h, large_row);
}

static void test_layouts(void) {
	kc_each_host(layouts);
}

static void test_special(void) {
	kc_each_host(special);
}

static void test_range(void) {
	kc_each_host(range);
}

static void test_large(void) {
	kc_each_host(large);
}

const mt_test_case kc_map_cases[] = {
	{"layouts", test_layouts}, {"special", test_special}, {"range", test_range}, {"large", test_large}, {0}};
