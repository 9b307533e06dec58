/* batch_norm over [N, C, S] in any layout, and its gradients.  N and S are the positions of a channel.  Work is cut into
 * segments of positions, the same for any number of threads; within one, blocks of NORM_CHUNK elements are brought into
 * L1.  Where channels lie closer together than positions, sixteen of them are transposed into the block at once; short
 * rows of f32 are taken where they lie.  A channel of one segment stays with its thread for all passes over it. */
#include <math.h>

#include "batch_norm_rows.h"
#include "collapse.h"
#include "norm.h"
#include "units.h"

enum { NORM_CHUNK = 2048, GROUP = 16, SEGMENT = 16384, SEGMENTS_MAX = 64 };
enum { OUT, X, GOUT, ARRAYS };

struct moments {
	double n, mean, squares; /* in the gradient: –, Σ gout, Σ gout h */
};

struct coefficients {
	double mean, rstd, weight, bias, mean_g, mean_gh;
};

struct batch_norm {
	struct mt__walk positions; /* arrays OUT, X, GOUT over N and S */
	int64_t channel_stride[ARRAYS];
	int64_t channels, group; /* channels of a group: 1 or GROUP */
	int64_t rows, columns;   /* of a block of positions: several rows where they are short */
	int64_t row_blocks, column_blocks, blocks, segment_blocks, segments;
	bool constant; /* gradient: mean and rstd do not depend on x, which may then be NaN or infinite */
	const struct mt__reduce_loops *loops;
	struct moments *partials; /* [channels][segments] */
	struct coefficients *coefficients;
};

/* A unit: some channels, and some blocks of positions. */
struct group {
	int64_t first, channels, segment, block, block_end;
};

/* A block: rows × columns positions from (row, column) on; n of them. */
struct block {
	int64_t row, column, rows, columns, n;
};

static struct moments *partial_of(const struct batch_norm *b, int64_t channel, int64_t segment) {
	return b->partials + channel * b->segments + segment;
}

static struct group locate_group(const struct batch_norm *b, int64_t unit) {
	struct group g;
	g.segment = unit % b->segments;
	g.first = unit / b->segments * b->group;
	g.channels = mt__omp_min(b->group, b->channels - g.first);
	g.block = g.segment * b->segment_blocks;
	g.block_end = mt__omp_min(g.block + b->segment_blocks, b->blocks);
	return g;
}

static struct block locate_block(const struct batch_norm *b, int64_t k) {
	const struct mt__walk *w = &b->positions;
	struct block at;
	at.column = k % b->column_blocks * b->columns;
	at.row = k / b->column_blocks * b->rows;
	at.columns = mt__omp_min(b->columns, w->shape[w->rank - 1] - at.column);
	at.rows = mt__omp_min(b->rows, (w->rank > 1 ? w->shape[0] : 1) - at.row);
	at.n = at.rows * at.columns;
	return at;
}

static char *address(const struct batch_norm *b, int k, const struct group *g, int64_t row, int64_t column) {
	const struct mt__walk *w = &b->positions;
	int64_t offset = g->first * b->channel_stride[k] + column * w->stride[k][w->rank - 1];
	if (w->rank > 1)
		offset += row * w->stride[k][0];
	return w->data[k] + offset * w->size[k];
}

/* One channel, one row, contiguous, of the computed type: no buffer is needed. */
static bool is_direct(const struct batch_norm *b, int k, const struct group *g, const struct block *at) {
	const struct mt__walk *w = &b->positions;
	return g->channels == 1 && at->rows == 1 && w->stride[k][w->rank - 1] == 1 &&
	       mt__omp_compute_dtype(w->dtype[k]) == w->dtype[k];
}

/* Channel c of the block is at result + c · ld elements. */
static const char *load(const struct batch_norm *b, int k, const struct group *g, const struct block *at, char *buffer,
                        int64_t *ld) {
	const struct mt__walk *w = &b->positions;
	*ld = at->n;
	if (is_direct(b, k, g, at))
		return address(b, k, g, at->row, at->column);
	int to = mt__omp_compute_size(w->dtype[k]);
	if (g->channels == 1) {
		mt__omp_load_block(buffer, at->columns, w->dtype[k], false, address(b, k, g, at->row, at->column),
		                   w->stride[k][0], w->stride[k][w->rank - 1], at->rows, at->columns);
		return buffer;
	}
	for (int64_t r = 0; r < at->rows; r++)
		mt__omp_load_block(buffer + r * at->columns * to, at->n, w->dtype[k], false,
		                   address(b, k, g, at->row + r, at->column), b->channel_stride[k], w->stride[k][w->rank - 1],
		                   g->channels, at->columns);
	return buffer;
}

static char *place(const struct batch_norm *b, int k, const struct group *g, const struct block *at, char *buffer,
                   int64_t *ld) {
	*ld = at->n;
	return is_direct(b, k, g, at) ? address(b, k, g, at->row, at->column) : buffer;
}

static void put(const struct batch_norm *b, int k, const struct group *g, const struct block *at, const char *values,
                const char *buffer) {
	const struct mt__walk *w = &b->positions;
	if (values != buffer)
		return;
	int from = mt__omp_compute_size(w->dtype[k]);
	if (g->channels == 1) {
		mt__omp_store_block(w->dtype[k], false, address(b, k, g, at->row, at->column), w->stride[k][0],
		                    w->stride[k][w->rank - 1], buffer, at->columns, at->rows, at->columns);
		return;
	}
	for (int64_t r = 0; r < at->rows; r++)
		mt__omp_store_block(w->dtype[k], false, address(b, k, g, at->row + r, at->column), b->channel_stride[k],
		                    w->stride[k][w->rank - 1], buffer + r * at->columns * from, at->n, g->channels,
		                    at->columns);
}

static void join_moments(struct moments *a, double n, double mean, double squares) {
	double total = a->n + n, delta = mean - a->mean;
	a->squares += squares + delta * delta * (a->n * n / total);
	a->mean += delta * (n / total);
	a->n = total;
}

#define T float
#define NAME(f) f##_f32
#include "batch_norm_type.inc"
#undef T
#undef NAME

#define T double
#define NAME(f) f##_f64
#include "batch_norm_type.inc"
#undef T
#undef NAME

#include "batch_norm_rows.inc"

/* ---- plan --------------------------------------------------------------------------------------------------------- */

static int64_t magnitude(int64_t stride) {
	return stride < 0 ? -stride : stride;
}

/* arrays: OUT, X and, where there are three, GOUT.  OUT may be absent (then it stands for X). */
static int32_t make_plan(struct batch_norm *b, mt_queue *queue, int n, const mt_array *const *arrays) {
	const mt_array *x = arrays[X];
	struct mt__walk *w = &b->positions;
	w->n = n;
	for (int k = 0; k < n; k++) {
		w->data[k] = mt__omp_data(arrays[k]);
		w->dtype[k] = arrays[k]->dtype;
		w->size[k] = mt__omp_dtype_size(arrays[k]->dtype);
		w->stride[k][0] = arrays[k]->stride[0];
		w->stride[k][1] = arrays[k]->stride[2];
		b->channel_stride[k] = arrays[k]->stride[1];
	}
	w->shape[0] = x->shape[0];
	w->shape[1] = x->shape[2];
	mt__omp_collapse_dims(w, 2, false);
	b->channels = x->shape[1];
	int64_t inner = w->shape[w->rank - 1], outer = w->count / inner;
	b->group = b->channels > 1 && magnitude(b->channel_stride[X]) < magnitude(w->stride[X][w->rank - 1]) ? GROUP : 1;
	int64_t most = NORM_CHUNK / b->group;
	b->columns = mt__omp_min(inner, most);
	b->rows = mt__omp_min(outer, inner <= most / 4 ? most / inner : 1);
	b->column_blocks = mt__omp_ceil_div(inner, b->columns);
	b->row_blocks = mt__omp_ceil_div(outer, b->rows);
	b->blocks = b->row_blocks * b->column_blocks;
	b->segment_blocks = mt__omp_max(1, SEGMENT / (b->columns * b->rows));
	b->segment_blocks = mt__omp_max(b->segment_blocks, mt__omp_ceil_div(b->blocks, SEGMENTS_MAX));
	b->segments = mt__omp_ceil_div(b->blocks, b->segment_blocks);
	b->loops = mt__omp_reduce_loops(MT_REDUCE_SUM, mt__omp_compute_dtype(x->dtype));
	uint64_t first = (uint64_t)b->channels * sizeof *b->coefficients;
	uint64_t bytes = first + (uint64_t)(b->channels * b->segments) * sizeof *b->partials;
	char *scratch = mt__omp_scratch(queue, bytes);
	if (!scratch)
		return mt__omp_no_scratch(bytes);
	b->coefficients = (struct coefficients *)scratch;
	b->partials = (struct moments *)(scratch + first);
	return MT_OK;
}

static double or_else(const mt_array *v, int64_t c, double absent) {
	return v ? mt__vector_get(v, c) : absent;
}

/* ---- the kernels -------------------------------------------------------------------------------------------------- */

static void update_running(const mt_array *running, int64_t c, double momentum, double value) {
	if (running)
		mt__vector_put(running, c, (1 - momentum) * mt__vector_get(running, c) + momentum * value);
}

/* Mean and variance of channel c, of the batch or as they run. */
static void channel_moments(const struct batch_norm *b, const struct mt_batch_norm_args *args, int64_t c, double *mean,
                            double *variance) {
	if (!args->training) {
		*mean = mt__vector_get(args->running_mean, c);
		*variance = mt__vector_get(args->running_var, c);
		return;
	}
	struct moments m = *partial_of(b, c, 0);
	for (int64_t s = 1; s < b->segments; s++) {
		const struct moments *p = partial_of(b, c, s);
		join_moments(&m, p->n, p->mean, p->squares);
	}
	*mean = m.mean;
	*variance = m.squares / m.n;
	update_running(args->running_mean, c, args->momentum, m.mean);
	/* One element alone has no unbiased variance: its 0 stays. */
	update_running(args->running_var, c, args->momentum, m.n > 1 ? m.squares / (m.n - 1) : *variance);
}

/* What one channel's result needs, once its statistics are there. */
static void finish_statistics(const struct batch_norm *b, const struct mt_batch_norm_args *args, int64_t c) {
	double mean, variance;
	channel_moments(b, args, c, &mean, &variance);
	double rstd = 1 / sqrt(variance + args->eps);
	b->coefficients[c] =
		(struct coefficients){mean, rstd, or_else(args->weight, c, 1), or_else(args->bias, c, 0), 0, 0};
	mt__vector_put(args->mean, c, mean);
	mt__vector_put(args->rstd, c, rstd);
}

/* The same of the gradient's sums. */
static void finish_sums(const struct batch_norm *b, const struct mt_batch_norm_grad_args *args, int64_t c) {
	double sum_g = 0, sum_gh = 0, n = (double)b->positions.count;
	for (int64_t s = 0; s < b->segments; s++) {
		sum_g += partial_of(b, c, s)->mean;
		sum_gh += partial_of(b, c, s)->squares;
	}
	if (args->gweight)
		mt__vector_put(args->gweight, c, sum_gh);
	if (args->gbias)
		mt__vector_put(args->gbias, c, sum_g);
	b->coefficients[c].mean_g = sum_g / n;
	b->coefficients[c].mean_gh = sum_gh / n;
}

/* The passes of a call: the first NULL where there is none; finish_… between them; the second NULL where there is none. */
struct passes {
	const struct batch_norm *plan;
	mt__unit_range *first, *second;
	const struct mt_batch_norm_args *args; /* one of the two */
	const struct mt_batch_norm_grad_args *grad_args;
};

static void finish_channels(const struct passes *p, int64_t begin, int64_t end) {
	for (int64_t c = begin; c < end; c++) {
		if (p->args)
			finish_statistics(p->plan, p->args, c);
		else if (p->first)
			finish_sums(p->plan, p->grad_args, c);
	}
}

/* All passes over a channel one after another, while its elements are in the cache. */
static void pass_units(const void *context, int64_t begin, int64_t end) {
	const struct passes *p = context;
	for (int64_t u = begin; u < end; u++) {
		struct group g = locate_group(p->plan, u);
		if (p->first)
			p->first(p->plan, u, u + 1);
		finish_channels(p, g.first, g.first + g.channels);
		if (p->second)
			p->second(p->plan, u, u + 1);
	}
}

static void run_passes(mt_queue *queue, const struct passes *p) {
	const struct batch_norm *b = p->plan;
	int threads = mt__omp_threads(queue, (double)b->positions.count * (double)b->channels * 2);
	int64_t units = mt__omp_ceil_div(b->channels, b->group) * b->segments;
	if (b->segments == 1) {
		mt__omp_for_units(threads, units, pass_units, p);
		return;
	}
	if (p->first)
		mt__omp_for_units(threads, units, p->first, b);
	finish_channels(p, 0, b->channels);
	if (p->second)
		mt__omp_for_units(threads, units, p->second, b);
}

int32_t MT_ISA_NAME(mt__omp_batch_norm)(mt_queue *queue, const struct mt_batch_norm_args *args) {
	struct batch_norm b;
	const mt_array *arrays[] = {args->out, args->x};
	bool wide = args->x->dtype == MT_F64;
	int32_t status = make_plan(&b, queue, 2, arrays);
	if (status != MT_OK)
		return status;
	struct passes p = {
		.plan = &b,
		.first = wide ? statistics_f64 : statistics_f32,
		.second = wide ? normalise_f64 : normalise_f32,
		.args = args,
	};
	if (has_rows(&b)) {
		p.first = statistics_rows;
		p.second = normalise_rows;
	}
	if (!args->training)
		p.first = NULL;
	run_passes(queue, &p);
	return MT_OK;
}

int32_t MT_ISA_NAME(mt__omp_batch_norm_grad)(mt_queue *queue, const struct mt_batch_norm_grad_args *args) {
	struct batch_norm b;
	const mt_array *arrays[] = {args->gx ? args->gx : args->x, args->x, args->gout};
	bool wide = args->x->dtype == MT_F64;
	int32_t status = make_plan(&b, queue, 3, arrays);
	if (status != MT_OK)
		return status;
	b.constant = !args->training;
	for (int64_t c = 0; c < b.channels; c++)
		b.coefficients[c] = (struct coefficients){
			mt__vector_get(args->mean, c), mt__vector_get(args->rstd, c), or_else(args->weight, c, 1), 0, 0, 0};
	struct passes p = {
		.plan = &b,
		.first = wide ? sums_f64 : sums_f32,
		.second = wide ? gradient_f64 : gradient_f32,
		.grad_args = args,
	};
	if (has_rows(&b)) {
		p.first = sums_rows;
		if (!b.constant)
			p.second = gradient_rows;
	}
	if (!args->training && !args->gweight && !args->gbias)
		p.first = NULL;
	if (!args->gx)
		p.second = NULL;
	run_passes(queue, &p);
	return MT_OK;
}
