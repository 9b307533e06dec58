#include "random_cases.h"

#include <string.h>

enum { MAX_NUMEL = 1 << 18 };

void cf_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t words[4]) {
	uint32_t c[4] = {counter[0], counter[1], counter[2], counter[3]}, k[2] = {key[0], key[1]};
	for (int round = 0; round < 10; round++) {
		uint64_t a = (uint64_t)c[0] * 0xD2511F53u, b = (uint64_t)c[2] * 0xCD9E8D57u;
		uint32_t next[] = {(uint32_t)(b >> 32) ^ c[1] ^ k[0], (uint32_t)b, (uint32_t)(a >> 32) ^ c[3] ^ k[1],
		                   (uint32_t)a};
		memcpy(c, next, sizeof c);
		k[0] += 0x9E3779B9u;
		k[1] += 0xBB67AE85u;
	}
	memcpy(words, c, sizeof c);
}

/* The known answers of Random123 1.09. */
static int philox_is_right(void) {
	static const uint32_t rows[3][10] = {
		{0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
		{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e, 0xa20bc7c6,
	     0x6d5451fd},
		{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420,
	     0x24126ea1},
	};
	for (int i = 0; i < 3; i++) {
		uint32_t words[4];
		cf_philox(rows[i], rows[i] + 4, words);
		if (memcmp(words, rows[i] + 6, sizeof words) != 0)
			return 0;
	}
	return 1;
}

static uint64_t joined(const int64_t *halves) {
	return (uint64_t)halves[1] << 32 | (uint64_t)halves[0];
}

struct cf_stream cf_stream_of(struct cf_run *r, const struct cf_case *c) {
	struct cf_stream s = {joined(c->param + CF_STREAM_SEED_LOW), joined(c->param + CF_STREAM_OFFSET_LOW), {0}};
	s.pos = (mt_philox_pos){s.seed, s.offset, NULL};
	if (!philox_is_right())
		cf_fail(r, "the suite's own Philox does not give its published answers");
	if (c->param[CF_STREAM_DEVICE]) {
		struct cf_array *offset = cf_new(r, CF_IN, MT_I64, 0, NULL, CF_CONTIGUOUS);
		cf_set_integer(offset, 0, (int64_t)s.offset);
		s.pos.offset += 1000;
		s.pos.device_offset = &offset->array;
	}
	return s;
}

static void block_of(const struct cf_stream *s, uint64_t block, uint32_t words[4]) {
	uint64_t at = s->offset + block;
	const uint32_t counter[] = {(uint32_t)at, (uint32_t)(at >> 32), 0, 0};
	const uint32_t key[] = {(uint32_t)s->seed, (uint32_t)(s->seed >> 32)};
	cf_philox(counter, key, words);
}

uint32_t cf_stream_word(const struct cf_stream *s, int64_t e) {
	uint32_t words[4];
	block_of(s, (uint64_t)e / 4, words);
	return words[e % 4];
}

uint64_t cf_stream_wide(const struct cf_stream *s, int64_t e) {
	uint32_t words[4];
	block_of(s, (uint64_t)e / 2, words);
	return (uint64_t)words[2 * (e % 2) + 1] << 32 | words[2 * (e % 2)];
}

/* ---- cases ---- */

/* Nothing is read: the inputs' layout says nothing. */
int cf_stream_valid(const struct cf_case *c) {
	int64_t numel = cf_numel(c->rank, c->shape);
	return c->in == CF_CONTIGUOUS && numel > 0 && numel <= MAX_NUMEL;
}

/* Seeds and offsets: small ones, all bits set, and offsets that carry into the counter's second word. */
static const uint64_t seeds[] = {0, 1, 0xfedcba9876543210u, 0xffffffffffffffffu};
static const uint64_t offsets[] = {0, 5, 0xfffffffeu, 0x1fffffffeu, 0xfffffffffffffffeu};

static struct cf_case placed(uint64_t seed, uint64_t offset, int rank, const int64_t *shape) {
	struct cf_case c = {.param = {[CF_STREAM_SEED_LOW] = (uint32_t)seed,
	                              [CF_STREAM_SEED_HIGH] = (int64_t)(seed >> 32),
	                              [CF_STREAM_OFFSET_LOW] = (uint32_t)offset,
	                              [CF_STREAM_OFFSET_HIGH] = (int64_t)(offset >> 32)}};
	cf_nn_set_shape(&c, rank, shape);
	return c;
}

void cf_stream_each(cf_emit_fn emit, void *context, const struct cf_op *op, const int64_t (*rows)[2], int n_rows) {
	static const int64_t small[] = {3, 5, 7}, odd[] = {1027}, many[] = {99001}, square[] = {320, 311};
	int k = 0;
	for (int32_t t = 1; t < MT_DTYPE_END_; t++)
		for (int32_t out = 0; out < CF_OUT_LAYOUTS && (op->dtypes & MT_DTYPE_BIT(t)); out++)
			for (int i = 0; i < 5; i++, k++) {
				struct cf_case c = placed(seeds[i % 4], offsets[k % 5], i == 4 ? 1 : 3, i == 4 ? odd : small);
				c.op = op->id;
				c.dtype = t;
				c.out = out;
				c.param[CF_STREAM_DEVICE] = k % 3 == 1;
				memcpy(c.param + CF_STREAM_PARAMS, rows[k % n_rows], sizeof rows[0]);
				emit(&c, context);
			}
	for (int i = 0; i < n_rows; i++) {
		struct cf_case larger[] = {placed(3, 0xffffff00u, 1, many), placed(4, 0, 2, square), placed(5, 6, 0, NULL)};
		for (int j = 0; j < 3; j++) {
			memcpy(larger[j].param + CF_STREAM_PARAMS, rows[i], sizeof rows[0]);
			cf_nn_emit_plain(emit, context, op, larger[j]);
		}
	}
}

void cf_stream_draw(struct cf_random *r, struct cf_case *c) {
	c->in = CF_CONTIGUOUS;
	cf_random_shape(r, 0, MT_MAX_RANK, 3000, &c->rank, c->shape);
	for (int i = CF_STREAM_SEED_LOW; i <= CF_STREAM_OFFSET_HIGH; i++)
		c->param[i] = cf_random_integer(r, 0, 3) ? (int64_t)(cf_random_bits(r) >> 32) : 0;
	if (cf_random_integer(r, 0, 3) == 0) /* about to carry */
		c->param[CF_STREAM_OFFSET_LOW] = 0xFFFFFFFF - cf_random_integer(r, 0, 40);
	c->param[CF_STREAM_DEVICE] = cf_random_integer(r, 0, 1);
}
