/* zip: every op of zip_ops.def in every dtype and layout, with scalars on either side, special values and wrap-around. */
#include <math.h>

#include "cases.h"
#include "check.h"

static long double floor_mod(long double a, long double b) {
	long double r = fmodl(a, b);
	return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

/* NumPy's and PyTorch's floor division: exact through the remainder, NaN for an infinite a. */
static long double floor_quotient(long double a, long double b) {
	if (b == 0)
		return a / b;
	long double r = fmodl(a, b), q = (a - r) / b;
	return rintl(r != 0 && (r < 0) != (b < 0) ? q - 1 : q);
}

static long double integer_power(int32_t dtype, long double a, long double b) {
	if (b < 0)
		return a == 1 ? 1 : a == -1 ? (fmodl(b, 2) == 0 ? 1 : -1) : 0;
	long double y = 1;
	for (int64_t i = 0; i < (int64_t)b; i++)
		y = kc_round(dtype, y * a);
	return y;
}

static long double pow_of(int32_t dtype, long double a, long double b) {
	return kc_is_float(dtype) ? powl(a, b) : integer_power(dtype, a, b);
}

static long double gelu_slope(long double x) {
	const long double pi = acosl(-1.0L);
	return erfcl(-x / sqrtl(2)) / 2 + x * expl(-x * x / 2) / sqrtl(2 * pi);
}

static long double gelu_tanh_slope(long double x) {
	const long double c = sqrtl(2 / acosl(-1.0L)), a = 0.044715L;
	long double t = tanhl(c * (x + a * x * x * x));
	return (1 + t) / 2 + x / 2 * (1 - t * t) * c * (1 + 3 * a * x * x);
}

static long double sigmoid_of(long double x) {
	return x >= 0 ? 1 / (1 + expl(-x)) : expl(x) / (1 + expl(x));
}

static long double silu_slope(long double x) {
	long double s = sigmoid_of(x);
	return s * (1 + x * (1 - s));
}

static long double mish_slope(long double x) {
	long double t = tanhl((x > 0 ? x : x != x ? x : 0) + log1pl(expl(-fabsl(x))));
	return t + x * (1 - t * t) * sigmoid_of(x);
}

static long double selu_slope(long double x) {
	return 1.0507009873554805L * (x <= 0 ? 1.6732632423543772L * expl(x) : 1);
}

/* The formula column of zip_ops.def. */
static long double reference(int32_t op, int32_t dtype, long double a, long double b, long double p, long double q) {
	const long double pi = acosl(-1.0L);
	int is_bool = dtype == MT_BOOL;
	switch (op) {
	case MT_ZIP_ADD: return is_bool ? a != 0 || b != 0 : a + b;
	case MT_ZIP_SUB: return a - b;
	case MT_ZIP_MUL: return a * b;
	case MT_ZIP_DIV: return a / b;
	case MT_ZIP_POW: return pow_of(dtype, a, b);
	case MT_ZIP_MAX: return isnan(a) || isnan(b) ? NAN : a > b ? a : b;
	case MT_ZIP_MIN: return isnan(a) || isnan(b) ? NAN : a < b ? a : b;
	case MT_ZIP_MOD: return !kc_is_float(dtype) && b == 0 ? 0 : floor_mod(a, b);
	case MT_ZIP_FLOOR_DIV: return !kc_is_float(dtype) && b == 0 ? 0 : floor_quotient(a, b);
	case MT_ZIP_ATAN2: return atan2l(a, b);
	case MT_ZIP_LT: return a < b;
	case MT_ZIP_LE: return a <= b;
	case MT_ZIP_GT: return a > b;
	case MT_ZIP_GE: return a >= b;
	case MT_ZIP_EQ: return a == b;
	case MT_ZIP_NE: return a != b;
	case MT_ZIP_LOGICAL_AND: return a != 0 && b != 0;
	case MT_ZIP_LOGICAL_OR: return a != 0 || b != 0;
	case MT_ZIP_LOGICAL_XOR: return (a != 0) != (b != 0);
	case MT_ZIP_ABS_GRAD: return a * (b > 0 ? 1 : b < 0 ? -1 : b);
	case MT_ZIP_SQRT_GRAD: return a / (2 * b);
	case MT_ZIP_RSQRT_GRAD: return -a * b * b * b / 2;
	case MT_ZIP_TANH_GRAD: return a * (1 - b * b);
	case MT_ZIP_SIGMOID_GRAD: return a * b * (1 - b);
	case MT_ZIP_RELU_GRAD: return b <= 0 ? 0 : a;
	case MT_ZIP_GELU_GRAD: return a * gelu_slope(b);
	case MT_ZIP_GELU_TANH_GRAD: return a * gelu_tanh_slope(b);
	case MT_ZIP_SILU_GRAD: return a * silu_slope(b);
	case MT_ZIP_SOFTPLUS_GRAD: return a * sigmoid_of(b);
	case MT_ZIP_ERF_GRAD: return a * 2 / sqrtl(pi) * expl(-b * b);
	case MT_ZIP_LEAKY_RELU_GRAD: return b <= 0 ? p * a : a;
	case MT_ZIP_ELU_GRAD: return b <= 0 ? p * a * expl(b) : a;
	case MT_ZIP_CLAMP_GRAD: return b < p || b > q ? 0 : a;
	case MT_ZIP_FMOD: return !kc_is_float(dtype) && b == 0 ? 0 : fmodl(a, b);
	case MT_ZIP_HYPOT: return hypotl(a, b);
	case MT_ZIP_COPYSIGN: return copysignl(a, b);
	case MT_ZIP_MISH_GRAD: return a * mish_slope(b);
	case MT_ZIP_SELU_GRAD: return a * selu_slope(b);
	case MT_ZIP_HARDSIGMOID_GRAD: return b <= -3 || b >= 3 ? 0 : a / 6;
	case MT_ZIP_HARDSWISH_GRAD: return b <= -3 ? 0 : b >= 3 ? a : a * (2 * b + 3) / 6;
	default: return NAN;
	}
}

static const struct zip_row {
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
#define MT_ZIP(id, NAME, name, dtypes, result, formula) {id, #name, dtypes, result},
#include "mt/zip_ops.def"
#undef MT_ZIP
#undef FLOAT
#undef NUMBER
#undef ALL
#undef SAME
#undef BOOL
};

static double units_of(int32_t op) {
	if (op <= MT_ZIP_DIV || (op >= MT_ZIP_MAX && op <= MT_ZIP_MIN) || (op >= MT_ZIP_LT && op <= MT_ZIP_LOGICAL_XOR))
		return 1;
	switch (op) {
	case MT_ZIP_ABS_GRAD: case MT_ZIP_RELU_GRAD: case MT_ZIP_CLAMP_GRAD: case MT_ZIP_FMOD: case MT_ZIP_COPYSIGN:
		return 1;
	default:
		return 8;
	}
}

/* Forms whose inner differences cancel: allowed against what was subtracted. */
static long double scale_of(int32_t op, long double a, long double b) {
	if (!isfinite(a) || !isfinite(b))
		return 0;
	switch (op) {
	case MT_ZIP_TANH_GRAD: return fabsl(a) * (1 + b * b);
	case MT_ZIP_SIGMOID_GRAD: return fabsl(a * b) * (1 + fabsl(b));
	case MT_ZIP_GELU_GRAD: case MT_ZIP_GELU_TANH_GRAD: case MT_ZIP_SILU_GRAD: case MT_ZIP_MISH_GRAD:
		return fabsl(a) * fminl(1 + fabsl(b), 32);
	case MT_ZIP_ERF_GRAD: return fabsl(a) * 2 * expl(-b * b) * b * b; /* the rounding of b² goes into the exponent */
	case MT_ZIP_MOD: return fminl(fabsl(a), fabsl(b));
	default: return 0;
	}
}

enum operands { BOTH, SCALAR_LEFT, SCALAR_RIGHT, PLACE_A, PLACE_B };

struct zip_case {
	const struct zip_row *row;
	int32_t dtype;
	enum kc_layout la, lb, out;
	int rank;
	const int64_t *shape;
	double low, high;
	enum operands operands;
	int special;
};

static void put_special(struct kc_array *a, struct kc_array *b) {
	const double floats[] = {0.0, -0.0, 1.0, -1.0, INFINITY, -INFINITY, NAN, 1e-40, 3.0, -2.5};
	const double integers[] = {0, 1, -1, 2147483647.0, -2147483648.0, 7, -7, 255, 2, 3};
	for (int i = 0; i < 100; i++) {
		kc_set(a, i, (kc_is_float(a->array.dtype) ? floats : integers)[i / 10]);
		kc_set(b, i, (kc_is_float(b->array.dtype) ? floats : integers)[i % 10]);
	}
}

static void run_zip(struct kc_host *h, const struct zip_case *c) {
	const struct zip_row *row = c->row;
	const double p = row->op == MT_ZIP_CLAMP_GRAD ? -1.0 : 0.25, q = 2.0, scalar = 3;
	int place_a = c->operands == PLACE_A, place_b = c->operands == PLACE_B;
	struct kc_array *a = kc_new(h, place_a ? KC_INOUT : KC_IN, c->dtype, c->rank, c->shape, c->la);
	struct kc_array *b = kc_new(h, place_b ? KC_INOUT : KC_IN, c->dtype, c->rank, c->shape, c->lb);
	kc_fill(h, a, c->low, c->high);
	kc_fill(h, b, row->op == MT_ZIP_POW && !kc_is_float(c->dtype) ? 0 : c->low, row->op == MT_ZIP_POW ? 6 : c->high);
	if (c->special)
		put_special(a, b);
	struct kc_array *y = place_a ? a : place_b ? b : kc_new(h, KC_OUT, row->bool_result ? MT_BOOL : c->dtype, c->rank, c->shape, c->out);
	struct mt_zip_args args = {.struct_size = sizeof args, .op = row->op, .a = &a->array, .b = &b->array,
	                           .out = &y->array, .p0 = {MT_SCALAR_F64, 0, {.f = p}}, .p1 = {MT_SCALAR_F64, 0, {.f = q}}};
	args.scalar = kc_is_float(c->dtype) ? (mt_scalar){MT_SCALAR_F64, 0, {.f = scalar}} : (mt_scalar){MT_SCALAR_I64, 0, {.i = 3}};
	if (c->operands == SCALAR_LEFT)
		args.a = NULL;
	if (c->operands == SCALAR_RIGHT)
		args.b = NULL;
	double held = c->dtype == MT_BOOL ? 1 : scalar;
	long double *expected = kc_reference(a->numel), *scale = kc_reference(a->numel);
	for (int64_t e = 0; e < a->numel; e++) {
		double va = args.a == NULL ? held : a->values[e], vb = args.b == NULL ? held : b->values[e];
		expected[e] = reference(row->op, c->dtype, va, vb, p, q);
		scale[e] = scale_of(row->op, va, vb);
	}
	static const char *const how[] = {"", ", scalar left", ", scalar right", ", in place of a", ", in place of b"};
	if (kc_run(h, MT_K_ZIP, &args))
		kc_check(h, y, expected, scale, units_of(row->op), "zip %s %s, %s and %s to %s%s", row->name,
		         kc_dtype_name(c->dtype), kc_layout_names[c->la], kc_layout_names[c->lb], kc_layout_names[c->out],
		         how[c->operands]);
	kc_reset(h);
	kc_reference_reset();
}

typedef void (*row_fn)(struct kc_host *h, const struct zip_row *row, int32_t dtype);

static void each_op(struct kc_host *h, row_fn fn) {
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		for (int32_t t = MT_F32; t < MT_DTYPE_END_; t++)
			if ((ops[i].dtypes & MT_DTYPE_BIT(t)) && kc_has(h, MT_K_ZIP, ops[i].op, t, 0))
				fn(h, &ops[i], t);
}

static void layouts_row(struct kc_host *h, const struct zip_row *row, int32_t dtype) {
	const int64_t shape[] = {5, 3, 7};
	struct zip_case c = {.row = row, .dtype = dtype, .rank = 3, .shape = shape, .low = -5, .high = 5};
	for (int la = 0; la <= KC_BROADCAST; la++)
		for (int lb = 0; lb <= KC_BROADCAST; lb++) {
			c.la = (enum kc_layout)la;
			c.lb = (enum kc_layout)lb;
			c.out = (enum kc_layout)((la + lb) % KC_LAYOUTS);
			run_zip(h, &c);
		}
	for (int l = 0; l < KC_LAYOUTS; l++) {
		c.la = c.lb = c.out = (enum kc_layout)l;
		for (c.operands = SCALAR_LEFT; c.operands <= PLACE_B; c.operands = (enum operands)(c.operands + 1))
			if (c.operands < PLACE_A || !row->bool_result)
				run_zip(h, &c);
		c.operands = BOTH;
	}
	c.rank = 0;
	c.la = c.lb = c.out = KC_CONTIGUOUS;
	run_zip(h, &c);
}

static void special_row(struct kc_host *h, const struct zip_row *row, int32_t dtype) {
	const int64_t shape[] = {111};
	struct zip_case c = {.row = row, .dtype = dtype, .rank = 1, .shape = shape, .low = -5, .high = 5, .special = 1};
	if (row->op == MT_ZIP_POW && !kc_is_float(dtype))
		return; /* powers of up to 2^31: the reference multiplies */
	run_zip(h, &c);
	c.la = KC_STEPPED;
	c.lb = c.out = KC_NEGATIVE;
	run_zip(h, &c);
}

static void large_row(struct kc_host *h, const struct zip_row *row, int32_t dtype) {
	const int64_t shape[] = {3, 66000};
	struct zip_case c = {.row = row, .dtype = dtype, .rank = 2, .shape = shape, .low = -5, .high = 5};
	if (dtype != MT_F32 && row->op != MT_ZIP_ADD)
		return;
	run_zip(h, &c);
	c.lb = KC_BROADCAST;
	run_zip(h, &c);
}

static void layouts(struct kc_host *h) {
	each_op(h, layouts_row);
}

static void special(struct kc_host *h) {
	each_op(h, special_row);
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

static void test_large(void) {
	kc_each_host(large);
}

const mt_test_case kc_zip_cases[] = {{"layouts", test_layouts}, {"special", test_special}, {"large", test_large}, {0}};
