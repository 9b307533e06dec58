/* Rows whose last pass waits: it stores past the caches while the next row is worked on, so that a core's reading,
 * computing and writing go on at once.  Stores that follow each other with nothing between them fill the buffers on the
 * way to memory, and nothing is read meanwhile. */
#ifndef MT_OMP_ROW_PENDING_H
#define MT_OMP_ROW_PENDING_H

#include "row_stream.h"

/* What is done to from[j]: these in their order, each with values of struct row_pending. */
enum {
	ROW_SUBTRACT = 1, /* − first */
	ROW_SCALE = 2,    /* · scale */
	ROW_WEIGH = 4,    /* · weight[j] + bias[j] */
	ROW_ADD = 8       /* + add */
};

enum {
	ROW_LINE = 16,            /* floats of a cache line */
	ROW_PENDING_LEAST = 1024, /* floats of a row that does not end with a line */
	ROW_PENDING_MOST = 16384, /* floats of a row: some of them stay in the second cache level */
	ROW_PENDING_AHEAD = 2048, /* floats from memory that are on their way */
	ROW_PENDING_ROOM = 1024   /* floats beyond a row of terms: row_pending_terms */
};

struct row_pending {
	float *out; /* [n]; NULL: nothing is pending */
	const float *from, *weight, *bias;
	float first, scale, add;
	int64_t n, at; /* out[head] to out[at − 1] are stored; at − head is a multiple of VL_F32 */
	int64_t head;  /* from here on out is aligned */
};

MT_INLINE float row_pending_value(const struct row_pending *p, int kind, int64_t j) {
	float y = p->from[j];
	if (kind & ROW_SUBTRACT)
		y -= p->first;
	if (kind & ROW_SCALE)
		y *= p->scale;
	if (kind & ROW_WEIGH)
		y = y * p->weight[j] + p->bias[j];
	if (kind & ROW_ADD)
		y += p->add;
	return y;
}

MT_INLINE vec_f32 row_pending_vector(const struct row_pending *p, int kind, int64_t j) {
	vec_f32 y = vec_f32_load(p->from + j, VL_F32);
	if (kind & ROW_SUBTRACT)
		y -= p->first;
	if (kind & ROW_SCALE)
		y *= p->scale;
	if (kind & ROW_WEIGH)
		y = y * vec_f32_load(p->weight + j, VL_F32) + vec_f32_load(p->bias + j, VL_F32);
	if (kind & ROW_ADD)
		y += p->add;
	return y;
}

MT_INLINE void row_pending_begin(struct row_pending *p, float *out, const float *from, int64_t n) {
	p->out = out;
	p->from = from;
	p->n = n;
	p->at = p->head = row_stream_head(out, n);
}

/* Where terms of the row at x may lie: up to ROW_PENDING_ROOM floats on from p, and alike in the low 12 bits of their
 * address.  A load waits for a store before it that is not done yet if those bits agree: what is stored beside x must
 * not lie a little ahead of it. */
MT_INLINE float *row_pending_terms(float *p, const float *x) {
	return p + (((uintptr_t)x - (uintptr_t)p) & 4095) / 64 * 64 / sizeof *p;
}

/* The next vector of it, if there is one. */
MT_INLINE void row_pending_store(struct row_pending *p, int kind) {
	if (p->at + VL_F32 > p->n)
		return;
	vec_f32_stream(p->out + p->at, row_pending_vector(p, kind, p->at));
	p->at += VL_F32;
}

/* The next line of it; and the line at ahead is asked for. */
MT_INLINE void row_pending_line(struct row_pending *p, int kind, const float *ahead) {
	__builtin_prefetch(ahead, 0, 2);
	for (int k = 0; k < ROW_LINE; k += VL_F32)
		row_pending_store(p, kind);
}

/* All that is left of it. */
MT_INLINE void row_pending_end(struct row_pending *p, int kind) {
	if (!p->out)
		return;
	for (int64_t j = 0; j < p->head; j++)
		p->out[j] = row_pending_value(p, kind, j);
	while (p->at + VL_F32 <= p->n)
		row_pending_store(p, kind);
	for (int64_t j = p->at; j < p->n; j++)
		p->out[j] = row_pending_value(p, kind, j);
	p->out = NULL;
	p->n = p->at = 0;
}

/* Whether rows of n floats gain: whole lines, or so many that the ends hardly count. */
MT_INLINE bool row_pending_suits(int64_t n) {
	return n <= ROW_PENDING_MOST && (n >= ROW_PENDING_LEAST || n % 16 == 0);
}

/* How many rows of n floats ahead to ask for: the one that comes next is there, or on its way. */
MT_INLINE int64_t row_pending_rows_ahead(int64_t n) {
	return 1 + mt__omp_ceil_div(ROW_PENDING_AHEAD, mt__omp_max(n, 1));
}

#endif
