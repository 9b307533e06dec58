/* Mathematical functions as far from the true value as CUDA's may be, in kernels, with MT_EMULATOR_ULPS=documented.
 *
 * The linker sends calls of these functions here (--wrap, emulator.mk).  A result is found in higher precision, rounded,
 * and moved by as many ULPs as NVIDIA documents, up or down as the arguments' bits have it: the same call has the same
 * result, neighbouring arguments have errors of either sign, and a formula that is made of several functions has them
 * add up now and then.  Without the variable, and in the host's code, the C library's results are left alone. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <limits>

#include "blocks.h"

namespace mt_emulated {

static bool wants_errors() {
	const char *wish = getenv("MT_EMULATOR_ULPS");
	if (!wish || strcmp(wish, "none") == 0)
		return false;
	if (strcmp(wish, "documented") == 0)
		return true;
	fprintf(stderr, "CUDA emulator: MT_EMULATOR_ULPS=%s: it is documented or none\n", wish);
	abort();
}

static bool has_errors() {
	static const bool wanted = wants_errors();
	return wanted && in_kernel();
}

template <class T> static uint64_t bits_of(T x) {
	uint64_t bits = 0;
	memcpy(&bits, &x, sizeof x);
	return bits;
}

/* Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014: the mixing function of SplitMix64. */
static uint64_t mixed(uint64_t z) {
	z = (z + 0x9E3779B97F4A7C15u) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 30) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

/* 1 + 0 and the like are what the guide states by name: they stay. */
template <class T> static bool is_special(T x) {
	return x == 0 || !isfinite(x);
}

/* result, as many ULPs from zero or toward it as there may be.  It does not go past zero or infinity. */
template <class T> static T moved(T result, unsigned ulps, uint64_t chance) {
	T end = chance & 1 ? std::numeric_limits<T>::infinity() : T(0);
	if (is_special(result))
		return result;
	for (; ulps > 0; ulps--)
		result = std::copysign(nextafter(std::fabs(result), end), result);
	return result;
}

} // namespace mt_emulated

using namespace mt_emulated;

/* The C library's own functions, as the linker names them. */
#define MT_ULPS(name, of_float, of_double)                                                                             \
	extern "C" float __real_##name##f(float);                                                                          \
	extern "C" double __real_##name(double);                                                                           \
	extern "C" float __wrap_##name##f(float x) {                                                                       \
		if (!has_errors() || is_special(x))                                                                            \
			return __real_##name##f(x);                                                                                \
		return moved((float)__real_##name((double)x), of_float, mixed(bits_of(x)));                                    \
	}                                                                                                                  \
	extern "C" double __wrap_##name(double x) {                                                                        \
		if (!has_errors() || is_special(x))                                                                            \
			return __real_##name(x);                                                                                   \
		return moved((double)name##l((long double)x), of_double, mixed(bits_of(x)));                                   \
	}
#define MT_ULPS_OF_TWO(name, of_float, of_double)                                                                      \
	extern "C" float __real_##name##f(float, float);                                                                   \
	extern "C" double __real_##name(double, double);                                                                   \
	extern "C" float __wrap_##name##f(float x, float y) {                                                              \
		if (!has_errors() || is_special(x) || is_special(y))                                                           \
			return __real_##name##f(x, y);                                                                             \
		return moved((float)__real_##name((double)x, (double)y), of_float, mixed(bits_of(x) ^ mixed(bits_of(y))));     \
	}                                                                                                                  \
	extern "C" double __wrap_##name(double x, double y) {                                                              \
		if (!has_errors() || is_special(x) || is_special(y))                                                           \
			return __real_##name(x, y);                                                                                \
		return moved((double)name##l((long double)x, (long double)y), of_double,                                       \
		             mixed(bits_of(x) ^ mixed(bits_of(y))));                                                           \
	}
#include "ulps.def"
#undef MT_ULPS
#undef MT_ULPS_OF_TWO

/* g++ makes one call of a sine and a cosine of the same angle. */
extern "C" void __wrap_sincosf(float x, float *sine, float *cosine) {
	*sine = __wrap_sinf(x);
	*cosine = __wrap_cosf(x);
}
extern "C" void __wrap_sincos(double x, double *sine, double *cosine) {
	*sine = __wrap_sin(x);
	*cosine = __wrap_cos(x);
}
