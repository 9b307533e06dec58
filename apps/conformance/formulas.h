/* The formula columns of map_ops.def and zip_ops.def, in long double and in exact integers. */
#ifndef CONFORMANCE_FORMULAS_H
#define CONFORMANCE_FORMULAS_H

#include <stdint.h>

/* As IEEE evaluates the formula: gelu(−inf) is −inf times 0, NaN, as in PyTorch. */
long double cf_map_value(int32_t op, long double x, long double p, long double q);
/* On integers, before the wrap to the dtype's width. */
int64_t cf_map_integer(int32_t op, int64_t x, int64_t p, int64_t q);

long double cf_zip_value(int32_t op, long double a, long double b, long double p, long double q);
int64_t cf_zip_integer(int32_t op, int64_t a, int64_t b);
/* On bool: add and max are "or", mul and min are "and". */
int cf_zip_bool(int32_t op, int a, int b);

/* enum mt_activation_id, and its slope: how an error of x is passed on. */
long double cf_activation_value(int32_t activation, long double x);
long double cf_activation_slope(int32_t activation, long double x);

long double cf_sigmoid(long double x);

/* Two's complement, without overflow. */
int64_t cf_add_wrapped(int64_t a, int64_t b);
int64_t cf_mul_wrapped(int64_t a, int64_t b);

#endif
