/* The 16-bit floats, by integer arithmetic alone: exact, and independent of the rounding mode and of hardware.
 *     f16   IEEE binary16: sign 1, exponent 5, fraction 10      bf16  the upper half of binary32
 * To a narrower type: round to nearest, ties to even; too large gives infinity; subnormals are kept; a NaN stays a NaN,
 * made quiet, with its sign and the upper bits of its payload.  To f32: exact (bf16 to f32 keeps even a signalling NaN).  For libmt and plugins, C11 or C++17. */
#ifndef MT_LOWP_H
#define MT_LOWP_H

#include <stdint.h>
#include <string.h>

#ifndef MT_LOWP_FN
#define MT_LOWP_FN static inline
#endif

MT_LOWP_FN uint32_t mt__lowp_bits(float x) {
	uint32_t u;
	memcpy(&u, &x, sizeof u);
	return u;
}

MT_LOWP_FN float mt__lowp_float(uint32_t u) {
	float x;
	memcpy(&x, &u, sizeof x);
	return x;
}

MT_LOWP_FN float mt_bf16_to_f32(uint16_t h) {
	return mt__lowp_float((uint32_t)h << 16);
}

MT_LOWP_FN uint16_t mt_f32_to_bf16(float x) {
	uint32_t u = mt__lowp_bits(x);
	if ((u & 0x7FFFFFFFu) > 0x7F800000u)
		return (uint16_t)(u >> 16 | 0x0040u);
	/* Half a unit less one, plus the last kept bit: a tie carries into an odd last bit only. */
	return (uint16_t)((u + 0x7FFFu + (u >> 16 & 1u)) >> 16);
}

MT_LOWP_FN float mt_f16_to_f32(uint16_t h) {
	uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
	uint32_t magnitude = h & 0x7FFFu;
	if (magnitude >= 0x7C00u)
		return mt__lowp_float(sign | 0x7F800000u | (magnitude & 0x03FFu) << 13 |
		                      (magnitude > 0x7C00u ? 0x00400000u : 0u));
	if (magnitude >= 0x0400u)
		return mt__lowp_float(sign | ((magnitude << 13) + ((127u - 15u) << 23)));
	/* Subnormal: magnitude · 2^-24, exact in f32. */
	return mt__lowp_float(sign | mt__lowp_bits((float)(int32_t)magnitude * (1.0f / 16777216.0f)));
}

MT_LOWP_FN uint16_t mt_f32_to_f16(float x) {
	uint32_t u = mt__lowp_bits(x);
	uint32_t sign = u >> 16 & 0x8000u;
	u &= 0x7FFFFFFFu;
	if (u > 0x7F800000u)
		return (uint16_t)(sign | 0x7E00u | (u >> 13 & 0x03FFu));
	if (u >= 0x477FF000u) /* 65520, half way between the largest f16 and the next step, and above */
		return (uint16_t)(sign | 0x7C00u);
	if (u >= 0x38800000u) /* 2^-14 and above: normal */
		return (uint16_t)(sign | (u - ((127u - 15u) << 23) + 0x0FFFu + (u >> 13 & 1u)) >> 13);
	if (u <= 0x33000000u) /* 2^-25, half the smallest subnormal: a tie goes to even, 0 */
		return (uint16_t)sign;
	/* Subnormal: shift the whole significand so that its last bit has weight 2^-24; shift is 14 to 24. */
	uint32_t shift = 126u - (u >> 23);
	uint32_t significand = (u & 0x007FFFFFu) | 0x00800000u;
	uint32_t kept = significand >> shift;
	uint32_t rest = significand & ((1u << shift) - 1u), half = 1u << (shift - 1u);
	return (uint16_t)(sign | (kept + (rest > half || (rest == half && (kept & 1u)))));
}

/* x in f32, rounded to odd: toward zero, then the last bit set where x was not exact.  Rounding that once more, to a type
 * at least two digits narrower, is as rounding x itself. */
MT_LOWP_FN float mt__f64_to_f32_odd(double x) {
	float nearest = (float)x;
	double back = nearest;
	if (back == x || x != x)
		return nearest;
	uint32_t u = mt__lowp_bits(nearest);
	if (x < 0 ? back < x : back > x)
		u--;
	return mt__lowp_float(u | 1u);
}

MT_LOWP_FN uint16_t mt_f64_to_f16(double x) {
	return mt_f32_to_f16(mt__f64_to_f32_odd(x));
}

MT_LOWP_FN uint16_t mt_f64_to_bf16(double x) {
	return mt_f32_to_bf16(mt__f64_to_f32_odd(x));
}

#endif
