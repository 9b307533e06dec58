/* Functions that are as wrong as CUDA's may be: each result is off by the most ULP that NVIDIA's tables give (CUDA C++
 * Programming Guide, "Mathematical functions", maximum error in ULP), up or down as the argument's bits fall.  Where the
 * value itself is a float it is right, as CUDA's are.  Square roots, fma, fmod and roundings are exact there, too.
 * Functions come in as macros: every header that has them must have been read before. */
#ifndef MT_EMULATED_ERRORS_H
#define MT_EMULATED_ERRORS_H

#include <cmath>

#include "emulated_math.h"

namespace mt_emulated {

inline uint64_t scrambled(uint64_t x) {
	x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
	x = (x ^ x >> 27) * 0x94D049BB133111EBu;
	return x ^ x >> 31;
}

/* The value in T, at most ulps of T's away from it: all of that but for the last rounding's half. */
template <class T, class Wide> inline T erring(Wide value, double ulps, uint64_t arguments) {
	using limits = std::numeric_limits<T>;
	T rounded = (T)value;
	if (!std::isfinite(rounded) || rounded == 0 || (Wide)rounded == value)
		return rounded;
	int exponent = std::ilogb(value), least = limits::min_exponent - 1;
	Wide ulp = std::ldexp(Wide(1), (exponent < least ? least : exponent) - (limits::digits - 1));
	Wide error = ulp * (Wide)(ulps - 0.5);
	return (T)(scrambled(arguments) & 1 ? value + error : value - error);
}

inline uint64_t bits_of(float x) {
	return bits<uint32_t>(x);
}
inline uint64_t bits_of(double x) {
	return bits<uint64_t>(x);
}

} // namespace mt_emulated

/* name: of float, off by `single` ULP; of double, by `wide`. */
#define MT_EMULATED_ERRING(name, single, wide)                                                                         \
	inline float mt_emulated_##name(float x) {                                                                         \
		return mt_emulated::erring<float>(std::name((double)x), single, mt_emulated::bits_of(x));                      \
	}                                                                                                                  \
	inline double mt_emulated_##name(double x) {                                                                       \
		return mt_emulated::erring<double>(std::name((long double)x), wide, mt_emulated::bits_of(x));                  \
	}
#define MT_EMULATED_ERRING_TWO(name, single, wide)                                                                     \
	inline float mt_emulated_##name(float x, float y) {                                                                \
		return mt_emulated::erring<float>(std::name((double)x, (double)y), single,                                     \
		                                  mt_emulated::bits_of(x) * 3 + mt_emulated::bits_of(y));                      \
	}                                                                                                                  \
	inline double mt_emulated_##name(double x, double y) {                                                             \
		return mt_emulated::erring<double>(std::name((long double)x, (long double)y), wide,                            \
		                                   mt_emulated::bits_of(x) * 3 + mt_emulated::bits_of(y));                     \
	}
MT_EMULATED_ERRING(exp, 2, 1)
MT_EMULATED_ERRING(exp2, 2, 1)
MT_EMULATED_ERRING(expm1, 1, 1)
MT_EMULATED_ERRING(log, 1, 1)
MT_EMULATED_ERRING(log1p, 1, 1)
MT_EMULATED_ERRING(log2, 1, 1)
MT_EMULATED_ERRING(log10, 2, 1)
MT_EMULATED_ERRING(sin, 2, 2)
MT_EMULATED_ERRING(cos, 2, 2)
MT_EMULATED_ERRING(tan, 4, 2)
MT_EMULATED_ERRING(asin, 2, 2)
MT_EMULATED_ERRING(acos, 2, 2)
MT_EMULATED_ERRING(atan, 2, 2)
MT_EMULATED_ERRING(sinh, 3, 2)
MT_EMULATED_ERRING(cosh, 2, 1)
MT_EMULATED_ERRING(tanh, 2, 1)
MT_EMULATED_ERRING(asinh, 3, 3)
MT_EMULATED_ERRING(acosh, 4, 3)
MT_EMULATED_ERRING(atanh, 3, 2)
MT_EMULATED_ERRING(cbrt, 1, 1)
MT_EMULATED_ERRING(erf, 2, 2)
MT_EMULATED_ERRING(erfc, 4, 5)
MT_EMULATED_ERRING_TWO(atan2, 3, 2)
MT_EMULATED_ERRING_TWO(hypot, 3, 2)
MT_EMULATED_ERRING_TWO(pow, 4, 2)
#undef MT_EMULATED_ERRING
#undef MT_EMULATED_ERRING_TWO

#define exp(...) mt_emulated_exp(__VA_ARGS__)
#define expf(...) mt_emulated_exp((float)(__VA_ARGS__))
#define exp2(...) mt_emulated_exp2(__VA_ARGS__)
#define exp2f(...) mt_emulated_exp2((float)(__VA_ARGS__))
#define expm1(...) mt_emulated_expm1(__VA_ARGS__)
#define expm1f(...) mt_emulated_expm1((float)(__VA_ARGS__))
#define log(...) mt_emulated_log(__VA_ARGS__)
#define logf(...) mt_emulated_log((float)(__VA_ARGS__))
#define log1p(...) mt_emulated_log1p(__VA_ARGS__)
#define log1pf(...) mt_emulated_log1p((float)(__VA_ARGS__))
#define log2(...) mt_emulated_log2(__VA_ARGS__)
#define log2f(...) mt_emulated_log2((float)(__VA_ARGS__))
#define log10(...) mt_emulated_log10(__VA_ARGS__)
#define log10f(...) mt_emulated_log10((float)(__VA_ARGS__))
#define sin(...) mt_emulated_sin(__VA_ARGS__)
#define sinf(...) mt_emulated_sin((float)(__VA_ARGS__))
#define cos(...) mt_emulated_cos(__VA_ARGS__)
#define cosf(...) mt_emulated_cos((float)(__VA_ARGS__))
#define tan(...) mt_emulated_tan(__VA_ARGS__)
#define tanf(...) mt_emulated_tan((float)(__VA_ARGS__))
#define asin(...) mt_emulated_asin(__VA_ARGS__)
#define acos(...) mt_emulated_acos(__VA_ARGS__)
#define atan(...) mt_emulated_atan(__VA_ARGS__)
#define sinh(...) mt_emulated_sinh(__VA_ARGS__)
#define cosh(...) mt_emulated_cosh(__VA_ARGS__)
#define tanh(...) mt_emulated_tanh(__VA_ARGS__)
#define tanhf(...) mt_emulated_tanh((float)(__VA_ARGS__))
#define asinh(...) mt_emulated_asinh(__VA_ARGS__)
#define acosh(...) mt_emulated_acosh(__VA_ARGS__)
#define atanh(...) mt_emulated_atanh(__VA_ARGS__)
#define cbrt(...) mt_emulated_cbrt(__VA_ARGS__)
#define erf(...) mt_emulated_erf(__VA_ARGS__)
#define erff(...) mt_emulated_erf((float)(__VA_ARGS__))
#define erfc(...) mt_emulated_erfc(__VA_ARGS__)
#define erfcf(...) mt_emulated_erfc((float)(__VA_ARGS__))
#define atan2(...) mt_emulated_atan2(__VA_ARGS__)
#define hypot(...) mt_emulated_hypot(__VA_ARGS__)
#define pow(...) mt_emulated_pow(__VA_ARGS__)

#endif
