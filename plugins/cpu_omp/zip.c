/* zip: y = f(a, b).  Formulas in zip_float.inc and zip_integer.inc, loops in zip_loops.inc. */
#include "elementwise.h"
#include "scalar.h"
#include "stage.h"
#include "stream.h"
#if defined(MT_ISA_AVX512)
#include "vmath_avx512_loops.h"
#endif
#include "vmath_wide.h"
#include "zip_single.h"

MT__INLINE float zip_pow_f32(float a, float b) {
	return mt__powf(a, b);
}

MT__INLINE float zip_exp_f32(float x) {
	return mt__expf(x);
}

MT__INLINE float gelu_slope_f32(float x) {
	return mt__gelu_slopef(x);
}

MT__INLINE float gelu_tanh_slope_f32(float x) {
	return mt__gelu_tanh_slopef(x);
}

MT__INLINE float erf_slope_f32(float x) {
	return mt__erf_slopef(x);
}

MT__INLINE float zip_hypot_f32(float a, float b) {
	return mt__hypotf(a, b);
}

MT__INLINE float mish_slope_f32(float x) {
	return mt__mish_slopef(x);
}

MT__INLINE float selu_slope_f32(float x) {
	return mt__selu_slopef(x);
}

MT__INLINE float zip_atan2_f32(float a, float b) {
	return mt__atan2f(a, b);
}

/* Remainders by a quotient in double: exact where |a / b| < 2^24, b != 0 and a and b are finite. */
#define QUOTIENT_LIMIT 0x1p24f

/* a - b trunc(a / b) within QUOTIENT_LIMIT (zip_quotients keeps the rest away), from the nearest integer to a / b. */
MT__INLINE float zip_fmod_f32(float x, float y) {
	double a = mt__wide_abs((double)x), b = mt__wide_abs((double)y);
	double n = (a / b + MT__WIDE_SHIFT) - MT__WIDE_SHIFT, r = mt__wide_madd(-n, b, a);
	r = r < 0.0 ? r + b : r;
	return mt__copysign((float)r, x);
}

static inline double zip_atan2_f64(double a, double b) {
	return atan2(a, b);
}

static inline double zip_fmod_f64(double a, double b) {
	return fmod(a, b);
}

static inline double zip_pow_f64(double a, double b) {
	return pow(a, b);
}

static inline double zip_exp_f64(double x) {
	return exp(x);
}

/* Φ(x) + x φ(x). */
static inline double gelu_slope_f64(double x) {
	return 0.5 * erfc(x * -0.707106781186547524) + x * (0.398942280401432678 * exp(-0.5 * x * x));
}

/* s + 2 x s (1 − s) u' with s = (1 + tanh u)/2, u = sqrt(2/π) (x + 0.044715 x³). */
static inline double gelu_tanh_slope_f64(double x) {
	double u = 0.797884560802865356 * x * mt__wide_madd(0.044715 * x, x, 1.0);
	double s = 1.0 / (1.0 + exp(-2.0 * u)), minus = 1.0 / (1.0 + exp(2.0 * u));
	return s + 2.0 * x * s * minus * 0.797884560802865356 * mt__wide_madd(3.0 * 0.044715 * x, x, 1.0);
}

static inline double erf_slope_f64(double x) {
	return 1.12837916709551257 * exp(-x * x);
}

static inline double zip_hypot_f64(double a, double b) {
	return hypot(a, b);
}

/* mt__mish_slopef in double. */
static inline double mish_slope_f64(double x) {
	double e = exp(-fabs(x)), n = x >= 0 ? 1.0 + 2.0 * e : e * (2.0 + e);
	double d = n + 2.0 * (x >= 0 ? e * e : 1.0);
	return mt__wide_madd(4.0 * (x * (x >= 0 ? e * e : e)), (1.0 + e) / d, n) / d;
}

static inline double selu_slope_f64(double x) {
	return x <= 0 ? MT__SELU_SA * exp(x) : MT__SELU_S;
}

#define T float
#define NAME(f) f##_f32
#define FN(name) name##f
#define DTYPES MT_DTYPE_BIT(MT_F32)
#define STREAMS
#if defined(MT_ISA_AVX512)
#define LANES
#endif
#include "zip_float.inc"
#undef STREAMS
#undef LANES
#undef T
#undef NAME
#undef FN
#undef DTYPES

#define T double
#define NAME(f) f##_f64
#define FN(name) name
#define DTYPES MT_DTYPE_BIT(MT_F64)
#include "zip_float.inc"
#undef T
#undef NAME
#undef FN
#undef DTYPES

#define T int32_t
#define U uint32_t
#define SIGNED 1
#define NAME(f) f##_i32
#define DTYPES MT_DTYPE_BIT(MT_I32)
#include "zip_integer.inc"
#undef T
#undef U
#undef SIGNED
#undef NAME
#undef DTYPES

#define T int64_t
#define U uint64_t
#define SIGNED 1
#define NAME(f) f##_i64
#define DTYPES MT_DTYPE_BIT(MT_I64)
#include "zip_integer.inc"
#undef T
#undef U
#undef SIGNED
#undef NAME
#undef DTYPES

#define T uint8_t
#define U uint32_t
#define SIGNED 0
#define NAME(f) f##_u8
#define DTYPES MT_DTYPE_BIT(MT_U8)
#include "zip_integer.inc"
#undef T
#undef U
#undef SIGNED
#undef NAME
#undef DTYPES

/* add and max are "or", mul and min are "and". */
MT__INLINE uint8_t zip_apply_bool(int op, uint8_t a, uint8_t b, uint8_t p, uint8_t q) {
	(void)p;
	(void)q;
	return op == MT_ZIP_ADD || op == MT_ZIP_MAX ? a | b : a & b;
}

#define T uint8_t
#define NAME(f) f##_bool
#define DTYPES MT_DTYPE_BIT(MT_BOOL)
#include "zip_loops.inc"
#undef T
#undef NAME
#undef DTYPES

union element {
	float f32;
	double f64;
	int32_t i32;
	int64_t i64;
	uint8_t u8;
};

struct zip {
	int32_t op, dtype;
	mt_scalar p, q;
	int scalar_at; /* 0: a is the scalar, 1: b is, -1: both are arrays */
	union element scalar;
};

static bool has_quotient(int32_t op) {
	return op == MT_ZIP_MOD || op == MT_ZIP_FLOOR_DIV || op == MT_ZIP_FMOD;
}

static bool quotient_is_small(float a, float b) {
	return (fabsf(a) < QUOTIENT_LIMIT * fabsf(b)) & (fabsf(b) < INFINITY);
}

static float any_quotient(int op, float a, float b) {
	float r = fmodf(a, b);
	return op == MT_ZIP_FMOD ? r : op == MT_ZIP_MOD ? mod_f32(r, b) : floor_div_f32(r, a, b);
}

/* mod, floor_div and fmod: with the C library's fmod where the quotient is large.  Each element takes the same way
 * whatever its neighbours are. */
static void zip_quotients(int op, float *out, const float *a, const float *b, uint32_t scalars, int64_t n) {
	enum { CHUNK = 1024 };
	int64_t step_a = scalars & 1 ? 0 : 1, step_b = scalars & 2 ? 0 : 1;
	for (int64_t begin = 0; begin < n; begin += CHUNK) {
		int64_t m = mt__omp_min(CHUNK, n - begin);
		const float *p = a + begin * step_a, *q = b + begin * step_b;
		int large = 0;
		for (int64_t i = 0; i < m; i++)
			large |= !quotient_is_small(p[i * step_a], q[i * step_b]);
		if (!large) {
			zip_f32(op, out + begin, p, q, scalars, m, 0, 0);
			continue;
		}
		for (int64_t i = 0; i < m; i++) {
			float x = p[i * step_a], y = q[i * step_b];
			if (quotient_is_small(x, y))
				zip_f32(op, out + begin + i, &x, &y, 0, 1, 0, 0);
			else
				out[begin + i] = any_quotient(op, x, y);
		}
	}
}

static void apply(const struct zip *z, void *out, const void *a, const void *b, uint32_t scalars, int64_t n) {
	switch (z->dtype) {
	case MT_F32:
		if (has_quotient(z->op))
			zip_quotients(z->op, out, a, b, scalars, n);
		else
			zip_f32(z->op, out, a, b, scalars, n, mt__scalar_f32(z->p), mt__scalar_f32(z->q));
		return;
	case MT_F64:
		zip_f64(z->op, out, a, b, scalars, n, mt__scalar_f64(z->p), mt__scalar_f64(z->q));
		return;
	case MT_I32:
		zip_i32(z->op, out, a, b, scalars, n, 0, 0);
		return;
	case MT_I64:
		zip_i64(z->op, out, a, b, scalars, n, 0, 0);
		return;
	case MT_U8:
		zip_u8(z->op, out, a, b, scalars, n, 0, 0);
		return;
	default:
		zip_bool(z->op, out, a, b, scalars, n, 0, 0);
	}
}

static bool gives_bool(int32_t op) {
	return op >= MT_ZIP_LT && op <= MT_ZIP_LOGICAL_XOR;
}

typedef void zip_loop_f32(int op, void *out, const float *a, const float *b, uint32_t scalars, int64_t n, float p,
                          float q);

/* pow with one exponent for all: squares and reciprocals as products and quotients, in that loop. */
static bool simple_pow(zip_loop_f32 *loop, float *out, const float *a, float exponent, int64_t n) {
	const float one = 1.0f;
	if (exponent == -1.0f)
		loop(MT_ZIP_DIV, out, &one, a, 1, n, 0, 0);
	else if (exponent == 2.0f)
		loop(MT_ZIP_MUL, out, a, a, 0, n, 0, 0);
	else
		return false;
	return true;
}

static bool is_pow_f32(const struct zip *z) {
	return z->op == MT_ZIP_POW && z->dtype == MT_F32;
}

static void run(const void *context, int64_t n, void *const *p, uint32_t scalars) {
	const struct zip *z = context;
	const void *a = z->scalar_at == 0 ? (const void *)&z->scalar : p[1];
	const void *b = z->scalar_at == 1 ? (const void *)&z->scalar : p[z->scalar_at == 0 ? 1 : 2];
	uint32_t one = z->scalar_at < 0 ? scalars >> 1 : (scalars >> 1 ? 3u : 1u << z->scalar_at);
	if (one == 3) {
		union element value;
		int size = gives_bool(z->op) ? 1 : mt__omp_dtype_size(z->dtype);
		apply(z, &value, a, b, 0, 1);
		mt__omp_fill_run(p[0], &value, size, n);
		return;
	}
	if (is_pow_f32(z) && one == 2 && simple_pow(zip_f32, p[0], a, *(const float *)b, n))
		return;
	apply(z, p[0], a, b, one, n);
}

static void stream(const void *context, int64_t n, void *const *p, uint32_t scalars) {
	const struct zip *z = context;
	const void *a = z->scalar_at == 0 ? (const void *)&z->scalar : p[1];
	const void *b = z->scalar_at == 1 ? (const void *)&z->scalar : p[z->scalar_at == 0 ? 1 : 2];
	uint32_t one = z->scalar_at < 0 ? scalars >> 1 : (scalars >> 1 ? 3u : 1u << z->scalar_at);
	if (one == 3)
		run(context, n, p, scalars);
	else if (!is_pow_f32(z) || one != 2 || !simple_pow(stream_f32, p[0], a, *(const float *)b, n))
		stream_f32(z->op, p[0], a, b, one, n, mt__scalar_f32(z->p), mt__scalar_f32(z->q));
}

/* Of one position, in axpy elements. */
static double cost(int32_t op, int32_t dtype) {
	double c;
	switch (op) {
	case MT_ZIP_POW:
	case MT_ZIP_GELU_GRAD:
	case MT_ZIP_GELU_TANH_GRAD:
	case MT_ZIP_MISH_GRAD:
		c = 16;
		break;
	case MT_ZIP_MOD:
	case MT_ZIP_FLOOR_DIV:
	case MT_ZIP_ATAN2:
	case MT_ZIP_FMOD:
		return dtype == MT_F64 ? 50 : 8;
	case MT_ZIP_SILU_GRAD:
	case MT_ZIP_SOFTPLUS_GRAD:
	case MT_ZIP_ERF_GRAD:
	case MT_ZIP_ELU_GRAD:
	case MT_ZIP_SELU_GRAD:
	case MT_ZIP_HYPOT:
		c = 5;
		break;
	default:
		return 1.5;
	}
	return dtype == MT_F64 ? 8 * c : c;
}

static void set_scalar(struct zip *z, mt_scalar s, int32_t dtype) {
	switch (dtype) {
	case MT_F32:
	case MT_F16:
	case MT_BF16:
		z->scalar.f32 = mt__scalar_f32(s);
		return;
	case MT_F64:
		z->scalar.f64 = mt__scalar_f64(s);
		return;
	case MT_I32:
		z->scalar.i32 = mt__scalar_i32(s);
		return;
	case MT_I64:
		z->scalar.i64 = mt__scalar_i64(s);
		return;
	case MT_U8:
		z->scalar.u8 = mt__scalar_u8(s);
		return;
	default:
		z->scalar.u8 = mt__scalar_bool(s);
	}
}

static __attribute__((noinline)) int32_t zip(mt_queue *queue, const struct mt_zip_args *args) {
	const mt_array *one = args->a ? args->a : args->b;
	struct zip z = {.op = args->op, .dtype = mt__omp_compute_dtype(one->dtype), .p = args->p0, .q = args->p1};
	z.scalar_at = args->a == NULL ? 0 : args->b == NULL ? 1 : -1;
	if (z.scalar_at >= 0)
		set_scalar(&z, args->scalar, one->dtype);
	struct mt__omp_job job;
	const mt_array *arrays[] = {args->out, one, args->b};
	int n = z.scalar_at < 0 ? 3 : 2;
	mt__omp_collapse(&job.walk, n, arrays);
	job.reads = 6;
	job.writes = 1;
	job.raw = 0;
	job.move = false;
	job.may_be_scalar = 6;
	job.cost = cost(args->op, one->dtype);
	job.run = run;
	job.stream = one->dtype == MT_F32 && !gives_bool(args->op) && !has_quotient(args->op) ? stream : NULL;
	job.context = &z;
	mt__omp_elementwise(queue, &job);
	return MT_OK;
}

int32_t MT_ISA_NAME(mt__omp_zip)(mt_queue *queue, const struct mt_zip_args *args) {
	return mt__omp_zip_single(args) ? MT_OK : zip(queue, args);
}
