/* mt's random numbers, specified as code: a function of (seed, block) and nothing else, with the same bits on every
 * backend.  docs/random.md says the same in prose.  For libmt, plugins (C11 or C++17) and CUDA, which defines
 * MT_PHILOX_FN as `__host__ __device__ inline` before it includes this file.
 *
 * Element e, in row-major order of the array, reads from the stream of 128-bit blocks that starts at block `offset`:
 *     32-bit draws (f32, f16, bf16; bernoulli in every dtype)  word e % 4 of block offset + e / 4
 *     64-bit draws (uniform, normal in f64)                    words 2 (e % 2), low half, and 2 (e % 2) + 1, high half,
 *                                                              of block offset + e / 2
 * and the stream advances by whole blocks: mt_philox_blocks, mt_bernoulli_blocks.
 *
 * Floating point here is IEEE binary32 and binary64 in round-to-nearest, made of add, mul, fma, sqrt and exact
 * conversions only.  No product is the operand of an addition: each multiply-add is an explicit fma, so that a
 * compiler's contraction cannot change a bit.  (-ffast-math can: never compile this file with it.) */
#ifndef MT_PHILOX_H
#define MT_PHILOX_H

#include <math.h>
#include <stdint.h>

#ifndef MT_PHILOX_FN
#define MT_PHILOX_FN static inline
#endif

/* ---- bits --------------------------------------------------------------------------------------------------------- */

/* Philox4x32 with 10 rounds (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011). */
MT_PHILOX_FN void mt_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t w[4]) {
	uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
	uint32_t k0 = key[0], k1 = key[1];
	for (int round = 0; round < 10; round++) {
		uint64_t p0 = (uint64_t)0xD2511F53u * c0;
		uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
		c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
		c1 = (uint32_t)p1;
		c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
		c3 = (uint32_t)p0;
		k0 += 0x9E3779B9u;
		k1 += 0xBB67AE85u;
	}
	w[0] = c0;
	w[1] = c1;
	w[2] = c2;
	w[3] = c3;
}

/* The four words of one block: key = seed, counter = (block, 0), low halves first. */
MT_PHILOX_FN void mt_philox_block(uint64_t seed, uint64_t block, uint32_t w[4]) {
	const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), 0, 0};
	const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
	mt_philox4x32(counter, key, w);
}

/* 64-bit draw j (0 or 1) of a block. */
MT_PHILOX_FN uint64_t mt_philox_u64(const uint32_t w[4], int j) {
	return (uint64_t)w[2 * j + 1] << 32 | w[2 * j];
}

/* Blocks that uniform or normal uses for n elements of a float dtype (enum mt_dtype_id; 2 is f64). */
MT_PHILOX_FN uint64_t mt_philox_blocks(int32_t dtype, uint64_t n) {
	return dtype == 2 ? n / 2 + n % 2 : n / 4 + (n % 4 != 0);
}

/* Blocks that bernoulli uses for n elements of any dtype. */
MT_PHILOX_FN uint64_t mt_bernoulli_blocks(uint64_t n) {
	return n / 4 + (n % 4 != 0);
}

/* ---- bernoulli ---------------------------------------------------------------------------------------------------- */

/* A draw w gives 1 where w < threshold.  p is clamped to [0, 1]; NaN counts as 0. */
MT_PHILOX_FN uint64_t mt_bernoulli_threshold(double p) {
	double clamped = p > 0.0 ? (p < 1.0 ? p : 1.0) : 0.0;
	return (uint64_t)(clamped * 4294967296.0);
}

MT_PHILOX_FN int mt_bernoulli_bit(uint32_t w, uint64_t threshold) {
	return w < threshold;
}

/* ---- uniform ------------------------------------------------------------------------------------------------------
 *     v = fma(u, high − low, low),  u in [0, 1) of as many random bits as the dtype has digits; v if v < high, else last
 * low and high are values of the dtype T (the arguments rounded to T), high − low is finite; last is the largest T
 * below high, or low where low >= high.  f16 and bf16 compute in f32 and round v toward zero: these functions return
 * the result as a float that T holds exactly. */

typedef struct mt_uniform_f32_range {
	float low, span, high, last;
} mt_uniform_f32_range;

typedef struct mt_uniform_f64_range {
	double low, span, high, last;
} mt_uniform_f64_range;

MT_PHILOX_FN uint32_t mt__f32_bits(float x) {
	union {
		float f;
		uint32_t u;
	} v;
	v.f = x;
	return v.u;
}

MT_PHILOX_FN float mt__f32_from_bits(uint32_t u) {
	union {
		uint32_t u;
		float f;
	} v;
	v.u = u;
	return v.f;
}

MT_PHILOX_FN uint64_t mt__f64_bits(double x) {
	union {
		double f;
		uint64_t u;
	} v;
	v.f = x;
	return v.u;
}

MT_PHILOX_FN double mt__f64_from_bits(uint64_t u) {
	union {
		uint64_t u;
		double f;
	} v;
	v.u = u;
	return v.f;
}

/* Toward zero, to the f16 grid (|x| < 65536) and to the bf16 grid. */
MT_PHILOX_FN float mt__f16_truncate(float x) {
	float normal = mt__f32_from_bits(mt__f32_bits(x) & 0xFFFFE000u);
	float subnormal = truncf(x * 0x1p24f) * 0x1p-24f;
	return fabsf(x) < 0x1p-14f ? subnormal : normal;
}

MT_PHILOX_FN float mt__bf16_truncate(float x) {
	return mt__f32_from_bits(mt__f32_bits(x) & 0xFFFF0000u);
}

/* The largest value of T below x, a finite value of T. */
MT_PHILOX_FN float mt__f32_below(float x) {
	return x > 0 ? mt__f32_from_bits(mt__f32_bits(x) - 1) : x < 0 ? mt__f32_from_bits(mt__f32_bits(x) + 1) : -0x1p-149f;
}

MT_PHILOX_FN float mt__f16_below(float x) {
	if (x > 0)
		return mt__f16_truncate(mt__f32_below(x));
	return x > -0x1p-14f ? x - 0x1p-24f : mt__f32_from_bits(mt__f32_bits(x) + 0x2000u);
}

MT_PHILOX_FN float mt__bf16_below(float x) {
	if (x > 0)
		return mt__f32_from_bits(mt__f32_bits(x) - 0x10000u);
	return mt__f32_from_bits((mt__f32_bits(x) | 0x80000000u) + 0x10000u);
}

MT_PHILOX_FN double mt__f64_below(double x) {
	return x > 0 ? mt__f64_from_bits(mt__f64_bits(x) - 1) : x < 0 ? mt__f64_from_bits(mt__f64_bits(x) + 1) : -0x1p-1074;
}

MT_PHILOX_FN mt_uniform_f32_range mt__uniform_range(float low, float high, float below) {
	mt_uniform_f32_range r;
	r.low = low;
	r.span = high - low;
	r.high = high;
	r.last = low < high ? below : low;
	return r;
}

MT_PHILOX_FN mt_uniform_f32_range mt_uniform_range_f32(float low, float high) {
	return mt__uniform_range(low, high, mt__f32_below(high));
}

MT_PHILOX_FN mt_uniform_f32_range mt_uniform_range_f16(float low, float high) {
	return mt__uniform_range(low, high, mt__f16_below(high));
}

MT_PHILOX_FN mt_uniform_f32_range mt_uniform_range_bf16(float low, float high) {
	return mt__uniform_range(low, high, mt__bf16_below(high));
}

MT_PHILOX_FN mt_uniform_f64_range mt_uniform_range_f64(double low, double high) {
	mt_uniform_f64_range r;
	r.low = low;
	r.span = high - low;
	r.high = high;
	r.last = low < high ? mt__f64_below(high) : low;
	return r;
}

MT_PHILOX_FN float mt_uniform_f32(uint32_t w, mt_uniform_f32_range r) {
	float u = (float)(int32_t)(w >> 8) * 0x1p-24f;
	float v = fmaf(u, r.span, r.low);
	return v < r.high ? v : r.last;
}

MT_PHILOX_FN float mt_uniform_f16(uint32_t w, mt_uniform_f32_range r) {
	float u = (float)(int32_t)(w >> 21) * 0x1p-11f;
	float v = mt__f16_truncate(fmaf(u, r.span, r.low));
	return v < r.high ? v : r.last;
}

MT_PHILOX_FN float mt_uniform_bf16(uint32_t w, mt_uniform_f32_range r) {
	float u = (float)(int32_t)(w >> 24) * 0x1p-8f;
	float v = mt__bf16_truncate(fmaf(u, r.span, r.low));
	return v < r.high ? v : r.last;
}

MT_PHILOX_FN double mt_uniform_f64(uint64_t x, mt_uniform_f64_range r) {
	double u = (double)(int64_t)(x >> 11) * 0x1p-53;
	double v = fma(u, r.span, r.low);
	return v < r.high ? v : r.last;
}

/* ---- normal -------------------------------------------------------------------------------------------------------
 * Box–Muller, two draws a, b to two deviates:
 *     u1 = ((a >> 8) + 1) 2^-24 in (0, 1]     r = sqrt(−2 ln u1)     θ = 2π b / 2^32     z0 = r cos θ,  z1 = r sin θ
 * (f64: a >> 11, 2^-53, 2^64.)  Words (0, 1) give elements 0, 1 of a block and words (2, 3) elements 2, 3; in f64 the
 * two 64-bit draws give elements 0, 1.  The value stored is fma(std, z, mean) in the compute type (f32 for f16 and
 * bf16), then rounded to nearest.  z is within 4 ULP of the exact value.
 *
 * ln: u1 = 2^e m, m in [sqrt 1/2, sqrt 2), f = m − 1;  ln u1 = e ln 2 + f + f² (−1/2 + f P(f)).
 * Angle: θ = (q + x) π/2 with q the nearest quarter turn, x in [−1/2, 1/2);  sin(x π/2) = x (π/2 + x² S(x²)), π/2 in two
 * parts, cos(x π/2) = 1 + x² C(x²).  P, S, C: Chebyshev interpolants, errors below 2^-25 (f32) and 2^-57 (f64). */

MT_PHILOX_FN float mt__ln_f32(float u) {
	uint32_t bits = mt__f32_bits(u) + (0x3F800000u - 0x3F3504F3u);
	float e = (float)((int32_t)(bits >> 23) - 127);
	float f = mt__f32_from_bits((bits & 0x007FFFFFu) + 0x3F3504F3u) - 1.0f;
	float p = 0x1.1d8ea6p-4f;
	p = fmaf(p, f, -0x1.d635bcp-4f);
	p = fmaf(p, f, 0x1.dea282p-4f);
	p = fmaf(p, f, -0x1.fcf4c6p-4f);
	p = fmaf(p, f, 0x1.23d21ap-3f);
	p = fmaf(p, f, -0x1.555b4ap-3f);
	p = fmaf(p, f, 0x1.999d5ap-3f);
	p = fmaf(p, f, -0x1.fffffcp-3f);
	p = fmaf(p, f, 0x1.555554p-2f);
	float l = fmaf(fmaf(p, f, -0.5f), f * f, f);
	return fmaf(e, 0x1.62e43p-1f, l);
}

MT_PHILOX_FN double mt__ln_f64(double u) {
	uint64_t bits = mt__f64_bits(u) + (0x3FF0000000000000u - 0x3FE6A09E667F3BCDu);
	double e = (double)((int32_t)(bits >> 52) - 1023);
	double f = mt__f64_from_bits((bits & 0x000FFFFFFFFFFFFFu) + 0x3FE6A09E667F3BCDu) - 1.0;
	double p = -0x1.9a9a68c447047p-6;
	p = fma(p, f, 0x1.d03182232bb25p-5);
	p = fma(p, f, -0x1.f6223b4ebae32p-5);
	p = fma(p, f, 0x1.b81071d2b9323p-5);
	p = fma(p, f, -0x1.b7c4ffe0c77fdp-5);
	p = fma(p, f, 0x1.de2b25a838da5p-5);
	p = fma(p, f, -0x1.009d9ede13925p-4);
	p = fma(p, f, 0x1.1148d6d97be33p-4);
	p = fma(p, f, -0x1.248bbb2b73ddp-4);
	p = fma(p, f, 0x1.3b105762c04e6p-4);
	p = fma(p, f, -0x1.555574cd5f5abp-4);
	p = fma(p, f, 0x1.745d343946656p-4);
	p = fma(p, f, -0x1.9999999711ba3p-4);
	p = fma(p, f, 0x1.c71c713ccca51p-4);
	p = fma(p, f, -0x1.fffffffe0374fp-4);
	p = fma(p, f, 0x1.24924925376dap-3);
	p = fma(p, f, -0x1.5555555558074p-3);
	p = fma(p, f, 0x1.999999999901p-3);
	p = fma(p, f, -0x1.fffffffffffe7p-3);
	p = fma(p, f, 0x1.5555555555556p-2);
	double l = fma(fma(p, f, -0.5), f * f, f);
	return fma(e, 0x1.62e42fefa39efp-1, l);
}

MT_PHILOX_FN void mt_normal_pair_f32(uint32_t a, uint32_t b, float *z0, float *z1) {
	float r = sqrtf(-2.0f * mt__ln_f32((float)((int32_t)(a >> 8) + 1) * 0x1p-24f));
	uint32_t q = (b + 0x20000000u) >> 30;
	float x = (float)(int32_t)(b - (q << 30)) * 0x1p-30f;
	float t = x * x;
	float s = 0x1.4cb762p-13f;
	s = fmaf(s, t, -0x1.32ce1ep-8f);
	s = fmaf(s, t, 0x1.466bc2p-4f);
	s = fmaf(s, t, -0x1.4abbcep-1f);
	s = fmaf(s, t, -0x1.777a5cp-25f);
	s = fmaf(x, 0x1.921fb6p+0f, x * s);
	float c = 0x1.db6492p-11f;
	c = fmaf(c, t, -0x1.55cb98p-6f);
	c = fmaf(c, t, 0x1.03c1eap-2f);
	c = fmaf(c, t, -0x1.3bd3ccp+0f);
	c = fmaf(c, t, 1.0f);
	float cosine = q & 1 ? s : c, sine = q & 1 ? c : s;
	*z0 = r * ((q + 1) & 2 ? -cosine : cosine);
	*z1 = r * (q & 2 ? -sine : sine);
}

MT_PHILOX_FN void mt_normal_pair_f64(uint64_t a, uint64_t b, double *z0, double *z1) {
	double r = sqrt(-2.0 * mt__ln_f64((double)((int64_t)(a >> 11) + 1) * 0x1p-53));
	uint64_t q = (b + 0x2000000000000000u) >> 62;
	double x = (double)(int64_t)(b - (q << 62)) * 0x1p-62;
	double t = x * x;
	double s = 0x1.a7da70b1f459cp-38;
	s = fma(s, t, -0x1.6fab3c3eb25c4p-31);
	s = fma(s, t, 0x1.e8f432b4ce4c9p-25);
	s = fma(s, t, -0x1.e3074fdd8bbb6p-19);
	s = fma(s, t, 0x1.50783487ee37dp-13);
	s = fma(s, t, -0x1.32d2cce62bd85p-8);
	s = fma(s, t, 0x1.466bc6775aae2p-4);
	s = fma(s, t, -0x1.4abbce625be53p-1);
	s = fma(s, t, 0x1.1a62633145c07p-54);
	s = fma(x, 0x1.921fb54442d18p+0, x * s);
	double c = 0x1.1e745e5e09f6dp-34;
	c = fma(c, t, -0x1.b6de8b8e9ba08p-28);
	c = fma(c, t, 0x1.f9d3870871194p-22);
	c = fma(c, t, -0x1.a6d1f2a086c9p-16);
	c = fma(c, t, 0x1.e1f506891ae95p-11);
	c = fma(c, t, -0x1.55d3c7e3cbff7p-6);
	c = fma(c, t, 0x1.03c1f081b5ac4p-2);
	c = fma(c, t, -0x1.3bd3cc9be45dep+0);
	c = fma(c, t, 1.0);
	double cosine = q & 1 ? s : c, sine = q & 1 ? c : s;
	*z0 = r * ((q + 1) & 2 ? -cosine : cosine);
	*z1 = r * (q & 2 ? -sine : sine);
}

/* The standard normal deviates of one block: four in f32, two in f64. */
MT_PHILOX_FN void mt_normal_block_f32(uint64_t seed, uint64_t block, float z[4]) {
	uint32_t w[4];
	mt_philox_block(seed, block, w);
	mt_normal_pair_f32(w[0], w[1], &z[0], &z[1]);
	mt_normal_pair_f32(w[2], w[3], &z[2], &z[3]);
}

MT_PHILOX_FN void mt_normal_block_f64(uint64_t seed, uint64_t block, double z[2]) {
	uint32_t w[4];
	mt_philox_block(seed, block, w);
	mt_normal_pair_f64(mt_philox_u64(w, 0), mt_philox_u64(w, 1), &z[0], &z[1]);
}

#endif
