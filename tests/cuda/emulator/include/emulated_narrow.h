/* Rounding to the 16-bit floats, to nearest, ties to even; NaN becomes 0x7FFF as on a GPU. */
#ifndef MT_EMULATED_NARROW_H
#define MT_EMULATED_NARROW_H

#include "emulated_math.h"

namespace mt_emulated {

/* x without its low `drop` bits, rounded. */
inline uint32_t round_off(uint32_t x, int drop) {
	uint32_t half = 1u << (drop - 1), rest = x & ((half << 1) - 1), kept = x >> drop;
	return kept + (rest > half || (rest == half && (kept & 1)));
}

inline unsigned short half_of(float value) {
	uint32_t u = bits<uint32_t>(value), sign = u >> 16 & 0x8000, magnitude = u & 0x7FFFFFFF;
	if (magnitude > 0x7F800000)
		return 0x7FFF;
	if (magnitude >= 0x477FF000) /* from 65520 on */
		return (unsigned short)(sign | 0x7C00);
	if (magnitude >= 0x38800000) /* normal: the bias goes from 127 to 15 */
		return (unsigned short)(sign | round_off(magnitude - (112u << 23), 13));
	if (magnitude < 0x33000000) /* below half of the smallest subnormal, 2^-25 */
		return (unsigned short)sign;
	int exponent = (int)(magnitude >> 23); /* 102 … 112: the value is mantissa · 2^(exponent − 150) */
	return (unsigned short)(sign | round_off((magnitude & 0x7FFFFF) | 0x800000, 126 - exponent));
}

inline float float_of_half(unsigned short half) {
	uint32_t sign = (half & 0x8000u) << 16, magnitude = half & 0x7FFFu;
	if (magnitude >= 0x7C00)
		return bits<float>(sign | 0x7F800000 | magnitude << 13);
	if (magnitude >= 0x400)
		return bits<float>(sign | ((magnitude << 13) + (112u << 23)));
	float subnormal = (float)magnitude * 0x1p-24f;
	return sign ? -subnormal : subnormal;
}

inline unsigned short bfloat_of(float value) {
	uint32_t u = bits<uint32_t>(value);
	if ((u & 0x7FFFFFFF) > 0x7F800000)
		return 0x7FFF;
	return (unsigned short)round_off(u, 16);
}

inline float float_of_bfloat(unsigned short value) {
	return bits<float>((uint32_t)value << 16);
}

/* In f32, toward zero but with the last bit set where x was not exact: rounds on to 16 bits as x does. */
inline float sticky_float(double x) {
	float f = __double2float_rz(x);
	return isfinite(f) && (double)f != x ? bits<float>(bits<uint32_t>(f) | 1u) : f;
}

} // namespace mt_emulated

/* The class of a 16-bit float and what CUDA has for it: TYPE, its pair TYPE2, and the letters in functions' names. */
#define MT_EMULATED_NARROW(TYPE, RAW, half_of, float_of)                                                               \
	struct RAW {                                                                                                       \
		unsigned short x;                                                                                              \
	};                                                                                                                 \
	struct TYPE {                                                                                                      \
		unsigned short bits_;                                                                                          \
		TYPE() = default;                                                                                              \
		TYPE(RAW raw) : bits_(raw.x) {                                                                                 \
		}                                                                                                              \
		TYPE(float x) : bits_(mt_emulated::half_of(x)) {                                                               \
		}                                                                                                              \
		TYPE(double x) : bits_(mt_emulated::half_of(mt_emulated::sticky_float(x))) {                                   \
		}                                                                                                              \
		TYPE(int x) : TYPE((double)x) {                                                                                \
		}                                                                                                              \
		operator float() const {                                                                                       \
			return mt_emulated::float_of(bits_);                                                                       \
		}                                                                                                              \
		operator RAW() const {                                                                                         \
			return {bits_};                                                                                            \
		}                                                                                                              \
	};                                                                                                                 \
	inline TYPE operator+(TYPE a, TYPE b) {                                                                            \
		return TYPE((float)a + (float)b);                                                                              \
	}                                                                                                                  \
	inline TYPE operator-(TYPE a, TYPE b) {                                                                            \
		return TYPE((float)a - (float)b);                                                                              \
	}                                                                                                                  \
	inline TYPE operator*(TYPE a, TYPE b) {                                                                            \
		return TYPE((float)a * (float)b);                                                                              \
	}                                                                                                                  \
	inline TYPE operator/(TYPE a, TYPE b) {                                                                            \
		return TYPE((float)a / (float)b);                                                                              \
	}                                                                                                                  \
	inline bool operator<(TYPE a, TYPE b) {                                                                            \
		return (float)a < (float)b;                                                                                    \
	}                                                                                                                  \
	inline bool operator>(TYPE a, TYPE b) {                                                                            \
		return (float)a > (float)b;                                                                                    \
	}                                                                                                                  \
	inline bool operator<=(TYPE a, TYPE b) {                                                                           \
		return (float)a <= (float)b;                                                                                   \
	}                                                                                                                  \
	inline bool operator>=(TYPE a, TYPE b) {                                                                           \
		return (float)a >= (float)b;                                                                                   \
	}                                                                                                                  \
	inline bool operator==(TYPE a, TYPE b) {                                                                           \
		return (float)a == (float)b;                                                                                   \
	}                                                                                                                  \
	inline bool operator!=(TYPE a, TYPE b) {                                                                           \
		return (float)a != (float)b;                                                                                   \
	}

#endif
