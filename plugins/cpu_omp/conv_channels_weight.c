/* The weight gradient with output channels in the vector lanes.
 *
 * Images are taken in chunks that fit the second-level caches: of each, the rows of x get their zeros and gout becomes
 * panels [positions][PANEL]; then tiles (some input channels × a panel, for one tap) add all of the chunk's positions to
 * their sums.  Where there are chunks enough and the weights are small, they are divided into parts, each with sums
 * of its own, added in order at the end: a thread takes whole parts.  Otherwise the threads share each chunk's tiles.
 * Chunks and parts depend on the shape alone, and a sum is one thread's at a time: the same bits for any number of
 * threads. */
#include "conv_channels_weight_tile.h"

#include "parallel.h"

#include <string.h>

/* What a chunk aims at. */
#define CHUNK_BYTES (768 * 1024)

/* Parts: so many, where their sums take no more than so much. */
#define MIN_PARTS 8
#define MAX_PARTS 16
#define PARTS_BYTES (4 << 20)

/* Channels of x that one unit of preparation copies. */
#define COPIED 16

struct weight_plan {
	const struct mt__conv *conv;
	struct mt__rows x;
	bool over_taps;            /* a tile's rows are taps in x rather than input channels: there are more of them */
	int64_t panels, tiles;     /* of a group's output channels; of a tile's rows */
	int64_t strips;            /* of an image */
	int64_t images, strip;     /* a chunk: of so many images, so many rows of gout along x.cut */
	int64_t x_rows;            /* of x, for the longest strip */
	int64_t positions;         /* of an image's strip */
	int64_t sums, parts;       /* elements of a part's sums; 1: the threads share all */
	uint64_t x_bytes, g_bytes; /* of an image's strip */
};

/* How many parts `chunks` chunks can be. */
static int64_t count_parts(int64_t chunks, int64_t sums) {
	int64_t most = mt__omp_min(MAX_PARTS, PARTS_BYTES / (mt__omp_max(1, sums) * (int64_t)sizeof(float)));
	int64_t parts = mt__omp_min(chunks, most);
	return parts < MIN_PARTS ? 1 : parts;
}

static int64_t strip_positions(const struct weight_plan *p, int64_t rows) {
	const struct mt__conv *c = p->conv;
	return rows * (p->x.cut == 0 ? c->extent[1] : 1) * c->extent[2];
}

/* The rows of x that rows [begin, end) of gout may find, along x.cut. */
static void source_range(const struct weight_plan *p, int64_t begin, int64_t end, int64_t *low, int64_t *high) {
	const struct mt__conv *c = p->conv;
	int d = p->x.cut;
	*low = mt__conv_source(c, d, begin, 0);
	*high = mt__conv_source(c, d, end - 1, c->kernel[d] - 1) + 1;
	*low = mt__omp_max(0, mt__omp_min(*low, c->in[d]));
	*high = mt__omp_max(*low, mt__omp_min(*high, c->in[d]));
}

/* Whether any position of a row finds tap k.  Where the first and the last tap are found, all are. */
static bool meets(const struct mt__conv *c, int64_t k) {
	return mt__conv_source(c, 2, c->extent[2] - 1, k) >= 0 && mt__conv_source(c, 2, 0, k) < c->in[2];
}

static struct weight_plan make_plan(const struct mt__conv *c) {
	struct weight_plan p = {.conv = c};
	int64_t low = 0, high = 0;
	for (int64_t k = 0; k < c->kernel[2]; k++)
		if (meets(c, k)) {
			low = mt__omp_min(low, mt__conv_source(c, 2, 0, k));
			high = mt__omp_max(high, mt__conv_source(c, 2, c->extent[2] - 1, k));
		}
	p.x = mt__rows_of(&c->x, c->in_channels, low, high);
	p.x.cut = c->extent[0] > 1 || c->in[0] > 1 ? 0 : 1;
	p.panels = mt__panels(c->out_channels);
	p.over_taps = c->kernel[2] > c->in_channels && meets(c, 0) && meets(c, c->kernel[2] - 1);
	p.tiles = mt__omp_ceil_div(p.over_taps ? c->kernel[2] : c->in_channels, CHANNELS_MAX_R);

	p.sums = c->groups * p.panels * c->in_channels * mt__conv_taps(c) * PANEL;
	int d = p.x.cut;
	int64_t rows = c->extent[d], inner = d == 0 ? c->in[1] : 1;
	int64_t row = p.panels * PANEL * strip_positions(&p, 1) + c->in_channels * p.x.width * inner * c->step[d];
	bool small = count_parts(MAX_PARTS, p.sums) > 1;
	int64_t fit = mt__omp_max(1, CHUNK_BYTES / (row * (int64_t)sizeof(float)));
	p.strip = mt__omp_ceil_div(rows, mt__omp_ceil_div(rows, fit));
	p.images = mt__omp_max(1, mt__omp_min(small ? c->images / MAX_PARTS : c->images, fit / rows));
	p.strips = mt__omp_ceil_div(rows, p.strip);
	p.parts = count_parts(mt__omp_ceil_div(c->images, p.images) * p.strips, p.sums);
	for (int64_t begin = 0; begin < rows; begin += p.strip) {
		source_range(&p, begin, mt__omp_min(rows, begin + p.strip), &low, &high);
		p.x_rows = mt__omp_max(p.x_rows, high - low);
	}
	p.positions = strip_positions(&p, p.strip);
	p.x_bytes = mt__rows_bytes(&p.x, p.x_rows);
	p.g_bytes = (uint64_t)(p.panels * p.positions * PANEL) * sizeof(float);
	return p;
}

static int64_t panel_channels(const struct mt__conv *c, int64_t panel) {
	return mt__omp_min(PANEL, c->out_channels - panel * PANEL);
}

static uint64_t rows_bytes(const struct weight_plan *p) {
	const struct mt__conv *c = p->conv;
	return mt__omp_align64((uint64_t)(p->images * p->positions / c->extent[2]) * sizeof(struct row_pair));
}

/* Images [first, + images) and rows [begin, end) of gout along x.cut, for one group. */
struct chunk {
	const struct weight_plan *plan;
	int64_t group, first, images, begin, end, low, high;
	float *sums, *x, *g;   /* of the group: [panel][input channel][tap][PANEL] */
	struct row_pair *rows; /* the thread's own */
};

static struct mt__strip x_strip(const struct chunk *k, int64_t image) {
	const struct weight_plan *p = k->plan;
	return mt__rows_strip(&p->x, &p->conv->x, k->first + image, k->group * p->conv->in_channels, k->low, k->high,
	                      k->x + image * (int64_t)(p->x_bytes / sizeof(float)));
}

static float *g_panel(const struct chunk *k, int64_t image, int64_t panel) {
	const struct weight_plan *p = k->plan;
	return k->g + (image * p->panels + panel) * p->positions * PANEL;
}

/* ---- preparation ---- */

/* A panel of an image's gout. */
static void fill_panel(const struct chunk *k, int64_t image, int64_t panel) {
	const struct mt__conv *c = k->plan->conv;
	const int64_t *stride = c->out.stride, *extent = c->extent;
	int64_t inner = k->plan->x.cut == 0 ? extent[1] : 1, channel = k->group * c->out_channels + panel * PANEL;
	int64_t n = extent[2], together = 1, channels = panel_channels(c, panel);
	const float *from = (const float *)c->out.data + (k->first + image) * stride[0] + channel * stride[1];
	float *to = g_panel(k, image, panel);
	if (stride[3] == n * stride[4] && (extent[0] == 1 || stride[2] == extent[1] * stride[3]))
		together = (k->end - k->begin) * inner;
	for (int64_t row = k->begin * inner; row < k->end * inner; row += together, to += together * n * PANEL)
		mt__panel_in(to, from + row / extent[1] * stride[2] + row % extent[1] * stride[3], stride[1], stride[4],
		             channels, together * n);
}

static void prepare(const struct chunk *k, int thread, int threads) {
	const struct weight_plan *p = k->plan;
	int64_t channels = p->conv->in_channels, copies = p->x.in_place ? 0 : mt__omp_ceil_div(channels, COPIED);
	int64_t each = p->panels + copies, begin, end;
	mt__omp_share(k->images * each, thread, threads, &begin, &end);
	for (int64_t unit = begin; unit < end; unit++) {
		int64_t image = unit / each, i = unit % each;
		if (i < p->panels) {
			fill_panel(k, image, i);
		} else {
			int64_t first = (i - p->panels) * COPIED;
			struct mt__strip x = x_strip(k, image);
			mt__rows_fill(&p->x, &p->conv->x, &x, first, mt__omp_min(channels, first + COPIED));
		}
	}
}

/* ---- sums ---- */

/* The rows of the chunk's gout that find kernel row (kz, ky): pairs for the group's first input channel and the panel. */
static int64_t list_rows(const struct chunk *k, int64_t kz, int64_t ky, int64_t panel) {
	const struct mt__conv *c = k->plan->conv;
	int cut = k->plan->x.cut;
	int64_t n = 0, z_end = cut == 0 ? k->end : c->extent[0], y_begin = cut == 0 ? 0 : k->begin;
	for (int64_t image = 0; image < k->images; image++) {
		struct mt__strip x = x_strip(k, image);
		const float *g = g_panel(k, image, panel);
		for (int64_t z = cut == 0 ? k->begin : 0; z < z_end; z++)
			for (int64_t y = y_begin; y < (cut == 0 ? c->extent[1] : k->end); y++, g += c->extent[2] * PANEL) {
				int64_t at[] = {mt__conv_source(c, 0, z, kz), mt__conv_source(c, 1, y, ky)};
				if (at[0] < 0 || at[0] >= c->in[0] || at[1] < 0 || at[1] >= c->in[1])
					continue;
				at[cut] -= x.begin;
				k->rows[n++] = (struct row_pair){x.data + at[0] * x.stride[1] + at[1] * x.stride[2], g};
			}
	}
	return n;
}

/* Tiles are numbered by kernel row, panel, rows of the tile (input channels, or taps in x), and the other of those two. */
static void add_tiles(const struct chunk *k, bool first, int thread, int threads) {
	const struct weight_plan *p = k->plan;
	const struct mt__conv *c = p->conv;
	int64_t taps = mt__conv_taps(c), across = p->over_taps ? c->in_channels : c->kernel[2], begin, end, listed = -1;
	struct mt__strip x = x_strip(k, 0);
	const int64_t tap_step = c->dilation[2] * x.stride[3];
	struct weight_tile t = {.rows = k->rows,
	                        .width = c->extent[2],
	                        .x_channel = p->over_taps ? tap_step : x.stride[0],
	                        .x_step = c->step[2] * x.stride[3],
	                        .sums_channel = p->over_taps ? PANEL : taps * PANEL,
	                        .first = first};
	mt__omp_share(c->kernel[0] * c->kernel[1] * p->panels * p->tiles * across, thread, threads, &begin, &end);
	for (int64_t unit = begin; unit < end; unit++) {
		int64_t other = unit % across, tile = unit / across % p->tiles, list = unit / across / p->tiles;
		int64_t panel = list % p->panels, row = list / p->panels, a, b;
		mt__omp_share(p->over_taps ? c->kernel[2] : c->in_channels, (int)tile, (int)p->tiles, &a, &b);
		if (list != listed)
			t.n_rows = list_rows(k, row / c->kernel[1], row % c->kernel[1], panel);
		listed = list;
		int64_t channel = p->over_taps ? other : a, kx = p->over_taps ? a : other;
		struct weight_tile one = t;
		one.x_at = channel * x.stride[0] + kx * tap_step - c->pad[2] * x.stride[3];
		one.sums = k->sums + ((panel * c->in_channels + channel) * taps + row * c->kernel[2] + kx) * PANEL;
		if (!p->over_taps && !meets(c, kx))
			one.n_rows = 0;
		run_weight_tile((int)(b - a), panel_channels(c, panel) > VL ? 2 : 1, &one);
	}
}

/* ---- the whole ---- */

struct weight_run {
	const struct weight_plan *plan;
	float *sums;
	char *space;
};

static uint64_t chunk_bytes(const struct weight_plan *p) {
	return (p->x_bytes + p->g_bytes) * (uint64_t)p->images;
}

static void barrier(int threads) {
	if (threads > 1) {
#pragma omp barrier
	}
}

static int64_t count_chunks(const struct weight_plan *p) {
	return mt__omp_ceil_div(p->conv->images, p->images) * p->strips;
}

/* Adds up chunks [first, end); all of `threads` call it together. */
static void sum_chunks(const struct weight_run *r, float *sums, char *space, struct row_pair *rows, int64_t first,
                       int64_t end, int thread, int threads) {
	const struct weight_plan *p = r->plan;
	const struct mt__conv *c = p->conv;
	struct chunk k = {.plan = p, .rows = rows};
	k.x = mt__omp_take(&space, p->x_bytes * (uint64_t)p->images);
	k.g = (void *)space;
	for (k.group = 0; k.group < c->groups; k.group++) {
		k.sums = sums + k.group * (p->sums / c->groups);
		for (int64_t i = first; i < end; i++) {
			k.first = i / p->strips * p->images;
			k.images = mt__omp_min(p->images, c->images - k.first);
			k.begin = i % p->strips * p->strip;
			k.end = mt__omp_min(c->extent[p->x.cut], k.begin + p->strip);
			source_range(p, k.begin, k.end, &k.low, &k.high);
			prepare(&k, thread, threads);
			barrier(threads);
			add_tiles(&k, i == first, thread, threads);
			barrier(threads);
		}
	}
}

static void weight_thread(const void *context, int thread, int threads) {
	const struct weight_run *r = context;
	const struct weight_plan *p = r->plan;
	struct row_pair *rows = (void *)(r->space + rows_bytes(p) * (uint64_t)thread);
	char *chunks = r->space + rows_bytes(p) * (uint64_t)threads;
	int64_t begin, end, part, part_end;
	if (p->parts == 1) {
		sum_chunks(r, r->sums, chunks, rows, 0, count_chunks(p), thread, threads);
		return;
	}
	mt__omp_share(p->parts, thread, threads, &part, &part_end);
	for (; part < part_end; part++) {
		/* Longer parts lie between shorter ones: the threads' shares stay equal. */
		begin = count_chunks(p) * part / p->parts;
		end = count_chunks(p) * (part + 1) / p->parts;
		sum_chunks(r, r->sums + part * p->sums, chunks + chunk_bytes(p) * (uint64_t)thread, rows, begin, end, 0, 1);
	}
	barrier(threads);
	mt__omp_share(p->sums / VL, thread, threads, &begin, &end);
	for (int64_t i = begin * VL; i < end * VL; i += VL) {
		vec_f32 sum = vec_f32_load(r->sums + i, VL);
		for (part = 1; part < p->parts; part++)
			sum += vec_f32_load(r->sums + part * p->sums + i, VL);
		vec_f32_store(r->sums + i, VL, sum);
	}
}

/* The sums of a panel to gweight. */
static void store_panel(const void *context, int64_t unit, int thread) {
	const struct weight_run *r = context;
	const struct mt__conv *c = r->plan->conv;
	const int64_t *stride = c->weight.stride, *k = c->kernel, taps = mt__conv_taps(c);
	int64_t group = unit / r->plan->panels, panel = unit % r->plan->panels, channels = panel_channels(c, panel);
	const float *from = r->sums + unit * c->in_channels * taps * PANEL;
	float *to = (float *)c->weight.data + (group * c->out_channels + panel * PANEL) * stride[0];
	(void)thread;
	if (stride[4] == 1 && stride[3] == k[2] && stride[2] == k[1] * k[2] && stride[1] == taps) {
		mt__panel_out(from, to, stride[0], 1, channels, c->in_channels * taps);
		return;
	}
	for (int64_t i = 0; i < c->in_channels; i++)
		for (int64_t z = 0; z < k[0]; z++)
			for (int64_t y = 0; y < k[1]; y++, from += k[2] * PANEL)
				mt__panel_out(from, to + i * stride[1] + z * stride[2] + y * stride[3], stride[0], stride[4], channels,
				              k[2]);
}

uint64_t mt__channels_grad_weight_bytes(const struct mt__conv *c, int threads) {
	struct weight_plan p = make_plan(c);
	return (uint64_t)(p.sums * p.parts) * sizeof(float) + rows_bytes(&p) * (uint64_t)threads +
	       chunk_bytes(&p) * (uint64_t)(p.parts == 1 ? 1 : threads);
}

void mt__channels_grad_weight(const struct mt__conv *c, void *scratch, int threads) {
	struct weight_plan p = make_plan(c);
	char *space = scratch;
	struct weight_run r = {.plan = &p};
	r.sums = mt__omp_take(&space, (uint64_t)(p.sums * p.parts) * sizeof(float));
	r.space = space;
	mt__omp_parallel(threads, weight_thread, &r);
	mt__omp_each(threads, c->groups * p.panels, store_panel, &r);
	if (c->bias)
		mt__conv_grad_bias(c, threads);
}
