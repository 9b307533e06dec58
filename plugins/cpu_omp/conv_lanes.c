/* Convolution and its input gradient with images in the vector lanes.
 *
 * Both are one sweep: every position q of the result sums weight · source over the kernel positions k that meet it,
 *     forward          source position s = q · step + k · dilation − pad
 *     input gradient   s = (q + pad − k · dilation) / step, where that divides
 * In x, positions `between` apart (1; step for the gradient) read sources `x_position` apart, and those that share a
 * remainder modulo `between` share their taps: they are the tiles' columns.  In z and y each row has its list. */
#include "conv_lanes_tile.h"

#include "activate.h"
#include "parallel.h"

/* Columns of one tile: `count` positions from `first`, `between` apart. */
struct columns {
	int32_t first, count;
	int32_t tap, taps; /* the first tap, how many (tap_step apart) */
	int64_t source;    /* where the first position finds its first tap */
};

struct sweep {
	const struct mt__conv *conv;
	bool backward;
	struct mt__lanes source, result;
	const struct mt__five_dims *from, *to;
	int64_t source_channels, result_channels; /* of one group */
	int64_t w_source, w_result;               /* the weight's strides along them */
	int64_t blocks, positions;                /* channel blocks of a group; positions a tile */
	int64_t between, x_position, x_tap, tap_step;
	int64_t n_columns;
	struct columns *columns;
	float *weights, *bias;
};

static int64_t gcd(int64_t a, int64_t b) {
	while (b) {
		int64_t t = a % b;
		a = b;
		b = t;
	}
	return a;
}

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

/* The taps that `count` positions from `first` on meet: those that at least one of them meets. */
static struct columns columns_at(const struct sweep *s, int64_t first, int64_t count) {
	const struct mt__conv *c = s->conv;
	struct columns r = {.first = (int32_t)first, .count = (int32_t)count};
	int64_t extent = s->source.extent[2];
	for (int64_t k = 0; k < c->kernel[2]; k++) {
		int64_t at = first + c->pad[2] - k * c->dilation[2];
		if (s->backward && at % c->step[2] != 0)
			continue;
		at = s->backward ? at / c->step[2] : mt__conv_source(c, 2, first, k);
		int64_t last = at + (count - 1) * s->x_position;
		if (last < 0 || at >= extent)
			continue;
		if (!r.taps) {
			r.tap = (int32_t)k;
			r.source = at;
		}
		r.taps = (int32_t)((k - r.tap) / s->tap_step + 1);
	}
	return r;
}

/* Makes the tiles of a row and the padding they need; with s->columns NULL only counts. */
static void make_columns(struct sweep *s) {
	int64_t extent = s->result.extent[2], low = 0, high = s->source.extent[2] - 1;
	s->n_columns = 0;
	for (int64_t phase = 0; phase < mt__omp_min(s->between, extent); phase++) {
		int64_t n = (extent - phase + s->between - 1) / s->between;
		int64_t tiles = mt__omp_ceil_div(n, s->positions);
		for (int64_t i = 0; i < tiles; i++) {
			int64_t begin, end;
			mt__omp_share(n, (int)i, (int)tiles, &begin, &end);
			struct columns r = columns_at(s, phase + begin * s->between, end - begin);
			if (r.taps) {
				int64_t a = r.source, b = r.source + (r.taps - 1) * s->x_tap;
				low = mt__omp_min(low, mt__omp_min(a, b));
				high = mt__omp_max(high, mt__omp_max(a, b) + (r.count - 1) * s->x_position);
			}
			if (s->columns)
				s->columns[s->n_columns] = r;
			s->n_columns++;
		}
	}
	s->source.left = -low;
	s->source.width = high - low + 1;
}

static struct sweep plan_sweep(const struct mt__conv *c, bool backward) {
	struct sweep s = {.conv = c, .backward = backward};
	s.from = backward ? &c->out : &c->x;
	s.to = backward ? &c->x : &c->out;
	s.source_channels = backward ? c->out_channels : c->in_channels;
	s.result_channels = backward ? c->in_channels : c->out_channels;
	s.w_source = c->weight.stride[backward ? 0 : 1];
	s.w_result = c->weight.stride[backward ? 1 : 0];
	s.source.channels = c->groups * s.source_channels;
	s.result.channels = c->groups * s.result_channels;
	for (int d = 0; d < 3; d++) {
		s.source.extent[d] = backward ? c->extent[d] : c->in[d];
		s.result.extent[d] = backward ? c->in[d] : c->extent[d];
	}
	s.result.width = s.result.extent[2];
	s.blocks = mt__omp_ceil_div(s.result_channels, LANES_MAX_R);
	/* Blocks differ by one channel at most; the smaller have room for the positions of the larger. */
	s.positions = lanes_positions[mt__omp_ceil_div(s.result_channels, s.blocks)];
	s.tap_step = backward ? c->step[2] / gcd(c->step[2], c->dilation[2]) : 1;
	s.between = backward ? c->step[2] : 1;
	s.x_position = backward ? 1 : c->step[2];
	s.x_tap = backward ? -(s.tap_step * c->dilation[2] / c->step[2]) : c->dilation[2];
	make_columns(&s);
	return s;
}

/* ---- weights: [group][block][source channel][tap][r] ---- */

static void block_channels(const struct sweep *s, int64_t block, int64_t *begin, int64_t *end) {
	mt__omp_share(s->result_channels, (int)block, (int)s->blocks, begin, end);
}

static void pack_weights(const struct sweep *s, int64_t group, int64_t block) {
	const struct mt__conv *c = s->conv;
	const struct mt__five_dims *w = &c->weight;
	int64_t begin, end, taps = mt__conv_taps(c);
	block_channels(s, block, &begin, &end);
	int64_t R = end - begin;
	float *to = s->weights + (group * s->result_channels + begin) * s->source_channels * taps;
	const float *from = (const float *)w->data + group * c->out_channels * w->stride[0] + begin * s->w_result;
	for (int64_t i = 0; i < s->source_channels; i++, to += taps * R)
		for (int64_t r = 0; r < R; r++) {
			const float *kernel = from + i * s->w_source + r * s->w_result;
			float *at = to + r;
			for (int64_t z = 0; z < c->kernel[0]; z++)
				for (int64_t y = 0; y < c->kernel[1]; y++)
					for (int64_t x = 0; x < c->kernel[2]; x++, at += R)
						*at = kernel[z * w->stride[2] + y * w->stride[3] + x * w->stride[4]];
		}
}

/* ---- one block of images ---- */

/* Rows (kz, ky) that meet row (z, y) of the result: offsets into the source block and the packed weights. */
static int list_rows(const struct sweep *s, int64_t z, int64_t y, int64_t r, int64_t *row_x, int64_t *row_w) {
	const struct mt__conv *c = s->conv;
	int n = 0;
	for (int64_t kz = 0; kz < c->kernel[0]; kz++)
		for (int64_t ky = 0; ky < c->kernel[1]; ky++) {
			int64_t at_z, at_y;
			if (!find(s, 0, z, kz, &at_z) || !find(s, 1, y, ky, &at_y))
				continue;
			row_x[n] = (at_z * s->source.extent[1] + at_y) * mt__lanes_row(&s->source);
			row_w[n++] = (kz * c->kernel[1] + ky) * c->kernel[2] * r;
		}
	return n;
}

/* A part of a block of images: channel blocks, counted over all groups, and rows of the second dim. */
struct extent {
	int64_t block, block_end, row, row_end;
};

/* Channel block `block` of `group`, rows [row, row_end), to `channel` and those after it of `to`, whose images are side by
 * side and whose first row is `row`. */
static void sweep_block(const struct sweep *s, int64_t group, int64_t block, const struct extent *part,
                        const float *source, const struct mt__five_dims *to, int64_t channel, int64_t *rows) {
	const struct mt__conv *c = s->conv;
	int64_t begin, end, taps = mt__conv_taps(c);
	block_channels(s, block, &begin, &end);
	int R = (int)(end - begin);
	int64_t *row_x = rows, *row_w = rows + c->kernel[0] * c->kernel[1];
	const float *weights = s->weights + (group * s->result_channels + begin) * s->source_channels * taps;
	source += group * s->source_channels * mt__lanes_channel(&s->source);
	struct lanes_tile t = {
		.bias = s->bias ? s->bias + group * s->result_channels + begin : NULL,
		.relu = !s->backward && c->activation == MT_ACT_RELU,
		.row_x = row_x,
		.row_w = row_w,
		.channels = s->source_channels,
		.x_channel = mt__lanes_channel(&s->source),
		.w_channel = taps * R,
		.x_position = s->x_position * VL,
		.x_tap = s->x_tap * VL,
		.w_tap = s->tap_step * R,
		.out_channel = to->stride[1],
		.out_position = s->between * to->stride[4],
	};
	for (int64_t z = 0; z < to->shape[2]; z++)
		for (int64_t y = 0; y < to->shape[3]; y++) {
			float *out = (float *)to->data + channel * to->stride[1] + z * to->stride[2] + y * to->stride[3];
			t.rows = list_rows(s, z, part->row + y, R, row_x, row_w);
			for (int64_t i = 0; i < s->n_columns; i++) {
				const struct columns *k = &s->columns[i];
				t.x = source + (k->source + s->source.left) * VL;
				t.w = weights + k->tap * R;
				t.taps = k->taps;
				t.out = out + k->first * to->stride[4];
				run_lanes_tile(R, k->count, &t);
			}
		}
}

static uint64_t rows_bytes(const struct mt__conv *c) {
	return mt__omp_align64((uint64_t)(2 * c->kernel[0] * c->kernel[1]) * sizeof(int64_t));
}

/* A part of the result: where it goes in `to`, its images those from `first` on. */
static struct mt__five_dims part_of_result(const struct sweep *s, int64_t first, const struct extent *part) {
	struct mt__five_dims to = *s->to;
	int64_t begin, end, last, last_end, last_block = part->block_end - 1;
	block_channels(s, part->block % s->blocks, &begin, &end);
	block_channels(s, last_block % s->blocks, &last, &last_end);
	begin += part->block / s->blocks * s->result_channels;
	last_end += last_block / s->blocks * s->result_channels;
	to.shape[1] = last_end - begin;
	to.shape[3] = part->row_end - part->row;
	to.data = (float *)to.data + first * to.stride[0] + begin * to.stride[1] + part->row * to.stride[3];
	return to;
}

/* The block that holds this part of the result. */
static struct mt__five_dims block_of_result(const struct mt__five_dims *to, void *data) {
	struct mt__five_dims block = *to;
	int64_t step = VL;
	block.data = data;
	block.stride[0] = 1;
	for (int d = 4; d >= 1; d--) {
		block.stride[d] = step;
		step *= to->shape[d];
	}
	return block;
}

/* Images [first, first + images). */
static void sweep_images(const struct sweep *s, int64_t first, int images, const struct extent *part, char *space) {
	float *source = mt__omp_take(&space, mt__lanes_bytes(&s->source));
	float *result = mt__omp_take(&space, mt__lanes_bytes(&s->result));
	int64_t *rows = mt__omp_take(&space, rows_bytes(s->conv));
	struct mt__five_dims to = part_of_result(s, first, part), block = block_of_result(&to, result);
	bool activate = !s->backward && s->conv->activation > MT_ACT_RELU;
	bool straight = to.stride[0] == 1 && images == VL && !activate;
	if (mt__lanes_is_block(&s->source, s->from, images))
		source = s->from->data;
	else
		mt__lanes_load(&s->source, source, s->from, first, images);
	int64_t channel = 0;
	for (int64_t i = part->block; i < part->block_end; i++) {
		int64_t begin, end;
		block_channels(s, i % s->blocks, &begin, &end);
		sweep_block(s, i / s->blocks, i % s->blocks, part, source, straight ? &to : &block, channel, rows);
		channel += end - begin;
	}
	if (activate)
		mt__omp_activate(s->conv->activation, MT_F32, result, 1, to.shape[1] * block.stride[1], 0);
	if (straight)
		return;
	struct mt__lanes shape = s->result;
	shape.channels = to.shape[1];
	shape.extent[1] = to.shape[3];
	mt__lanes_store(&shape, result, &to, 0, images);
}

/* ---- the method ---- */

static uint64_t thread_bytes(const struct sweep *s) {
	return mt__lanes_bytes(&s->source) + mt__lanes_bytes(&s->result) + rows_bytes(s->conv);
}

static uint64_t weights_bytes(const struct mt__conv *c) {
	int64_t n = c->groups * c->out_channels * c->in_channels * mt__conv_taps(c);
	return mt__omp_align64((uint64_t)n * sizeof(float));
}

static uint64_t sweep_bytes(const struct mt__conv *c, bool backward, int threads) {
	struct sweep s = plan_sweep(c, backward);
	return mt__omp_align64((uint64_t)s.n_columns * sizeof(struct columns)) + weights_bytes(c) +
	       mt__omp_align64((uint64_t)s.result.channels * sizeof(float)) + thread_bytes(&s) * (uint64_t)threads;
}

/* Above this many bytes the weights are packed by all threads. */
#define SERIAL_WEIGHTS (64 * 1024)

struct sweep_run {
	const struct sweep *sweep;
	int64_t image_blocks, channel_blocks, parts;
	bool by_rows; /* what the parts divide: the rows of the second dim, or the channel blocks */
	char *space;
	uint64_t thread_bytes;
};

static void pack_unit(const void *context, int64_t i, int thread) {
	const struct sweep *s = ((const struct sweep_run *)context)->sweep;
	(void)thread;
	pack_weights(s, i / s->blocks, i % s->blocks);
}

static void sweep_unit(const void *context, int64_t unit, int thread) {
	const struct sweep_run *r = context;
	const struct sweep *s = r->sweep;
	int64_t first = unit / r->parts * VL;
	int images = (int)mt__omp_min(VL, s->conv->images - first), part = (int)(unit % r->parts);
	struct extent at = {0, r->channel_blocks, 0, s->result.extent[1]};
	if (r->by_rows)
		mt__omp_share(at.row_end, part, (int)r->parts, &at.row, &at.row_end);
	else
		mt__omp_share(at.block_end, part, (int)r->parts, &at.block, &at.block_end);
	sweep_images(s, first, images, &at, r->space + r->thread_bytes * (uint64_t)thread);
}

static void run_sweep(const struct mt__conv *c, bool backward, char *space, int threads) {
	struct sweep s = plan_sweep(c, backward);
	s.columns = mt__omp_take(&space, mt__omp_align64((uint64_t)s.n_columns * sizeof(struct columns)));
	s.weights = mt__omp_take(&space, weights_bytes(c));
	float *bias = mt__omp_take(&space, mt__omp_align64((uint64_t)s.result.channels * sizeof(float)));
	make_columns(&s);
	if (c->bias && !backward) {
		s.bias = bias;
		for (int64_t i = 0; i < s.result.channels; i++)
			bias[i] = ((const float *)c->bias)[i * c->bias_stride];
	}

	/* Where there are few blocks of images, each is shared by several threads, which divide its rows or its channels. */
	struct sweep_run r = {.sweep = &s, .space = space, .thread_bytes = thread_bytes(&s)};
	r.image_blocks = mt__omp_ceil_div(c->images, VL);
	r.channel_blocks = c->groups * s.blocks;
	r.parts = mt__lanes_parts(r.image_blocks, threads);
	r.by_rows = s.result.extent[0] == 1 && s.result.extent[1] >= 2 * r.parts;
	if (!r.by_rows)
		r.parts = mt__omp_min(r.parts, r.channel_blocks);
	mt__omp_each(weights_bytes(c) > SERIAL_WEIGHTS ? threads : 1, r.channel_blocks, pack_unit, &r);
	mt__omp_each_next(threads, r.image_blocks * r.parts, sweep_unit, &r);
}

bool mt__conv_lanes_fit(const struct mt__conv *c) {
	double block = (double)(c->groups * c->in_channels) * (double)mt__conv_in_plane(c) +
	               (double)(c->groups * c->out_channels) * (double)mt__conv_out_plane(c);
	return c->dtype == MT_F32 && 2 * c->images >= VL && block * MT_VECTOR_BYTES <= MT__OMP_L2_BYTES &&
	       weights_bytes(c) <= MT__OMP_L2_BYTES;
}

static uint64_t scratch_bytes(const struct mt__conv *c, enum mt__conv_op op, int threads) {
	return op == MT__CONV_GRAD_WEIGHT ? mt__lanes_grad_weight_bytes(c, threads)
	                                  : sweep_bytes(c, op == MT__CONV_GRAD_INPUT, threads);
}

static void run(const struct mt__conv *c, enum mt__conv_op op, void *scratch, int threads) {
	if (op == MT__CONV_GRAD_WEIGHT)
		mt__lanes_grad_weight(c, scratch, threads);
	else
		run_sweep(c, op == MT__CONV_GRAD_INPUT, scratch, threads);
}

const struct mt__conv_method mt__conv_lanes_method = {scratch_bytes, run};
