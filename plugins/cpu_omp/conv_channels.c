/* Convolution and its input gradient with output channels in the vector lanes.
 *
 * Both are one sweep: every position q of the result sums weight · source over the taps k that meet it,
 *     forward          source position s = q · step + k · dilation − pad
 *     input gradient   s = (q + pad − k · dilation) / step, where that divides
 * In x, positions `between` apart (1; step for the gradient) read sources x_step apart and share their taps: a phase.
 * The weights are packed once; the source's rows lie in a strip that fits the second-level cache beside a panel of
 * weights; results gather in a buffer [positions][PANEL], from which each channel's run is stored. */
#include "conv_channels_tile.h"

#include "activate.h"
#include "parallel.h"
#include "stream.h"

/* The part of a source that is swept at a time. */
#define STRIP_BYTES (256 * 1024)

/* Positions whose results gather before they are stored. */
#define SEGMENT 112

/* Positions below which a register tile would be too short. */
#define MIN_WIDTH 3

/* Above this many bytes the weights are packed by all threads. */
#define SERIAL_WEIGHTS (64 * 1024)

/* From this many bytes of weights a thread on, threads have panels of their own. */
#define OWN_WEIGHTS (256 * 1024)

struct sweep {
	const struct mt__conv *conv;
	bool backward;
	const struct mt__five_dims *from, *to;
	struct mt__rows source;
	int64_t source_channels, result_channels; /* of one group */
	int64_t w_source, w_result;               /* the weight's strides along them */
	int64_t extent[3];                        /* of the result */
	int64_t between, x_step;
	int64_t panels, strip;  /* panels of a group; rows of the result, along source.cut, a strip */
	int64_t source_rows;    /* of the longest strip */
	int64_t strips, parts;  /* of an image and group; of its panels */
	float *weights, *start; /* [group][panel][source channel][tap][PANEL]; [group][panel][PANEL] */
	bool stream;            /* results pass the caches by */
	bool even;              /* the result's rows follow one another */
};

/* Where position q finds tap k in dim d; false where it finds none or what it finds is outside. */
static bool find(const struct sweep *s, int d, int64_t q, int64_t k, int64_t *at) {
	const struct mt__conv *c = s->conv;
	if (!s->backward) {
		*at = mt__conv_source(c, d, q, k);
		return *at >= 0 && *at < c->in[d];
	}
	int64_t t = q + c->pad[d] - k * c->dilation[d];
	*at = t / c->step[d];
	return t >= 0 && t % c->step[d] == 0 && *at < c->extent[d];
}

/* Where position q finds tap k in x, if any of `count` positions from q on, `between` apart, finds it inside. */
static bool find_run(const struct sweep *s, int64_t q, int64_t count, int64_t k, int64_t *at) {
	const struct mt__conv *c = s->conv;
	int64_t t = q + c->pad[2] - k * c->dilation[2];
	if (s->backward && t % c->step[2] != 0)
		return false;
	*at = s->backward ? t / c->step[2] : mt__conv_source(c, 2, q, k);
	return *at + (count - 1) * s->x_step >= 0 && *at < s->source.extent[2];
}

/* Positions of phase `phase`. */
static int64_t phase_count(const struct sweep *s, int64_t phase) {
	return mt__omp_ceil_div(s->extent[2] - phase, s->between);
}

static void find_reach(const struct sweep *s, int64_t *low, int64_t *high) {
	int64_t at;
	*low = *high = 0;
	for (int64_t phase = 0; phase < mt__omp_min(s->between, s->extent[2]); phase++)
		for (int64_t k = 0; k < s->conv->kernel[2]; k++) {
			int64_t count = phase_count(s, phase);
			if (!find_run(s, phase, count, k, &at))
				continue;
			*low = mt__omp_min(*low, at);
			*high = mt__omp_max(*high, at + (count - 1) * s->x_step);
		}
}

/* The source's rows that rows [begin, end) of the result may find, along source.cut. */
static void source_range(const struct sweep *s, int64_t begin, int64_t end, int64_t *low, int64_t *high) {
	const struct mt__conv *c = s->conv;
	int d = s->source.cut;
	int64_t span = (c->kernel[d] - 1) * c->dilation[d], step = c->step[d];
	if (s->backward) {
		*low = (begin + c->pad[d] - span + step - 1) / step;
		*high = (end - 1 + c->pad[d]) / step + 1;
	} else {
		*low = mt__conv_source(c, d, begin, 0);
		*high = mt__conv_source(c, d, end - 1, 0) + span + 1;
	}
	*low = mt__omp_max(0, mt__omp_min(*low, s->source.extent[d]));
	*high = mt__omp_max(*low, mt__omp_min(*high, s->source.extent[d]));
}

/* Strips that fit, and enough of them for all threads: no result depends on how rows are divided. */
static void plan_strips(struct sweep *s, int threads) {
	int d = s->source.cut;
	int64_t extent = s->extent[d], images = s->conv->images * s->conv->groups;
	int64_t row = s->source_channels * s->source.width * (d == 0 ? s->source.extent[1] : 1) * (int64_t)sizeof(float);
	int64_t fit = STRIP_BYTES / mt__omp_max(1, row), span = (s->conv->kernel[d] - 1) * s->conv->dilation[d];
	fit = s->backward ? (fit - span / s->conv->step[d]) * s->conv->step[d] : (fit - span) / s->conv->step[d];
	int64_t wanted = threads < 2 ? 1 : mt__omp_ceil_div(2 * threads, mt__omp_max(1, images));
	s->strips = mt__omp_max(mt__omp_ceil_div(extent, mt__omp_max(1, fit)), mt__omp_min(wanted, extent));
	s->strip = mt__omp_ceil_div(extent, s->strips);
	s->strips = mt__omp_ceil_div(extent, s->strip);
	s->parts = mt__omp_min(s->panels, mt__omp_ceil_div(threads, mt__omp_max(1, images * s->strips)));
	for (int64_t begin = 0; begin < extent; begin += s->strip) {
		int64_t low, high;
		source_range(s, begin, mt__omp_min(extent, begin + s->strip), &low, &high);
		s->source_rows = mt__omp_max(s->source_rows, high - low);
	}
}

static struct sweep plan_sweep(const struct mt__conv *c, bool backward, int threads) {
	struct sweep s = {.conv = c, .backward = backward};
	s.from = backward ? &c->out : &c->x;
	s.to = backward ? &c->x : &c->out;
	s.source_channels = backward ? c->out_channels : c->in_channels;
	s.result_channels = backward ? c->in_channels : c->out_channels;
	s.w_source = c->weight.stride[backward ? 0 : 1];
	s.w_result = c->weight.stride[backward ? 1 : 0];
	s.between = backward ? c->step[2] : 1;
	s.x_step = backward ? 1 : c->step[2];
	s.panels = mt__panels(s.result_channels);
	for (int d = 0; d < 3; d++)
		s.extent[d] = backward ? c->in[d] : c->extent[d];
	const int64_t *stride = s.to->stride;
	s.even = stride[3] == s.extent[2] * stride[4] && (s.extent[0] == 1 || stride[2] == s.extent[1] * stride[3]);
	double elements = (double)(c->images * s.to->shape[1]) * (double)(s.extent[0] * s.extent[1] * s.extent[2]);
	s.stream = stride[4] == 1 && elements * sizeof(float) >= MT__OMP_STREAM_BYTES;
	int64_t low, high;
	s.source = (struct mt__rows){.extent = {0, 0, s.from->shape[4]}};
	find_reach(&s, &low, &high);
	s.source = mt__rows_of(s.from, s.source_channels, low, high);
	/* Strips are of the result, too. */
	s.source.cut = s.extent[0] > 1 || s.source.extent[0] > 1 ? 0 : 1;
	plan_strips(&s, threads);
	return s;
}

/* ---- weights ---- */

static int64_t panel_channels(int64_t channels, int64_t panel) {
	return mt__omp_min(PANEL, channels - panel * PANEL);
}

static void pack_weights(const struct sweep *s, int64_t group, int64_t panel) {
	const struct mt__conv *c = s->conv;
	const int64_t *stride = c->weight.stride, *k = c->kernel;
	int64_t taps = mt__conv_taps(c), channels = panel_channels(s->result_channels, panel);
	float *to = s->weights + (group * s->panels + panel) * s->source_channels * taps * PANEL;
	const float *from =
		(const float *)c->weight.data + group * c->out_channels * stride[0] + panel * PANEL * s->w_result;
	if (taps == 1) {
		mt__panel_in(to, from, s->w_result, s->w_source, channels, s->source_channels);
	} else if (mt__taps_even(c)) {
		int64_t together = s->w_source == taps ? s->source_channels : 1;
		for (int64_t i = 0; i < s->source_channels; i += together, to += together * taps * PANEL)
			mt__panel_in(to, from + i * s->w_source, s->w_result, 1, channels, together * taps);
	} else {
		for (int64_t i = 0; i < s->source_channels; i++)
			for (int64_t z = 0; z < k[0]; z++)
				for (int64_t y = 0; y < k[1]; y++, to += k[2] * PANEL)
					mt__panel_in(to, from + i * s->w_source + z * stride[2] + y * stride[3], s->w_result, stride[4],
					             channels, k[2]);
	}
	float *start = s->start + (group * s->panels + panel) * PANEL;
	for (int64_t i = 0; i < PANEL; i++)
		start[i] = !s->backward && c->bias && i < channels
		               ? ((const float *)c->bias)[(group * c->out_channels + panel * PANEL + i) * c->bias_stride]
		               : 0;
}

/* ---- one strip ---- */

/* One thread's part of the work. */
struct strip {
	struct mt__strip source;
	int64_t image, group, begin, end; /* rows of the result, along source.cut */
	float *buffer;
	struct channels_tap *taps;
};

/* The taps that row (z, y) finds, with `count` positions from q on. */
static int64_t list_taps(const struct sweep *s, const struct strip *p, int64_t z, int64_t y, int64_t q, int64_t count) {
	const struct mt__conv *c = s->conv;
	const int64_t *stride = p->source.stride;
	int64_t n = 0, at[3];
	for (int64_t kz = 0; kz < c->kernel[0]; kz++)
		for (int64_t ky = 0; ky < c->kernel[1]; ky++) {
			if (!find(s, 0, z, kz, &at[0]) || !find(s, 1, y, ky, &at[1]))
				continue;
			at[s->source.cut] -= p->source.begin;
			for (int64_t kx = 0; kx < c->kernel[2]; kx++)
				if (find_run(s, q, count, kx, &at[2]))
					p->taps[n++] = (struct channels_tap){at[0] * stride[1] + at[1] * stride[2] + at[2] * stride[3],
					                                     ((kz * c->kernel[1] + ky) * c->kernel[2] + kx) * PANEL};
		}
	return n;
}

/* Positions [first, end) of row (z, y) of the result, to buffer. */
static void sweep_segment(const struct sweep *s, const struct strip *p, struct channels_tile t, int V, int64_t z,
                          int64_t y, int64_t first, int64_t end, float *buffer) {
	for (int64_t q = first; q < mt__omp_min(end, first + s->between); q++) {
		int64_t count = mt__omp_ceil_div(end - q, s->between), tiles = mt__omp_ceil_div(count, CHANNELS_MAX_R);
		t.n_taps = list_taps(s, p, z, y, q, count);
		for (int64_t i = 0; i < tiles; i++) {
			int64_t a, b;
			mt__omp_share(count, (int)i, (int)tiles, &a, &b);
			t.x = p->source.data + a * t.x_step;
			t.out = buffer + (q - first + a * s->between) * PANEL;
			run_channels_tile((int)(b - a), V, &t);
		}
	}
}

static void store_segment(const struct sweep *s, const struct strip *p, int64_t panel, int64_t row, int64_t first,
                          int64_t n) {
	const int64_t *stride = s->to->stride;
	int64_t z = row / s->extent[1], y = row % s->extent[1], channel = p->group * s->result_channels + panel * PANEL;
	float *to = (float *)s->to->data + p->image * stride[0] + channel * stride[1] + z * stride[2] + y * stride[3] +
	            first * stride[4];
	if (!s->backward && s->conv->activation > MT_ACT_RELU)
		mt__omp_activate(s->conv->activation, MT_F32, p->buffer, 1, n * PANEL, 0);
	int64_t channels = panel_channels(s->result_channels, panel);
	if (!s->stream || !mt__panel_stream(p->buffer, to, stride[1], channels, n))
		mt__panel_out(p->buffer, to, stride[1], stride[4], channels, n);
}

/* A panel's channels of all rows of a strip: short rows together, long ones in segments. */
static void sweep_panel(const struct sweep *s, const struct strip *p, int64_t panel) {
	const struct mt__conv *c = s->conv;
	int64_t width = s->extent[2], inner = s->source.cut == 0 ? s->extent[1] : 1, at = p->group * s->panels + panel;
	int64_t together = s->even ? mt__omp_max(1, SEGMENT / width) : 1;
	int V = mt__panel_vectors(panel_channels(s->result_channels, panel));
	struct channels_tile t = {
		.w = s->weights + at * s->source_channels * mt__conv_taps(c) * PANEL,
		.start = s->start + at * PANEL,
		.taps = p->taps,
		.channels = s->source_channels,
		.x_channel = p->source.stride[0],
		.w_channel = mt__conv_taps(c) * PANEL,
		.x_step = s->x_step * p->source.stride[3],
		.out_step = s->between * PANEL,
		.relu = !s->backward && c->activation == MT_ACT_RELU,
	};
	for (int64_t row = p->begin * inner; row < p->end * inner; row += together) {
		int64_t rows = mt__omp_min(together, p->end * inner - row);
		for (int64_t first = 0; first < width; first += SEGMENT) {
			int64_t end = mt__omp_min(width, first + SEGMENT);
			for (int64_t i = 0; i < rows; i++)
				sweep_segment(s, p, t, V, (row + i) / s->extent[1], (row + i) % s->extent[1], first, end,
				              p->buffer + i * width * PANEL);
			store_segment(s, p, panel, row, first, rows * (end - first));
		}
	}
}

/* ---- the method ---- */

static uint64_t weights_bytes(const struct sweep *s) {
	int64_t n = s->conv->groups * s->panels * s->source_channels * mt__conv_taps(s->conv) * PANEL;
	return mt__omp_align64((uint64_t)n * sizeof(float));
}

static uint64_t start_bytes(const struct sweep *s) {
	return (uint64_t)(s->conv->groups * s->panels * PANEL) * sizeof(float);
}

static uint64_t taps_bytes(const struct sweep *s) {
	return mt__omp_align64((uint64_t)mt__conv_taps(s->conv) * sizeof(struct channels_tap));
}

static uint64_t thread_bytes(const struct sweep *s) {
	return mt__rows_bytes(&s->source, s->source_rows) + taps_bytes(s) + SEGMENT * PANEL * sizeof(float);
}

struct sweep_run {
	const struct sweep *sweep;
	char *space;
	uint64_t thread_bytes;
};

static void pack_unit(const void *context, int64_t i, int thread) {
	const struct sweep *s = ((const struct sweep_run *)context)->sweep;
	(void)thread;
	pack_weights(s, i / s->panels, i % s->panels);
}

/* Panels [begin, end) of a strip of an image and group. */
static void sweep_strip(const struct sweep_run *r, int64_t image, int64_t group, int64_t strip, int64_t begin,
                        int64_t end, int thread) {
	const struct sweep *s = r->sweep;
	char *space = r->space + r->thread_bytes * (uint64_t)thread;
	int64_t low, high, first = strip * s->strip, last = mt__omp_min(s->extent[s->source.cut], first + s->strip);
	struct strip p = {.group = group, .image = image, .begin = first, .end = last};
	float *copy = mt__omp_take(&space, mt__rows_bytes(&s->source, s->source_rows));
	p.buffer = mt__omp_take(&space, SEGMENT * PANEL * sizeof(float));
	p.taps = (void *)space;
	source_range(s, p.begin, p.end, &low, &high);
	p.source = mt__rows_strip(&s->source, s->from, image, group * s->source_channels, low, high, copy);
	mt__rows_fill(&s->source, s->from, &p.source, 0, s->source_channels);
	for (int64_t panel = begin; panel < end; panel++)
		sweep_panel(s, &p, panel);
}

static void sweep_unit(const void *context, int64_t unit, int thread) {
	const struct sweep_run *r = context;
	const struct sweep *s = r->sweep;
	int64_t begin, end, strip = unit / s->parts, group = strip / s->strips, groups = s->conv->groups;
	mt__omp_share(s->panels, (int)(unit % s->parts), (int)s->parts, &begin, &end);
	sweep_strip(r, group / groups, group % groups, strip % s->strips, begin, end, thread);
}

/* A thread's own panels, of all images: no other cache holds them. */
static void sweep_own(const void *context, int thread, int threads) {
	const struct sweep_run *r = context;
	const struct sweep *s = r->sweep;
	int64_t begin, end;
	mt__omp_share(s->conv->groups * s->panels, thread, threads, &begin, &end);
	for (int64_t i = begin; i < end; i++)
		pack_unit(r, i, thread);
	for (int64_t unit = 0; unit < s->conv->images * s->strips; unit++)
		for (int64_t i = begin, next; i < end; i = next) {
			int64_t group = i / s->panels, first = group * s->panels;
			next = mt__omp_min(end, first + s->panels);
			sweep_strip(r, unit / s->strips, group, unit % s->strips, i - first, next - first, thread);
		}
}

/* Whether threads are to have panels of their own: where weights are many, and shares within a twenty-fifth of equal.  Each
 * thread then copies all rows. */
static bool owns_panels(const struct sweep *s, int threads) {
	int64_t n = s->conv->groups * s->panels, full = mt__panel_cost(PANEL);
	int64_t last = mt__panel_cost(panel_channels(s->result_channels, s->panels - 1));
	int64_t most = mt__omp_ceil_div(n, threads) * threads * full, all = n * full - s->conv->groups * (full - last);
	return threads > 1 && weights_bytes(s) >= (uint64_t)threads * OWN_WEIGHTS && 25 * (most - all) <= most;
}

static void run_sweep(const struct mt__conv *c, bool backward, char *space, int threads) {
	struct sweep s = plan_sweep(c, backward, threads);
	s.weights = mt__omp_take(&space, weights_bytes(&s));
	s.start = mt__omp_take(&space, start_bytes(&s));
	struct sweep_run r = {&s, space, thread_bytes(&s)};
	if (owns_panels(&s, threads)) {
		mt__omp_parallel(threads, sweep_own, &r);
		return;
	}
	mt__omp_each(weights_bytes(&s) > SERIAL_WEIGHTS ? threads : 1, c->groups * s.panels, pack_unit, &r);
	mt__omp_each_next(threads, c->images * c->groups * s.strips * s.parts, sweep_unit, &r);
}

static int64_t lane_channels(const struct mt__conv *c, enum mt__conv_op op) {
	return op == MT__CONV_GRAD_INPUT ? c->in_channels : c->out_channels;
}

bool mt__conv_channels_fit(const struct mt__conv *c, enum mt__conv_op op) {
	int64_t width = op == MT__CONV_GRAD_INPUT ? c->in[2] / c->step[2] : c->extent[2];
	return c->dtype == MT_F32 && 2 * lane_channels(c, op) >= VL && (op == MT__CONV_GRAD_WEIGHT || width >= MIN_WIDTH);
}

bool mt__conv_channels_full(const struct mt__conv *c, enum mt__conv_op op) {
	int64_t channels = lane_channels(c, op), lanes = mt__omp_ceil_div(channels, VL) * VL;
	return 8 * channels >= 7 * lanes;
}

static uint64_t scratch_bytes(const struct mt__conv *c, enum mt__conv_op op, int threads) {
	if (op == MT__CONV_GRAD_WEIGHT)
		return mt__channels_grad_weight_bytes(c, threads);
	struct sweep s = plan_sweep(c, op == MT__CONV_GRAD_INPUT, threads);
	return weights_bytes(&s) + start_bytes(&s) + thread_bytes(&s) * (uint64_t)threads;
}

static void run(const struct mt__conv *c, enum mt__conv_op op, void *scratch, int threads) {
	if (op == MT__CONV_GRAD_WEIGHT)
		mt__channels_grad_weight(c, scratch, threads);
	else
		run_sweep(c, op == MT__CONV_GRAD_INPUT, scratch, threads);
}

const struct mt__conv_method mt__conv_channels_method = {scratch_bytes, run};
