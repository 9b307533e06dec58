/* gather and scatter_add along an axis; embedding and its gradient: rows of a table. */
#include <string.h>

#include "element.h"
#include "integer.h"
#include "lines.h"

int32_t mt__naive_check_index(const char *what, const mt_array *index, int64_t low, int64_t high) {
	struct lines l;
	lines_begin(&l, index->rank, index->shape);
	lines_add(&l, index->stride);
	do
		for (int64_t j = 0; j < l.length; j++) {
			int64_t i = get_integer(index, l.at[0] + j * l.step[0]);
			if (i < low || i >= high)
				return mt__naive_fail(MT_E_ARG, "%s: index %lld is out of range [%lld, %lld)", what, (long long)i,
				                      (long long)low, (long long)high);
		}
	while (lines_next(&l));
	return MT_OK;
}

/* Fills stride with a's strides but 0 at axis, so that a walk over index stays at position 0 of it. */
static void without_axis(int64_t *stride, const mt_array *a, int32_t axis) {
	for (int d = 0; d < a->rank; d++)
		stride[d] = d == axis ? 0 : a->stride[d];
}

/* The offset along axis of a that an index, maybe negative, stands for. */
static int64_t along(const mt_array *a, int32_t axis, int64_t i) {
	return a->rank == 0 ? 0 : (i < 0 ? i + a->shape[axis] : i) * a->stride[axis];
}

static int64_t extent_of(const mt_array *a, int32_t axis) {
	return a->rank == 0 ? 1 : a->shape[axis];
}

int32_t mt__naive_gather(mt_queue *queue, const struct mt_gather_args *args) {
	(void)queue;
	const mt_array *x = args->x;
	int64_t extent = extent_of(x, args->axis), stride[MT_MAX_RANK];
	int32_t status = mt__naive_check_index("gather", args->index, -extent, extent);
	if (status != MT_OK)
		return status;
	without_axis(stride, x, args->axis);
	struct lines l;
	lines_begin(&l, args->out->rank, args->out->shape);
	lines_add(&l, stride);
	lines_add(&l, args->index->stride);
	lines_add(&l, args->out->stride);
	do
		for (int64_t j = 0; j < l.length; j++) {
			int64_t i = get_integer(args->index, l.at[1] + j * l.step[1]);
			move_element(args->out, l.at[2] + j * l.step[2], x, l.at[0] + j * l.step[0] + along(x, args->axis, i));
		}
	while (lines_next(&l));
	return MT_OK;
}

/* ---- scatter_add: floats sum in a row-major array of doubles, so that each is rounded once ---- */

static int64_t row_major(const mt_array *a, int64_t *stride) {
	int64_t n = 1;
	for (int d = a->rank - 1; d >= 0; d--) {
		stride[d] = n;
		n *= a->shape[d];
	}
	return n;
}

/* sum[] = out, or out = sum[]. */
static void exchange(const mt_array *out, double *sum, bool store) {
	int64_t stride[MT_MAX_RANK];
	row_major(out, stride);
	struct lines l;
	lines_begin(&l, out->rank, out->shape);
	lines_add(&l, out->stride);
	lines_add(&l, stride);
	do
		for (int64_t j = 0; j < l.length; j++) {
			int64_t at = l.at[0] + j * l.step[0], s = l.at[1] + j * l.step[1];
			if (store)
				put(out, at, sum[s]);
			else
				sum[s] = get(out, at);
		}
	while (lines_next(&l));
}

int32_t mt__naive_scatter_add(mt_queue *queue, const struct mt_scatter_add_args *args) {
	const mt_array *out = args->out, *src = args->src, *index = args->index;
	int64_t extent = extent_of(out, args->axis), stride[MT_MAX_RANK];
	int32_t status = mt__naive_check_index("scatter_add", index, -extent, extent);
	if (status != MT_OK)
		return status;
	mt_array target = *out; /* where to add: the sums, or an integer out itself */
	double *sum = NULL;
	if (is_float(out->dtype)) {
		uint64_t n = (uint64_t)row_major(out, target.stride);
		sum = mt__naive_scratch(queue, n, sizeof *sum);
		if (!sum)
			return MT_E_MEMORY;
		exchange(out, sum, false);
	}
	without_axis(stride, &target, args->axis);
	struct lines l;
	lines_begin(&l, index->rank, index->shape);
	lines_add(&l, src->stride);
	lines_add(&l, index->stride);
	lines_add(&l, stride);
	do
		for (int64_t j = 0; j < l.length; j++) {
			int64_t from = l.at[0] + j * l.step[0];
			int64_t i = get_integer(index, l.at[1] + j * l.step[1]);
			int64_t to = l.at[2] + j * l.step[2] + along(&target, args->axis, i);
			if (sum)
				sum[to] += get(src, from);
			else
				put_integer(out, to, wrap_add(get_integer(out, to), get_integer(src, from)));
		}
	while (lines_next(&l));
	if (sum)
		exchange(out, sum, true);
	return MT_OK;
}

/* ---- embedding: index has any shape, out that shape and one dim more ---- */

int32_t mt__naive_embedding(mt_queue *queue, const struct mt_embedding_args *args) {
	(void)queue;
	const mt_array *table = args->table, *index = args->index, *out = args->out;
	int32_t status = mt__naive_check_index("embedding", index, 0, table->shape[0]);
	if (status != MT_OK)
		return status;
	int64_t width = table->shape[1], column = out->stride[index->rank];
	struct lines l;
	lines_begin(&l, index->rank, index->shape);
	lines_add(&l, index->stride);
	lines_add(&l, out->stride);
	do
		for (int64_t j = 0; j < l.length; j++) {
			int64_t row = get_integer(index, l.at[0] + j * l.step[0]) * table->stride[0];
			for (int64_t d = 0; d < width; d++)
				move_element(out, l.at[1] + j * l.step[1] + d * column, table, row + d * table->stride[1]);
		}
	while (lines_next(&l));
	return MT_OK;
}

/* For each row of the table a chain of the places that read it, in order: first[v], then next[], −1 at the end.
 * place[] is the offset of that place's row in gout. */
struct chains {
	int64_t *first, *last, *next, *place;
};

static void chain_rows(struct chains *c, const struct mt_embedding_grad_args *args) {
	for (int64_t v = 0; v < args->gtable->shape[0]; v++)
		c->first[v] = -1;
	struct lines l;
	lines_begin(&l, args->index->rank, args->index->shape);
	lines_add(&l, args->index->stride);
	lines_add(&l, args->gout->stride);
	int64_t i = 0;
	do
		for (int64_t j = 0; j < l.length; j++, i++) {
			int64_t v = get_integer(args->index, l.at[0] + j * l.step[0]);
			c->next[i] = -1;
			c->place[i] = l.at[1] + j * l.step[1];
			if (c->first[v] < 0)
				c->first[v] = i;
			else
				c->next[c->last[v]] = i;
			c->last[v] = i;
		}
	while (lines_next(&l));
}

int32_t mt__naive_embedding_grad(mt_queue *queue, const struct mt_embedding_grad_args *args) {
	const mt_array *gout = args->gout, *index = args->index, *gtable = args->gtable;
	int64_t rows = gtable->shape[0], width = gtable->shape[1], n = 1;
	int32_t status = mt__naive_check_index("embedding_grad", index, 0, rows);
	if (status != MT_OK)
		return status;
	for (int d = 0; d < index->rank; d++)
		n *= index->shape[d];
	int64_t *scratch = mt__naive_scratch(queue, 2 * ((uint64_t)rows + (uint64_t)n), sizeof *scratch);
	if (!scratch)
		return MT_E_MEMORY;
	struct chains c = {scratch, scratch + rows, scratch + 2 * rows, scratch + 2 * rows + n};
	chain_rows(&c, args);
	for (int64_t v = 0; v < rows; v++)
		for (int64_t d = 0; d < width; d++) {
			double sum = 0;
			if (v != args->padding_idx)
				for (int64_t i = c.first[v]; i >= 0; i = c.next[i])
					sum += get(gout, c.place[i] + d * gout->stride[index->rank]);
			put(gtable, v * gtable->stride[0] + d * gtable->stride[1], sum);
		}
	return MT_OK;
}
