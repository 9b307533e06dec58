/* The weight gradient with images in the vector lanes.
 *
 * The blocks of VL images are divided into units, by the shape alone; each unit's sums are kept apart, and added in
 * order at the end: the same bits for any number of threads. */
#include "conv_lanes_weight_tile.h"
#include "parallel.h"

#include <string.h>

#define MAX_UNITS 64
#define MAX_UNITS_BYTES (16 << 20)

/* Taps that one tile takes together, and the positions at which at least one of them meets the input. */
struct taps {
	int64_t first, count;
	int64_t position, positions;
};

struct weight_plan {
	const struct mt__conv *conv;
	struct mt__lanes x, g;
	int over_channels;    /* taps are input channels: the kernel has one position in x */
	int64_t taps, chunks; /* how many, and in how many tiles */
	int64_t blocks;       /* of output channels, a group */
	int64_t sums;         /* gweight's elements, then gbias's */
	int64_t image_blocks, units;
};

/* Chunk number i. */
static struct taps taps_of(const struct weight_plan *p, int64_t i) {
	const struct mt__conv *c = p->conv;
	int64_t begin, end;
	mt__omp_share(p->taps, (int)i, (int)p->chunks, &begin, &end);
	struct taps r = {.first = begin, .count = end - begin};
	int64_t first = p->over_channels ? 0 : begin, last = p->over_channels ? 0 : end - 1, step = c->step[2];
	int64_t below = c->pad[2] - last * c->dilation[2], above = c->in[2] - 1 + c->pad[2] - first * c->dilation[2];
	r.position = below > 0 ? mt__omp_ceil_div(below, step) : 0;
	int64_t stop = above < 0 ? 0 : mt__omp_min(c->extent[2], above / step + 1);
	r.positions = mt__omp_max(0, stop - r.position);
	return r;
}

/* Where position o finds tap k in x. */
static int64_t source_of(const struct weight_plan *p, int64_t o, int64_t k) {
	return mt__conv_source(p->conv, 2, o, p->over_channels ? 0 : k);
}

static struct weight_plan make_plan(const struct mt__conv *c) {
	struct weight_plan p = {.conv = c};
	p.over_channels = c->kernel[2] == 1;
	p.taps = p.over_channels ? c->in_channels : c->kernel[2];
	p.chunks = mt__omp_max(1, mt__omp_ceil_div(p.taps, WEIGHT_MAX_P));
	p.blocks = mt__omp_ceil_div(c->out_channels, weight_channels[mt__omp_max(1, mt__omp_ceil_div(p.taps, p.chunks))]);
	p.x.channels = c->groups * c->in_channels;
	p.g.channels = c->groups * c->out_channels;
	memcpy(p.x.extent, c->in, sizeof p.x.extent);
	memcpy(p.g.extent, c->extent, sizeof p.g.extent);
	p.g.width = c->extent[2];
	int64_t low = 0, high = c->in[2] - 1;
	for (int64_t i = 0; i < p.chunks; i++) {
		struct taps t = taps_of(&p, i);
		if (t.positions == 0 || t.count == 0)
			continue;
		low = mt__omp_min(low, source_of(&p, t.position, t.first));
		high = mt__omp_max(high, source_of(&p, t.position + t.positions - 1, t.first + t.count - 1));
	}
	p.x.left = -low;
	p.x.width = high - low + 1;
	p.sums = c->groups * c->out_channels * (c->in_channels * mt__conv_taps(c) + 1);
	p.image_blocks = mt__omp_ceil_div(c->images, VL);
	int64_t most = mt__omp_max(1, MAX_UNITS_BYTES / (p.sums * (int64_t)sizeof(float)));
	p.units = mt__omp_min(p.image_blocks, mt__omp_min(MAX_UNITS, most));
	return p;
}

/* Rows (z, y) of the result that kernel row (kz, ky) meets: offsets into both blocks. */
static int list_rows(const struct weight_plan *p, int64_t kz, int64_t ky, int64_t *row_g, int64_t *row_x) {
	const struct mt__conv *c = p->conv;
	int n = 0;
	for (int64_t z = 0; z < c->extent[0]; z++)
		for (int64_t y = 0; y < c->extent[1]; y++) {
			int64_t at_z = mt__conv_source(c, 0, z, kz), at_y = mt__conv_source(c, 1, y, ky);
			if (at_z < 0 || at_z >= c->in[0] || at_y < 0 || at_y >= c->in[1])
				continue;
			row_g[n] = (z * c->extent[1] + y) * mt__lanes_row(&p->g);
			row_x[n++] = (at_z * c->in[1] + at_y) * mt__lanes_row(&p->x);
		}
	return n;
}

/* Adds the tile's sums to the unit's: [R][P] into [co][ci][kz][ky][kx]. */
static void add_sums(const struct weight_plan *p, float *sums, const float *tile, int64_t channel, int64_t R,
                     int64_t in_channel, int64_t kernel_row, const struct taps *t) {
	const struct mt__conv *c = p->conv;
	int64_t taps = mt__conv_taps(c), tap_stride = p->over_channels ? taps : 1;
	for (int64_t r = 0; r < R; r++) {
		float *to = sums + ((channel + r) * c->in_channels + in_channel) * taps + kernel_row * c->kernel[2];
		for (int64_t k = 0; k < t->count; k++)
			to[(t->first + k) * tap_stride] += tile[r * t->count + k];
	}
}

/* All input channels (or, over_channels, all at once) and taps of one kernel row, for one block of channels. */
static void block_sums(const struct weight_plan *p, int64_t group, int64_t block, int64_t kernel_row,
                       struct weight_tile tile, const float *x, const float *g, float *sums) {
	const struct mt__conv *c = p->conv;
	float out[WEIGHT_MAX_SUMS + VL];
	int64_t begin, end;
	mt__omp_share(c->out_channels, (int)block, (int)p->blocks, &begin, &end);
	int64_t channel = group * c->out_channels + begin;
	tile.out = out;
	x += group * c->in_channels * mt__lanes_channel(&p->x);
	for (int64_t ci = 0; ci < (p->over_channels ? 1 : c->in_channels); ci++)
		for (int64_t i = 0; i < p->chunks; i++) {
			struct taps t = taps_of(p, i);
			if (t.positions == 0 || t.count == 0)
				continue;
			int64_t first_channel = p->over_channels ? t.first : ci;
			int64_t at = source_of(p, t.position, t.first) + p->x.left;
			tile.positions = t.positions;
			tile.x = x + first_channel * mt__lanes_channel(&p->x) + at * VL;
			tile.g = g + channel * mt__lanes_channel(&p->g) + t.position * VL;
			run_weight_tile((int)(end - begin), (int)t.count, &tile);
			add_sums(p, sums, out, channel, end - begin, ci, kernel_row, &t);
		}
}

static void bias_sums(const struct weight_plan *p, const float *g, float *sums) {
	int64_t plane = mt__lanes_channel(&p->g) / VL;
	for (int64_t c = 0; c < p->g.channels; c++) {
		vec_f32 sum[4] = {{0}};
		int64_t at = 0;
		for (; at + 4 <= plane; at += 4, g += 4 * VL) {
			MT_UNROLL
			for (int i = 0; i < 4; i++)
				sum[i] += vec_f32_load(g + i * VL, VL);
		}
		for (; at < plane; at++, g += VL)
			sum[0] += vec_f32_load(g, VL);
		vec_f32 total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
		float s = 0;
		for (int i = 0; i < VL; i++)
			s += total[i];
		sums[c] += s;
	}
}

static uint64_t rows_bytes(const struct mt__conv *c) {
	return mt__omp_align64((uint64_t)(2 * c->extent[0] * c->extent[1]) * sizeof(int64_t));
}

/* Jobs [begin, end) of the block's images; a job is one kernel row of one block of one group's channels.  The first job
 * takes the bias with it. */
static void add_images(const struct weight_plan *p, int64_t block, int64_t begin, int64_t end, float *sums,
                       char *space) {
	const struct mt__conv *c = p->conv;
	float *x = mt__omp_take(&space, mt__lanes_bytes(&p->x));
	float *g = mt__omp_take(&space, mt__lanes_bytes(&p->g));
	int64_t rows = c->extent[0] * c->extent[1], *row_g = mt__omp_take(&space, rows_bytes(c)), *row_x = row_g + rows;
	int images = (int)mt__omp_min(VL, c->images - block * VL);
	if (mt__lanes_is_block(&p->x, &c->x, images))
		x = c->x.data;
	else
		mt__lanes_load(&p->x, x, &c->x, block * VL, images);
	if (mt__lanes_is_block(&p->g, &c->out, images))
		g = c->out.data;
	else
		mt__lanes_load(&p->g, g, &c->out, block * VL, images);
	struct weight_tile tile = {
		.row_g = row_g,
		.row_x = row_x,
		.x_position = c->step[2] * VL,
		.x_tap = p->over_channels ? mt__lanes_channel(&p->x) : c->dilation[2] * VL,
		.g_channel = mt__lanes_channel(&p->g),
	};
	int64_t each = c->groups * p->blocks, listed = -1;
	for (int64_t job = begin; job < end; job++) {
		int64_t row = job / each;
		if (row != listed)
			tile.rows = list_rows(p, row / c->kernel[1], row % c->kernel[1], row_g, row_x);
		listed = row;
		block_sums(p, job % each / p->blocks, job % p->blocks, row, tile, x, g, sums);
	}
	if (c->bias && begin == 0)
		bias_sums(p, g, sums + p->sums - p->g.channels);
}

static uint64_t thread_bytes(const struct weight_plan *p) {
	return mt__lanes_bytes(&p->x) + mt__lanes_bytes(&p->g) + rows_bytes(p->conv);
}

static uint64_t unit_bytes(const struct weight_plan *p) {
	return mt__omp_align64((uint64_t)p->sums * sizeof(float));
}

uint64_t mt__lanes_grad_weight_bytes(const struct mt__conv *c, int threads) {
	struct weight_plan p = make_plan(c);
	return unit_bytes(&p) * (uint64_t)p.units + thread_bytes(&p) * (uint64_t)threads;
}

struct weight_run {
	const struct weight_plan *plan;
	char *units, *space;
	int64_t parts; /* of each unit's jobs */
};

static float *unit_sums(const struct weight_run *r, int64_t unit) {
	void *sums = r->units + unit_bytes(r->plan) * (uint64_t)unit;
	return sums;
}

static void sum_part(const void *context, int64_t i, int thread) {
	const struct weight_run *r = context;
	const struct weight_plan *p = r->plan;
	const struct mt__conv *c = p->conv;
	int64_t unit = i / r->parts, begin, end, first, last;
	mt__omp_share(p->image_blocks, (int)unit, (int)p->units, &begin, &end);
	mt__omp_share(c->kernel[0] * c->kernel[1] * c->groups * p->blocks, (int)(i % r->parts), (int)r->parts, &first,
	              &last);
	for (int64_t block = begin; block < end; block++)
		add_images(p, block, first, last, unit_sums(r, unit), r->space + thread_bytes(p) * (uint64_t)thread);
}

/* The units' sums of output channel co, to gweight and gbias. */
static void store_channel(const void *context, int64_t co, int thread) {
	const struct weight_run *r = context;
	const struct weight_plan *p = r->plan;
	const struct mt__conv *c = p->conv;
	const struct mt__five_dims *w = &c->weight;
	int64_t n = c->in_channels * mt__conv_taps(c), bias = p->sums - p->g.channels + co;
	float *first = unit_sums(r, 0), *total = first + co * n;
	(void)thread;
	for (int64_t u = 1; u < p->units; u++) {
		const float *more = unit_sums(r, u);
		for (int64_t i = 0; i < n; i++)
			total[i] += more[co * n + i];
		first[bias] += more[bias];
	}
	for (int64_t ci = 0; ci < c->in_channels; ci++) {
		float *to = (float *)w->data + co * w->stride[0] + ci * w->stride[1];
		for (int64_t z = 0; z < c->kernel[0]; z++)
			for (int64_t y = 0; y < c->kernel[1]; y++)
				for (int64_t x = 0; x < c->kernel[2]; x++)
					to[z * w->stride[2] + y * w->stride[3] + x * w->stride[4]] = *total++;
	}
	if (c->bias)
		((float *)c->bias)[co * c->bias_stride] = first[bias];
}

void mt__lanes_grad_weight(const struct mt__conv *c, void *scratch, int threads) {
	struct weight_plan p = make_plan(c);
	struct weight_run r = {.plan = &p, .units = scratch};
	r.space = r.units + unit_bytes(&p) * (uint64_t)p.units;
	r.parts = mt__lanes_parts(p.units, threads);
	memset(r.units, 0, unit_bytes(&p) * (uint64_t)p.units);
	mt__omp_each_next(threads, p.units * r.parts, sum_part, &r);
	mt__omp_each(p.sums * p.units > MT__OMP_GRAIN ? threads : 1, p.g.channels, store_channel, &r);
}
