/* uniform, normal, bernoulli: mt/philox.h in chunks.  The rounds of Philox run over CHUNK counters at a time, one block a
 * vector lane; every element's value is a function of its block alone, so that chunks and threads change nothing. */
#include "mt/lowp.h"
#include "mt/philox.h"
#include "stage.h"
#include "units.h"
#include "vector.h"
#include "vmath.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { CHUNK = 256, ELEMENTS = 4 * CHUNK }; /* blocks, and elements at most */

struct words {
	_Alignas(64) uint32_t w[4][CHUNK];
};

struct fill {
	uint64_t seed, first;
	int32_t dtype;
	int per_block; /* elements of a block */
	bool raw;      /* what generate writes is of dtype itself, not of its compute type */
	/* dst[e] = element e of n, from the words of their blocks */
	void (*generate)(const struct fill *f, const struct words *words, void *dst, int64_t n);
	mt_uniform_f32_range range;
	mt_uniform_f64_range wide_range;
	double mean, std;
	uint64_t threshold;
	const mt_array *out;
	bool contiguous;
	uint64_t one; /* bernoulli: the bits of 1 in dtype */
};

#if defined(__SSE2__)

#if defined(MT_ISA_AVX512)
typedef __m512i lanes;
#define LANES(f) _mm512_##f
#define low_words(p, x) _mm256_storeu_si256((__m256i *)(p), _mm512_cvtepi64_epi32(x))
#elif defined(MT_ISA_AVX2)
typedef __m256i lanes;
#define LANES(f) _mm256_##f
#else
typedef __m128i lanes;
#define LANES(f) _mm_##f
#endif

enum { BLOCKS = sizeof(lanes) / 8 };

#if !defined(MT_ISA_AVX512)
MT_INLINE void low_words(uint32_t *p, lanes x) {
	union {
		lanes x;
		uint64_t u[BLOCKS];
	} v = {.x = x};
	for (int i = 0; i < BLOCKS; i++)
		p[i] = (uint32_t)v.u[i];
}
#endif

MT_INLINE lanes lanes_of(uint64_t x) {
	vec_i64 v;
	for (int i = 0; i < BLOCKS; i++)
		v[i] = (int64_t)x;
	return (lanes)v;
}

/* mt_philox4x32 of `BLOCKS` blocks, a 64-bit lane each.  Words are the lanes' lower halves, what the upper ones hold does
 * not matter: the products look at the lower halves alone. */
static void philox(struct words *out, uint64_t seed, uint64_t first, int64_t n) {
	lanes key0[10], key1[10];
	for (int round = 0; round < 10; round++) {
		key0[round] = lanes_of((uint32_t)seed + (uint32_t)round * 0x9E3779B9u);
		key1[round] = lanes_of((uint32_t)(seed >> 32) + (uint32_t)round * 0xBB67AE85u);
	}
	const lanes factor0 = lanes_of(0xD2511F53u), factor1 = lanes_of(0xCD9E8D57u);
	for (int64_t b = 0; b < n; b += BLOCKS) {
		vec_i64 count;
		for (int i = 0; i < BLOCKS; i++)
			count[i] = (int64_t)(first + (uint64_t)(b + i));
		lanes c0 = (lanes)count, c1 = LANES(srli_epi64)(c0, 32), c2 = lanes_of(0), c3 = c2;
		MT_UNROLL
		for (int round = 0; round < 10; round++) {
			lanes p0 = LANES(mul_epu32)(factor0, c0), p1 = LANES(mul_epu32)(factor1, c2);
			c0 = (lanes)((vec_i64)LANES(srli_epi64)(p1, 32) ^ (vec_i64)c1 ^ (vec_i64)key0[round]);
			c1 = p1;
			c2 = (lanes)((vec_i64)LANES(srli_epi64)(p0, 32) ^ (vec_i64)c3 ^ (vec_i64)key1[round]);
			c3 = p0;
		}
		low_words(out->w[0] + b, c0);
		low_words(out->w[1] + b, c1);
		low_words(out->w[2] + b, c2);
		low_words(out->w[3] + b, c3);
	}
}

#else

static void philox(struct words *out, uint64_t seed, uint64_t first, int64_t n) {
#pragma omp simd
	for (int64_t b = 0; b < n; b++) {
		uint64_t block = first + (uint64_t)b;
		uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32), c2 = 0, c3 = 0;
		uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
		for (int round = 0; round < 10; round++) {
			uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
			c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
			c1 = (uint32_t)p1;
			c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
			c3 = (uint32_t)p0;
			k0 += 0x9E3779B9u;
			k1 += 0xBB67AE85u;
		}
		out->w[0][b] = c0;
		out->w[1][b] = c1;
		out->w[2][b] = c2;
		out->w[3][b] = c3;
	}
}

#endif

/* ---- values ------------------------------------------------------------------------------------------------------- */

static void uniform_f32(const struct fill *f, const struct words *words, void *dst, int64_t n) {
	float *y = dst;
	const mt_uniform_f32_range r = f->range;
	int64_t blocks = mt__omp_ceil_div(n, 4);
#pragma omp simd
	for (int64_t b = 0; b < blocks; b++)
		for (int j = 0; j < 4; j++)
			y[4 * b + j] = mt_uniform_f32(words->w[j][b], r);
}

static void uniform_f16(const struct fill *f, const struct words *words, void *dst, int64_t n) {
	float *y = dst;
	const mt_uniform_f32_range r = f->range;
	int64_t blocks = mt__omp_ceil_div(n, 4);
#pragma omp simd
	for (int64_t b = 0; b < blocks; b++)
		for (int j = 0; j < 4; j++)
			y[4 * b + j] = mt_uniform_f16(words->w[j][b], r);
}

static void uniform_bf16(const struct fill *f, const struct words *words, void *dst, int64_t n) {
	float *y = dst;
	const mt_uniform_f32_range r = f->range;
	int64_t blocks = mt__omp_ceil_div(n, 4);
#pragma omp simd
	for (int64_t b = 0; b < blocks; b++)
		for (int j = 0; j < 4; j++)
			y[4 * b + j] = mt_uniform_bf16(words->w[j][b], r);
}

static uint64_t draw64(const struct words *words, int64_t b, int j) {
	return (uint64_t)words->w[2 * j + 1][b] << 32 | words->w[2 * j][b];
}

static void uniform_f64(const struct fill *f, const struct words *words, void *dst, int64_t n) {
	double *y = dst;
	const mt_uniform_f64_range r = f->wide_range;
	int64_t blocks = mt__omp_ceil_div(n, 2);
#pragma omp simd
	for (int64_t b = 0; b < blocks; b++)
		for (int j = 0; j < 2; j++)
			y[2 * b + j] = mt_uniform_f64(draw64(words, b, j), r);
}

static void normal_f32(const struct fill *f, const struct words *words, void *dst, int64_t n) {
	float *y = dst, mean = (float)f->mean, std = (float)f->std;
	int64_t blocks = mt__omp_ceil_div(n, 4);
#pragma omp simd
	for (int64_t b = 0; b < blocks; b++) {
		float z0, z1, z2, z3;
		mt_normal_pair_f32(words->w[0][b], words->w[1][b], &z0, &z1);
		mt_normal_pair_f32(words->w[2][b], words->w[3][b], &z2, &z3);
		y[4 * b] = fmaf(std, z0, mean);
		y[4 * b + 1] = fmaf(std, z1, mean);
		y[4 * b + 2] = fmaf(std, z2, mean);
		y[4 * b + 3] = fmaf(std, z3, mean);
	}
}

static void normal_f64(const struct fill *f, const struct words *words, void *dst, int64_t n) {
	double *y = dst;
	int64_t blocks = mt__omp_ceil_div(n, 2);
#pragma omp simd
	for (int64_t b = 0; b < blocks; b++) {
		double z0, z1;
		mt_normal_pair_f64(draw64(words, b, 0), draw64(words, b, 1), &z0, &z1);
		y[2 * b] = fma(f->std, z0, f->mean);
		y[2 * b + 1] = fma(f->std, z1, f->mean);
	}
}

#define T uint8_t
#define NAME(f) f##_1
#include "random_bernoulli.inc"
#undef T
#undef NAME
#define T uint16_t
#define NAME(f) f##_2
#include "random_bernoulli.inc"
#undef T
#undef NAME
#define T uint32_t
#define NAME(f) f##_4
#include "random_bernoulli.inc"
#undef T
#undef NAME
#define T uint64_t
#define NAME(f) f##_8
#include "random_bernoulli.inc"
#undef T
#undef NAME

/* ---- where they go ------------------------------------------------------------------------------------------------ */

static bool is_contiguous(const mt_array *a) {
	int64_t expect = 1;
	for (int d = a->rank - 1; d >= 0; d--) {
		if (a->shape[d] != 1 && a->stride[d] != expect)
			return false;
		expect *= a->shape[d];
	}
	return true;
}

/* Elements [e, e + n) in row-major order from a contiguous buffer. */
static void scatter(const struct fill *f, const mt_array *out, int64_t e, int64_t n, const char *values) {
	int size = mt__omp_dtype_size(f->dtype), from = f->raw ? size : mt__omp_compute_size(f->dtype);
	int last = out->rank - 1;
	while (n > 0) {
		int64_t rest = e, offset = 0, length = 1, step = 1;
		if (last >= 0) {
			int64_t i = e % out->shape[last];
			length = out->shape[last] - i;
			step = out->stride[last];
			offset = i * step;
			rest = e / out->shape[last];
		}
		for (int d = last - 1; d >= 0; d--) {
			offset += rest % out->shape[d] * out->stride[d];
			rest /= out->shape[d];
		}
		int64_t m = mt__omp_min(length, n);
		mt__omp_store_run(f->dtype, f->raw, (char *)mt__omp_data(out) + offset * size, step, values, m);
		values += m * from;
		e += m;
		n -= m;
	}
}

static void fill_chunks(const void *context, int64_t begin, int64_t end) {
	const struct fill *f = context;
	const mt_array *out = f->out;
	bool contiguous = f->contiguous;
	struct words words;
	_Alignas(64) char buffer[ELEMENTS * 8];
	int64_t each = (int64_t)f->per_block * CHUNK, n = mt__omp_numel(out);
	int size = mt__omp_dtype_size(f->dtype);
	bool direct = contiguous && (f->raw || mt__omp_compute_dtype(f->dtype) == f->dtype);
	for (int64_t c = begin; c < end; c++) {
		int64_t e = c * each, m = mt__omp_min(each, n - e);
		philox(&words, f->seed, f->first + (uint64_t)(c * CHUNK), mt__omp_ceil_div(m, f->per_block));
		/* Values come in whole blocks: the last one may reach beyond the array. */
		bool whole = m % f->per_block == 0;
		char *to = direct && whole ? (char *)mt__omp_data(out) + e * size : buffer;
		f->generate(f, &words, to, m);
		if (to != buffer)
			continue;
		if (contiguous)
			mt__omp_store_run(f->dtype, f->raw, (char *)mt__omp_data(out) + e * size, 1, buffer, m);
		else
			scatter(f, out, e, m, buffer);
	}
}

static int32_t fill_random(mt_queue *queue, struct fill *f, const mt_array *out, const mt_philox_pos *pos,
                           double cost) {
	f->seed = pos->seed;
	f->first = pos->device_offset ? (uint64_t) * (const int64_t *)mt__omp_data(pos->device_offset) : pos->offset;
	f->dtype = out->dtype;
	int64_t n = mt__omp_numel(out), chunks = mt__omp_ceil_div(n, (int64_t)f->per_block * CHUNK);
	f->out = out;
	f->contiguous = is_contiguous(out);
	mt__omp_for_units(mt__omp_threads(queue, (double)n * cost), chunks, fill_chunks, f);
	return MT_OK;
}

/* ---- the kernels -------------------------------------------------------------------------------------------------- */

int32_t MT_ISA_NAME(mt__omp_uniform)(mt_queue *queue, const struct mt_uniform_args *args) {
	struct fill f = {.per_block = 4};
	double low = args->low, high = args->high;
	switch (args->out->dtype) {
	case MT_F64:
		f.per_block = 2;
		f.wide_range = mt_uniform_range_f64(low, high);
		f.generate = uniform_f64;
		break;
	case MT_F32:
		f.range = mt_uniform_range_f32((float)low, (float)high);
		f.generate = uniform_f32;
		break;
	case MT_F16:
		f.range = mt_uniform_range_f16(mt_f16_to_f32(mt_f64_to_f16(low)), mt_f16_to_f32(mt_f64_to_f16(high)));
		f.generate = uniform_f16;
		break;
	default:
		f.range = mt_uniform_range_bf16(mt_bf16_to_f32(mt_f64_to_bf16(low)), mt_bf16_to_f32(mt_f64_to_bf16(high)));
		f.generate = uniform_bf16;
	}
	return fill_random(queue, &f, args->out, &args->pos, 4);
}

int32_t MT_ISA_NAME(mt__omp_normal)(mt_queue *queue, const struct mt_normal_args *args) {
	bool wide = args->out->dtype == MT_F64;
	struct fill f = {
		.per_block = wide ? 2 : 4, .mean = args->mean, .std = args->std, .generate = wide ? normal_f64 : normal_f32};
	return fill_random(queue, &f, args->out, &args->pos, 8);
}

/* The bits of 1. */
static uint64_t one_of(int32_t dtype) {
	switch (dtype) {
	case MT_F32:
		return 0x3F800000u;
	case MT_F64:
		return 0x3FF0000000000000u;
	case MT_F16:
		return 0x3C00u;
	case MT_BF16:
		return 0x3F80u;
	default:
		return 1;
	}
}

int32_t MT_ISA_NAME(mt__omp_bernoulli)(mt_queue *queue, const struct mt_bernoulli_args *args) {
	struct fill f = {
		.per_block = 4, .raw = true, .threshold = mt_bernoulli_threshold(args->p), .one = one_of(args->out->dtype)};
	switch (mt__omp_dtype_size(args->out->dtype)) {
	case 1:
		f.generate = bernoulli_1;
		break;
	case 2:
		f.generate = bernoulli_2;
		break;
	case 4:
		f.generate = bernoulli_4;
		break;
	default:
		f.generate = bernoulli_8;
	}
	return fill_random(queue, &f, args->out, &args->pos, 4);
}
