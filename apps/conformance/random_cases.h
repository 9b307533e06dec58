/* The cases of uniform, normal and bernoulli, and their draws: docs/random.md written again. */
#ifndef CONFORMANCE_RANDOM_CASES_H
#define CONFORMANCE_RANDOM_CASES_H

#include "family_nn.h"

/* Every random family's parameters begin with these.  Halves of 32 bits: seed and offset have 64. */
enum cf_stream_param {
	CF_STREAM_SEED_LOW,
	CF_STREAM_SEED_HIGH,
	CF_STREAM_OFFSET_LOW,
	CF_STREAM_OFFSET_HIGH,
	CF_STREAM_DEVICE, /* the offset stands in an array; what stands in args is another one */
	CF_STREAM_PARAMS
};

struct cf_stream {
	uint64_t seed, offset;
	mt_philox_pos pos; /* for the args struct; arrays are the run's */
};

struct cf_stream cf_stream_of(struct cf_run *r, const struct cf_case *c);

/* The 32-bit and the 64-bit draw of element e. */
uint32_t cf_stream_word(const struct cf_stream *s, int64_t e);
uint64_t cf_stream_wide(const struct cf_stream *s, int64_t e);

/* Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011), written again from the paper. */
void cf_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t words[4]);

int cf_stream_valid(const struct cf_case *c);
/* Every layout and dtype, seeds and offsets of all kinds, then large ones; rows: the params after the stream's, n_rows
 * sets of them, in turn. */
void cf_stream_each(cf_emit_fn emit, void *context, const struct cf_op *op, const int64_t (*rows)[2], int n_rows);
/* Shape and stream. */
void cf_stream_draw(struct cf_random *r, struct cf_case *c);

#endif
