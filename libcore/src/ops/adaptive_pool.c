/* Adaptive average pooling, a dim at a time: an average over a box is one of averages along each dim. */
#include "base/alloc.h"
#include "ops/pool.h"

/* ---- windows of different lengths --------------------------------------------------------------------------------- */

/* ⌊o·s/n⌋ and ⌈(o+1)·s/n⌉ without forming o·s. */
static int64_t window_begin(int64_t o, int64_t s, int64_t n) {
	return o * (s / n) + o * (s % n) / n;
}

static int64_t window_end(int64_t o, int64_t s, int64_t n) {
	return (o + 1) * (s / n) + ((o + 1) * (s % n) + n - 1) / n;
}

/* The windows of one dim, as rows of one length: where each cell comes from, and whether it counts. */
struct windows {
	int64_t n, longest;
	int64_t *index; /* [n, longest]; a cell that does not count repeats the last that does */
	uint8_t *inside;
	int64_t *length; /* [n] */
	int even;        /* every row is full */
};

static void windows_free(struct windows *w) {
	mt__free(w->index);
	mt__free(w->inside);
	mt__free(w->length);
}

static mt_status windows_of(int64_t s, int64_t n, struct windows *w) {
	*w = (struct windows){.n = n, .longest = 1, .even = 1};
	for (int64_t o = 0; o < n; o++) {
		int64_t length = window_end(o, s, n) - window_begin(o, s, n);
		w->longest = length > w->longest ? length : w->longest;
	}
	size_t cells = (size_t)(n * w->longest);
	w->index = mt__calloc(cells, sizeof *w->index);
	w->inside = mt__calloc(cells, sizeof *w->inside);
	w->length = mt__calloc((size_t)n, sizeof *w->length);
	if (w->index == NULL || w->inside == NULL || w->length == NULL)
		return mt__fail_memory("adaptive_avg_pool", cells * sizeof *w->index);
	for (int64_t o = 0; o < n; o++) {
		int64_t begin = window_begin(o, s, n), length = window_end(o, s, n) - begin;
		for (int64_t k = 0; k < w->longest; k++) {
			w->index[o * w->longest + k] = begin + (k < length ? k : length - 1);
			w->inside[o * w->longest + k] = k < length;
		}
		w->length[o] = length;
		w->even &= length == w->longest;
	}
	return MT_OK;
}

/* data on x's device, with ones behind its extents up to rank: it broadcasts over the dims that follow. */
static mt_tensor *upload(const mt_tensor *x, mt_dtype dtype, int rank, int64_t n, int64_t longest, const void *data) {
	int64_t shape[MT_MAX_RANK] = {n, longest};
	for (int d = 2; d < rank; d++)
		shape[d] = 1;
	mt_tensor *t = mt__tensor_new("adaptive_avg_pool", mt__device_of(x), rank, shape, dtype);
	return t != NULL && mt__tensor_upload(t, data) == MT_OK ? t : NULL;
}

/* x's windows along dim as two dims, cells that do not count 0: their sums over their lengths. */
static mt_tensor *average_rows(mt_tensor *x, int dim, const struct windows *w) {
	int64_t shape[MT_MAX_RANK];
	for (int d = 0; d < x->rank; d++)
		shape[d < dim ? d : d + 1] = x->shape[d];
	shape[dim] = w->n;
	shape[dim + 1] = w->longest;
	mt_tensor *cells = mt_index_select(x, dim, upload(x, MT_I64, 1, w->n * w->longest, 0, w->index));
	cells = mt_reshape(cells, x->rank + 1, shape);
	if (!w->even)
		cells =
			mt_where(upload(x, MT_BOOL, x->rank + 1 - dim, w->n, w->longest, w->inside), cells, mt__number_like(x, 0));
	return mt_div(mt_sum(cells, MT_AXES(dim + 1), 0), upload(x, MT_I64, x->rank - dim, w->n, 1, w->length));
}

static mt_tensor *average_windows(mt_tensor *x, int dim, int64_t n) {
	struct windows w;
	mt_tensor *y = windows_of(x->shape[dim], n, &w) == MT_OK ? average_rows(x, dim, &w) : NULL;
	windows_free(&w);
	return y;
}

/* ---- the op ------------------------------------------------------------------------------------------------------- */

/* Windows side by side, all of one length, which avg_pool takes. */
static int divides(int64_t s, int64_t n) {
	return s % n == 0 && s / n <= INT32_MAX;
}

static mt_tensor *average_equal(mt_tensor *x, int n, const int64_t *size) {
	mt_pool_options options = {.kernel = {1, 1, 1}};
	for (int i = 0; i < n; i++)
		if (divides(x->shape[i + 2], size[i]))
			options.kernel[i] = (int)(x->shape[i + 2] / size[i]);
	return n == 1 ? mt_avg_pool1d(x, options) : n == 2 ? mt_avg_pool2d(x, options) : mt_avg_pool3d(x, options);
}

mt_status mt__adaptive_size(const char *op, int n, const int64_t *size) {
	if (n < 1 || n > MT_MAX_SPATIAL)
		return mt__fail(MT_E_ARG, "%s: n is %d; 1 to %d spatial dims are possible", op, n, MT_MAX_SPATIAL);
	if (size == NULL)
		return mt__fail_arg_null(op, "size");
	for (int i = 0; i < n; i++)
		if (size[i] < 1 || size[i] > INT32_MAX)
			return mt__fail(MT_E_ARG, "%s: size[%d] is %lld; 1 to 2^31 - 1 is possible", op, i, (long long)size[i]);
	return MT_OK;
}

static mt_status check_shape(const char *op, const mt_tensor *x, int n) {
	char text[MT__SHAPE_TEXT];
	if (x->rank != n + 2)
		return mt__fail(MT_E_SHAPE, "%s: x is %s; %d dims are needed: batch, channels, space", op,
		                mt__tensor_text(text, x), n + 2);
	for (int i = 0; i < n; i++)
		if (x->shape[i + 2] == 0)
			return mt__fail(MT_E_SHAPE, "%s: x is %s: nothing to average along spatial dim %d", op,
			                mt__tensor_text(text, x), i);
	return MT_OK;
}

mt_tensor *mt_adaptive_avg_pool(mt_tensor *x, int n, const int64_t *size) {
	static const char op[] = "adaptive_avg_pool";
	if (!mt__check_tensor(op, "x", x) || mt__adaptive_size(op, n, size) != MT_OK || check_shape(op, x, n) != MT_OK)
		return NULL;
	int uneven = 0;
	for (int i = 0; i < n; i++)
		uneven += !divides(x->shape[i + 2], size[i]);
	if (uneven == 0)
		return average_equal(x, n, size);
	mt_dtype dtype = mt__to_float(x->dtype); /* 16-bit floats: rounded once, at the end */
	mt_tensor *y = mt_cast(x, dtype == MT_F64 ? MT_F64 : MT_F32);
	if (y != NULL && uneven < n)
		y = average_equal(y, n, size);
	for (int i = 0; i < n && y != NULL; i++)
		if (!divides(x->shape[i + 2], size[i]))
			y = average_windows(y, i + 2, size[i]);
	return y == NULL ? NULL : mt_cast(y, dtype);
}
