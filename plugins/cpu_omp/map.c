/* map: y = f(x).  Formulas in map_float.h and map_integer.inc, loops in map_loops.inc. */
#include <string.h>

#include "elementwise.h"
#include "map_float.h"
#include "scalar.h"
#include "stage.h"
#include "stream.h"
#if defined(MT_ISA_AVX512)
#include "vmath_avx512_loops.h"
#endif

#define T float
#define NAME(f) f##_f32
#define DTYPES MT_DTYPE_BIT(MT_F32)
#define STREAMS
#if defined(MT_ISA_AVX512)
#define LANES
#endif
#include "map_loops.inc"
#undef STREAMS
#undef LANES
#undef T
#undef NAME
#undef DTYPES

#define T double
#define NAME(f) f##_f64
#define DTYPES MT_DTYPE_BIT(MT_F64)
#include "map_loops.inc"
#undef T
#undef NAME
#undef DTYPES

#define T int32_t
#define U uint32_t
#define SIGNED 1
#define NAME(f) f##_i32
#define DTYPES MT_DTYPE_BIT(MT_I32)
#include "map_integer.inc"
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
#include "map_integer.inc"
#undef T
#undef U
#undef SIGNED
#undef NAME
#undef DTYPES

/* bool has logical_not alone, which is that of its byte. */
#define T uint8_t
#define U uint32_t
#define SIGNED 0
#define NAME(f) f##_u8
#define DTYPES (MT_DTYPE_BIT(MT_U8) | MT_DTYPE_BIT(MT_BOOL))
#include "map_integer.inc"
#undef T
#undef U
#undef SIGNED
#undef NAME
#undef DTYPES

struct map {
	int32_t op, dtype;
	mt_scalar p, q;
};

/* Functions whose loops want only arguments below MT__TRIG_LIMIT. */
static bool is_limited(int32_t op) {
#if defined(MT_ISA_AVX512)
	return op == MT_MAP_TAN;
#else
	return op == MT_MAP_SIN || op == MT_MAP_COS || op == MT_MAP_TAN;
#endif
}

static bool gives_bool(int32_t op) {
	return op == MT_MAP_LOGICAL_NOT || (op >= MT_MAP_ISNAN && op <= MT_MAP_ISFINITE);
}

/* sin, cos and tan of arguments beyond what the vector form reduces.  Each element takes the same way whatever its
 * neighbours are. */
static void map_trig(int op, float *out, const float *x, int64_t n) {
	enum { CHUNK = 1024 };
	for (int64_t begin = 0; begin < n; begin += CHUNK) {
		int64_t end = mt__omp_min(begin + CHUNK, n);
		int large = 0;
		for (int64_t i = begin; i < end; i++)
			large |= fabsf(x[i]) >= MT__TRIG_LIMIT;
		if (!large) {
			map_f32(op, out + begin, x + begin, end - begin, 0, 0);
			continue;
		}
		for (int64_t i = begin; i < end; i++)
			if (fabsf(x[i]) >= MT__TRIG_LIMIT)
				out[i] = op == MT_MAP_SIN ? sinf(x[i]) : op == MT_MAP_COS ? cosf(x[i]) : tanf(x[i]);
			else
				map_f32(op, out + i, x + i, 1, 0, 0);
	}
}

static void run(const void *context, int64_t n, void *const *p, uint32_t scalars) {
	const struct map *m = context;
	(void)scalars;
	switch (m->dtype) {
	case MT_F32:
		if (is_limited(m->op))
			map_trig(m->op, p[0], p[1], n);
		else
			map_f32(m->op, p[0], p[1], n, mt__scalar_f32(m->p), mt__scalar_f32(m->q));
		return;
	case MT_F64:
		map_f64(m->op, p[0], p[1], n, mt__scalar_f64(m->p), mt__scalar_f64(m->q));
		return;
	case MT_I32:
		map_i32(m->op, p[0], p[1], n, mt__scalar_i32(m->p), mt__scalar_i32(m->q));
		return;
	case MT_I64:
		map_i64(m->op, p[0], p[1], n, mt__scalar_i64(m->p), mt__scalar_i64(m->q));
		return;
	default:
		map_u8(m->op, p[0], p[1], n, mt__scalar_u8(m->p), mt__scalar_u8(m->q));
	}
}

static void stream(const void *context, int64_t n, void *const *p, uint32_t scalars) {
	const struct map *m = context;
	(void)scalars;
	stream_f32(m->op, p[0], p[1], n, mt__scalar_f32(m->p), mt__scalar_f32(m->q));
}

/* Of one position, in axpy elements: what a function costs, and eight times that where the C library does it. */
static double cost(int32_t op, int32_t dtype) {
	double c;
	switch (op) {
	case MT_MAP_EXP:
	case MT_MAP_EXPM1:
	case MT_MAP_LOG:
	case MT_MAP_LOG1P:
	case MT_MAP_TANH:
	case MT_MAP_SIGMOID:
	case MT_MAP_SILU:
	case MT_MAP_SOFTPLUS:
	case MT_MAP_ERF:
	case MT_MAP_ELU:
	case MT_MAP_SELU:
		c = 4;
		break;
	case MT_MAP_EXP2:
	case MT_MAP_LOG2:
	case MT_MAP_LOG10:
	case MT_MAP_SINH:
	case MT_MAP_COSH:
	case MT_MAP_MISH:
		c = 8;
		break;
	case MT_MAP_SIN:
	case MT_MAP_COS:
	case MT_MAP_TAN:
	case MT_MAP_GELU:
	case MT_MAP_GELU_TANH:
		c = 12;
		break;
	case MT_MAP_ASIN:
	case MT_MAP_ACOS:
	case MT_MAP_ATAN:
	case MT_MAP_ASINH:
	case MT_MAP_ACOSH:
	case MT_MAP_ATANH:
		return dtype == MT_F64 ? 64 : 8;
	default:
		return 1;
	}
	return dtype == MT_F64 ? 8 * c : c;
}

int32_t MT_ISA_NAME(mt__omp_map)(mt_queue *queue, const struct mt_map_args *args) {
	struct map m = {args->op, mt__omp_compute_dtype(args->x->dtype), args->p0, args->p1};
	struct mt__omp_job job;
	const mt_array *arrays[] = {args->out, args->x};
	mt__omp_collapse(&job.walk, 2, arrays);
	job.reads = 2;
	job.writes = 1;
	job.raw = 0;
	job.move = false;
	job.may_be_scalar = 0;
	job.cost = cost(args->op, args->x->dtype);
	job.run = run;
	job.stream = args->x->dtype == MT_F32 && !is_limited(args->op) && !gives_bool(args->op) ? stream : NULL;
	job.context = &m;
	mt__omp_elementwise(queue, &job);
	return MT_OK;
}
