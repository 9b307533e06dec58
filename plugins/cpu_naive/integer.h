/* 64-bit integer arithmetic that wraps. */
#ifndef MT_NAIVE_INTEGER_H
#define MT_NAIVE_INTEGER_H

#include <stdint.h>

static inline int64_t wrap_add(int64_t a, int64_t b) {
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int64_t wrap_sub(int64_t a, int64_t b) {
	return (int64_t)((uint64_t)a - (uint64_t)b);
}

static inline int64_t wrap_mul(int64_t a, int64_t b) {
	return (int64_t)((uint64_t)a * (uint64_t)b);
}

static inline int64_t wrap_neg(int64_t a) {
	return wrap_sub(0, a);
}

#endif
