/* The weight gradient with output channels in the vector lanes.
 *
 * An item of the work is the sums of a panel of output channels and of a tile's input channels, for all taps.  Positions are
 * taken in chunks whose x fits the second-level cache beside a panel of gout; of each chunk, a thread makes the panels
 * [positions][PANEL] that its items need, and adds up their tiles; x is read where it lies.  Where there are items enough,
 * the threads share them, and nothing is between them but the end.  Otherwise the chunks are divided into parts, each with
 * sums of its own, added in order at the end: a thread takes whole parts.  Which of the two, chunks and parts depend on the
 * shape alone, and a sum is one thread's at a time: the same bits for any number of threads. */
#include "conv_channels_weight_tile.h"

#include "conv_part.h"
#include "parallel.h"

/* What a chunk aims at. */
#define CHUNK_BYTES (768 * 1024)

/* From so many items on, threads share items. */
#define ENOUGH_ITEMS 32

/* Parts: so many, where their sums take no more than so much. */
#define MIN_PARTS 8
#define MAX_PARTS 16
#define PARTS_BYTES (4 << 20)

/* Channels of x this many bytes apart, or a multiple, would all meet in a few sets of the first-level cache. */
#define COLLIDING 1024

struct weight_plan {
	const struct mt__conv *conv;
	struct mt__rows x;
	bool over_taps;        /* a tile's rows are taps in x rather than input channels: there are more of them */
	int64_t panels, tiles; /* of a group's output channels; items of a panel, each of a run of input channels */
	int64_t strips;        /* of an image */
	int64_t images, strip; /* a chunk: of so many images, so many rows of gout along x.cut */
	int64_t x_rows;        /* of x, for the longest strip */
	int64_t positions;     /* of an image's strip */
	int64_t sums, parts;   /* elements of a part's sums */
	uint64_t x_bytes;      /* of an image's strip */
};

/* How many parts `chunks` chunks can be; fewer than MIN_PARTS are none. */
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

static struct mt__rows plan_rows(const struct mt__conv *c, bool over_taps) {
	int64_t low = 0, high = 0;
	for (int64_t k = 0; over_taps && k < c->kernel[2]; k++) {
		low = mt__omp_min(low, mt__conv_source(c, 2, 0, k));
		high = mt__omp_max(high, mt__conv_source(c, 2, c->extent[2] - 1, k));
	}
	struct mt__rows x = mt__rows_of(&c->x, c->in_channels, low, high);
	x.cut = c->extent[0] > 1 || c->in[0] > 1 ? 0 : 1;
	if (c->in_channels > 1 && mt__conv_taps(c) > 1 && c->x.stride[1] * (int64_t)sizeof(float) % COLLIDING == 0)
		x.in_place = false;
	return x;
}

static struct weight_plan make_plan(const struct mt__conv *c) {
	struct weight_plan p = {.conv = c};
	p.over_taps = c->kernel[2] > c->in_channels && meets(c, 0) && meets(c, c->kernel[2] - 1);
	p.x = plan_rows(c, p.over_taps);
	p.panels = mt__panels(c->out_channels);
	p.tiles = p.over_taps ? c->in_channels : mt__omp_ceil_div(c->in_channels, CHANNELS_MAX_R);
	p.sums = c->groups * p.panels * c->in_channels * mt__conv_taps(c) * PANEL;
	bool shared = c->groups * p.panels * p.tiles >= ENOUGH_ITEMS;

	int d = p.x.cut;
	int64_t rows = c->extent[d], inner = d == 0 ? c->in[1] : 1, low, high;
	int64_t row = PANEL * strip_positions(&p, 1) + c->in_channels * p.x.width * inner * c->step[d];
	int64_t fit = mt__omp_max(1, CHUNK_BYTES / (row * (int64_t)sizeof(float)));
	int64_t images = mt__omp_max(1, mt__omp_min(shared ? c->images : c->images / MAX_PARTS, fit / rows));
	p.strips = mt__omp_ceil_div(rows, fit);
	p.strip = mt__omp_ceil_div(rows, p.strips);
	p.strips = mt__omp_ceil_div(rows, p.strip);
	p.images = mt__omp_ceil_div(c->images, mt__omp_ceil_div(c->images, images));
	p.parts = shared ? 1 : count_parts(mt__omp_ceil_div(c->images, p.images) * p.strips, p.sums);
	for (int64_t begin = 0; begin < rows; begin += p.strip) {
		source_range(&p, begin, mt__omp_min(rows, begin + p.strip), &low, &high);
		p.x_rows = mt__omp_max(p.x_rows, high - low);
	}
	p.positions = strip_positions(&p, p.strip);
	p.x_bytes = mt__rows_bytes(&p.x, p.x_rows);
	return p;
}

static int64_t panel_channels(const struct mt__conv *c, int64_t panel) {
	return mt__omp_min(PANEL, c->out_channels - panel * PANEL);
}

static uint64_t rows_bytes(const struct weight_plan *p) {
	uint64_t rows = (uint64_t)(p->images * p->positions / p->conv->extent[2]);
	return mt__omp_align64(rows * sizeof(struct weight_row));
}

/* A thread's scratch: a chunk's rows, a panel of its gout, and its x where that is copied. */
static uint64_t thread_bytes(const struct weight_plan *p) {
	uint64_t panel = (uint64_t)(p->positions * PANEL) * sizeof(float);
	return rows_bytes(p) + (p->x_bytes + panel) * (uint64_t)p->images;
}

/* Images [first, + images) and rows [begin, end) of gout along x.cut, for one group. */
struct chunk {
	const struct weight_plan *plan;
	int64_t group, first, images, begin, end, low, high;
	float *sums; /* of the group: [panel][input channel][tap][PANEL] */
	struct weight_row *rows;
	float *x, *g;
};

static struct mt__strip x_strip(const struct chunk *k, int64_t image) {
	const struct weight_plan *p = k->plan;
	return mt__rows_strip(&p->x, &p->conv->x, k->first + image, k->group * p->conv->in_channels, k->low, k->high,
	                      k->x + image * (int64_t)(p->x_bytes / sizeof(float)));
}

/* ---- preparation ---- */

/* A panel of an image's gout. */
static void fill_panel(const struct chunk *k, int64_t image, int64_t panel) {
	const struct mt__conv *c = k->plan->conv;
	const int64_t *stride = c->out.stride, *extent = c->extent;
	int64_t inner = k->plan->x.cut == 0 ? extent[1] : 1, channel = k->group * c->out_channels + panel * PANEL;
	int64_t n = extent[2], together = 1, channels = panel_channels(c, panel);
	const float *from = (const float *)c->out.data + (k->first + image) * stride[0] + channel * stride[1];
	float *to = k->g + image * k->plan->positions * PANEL;
	if (stride[3] == n * stride[4] && (extent[0] == 1 || stride[2] == extent[1] * stride[3]))
		together = (k->end - k->begin) * inner;
	for (int64_t row = k->begin * inner; row < k->end * inner; row += together, to += together * n * PANEL)
		mt__panel_in(to, from + row / extent[1] * stride[2] + row % extent[1] * stride[3], stride[1], stride[4],
		             channels, together * n);
}

static void copy_x(const struct chunk *k) {
	const struct weight_plan *p = k->plan;
	for (int64_t image = 0; image < k->images && !p->x.in_place; image++) {
		struct mt__strip x = x_strip(k, image);
		mt__rows_fill(&p->x, &p->conv->x, &x, 0, p->conv->in_channels);
	}
}

/* ---- sums ---- */

/* The rows of the chunk's gout that find kernel row (kz, ky), for the group's first input channel.  Rows that follow one
 * another in x as in gout, as those of 1×1 kernels do, are one. */
static int64_t list_rows(const struct chunk *k, int64_t kz, int64_t ky) {
	const struct weight_plan *p = k->plan;
	const struct mt__conv *c = p->conv;
	int cut = p->x.cut;
	bool whole = c->kernel[2] == 1 && c->pad[2] == 0;
	int64_t n = 0, width = c->extent[2], z_end = cut == 0 ? k->end : c->extent[0], y_begin = cut == 0 ? 0 : k->begin;
	for (int64_t image = 0; image < k->images; image++) {
		struct mt__strip x = x_strip(k, image);
		int64_t step = c->step[2] * x.stride[3];
		const float *g = k->g + image * p->positions * PANEL;
		for (int64_t z = cut == 0 ? k->begin : 0; z < z_end; z++)
			for (int64_t y = y_begin; y < (cut == 0 ? c->extent[1] : k->end); y++, g += width * PANEL) {
				int64_t at[] = {mt__conv_source(c, 0, z, kz), mt__conv_source(c, 1, y, ky)};
				if (at[0] < 0 || at[0] >= c->in[0] || at[1] < 0 || at[1] >= c->in[1])
					continue;
				at[cut] -= x.begin;
				const float *from = x.data + at[0] * x.stride[1] + at[1] * x.stride[2];
				struct weight_row *last = k->rows + n - 1;
				if (whole && n > 0 && from == last->x + last->n * step && g == last->g + last->n * PANEL)
					last->n += width;
				else
					k->rows[n++] = (struct weight_row){from, g, width};
			}
	}
	return n;
}

/* The tiles of a kernel row whose rows are input channels `in`: one for each tap in x, of the positions that find it. */
static void add_channels(const struct weight_plan *p, struct weight_tile t, int V, struct range in, int64_t x_step) {
	const struct mt__conv *c = p->conv;
	for (int64_t kx = 0; kx < c->kernel[2]; kx++, t.sums += PANEL) {
		struct range q = find_positions(c, kx);
		t.x_at = in.begin * t.x_row + mt__conv_source(c, 2, q.begin, kx) * x_step;
		t.g_at = q.begin * PANEL;
		t.less = c->extent[2] - (q.end - q.begin);
		run_weight_tile((int)(in.end - in.begin), V, &t);
	}
}

/* The tiles of a kernel row whose rows are taps in x, for one input channel. */
static void add_taps(const struct weight_plan *p, struct weight_tile t, int V, int64_t channel_at, int64_t x_step) {
	const struct mt__conv *c = p->conv;
	int64_t taps = c->kernel[2], tiles = mt__omp_ceil_div(taps, CHANNELS_MAX_R), begin, end;
	for (int64_t i = 0; i < tiles; i++) {
		struct weight_tile one = t;
		mt__omp_share(taps, (int)i, (int)tiles, &begin, &end);
		one.sums += begin * PANEL;
		one.x_at = channel_at + (begin * c->dilation[2] - c->pad[2]) * x_step;
		run_weight_tile((int)(end - begin), V, &one);
	}
}

/* Items [begin, end) of a panel. */
static void add_items(const struct chunk *k, bool first, int64_t panel, int64_t begin, int64_t end) {
	const struct weight_plan *p = k->plan;
	const struct mt__conv *c = p->conv;
	const struct mt__strip x = x_strip(k, 0);
	int64_t taps = mt__conv_taps(c), x_step = x.stride[3];
	int V = mt__panel_vectors(panel_channels(c, panel));
	struct weight_tile t = {.rows = k->rows,
	                        .x_row = p->over_taps ? c->dilation[2] * x_step : x.stride[0],
	                        .x_step = c->step[2] * x_step,
	                        .sums_row = p->over_taps ? PANEL : taps * PANEL,
	                        .first = first};
	for (int64_t image = 0; image < k->images; image++)
		fill_panel(k, image, panel);
	for (int64_t row = 0; row < c->kernel[0] * c->kernel[1]; row++) {
		t.n_rows = list_rows(k, row / c->kernel[1], row % c->kernel[1]);
		for (int64_t item = begin; item < end; item++) {
			struct range in;
			mt__omp_share(c->in_channels, (int)item, (int)p->tiles, &in.begin, &in.end);
			t.sums = k->sums + ((panel * c->in_channels + in.begin) * taps + row * c->kernel[2]) * PANEL;
			if (p->over_taps)
				add_taps(p, t, V, in.begin * x.stride[0], x_step);
			else
				add_channels(p, t, V, in, x_step);
		}
	}
}

/* ---- items and chunks ---- */

/* Panel `panel` of a group, and its items [begin, end). */
struct run {
	int64_t group, panel, begin, end;
};

/* The run that item `item` of all begins, not beyond item `end`. */
static struct run run_at(const struct weight_plan *p, int64_t item, int64_t end) {
	int64_t panel = item / p->tiles, begin = item % p->tiles;
	return (struct run){panel / p->panels, panel % p->panels, begin, mt__omp_min(p->tiles, begin + end - item)};
}

/* The first of thread `thread`'s items: those of a group's last panel may be less work. */
static int64_t first_item(const struct weight_plan *p, int thread, int threads) {
	int last = mt__panel_cost(panel_channels(p->conv, p->panels - 1)), full = mt__panel_cost(PANEL);
	int64_t most = (p->panels - 1) * p->tiles, group = most * full + p->tiles * last, begin, end;
	mt__omp_share(p->conv->groups * group, thread, threads, &begin, &end);
	int64_t rest = begin % group, item = rest < most * full ? rest / full : most + (rest - most * full) / last;
	return begin / group * p->panels * p->tiles + item;
}

static int64_t count_items(const struct weight_plan *p) {
	return p->conv->groups * p->panels * p->tiles;
}

static int64_t count_chunks(const struct weight_plan *p) {
	return mt__omp_ceil_div(p->conv->images, p->images) * p->strips;
}

static struct chunk chunk_at(const struct weight_plan *p, int64_t i, char *space) {
	const struct mt__conv *c = p->conv;
	struct chunk k = {.plan = p, .first = i / p->strips * p->images, .begin = i % p->strips * p->strip};
	k.images = mt__omp_min(p->images, c->images - k.first);
	k.end = mt__omp_min(c->extent[p->x.cut], k.begin + p->strip);
	source_range(p, k.begin, k.end, &k.low, &k.high);
	k.rows = mt__omp_take(&space, rows_bytes(p));
	k.x = mt__omp_take(&space, p->x_bytes * (uint64_t)p->images);
	k.g = (void *)space;
	return k;
}

/* Adds up chunks [first, last) for items [begin, end). */
static void sum_chunks(const struct weight_plan *p, float *sums, char *space, int64_t first, int64_t last,
                       int64_t begin, int64_t end) {
	for (int64_t i = first; i < last; i++) {
		struct chunk k = chunk_at(p, i, space);
		int64_t copied = -1;
		for (int64_t item = begin; item < end;) {
			struct run r = run_at(p, item, end);
			k.group = r.group;
			k.sums = sums + r.group * (p->sums / p->conv->groups);
			if (r.group != copied)
				copy_x(&k);
			copied = r.group;
			add_items(&k, i == first, r.panel, r.begin, r.end);
			item += r.end - r.begin;
		}
	}
}

/* ---- the end ---- */

/* The input channels of a run. */
static struct range run_channels(const struct weight_plan *p, struct run r) {
	struct range in, last;
	mt__omp_share(p->conv->in_channels, (int)r.begin, (int)p->tiles, &in.begin, &in.end);
	mt__omp_share(p->conv->in_channels, (int)r.end - 1, (int)p->tiles, &last.begin, &last.end);
	return (struct range){in.begin, last.end};
}

/* A run's sums in gweight. */
static void store_run(const struct weight_plan *p, const float *from, struct run r, struct range in) {
	const struct mt__conv *c = p->conv;
	const int64_t *stride = c->weight.stride, *k = c->kernel, taps = mt__conv_taps(c);
	int64_t channels = panel_channels(c, r.panel), first = r.group * c->out_channels + r.panel * PANEL;
	float *to = (float *)c->weight.data + first * stride[0] + in.begin * stride[1];
	if (mt__taps_even(c) && stride[1] == taps) {
		mt__panel_out(from, to, stride[0], 1, channels, (in.end - in.begin) * taps);
		return;
	}
	for (int64_t i = 0; i < in.end - in.begin; i++)
		for (int64_t z = 0; z < k[0]; z++)
			for (int64_t y = 0; y < k[1]; y++, from += k[2] * PANEL)
				mt__panel_out(from, to + i * stride[1] + z * stride[2] + y * stride[3], stride[0], stride[4], channels,
				              k[2]);
}

/* Items [begin, end): their parts' sums are added up, and stored. */
static void finish(const struct weight_plan *p, float *sums, int64_t begin, int64_t end) {
	for (int64_t item = begin; item < end;) {
		struct run r = run_at(p, item, end);
		struct range in = run_channels(p, r);
		int64_t row = mt__conv_taps(p->conv) * PANEL, n = (in.end - in.begin) * row;
		float *own = sums + ((r.group * p->panels + r.panel) * p->conv->in_channels + in.begin) * row;
		for (int64_t i = 0; i < n && p->parts > 1; i += VL) {
			vec_f32 sum = vec_f32_load(own + i, VL);
			for (int64_t part = 1; part < p->parts; part++)
				sum += vec_f32_load(own + part * p->sums + i, VL);
			vec_f32_store(own + i, VL, sum);
		}
		store_run(p, own, r, in);
		item += r.end - r.begin;
	}
}

/* ---- the whole ---- */

struct weight_work {
	const struct weight_plan *plan;
	float *sums;
	char *space;
};

static char *thread_space(const struct weight_work *w, int thread) {
	return w->space + thread_bytes(w->plan) * (uint64_t)thread;
}

static void sum_items(const void *context, int thread, int threads) {
	const struct weight_work *w = context;
	const struct weight_plan *p = w->plan;
	int64_t begin = first_item(p, thread, threads), end = first_item(p, thread + 1, threads);
	sum_chunks(p, w->sums, thread_space(w, thread), 0, count_chunks(p), begin, end);
	finish(p, w->sums, begin, end);
}

static void sum_part(const void *context, int64_t part, int thread) {
	const struct weight_work *w = context;
	const struct weight_plan *p = w->plan;
	int64_t begin = count_chunks(p) * part / p->parts, end = count_chunks(p) * (part + 1) / p->parts;
	sum_chunks(p, w->sums + part * p->sums, thread_space(w, thread), begin, end, 0, count_items(p));
}

static void finish_items(const void *context, int thread, int threads) {
	const struct weight_work *w = context;
	finish(w->plan, w->sums, first_item(w->plan, thread, threads), first_item(w->plan, thread + 1, threads));
}

uint64_t mt__channels_grad_weight_bytes(const struct mt__conv *c, int threads) {
	struct weight_plan p = make_plan(c);
	return (uint64_t)(p.sums * p.parts) * sizeof(float) + thread_bytes(&p) * (uint64_t)threads;
}

void mt__channels_grad_weight(const struct mt__conv *c, void *scratch, int threads) {
	struct weight_plan p = make_plan(c);
	char *space = scratch;
	struct weight_work w = {.plan = &p};
	w.sums = mt__omp_take(&space, (uint64_t)(p.sums * p.parts) * sizeof(float));
	w.space = space;
	if (p.parts == 1) {
		mt__omp_parallel(threads, sum_items, &w);
	} else {
		mt__omp_each_next(threads, p.parts, sum_part, &w);
		mt__omp_parallel(threads, finish_items, &w);
	}
	if (c->bias)
		mt__conv_grad_bias(c, threads);
}
