/* Cases as text and as JSON. */
#ifndef CONFORMANCE_CASE_ID_H
#define CONFORMANCE_CASE_ID_H

#include <stddef.h>

#include "case.h"

enum { CF_ID_SIZE = 512 };

/* The id: "map.exp/f32/transposed-stepped/special/5x3x7/in_place=1/s1f".
 * kernel.op / dtype or dtype-side / in-out / data / extents, "0d", or "-" where the family has no shape / the params that
 * are not at their simplest, or "-" / s and the seed in hexadecimal. */
void cf_case_id(char *out, size_t size, const struct cf_case *c);

/* Reads an id: 1, or 0 with what is wrong with it in words. */
int cf_case_parse(struct cf_case *c, const char *id, char *words, size_t size);

/* A seed for a case that has none: from what it is, and from the run's seed. */
uint64_t cf_case_seed(const struct cf_case *c, uint64_t seed);

/* 64 bits from a text (FNV-1a). */
uint64_t cf_hash(const char *text);

#endif
