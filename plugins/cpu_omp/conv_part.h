/* What the panels of an implicit matrix product are cut from: cursors over taps and positions. */
#ifndef MT_OMP_CONV_PART_H
#define MT_OMP_CONV_PART_H

#include "conv.h"

struct range {
	int64_t begin, end;
};

/* Taps in x whose positions are found once for each part rather than each time. */
#define KNOWN_TAPS 16

/* Which image and group a panel is for. */
struct part {
	const struct mt__conv *conv;
	int64_t image, group;
	int64_t first;        /* position */
	int64_t plane_stride; /* between neighbouring positions of out; 0 where they are not evenly strided */
	struct range positions[KNOWN_TAPS];
};

/* A kernel position of an input channel of the group; a position of out. */
struct tap {
	int64_t channel, z, y, x;
};

struct position {
	int64_t z, y, x;
};

static inline struct tap tap_number(const struct mt__conv *c, int64_t i) {
	struct tap t = {.x = i % c->kernel[2]};
	i /= c->kernel[2];
	t.y = i % c->kernel[1];
	i /= c->kernel[1];
	t.z = i % c->kernel[0];
	t.channel = i / c->kernel[0];
	return t;
}

static inline void next_tap(const struct mt__conv *c, struct tap *t) {
	if (++t->x < c->kernel[2])
		return;
	t->x = 0;
	if (++t->y < c->kernel[1])
		return;
	t->y = 0;
	if (++t->z < c->kernel[0])
		return;
	t->z = 0;
	t->channel++;
}

static inline struct position position_number(const struct mt__conv *c, int64_t i) {
	struct position p = {.x = i % c->extent[2]};
	i /= c->extent[2];
	p.y = i % c->extent[1];
	p.z = i / c->extent[1];
	return p;
}

/* The positions of a row whose tap kx lies in x: [begin, end), empty where begin ≥ end. */
static inline struct range find_positions(const struct mt__conv *c, int64_t kx) {
	int64_t step = c->step[2], at = kx * c->dilation[2] - c->pad[2];
	struct range r = {at < 0 ? mt__omp_ceil_div(-at, step) : 0, 0};
	if (at < c->in[2])
		r.end = mt__omp_min(c->extent[2], (c->in[2] - 1 - at) / step + 1);
	return r;
}

static inline struct range positions_of(const struct part *part, int64_t kx) {
	return kx < KNOWN_TAPS ? part->positions[kx] : find_positions(part->conv, kx);
}

/* The stride of out's planes taken as one row of positions, or 0. */
static inline int64_t plane_stride(const struct mt__conv *c) {
	int64_t stride = 1, run = 1;
	for (int d = 4; d >= 2; d--) {
		if (c->out.shape[d] == 1)
			continue;
		if (run == 1)
			stride = c->out.stride[d];
		else if (c->out.stride[d] != stride * run)
			return 0;
		run *= c->out.shape[d];
	}
	return stride;
}

static inline struct part make_part(const struct mt__conv *c) {
	struct part part = {.conv = c, .plane_stride = plane_stride(c)};
	for (int64_t kx = 0; kx < mt__omp_min(KNOWN_TAPS, c->kernel[2]); kx++)
		part.positions[kx] = find_positions(c, kx);
	return part;
}

#endif
