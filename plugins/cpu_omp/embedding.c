/* embedding: rows of a table.  Its gradient: places are put in order of the row they read (a counting sort, which keeps
 * their order), then each row of the table is summed by one thread. */
#include <string.h>

#include "index.h"
#include "reduce.h"
#include "row_stream.h"
#include "stage.h"
#include "units.h"

/* The walk over index's positions (in row-major order) with the offsets of out's rows. */
struct places {
	const mt_array *index, *rows; /* rows: index's dims and one more */
	int64_t count;
	bool even; /* positions lie index_step and row_step apart */
	int64_t index_step, row_step;
};

static struct places places_of(const mt_array *index, const mt_array *rows) {
	struct places p = {.index = index, .rows = rows, .count = mt__omp_numel(index), .even = true};
	int last = index->rank - 1;
	p.index_step = last < 0 ? 0 : index->stride[last];
	p.row_step = last < 0 ? 0 : rows->stride[last];
	for (int d = 0; d < last; d++)
		p.even = p.even && index->stride[d] == index->stride[d + 1] * index->shape[d + 1] &&
		         rows->stride[d] == rows->stride[d + 1] * rows->shape[d + 1];
	return p;
}

/* The offsets of position i in index and in rows. */
static void locate(const struct places *p, int64_t i, int64_t *index_at, int64_t *row_at) {
	if (p->even) {
		*index_at = i * p->index_step;
		*row_at = i * p->row_step;
		return;
	}
	*index_at = *row_at = 0;
	for (int d = p->index->rank - 1; d >= 0; d--) {
		int64_t k = i % p->index->shape[d];
		i /= p->index->shape[d];
		*index_at += k * p->index->stride[d];
		*row_at += k * p->rows->stride[d];
	}
}

static int64_t index_value(const struct places *p, int64_t at) {
	return mt__index_at(mt__omp_data(p->index), p->index->dtype, at);
}

struct lookup {
	struct places places;
	const mt_array *table;
	bool stream; /* rows are contiguous, and out too large for the caches */
};

/* Rows of whole floats (or of what is moved like them), the table's next one asked for while one is moved. */
static void stream_rows(const struct lookup *l, int64_t begin, int64_t end) {
	const mt_array *table = l->table, *out = l->places.rows;
	int64_t words = mt__omp_dtype_size(table->dtype) / 4, width = table->shape[1] * words;
	const float *from = (const float *)mt__omp_data(table);
	float *to = (float *)mt__omp_data(out);
	int64_t index_at, row_at;
	for (int64_t i = begin; i < end; i++) {
		locate(&l->places, mt__omp_min(i + 1, end - 1), &index_at, &row_at);
		const float *next = from + index_value(&l->places, index_at) * table->stride[0] * words;
		for (int64_t j = 0; j < width; j += 16)
			__builtin_prefetch(next + j);
		locate(&l->places, i, &index_at, &row_at);
		row_stream_copy(to + row_at * words, from + index_value(&l->places, index_at) * table->stride[0] * words,
		                width);
	}
	stream_end();
}

static void copy_rows(const void *context, int64_t begin, int64_t end) {
	const struct lookup *l = context;
	if (l->stream) {
		stream_rows(l, begin, end);
		return;
	}
	const mt_array *table = l->table, *out = l->places.rows;
	int64_t width = table->shape[1], column = out->stride[l->places.index->rank], step = table->stride[1];
	int64_t index_at, row_at;
	int size = mt__omp_dtype_size(table->dtype);
	for (int64_t i = begin; i < end; i++) {
		locate(&l->places, i, &index_at, &row_at);
		const char *row =
			(const char *)mt__omp_data(table) + index_value(&l->places, index_at) * table->stride[0] * size;
		char *to = (char *)mt__omp_data(out) + row_at * size;
		if (column == 1)
			mt__omp_load_run(to, table->dtype, true, row, step, width);
		else if (step == 1)
			mt__omp_store_run(table->dtype, true, to, column, row, width);
		else
			mt__omp_load_block(to, column, table->dtype, true, row, step, 1, width, 1);
	}
}

int32_t MT_ISA_NAME(mt__omp_embedding)(mt_queue *queue, const struct mt_embedding_args *args) {
	const mt_array *table = args->table;
	int32_t status = mt__check_index(queue, "embedding", args->index, 0, table->shape[0]);
	if (status != MT_OK)
		return status;
	struct lookup l = {.places = places_of(args->index, args->out), .table = table};
	int size = mt__omp_dtype_size(table->dtype);
	l.stream = size >= 4 && table->stride[1] == 1 && args->out->stride[args->index->rank] == 1 &&
	           l.places.count * table->shape[1] * size >= MT__OMP_STREAM_BYTES;
	int threads = mt__omp_threads(queue, (double)l.places.count * (double)(table->shape[1] + 8));
	mt__omp_for_units(threads, l.places.count, copy_rows, &l);
	return MT_OK;
}

/* ---- gradient ----------------------------------------------------------------------------------------------------- */

enum { WIDTH = 512, FLUSH = 32 };

struct gradient {
	const struct mt_embedding_grad_args *args;
	const struct mt__reduce_loops *loops;
	int64_t *first; /* row v's places are row_at[first[v]] to row_at[first[v + 1]] */
	int64_t *row_at;
	int64_t count; /* places */
	int shares;    /* units of work: ranges of rows with about as many places */
};

static void order_places(const struct gradient *g, const struct places *p) {
	int64_t rows = g->args->gtable->shape[0], index_at, row_at;
	memset(g->first, 0, (size_t)(rows + 2) * sizeof *g->first);
	for (int64_t i = 0; i < p->count; i++) {
		locate(p, i, &index_at, &row_at);
		g->first[index_value(p, index_at) + 2]++;
	}
	for (int64_t v = 0; v < rows; v++)
		g->first[v + 2] += g->first[v + 1];
	for (int64_t i = 0; i < p->count; i++) {
		locate(p, i, &index_at, &row_at);
		g->row_at[g->first[index_value(p, index_at) + 1]++] = row_at;
	}
}

/* The totals in dtype's compute type. */
static void narrow(void *sum, const union mt__partial *total, int32_t dtype, int64_t n) {
	for (int64_t j = 0; j < n; j++)
		if (dtype == MT_F64)
			((double *)sum)[j] = total[j].f;
		else
			((float *)sum)[j] = (float)total[j].f;
}

/* Rows [begin, end) of the table.  Where many places read a row, sums go on in double every few of them. */
static void sum_rows(const struct gradient *g, int64_t begin, int64_t end) {
	const mt_array *gout = g->args->gout, *out = g->args->gtable;
	int64_t width = out->shape[1], step = gout->stride[g->args->index->rank];
	int32_t dtype = out->dtype;
	int size = mt__omp_dtype_size(dtype);
	bool direct = step == 1 && mt__omp_compute_dtype(dtype) == dtype;
	_Alignas(64) char sum[WIDTH * 8], buffer[WIDTH * 8];
	union mt__partial total[WIDTH];
	for (int64_t v = begin; v < end; v++)
		for (int64_t c = 0; c < width; c += WIDTH) {
			int64_t n = mt__omp_min(WIDTH, width - c), first = g->first[v];
			int64_t last = v == g->args->padding_idx ? first : g->first[v + 1];
			bool many = last - first > FLUSH;
			g->loops->begin(MT_REDUCE_SUM, sum, n);
			for (int64_t j = 0; many && j < n; j++)
				total[j].f = 0;
			for (int64_t i = first; i < last; i++) {
				const char *from = (const char *)mt__omp_data(gout) + (g->row_at[i] + c * step) * size;
				if (!direct) {
					mt__omp_load_run(buffer, dtype, false, from, step, n);
					from = buffer;
				}
				g->loops->columns(MT_REDUCE_SUM, sum, from, n, 1, n, false);
				if (many && ((i + 1 - first) % FLUSH == 0 || i + 1 == last)) {
					g->loops->flush_lanes(MT_REDUCE_SUM, total, sum, n);
					g->loops->begin(MT_REDUCE_SUM, sum, n);
				}
			}
			if (many)
				narrow(sum, total, dtype, n);
			char *to = (char *)mt__omp_data(out) + (v * out->stride[0] + c * out->stride[1]) * size;
			mt__omp_store_run(dtype, false, to, out->stride[1], sum, n);
		}
}

/* The row from which on share `part` of the work lies: a row counts 1, and each of its places 1. */
static int64_t boundary(const struct gradient *g, int64_t part) {
	int64_t rows = g->args->gtable->shape[0], low = 0, high = rows;
	int64_t target = (rows + g->count) / g->shares * part;
	if (part == g->shares)
		return rows;
	while (low < high) {
		int64_t middle = low + (high - low) / 2;
		if (middle + g->first[middle] < target)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void sum_shares(const void *context, int64_t begin, int64_t end) {
	const struct gradient *g = context;
	sum_rows(g, boundary(g, begin), boundary(g, end));
}

int32_t MT_ISA_NAME(mt__omp_embedding_grad)(mt_queue *queue, const struct mt_embedding_grad_args *args) {
	int64_t rows = args->gtable->shape[0];
	struct places p = places_of(args->index, args->gout);
	if (p.count > 0) {
		int32_t status = mt__check_index(queue, "embedding_grad", args->index, 0, rows);
		if (status != MT_OK)
			return status;
	}
	uint64_t bytes = (uint64_t)(rows + 2 + p.count) * sizeof(int64_t);
	int64_t *scratch = mt__omp_scratch(queue, bytes);
	if (!scratch)
		return mt__omp_no_scratch(bytes);
	int32_t dtype = mt__omp_compute_dtype(args->gtable->dtype);
	struct gradient g = {.args = args, .first = scratch, .row_at = scratch + rows + 2, .count = p.count};
	g.loops = mt__omp_reduce_loops(MT_REDUCE_SUM, dtype);
	order_places(&g, &p);
	int threads = mt__omp_threads(queue, (double)(p.count + rows) * (double)args->gtable->shape[1]);
	g.shares = threads;
	mt__omp_for_units(threads, threads, sum_shares, &g);
	return MT_OK;
}
