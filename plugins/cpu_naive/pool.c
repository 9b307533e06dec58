/* pool and its gradient, one plane (image, channel) and one window at a time. */
#include <math.h>
#include <string.h>

#include "element.h"
#include "spatial.h"

struct pool {
	struct spatial x, out;
	struct window window;
	int64_t kernel[3];
	bool include_pad;
};

static struct pool pool_of(const mt_array *x, const mt_array *out, const struct mt_pool_params *p) {
	struct pool s = {spatial_of(x),
	                 spatial_of(out),
	                 window_of(x->rank, p->stride, p->pad, p->dilation),
	                 {1, 1, 1},
	                 p->count_include_pad != 0};
	for (int d = 0; d < x->rank - 2; d++)
		s.kernel[d + 5 - x->rank] = p->kernel[d];
	return s;
}

/* The window of output o: its taps inside x in each dim, and where tap 0 lies. */
struct taps {
	struct range r[3];
	int64_t start[3];
};

static struct taps taps_of(const struct pool *p, const int64_t o[3]) {
	struct taps t;
	for (int d = 0; d < 3; d++) {
		t.start[d] = o[d] * p->window.stride[d] - p->window.pad[d];
		t.r[d] = range_inside(t.start[d], p->window.dilation[d], p->kernel[d], p->x.shape[2 + d]);
	}
	return t;
}

/* What an average divides by: the window clipped to the padded extent, or to x. */
static double divisor(const struct pool *p, const struct taps *t) {
	int64_t n = 1;
	for (int d = 0; d < 3; d++) {
		int64_t end = t->start[d] + p->kernel[d], padded = p->x.shape[2 + d] + p->window.pad[d];
		n *= p->include_pad ? (end < padded ? end : padded) - t->start[d] : t->r[d].end - t->r[d].first;
	}
	return (double)n;
}

/* Position of a tap within S…, row-major, and its offset in an array. */
static int64_t position(const struct pool *p, const struct taps *t, const int64_t k[3]) {
	int64_t at = 0;
	for (int d = 0; d < 3; d++)
		at = at * p->x.shape[2 + d] + t->start[d] + k[d] * p->window.dilation[d];
	return at;
}

static int64_t offset(const struct pool *p, const struct taps *t, const int64_t k[3]) {
	int64_t at = 0;
	for (int d = 0; d < 3; d++)
		at += (t->start[d] + k[d] * p->window.dilation[d]) * p->x.stride[2 + d];
	return at;
}

/* Goes to the next tap inside x; false after the last. */
static bool next_tap(const struct taps *t, int64_t k[3]) {
	for (int d = 2; d >= 0; d--) {
		if (++k[d] < t->r[d].end)
			return true;
		k[d] = t->r[d].first;
	}
	return false;
}

static void first_tap(const struct taps *t, int64_t k[3]) {
	for (int d = 0; d < 3; d++)
		k[d] = t->r[d].first;
}

/* Goes to the next output of a plane; false after the last. */
static bool next_output(const struct pool *p, int64_t o[3]) {
	for (int d = 2; d >= 0; d--) {
		if (++o[d] < p->out.shape[2 + d])
			return true;
		o[d] = 0;
	}
	return false;
}

/* ---- forward ---- */

static double largest(const struct pool *p, const struct taps *t, const mt_array *x, int64_t plane, int64_t *winner) {
	int64_t k[3];
	first_tap(t, k);
	double best = get(x, plane + offset(p, t, k));
	*winner = position(p, t, k);
	while (!isnan(best) && next_tap(t, k)) {
		double v = get(x, plane + offset(p, t, k));
		if (v > best || isnan(v)) {
			best = v;
			*winner = position(p, t, k);
		}
	}
	return best;
}

static double average(const struct pool *p, const struct taps *t, const mt_array *x, int64_t plane) {
	int64_t k[3];
	double sum = 0;
	first_tap(t, k);
	do
		sum += get(x, plane + offset(p, t, k));
	while (next_tap(t, k));
	return sum / divisor(p, t);
}

static void pool_plane(const struct pool *p, const struct mt_pool_args *args, int64_t n, int64_t c) {
	int64_t from = n * p->x.stride[0] + c * p->x.stride[1], o[3] = {0, 0, 0};
	struct spatial indices = args->indices ? spatial_of(args->indices) : p->out;
	do {
		struct taps t = taps_of(p, o);
		int64_t winner = 0;
		double y = args->op == MT_POOL_MAX ? largest(p, &t, args->x, from, &winner) : average(p, &t, args->x, from);
		int64_t out_at = n * p->out.stride[0] + c * p->out.stride[1];
		int64_t index_at = n * indices.stride[0] + c * indices.stride[1];
		for (int d = 0; d < 3; d++) {
			out_at += o[d] * p->out.stride[2 + d];
			index_at += o[d] * indices.stride[2 + d];
		}
		put(args->out, out_at, y);
		if (args->indices)
			put_integer(args->indices, index_at, winner);
	} while (next_output(p, o));
}

int32_t mt__naive_pool(mt_queue *queue, const struct mt_pool_args *args) {
	(void)queue;
	struct pool p = pool_of(args->x, args->out, &args->p);
	for (int64_t n = 0; n < p.x.shape[0]; n++)
		for (int64_t c = 0; c < p.x.shape[1]; c++)
			pool_plane(&p, args, n, c);
	return MT_OK;
}

/* ---- gradient: sums of one plane in double, in row-major order of gout ---- */

static void spread(const struct pool *p, const struct taps *t, double gradient, double *sum) {
	int64_t k[3];
	first_tap(t, k);
	do
		sum[position(p, t, k)] += gradient / divisor(p, t);
	while (next_tap(t, k));
}

static void pool_grad_plane(const struct pool *p, const struct mt_pool_grad_args *args, int64_t n, int64_t c,
                            double *sum) {
	const int64_t *s = p->x.shape + 2;
	memset(sum, 0, (size_t)(s[0] * s[1] * s[2]) * sizeof *sum);
	struct spatial indices = args->indices ? spatial_of(args->indices) : p->out;
	int64_t o[3] = {0, 0, 0};
	do {
		int64_t at = n * p->out.stride[0] + c * p->out.stride[1];
		int64_t index_at = n * indices.stride[0] + c * indices.stride[1];
		for (int d = 0; d < 3; d++) {
			at += o[d] * p->out.stride[2 + d];
			index_at += o[d] * indices.stride[2 + d];
		}
		double gradient = get(args->gout, at);
		if (args->op == MT_POOL_MAX) {
			sum[get_integer(args->indices, index_at)] += gradient;
		} else {
			struct taps t = taps_of(p, o);
			spread(p, &t, gradient, sum);
		}
	} while (next_output(p, o));
	int64_t to = n * p->x.stride[0] + c * p->x.stride[1];
	for (int64_t i0 = 0; i0 < s[0]; i0++)
		for (int64_t i1 = 0; i1 < s[1]; i1++)
			for (int64_t i2 = 0; i2 < s[2]; i2++)
				put(args->gx, to + i0 * p->x.stride[2] + i1 * p->x.stride[3] + i2 * p->x.stride[4], *sum++);
}

int32_t mt__naive_pool_grad(mt_queue *queue, const struct mt_pool_grad_args *args) {
	struct pool p = pool_of(args->gx, args->gout, &args->p);
	const int64_t *s = p.x.shape;
	int64_t plane = s[2] * s[3] * s[4];
	if (args->op == MT_POOL_MAX) {
		int32_t status = mt__naive_check_index("pool_grad", args->indices, 0, plane);
		if (status != MT_OK)
			return status;
	}
	double *sum = mt__naive_scratch(queue, (uint64_t)plane, sizeof *sum);
	if (!sum)
		return MT_E_MEMORY;
	for (int64_t n = 0; n < s[0]; n++)
		for (int64_t c = 0; c < s[1]; c++)
			pool_grad_plane(&p, args, n, c, sum);
	return MT_OK;
}
