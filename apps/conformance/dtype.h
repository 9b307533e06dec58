/* Dtypes: what array.h does not show to the families. */
#ifndef CONFORMANCE_DTYPE_H
#define CONFORMANCE_DTYPE_H

#include "array.h"

/* The id of a dtype's name; 0 where there is none. */
int32_t cf_dtype_named(const char *name);

int cf_is_integer(int32_t dtype);

/* An integer as the dtype keeps it: its low bits; bool: is it not 0. */
int64_t cf_wrap(int32_t dtype, uint64_t bits);
int64_t cf_round_integer(int32_t dtype, long double value);

/* Elements at any address, in the dtype's bits.  Floats hold the value exactly already. */
void cf_store_float(int32_t dtype, unsigned char *p, double value);
double cf_fetch_float(int32_t dtype, const unsigned char *p);
void cf_store_integer(int32_t dtype, unsigned char *p, int64_t value);
int64_t cf_fetch_integer(int32_t dtype, const unsigned char *p);

#endif
