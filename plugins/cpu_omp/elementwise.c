#include "elementwise.h"

#include <string.h>

#include "stage.h"
#include "stream.h"
#include "units.h"

enum {
	COLUMNS = 4096,  /* of one unit of work */
	CHUNK = 2048,    /* elements of a staging buffer */
	STREAM = 256,    /* elements of a streamed chunk */
	PANEL_ROWS = 16, /* of a transposed operand */
	MOVE_ROWS = 64,  /* the same where nothing is computed: whole cache lines of every element size */
	SHORT_ROW = 24   /* below this inner extent several rows are staged together */
};

enum pass { DIRECT, SCALAR, STAGED };

/* How the work is divided.  Units depend on the shape alone, and each is done the same way whichever thread does it. */
struct plan {
	struct mt__omp_job *job;
	int rank, n;
	bool bundle;         /* rows are short: units are ranges of positions */
	int64_t inner, rows; /* extents of the last dim, and of the one before where panels are formed, else 1 */
	int64_t row_blocks, column_blocks, row_block;
	int outer_rank; /* dims before those */
	int64_t units;
	bool stream;        /* the output is contiguous and large: it is written past the caches */
	bool stream_direct; /* and the job itself can do that */
	uint8_t pass[MT__WALK_ARRAYS];
	int32_t compute_size[MT__WALK_ARRAYS];
};

static bool has(uint32_t set, int k) {
	return set >> k & 1u;
}

static int64_t magnitude(int64_t stride) {
	return stride < 0 ? -stride : stride;
}

static bool is_converted(const struct mt__omp_job *job, int k) {
	int32_t dtype = job->walk.dtype[k];
	return (dtype == MT_F16 || dtype == MT_BF16) && !has(job->raw, k);
}

/* Positions in walk order are consecutive elements. */
static bool is_dense(const struct mt__walk *w, int k) {
	int64_t expect = 1;
	for (int d = w->rank - 1; d >= 0; d--) {
		if (w->stride[k][d] != expect)
			return false;
		expect *= w->shape[d];
	}
	return true;
}

static bool is_single(const struct mt__walk *w, int k) {
	for (int d = 0; d < w->rank; d++)
		if (w->stride[k][d] != 0)
			return false;
	return true;
}

/* A dim along which some operand that is not contiguous lies closer together than along the last: walking 16 of it at
 * a time uses whole cache lines.  -1 where there is none. */
static int panel_dim(const struct mt__walk *w) {
	int last = w->rank - 1;
	for (int k = 0; k < w->n; k++) {
		int64_t inner = magnitude(w->stride[k][last]);
		if (inner < 2)
			continue;
		for (int d = last - 1; d >= 0; d--)
			if (w->stride[k][d] != 0 && magnitude(w->stride[k][d]) < inner && w->shape[d] > 1)
				return d;
	}
	return -1;
}

static void move_dim_before_last(struct mt__walk *w, int d) {
	for (; d < w->rank - 2; d++) {
		int64_t t = w->shape[d];
		w->shape[d] = w->shape[d + 1];
		w->shape[d + 1] = t;
		for (int k = 0; k < w->n; k++) {
			t = w->stride[k][d];
			w->stride[k][d] = w->stride[k][d + 1];
			w->stride[k][d + 1] = t;
		}
	}
}

static void choose_pass(struct plan *p) {
	struct mt__omp_job *job = p->job;
	struct mt__walk *w = &job->walk;
	for (int k = 0; k < w->n; k++) {
		int64_t inner = w->stride[k][w->rank - 1];
		bool single = p->bundle ? is_single(w, k) : inner == 0;
		bool direct = p->bundle ? is_dense(w, k) : inner == 1;
		p->compute_size[k] = is_converted(job, k) ? 4 : w->size[k];
		if (single && has(job->may_be_scalar, k))
			p->pass[k] = SCALAR;
		else
			p->pass[k] = direct && !is_converted(job, k) ? DIRECT : STAGED;
	}
}

static bool anything_staged(const struct plan *p) {
	for (int k = 0; k < p->n; k++)
		if (p->pass[k] == STAGED)
			return true;
	return false;
}

/* Whether array 0, the only one written, is so large that its lines are better streamed.  Where it is also read they
 * are in cache already. */
static bool is_streamed(const struct mt__omp_job *job) {
	const struct mt__walk *w = &job->walk;
	if (job->writes != 1 || has(job->reads, 0) || w->count * w->size[0] < MT__OMP_STREAM_BYTES)
		return false;
	for (int k = 1; k < w->n; k++)
		if (w->data[k] == w->data[0])
			return false;
	return w->stride[0][w->rank - 1] == 1;
}

static void make_plan(struct plan *p, struct mt__omp_job *job) {
	struct mt__walk *w = &job->walk;
	p->job = job;
	p->rank = w->rank;
	p->n = w->n;
	p->inner = w->shape[w->rank - 1];
	p->rows = p->row_block = 1;
	p->bundle = w->rank > 1 && p->inner < SHORT_ROW;
	p->outer_rank = w->rank - 1;
	if (p->bundle) {
		p->units = mt__omp_ceil_div(w->count, CHUNK);
	} else {
		int d = w->rank > 1 ? panel_dim(w) : -1;
		if (d >= 0) {
			move_dim_before_last(w, d);
			p->outer_rank = w->rank - 2;
			p->rows = w->shape[w->rank - 2];
			p->row_block = job->move ? MOVE_ROWS : PANEL_ROWS;
		}
		p->row_blocks = mt__omp_ceil_div(p->rows, p->row_block);
		p->column_blocks = mt__omp_ceil_div(p->inner, COLUMNS);
		p->units = w->count / (p->inner * p->rows) * p->row_blocks * p->column_blocks;
	}
	choose_pass(p);
	p->stream = !p->bundle && p->rows == 1 && is_streamed(job);
	p->stream_direct =
		p->stream && job->stream != NULL && !anything_staged(p) && (uintptr_t)w->data[0] % (uint64_t)w->size[0] == 0;
	if (p->stream)
		p->pass[0] = STAGED;
}

/* ---- rows and panels ---------------------------------------------------------------------------------------------- */

/* One row of a job whose output is streamed, no operand of which needs a buffer. */
static void stream_direct(const struct plan *p, char *const *row, int64_t columns) {
	const struct mt__omp_job *job = p->job;
	const struct mt__walk *w = &job->walk;
	int64_t line = 64 / w->size[0], head = stream_head(row[0], columns * w->size[0]) / w->size[0];
	const int64_t parts[] = {head, (columns - head) / line * line, (columns - head) % line};
	uint32_t scalars = 0;
	void *at[MT__WALK_ARRAYS];
	for (int k = 0; k < p->n; k++) {
		at[k] = row[k];
		if (p->pass[k] == SCALAR)
			scalars |= 1u << k;
	}
	for (int i = 0; i < 3; i++) {
		if (parts[i] == 0)
			continue;
		(i == 1 ? job->stream : job->run)(job->context, parts[i], at, scalars);
		for (int k = 0; k < p->n; k++)
			at[k] = (char *)at[k] + parts[i] * w->stride[k][w->rank - 1] * w->size[k];
	}
}

/* One row of a job whose output is streamed: results pass through a buffer in L1, from which whole lines leave.  Chunks
 * are so small that reading, computing and storing of neighbours overlap in the core. */
static void stream_row(const struct plan *p, char *const *row, int64_t columns, char (*buffer)[CHUNK * 8]) {
	const struct mt__omp_job *job = p->job;
	const struct mt__walk *w = &job->walk;
	char *at[MT__WALK_ARRAYS];
	void *run[MT__WALK_ARRAYS];
	bool converted = is_converted(job, 0);
	uint32_t scalars = 0;
	for (int k = 0; k < p->n; k++) {
		at[k] = row[k];
		run[k] = buffer[k];
		if (p->pass[k] != SCALAR)
			continue;
		scalars |= 1u << k;
		if (is_converted(job, k))
			mt__omp_load_run(buffer[k], w->dtype[k], false, at[k], 1, 1);
		else
			run[k] = at[k];
	}
	for (int64_t c = 0; c < columns; c += STREAM) {
		int64_t n = mt__omp_min(STREAM, columns - c);
		for (int k = 1; k < p->n; k++)
			if (p->pass[k] == STAGED)
				mt__omp_load_run(buffer[k], w->dtype[k], has(job->raw, k), at[k], w->stride[k][w->rank - 1], n);
			else if (p->pass[k] == DIRECT)
				run[k] = at[k];
		const char *result = job->move && scalars == 0 ? run[1] : buffer[0];
		if (result == buffer[0])
			job->run(job->context, n, run, scalars);
		if (converted)
			mt__omp_stream_low(w->dtype[0], (uint16_t *)at[0], (const float *)result, n);
		else
			stream_copy(at[0], result, n * w->size[0]);
		for (int k = 0; k < p->n; k++)
			at[k] += n * w->stride[k][w->rank - 1] * w->size[k];
	}
}

/* Of a job that only moves elements: a block straight from one array to the other where either is contiguous. */
static void move_block(const struct plan *p, char *const *at, int64_t rows, int64_t columns, char *buffer) {
	const struct mt__omp_job *job = p->job;
	const struct mt__walk *w = &job->walk;
	int last = p->rank - 1;
	int64_t row_stride[2];
	for (int k = 0; k < 2; k++)
		row_stride[k] = rows > 1 ? w->stride[k][last - 1] : 0;
	if (p->pass[1] == DIRECT) {
		mt__omp_store_block(w->dtype[0], has(job->raw, 0), at[0], row_stride[0], w->stride[0][last], at[1],
		                    row_stride[1], rows, columns);
		return;
	}
	bool direct = p->pass[0] == DIRECT;
	mt__omp_load_block(direct ? at[0] : buffer, direct ? row_stride[0] : columns, w->dtype[1], has(job->raw, 1), at[1],
	                   row_stride[1], w->stride[1][last], rows, columns);
	if (!direct)
		mt__omp_store_block(w->dtype[0], has(job->raw, 0), at[0], row_stride[0], w->stride[0][last], buffer, columns,
		                    rows, columns);
}

/* rows × columns positions starting at at[k]; staging through buffer[k]. */
static void run_block(const struct plan *p, char *const *at, int64_t rows, int64_t columns, char (*buffer)[CHUNK * 8]) {
	const struct mt__omp_job *job = p->job;
	const struct mt__walk *w = &job->walk;
	int last = p->rank - 1;
	if (job->move && p->pass[1] != SCALAR) {
		move_block(p, at, rows, columns, buffer[0]);
		return;
	}
	void *run[MT__WALK_ARRAYS];
	uint32_t scalars = 0;
	for (int k = 0; k < p->n; k++) {
		int64_t row_stride = rows > 1 ? w->stride[k][last - 1] : 0;
		run[k] = p->pass[k] == DIRECT ? (void *)at[k] : (void *)buffer[k];
		if (p->pass[k] == SCALAR)
			scalars |= 1u << k;
		else if (p->pass[k] == STAGED && has(job->reads, k))
			mt__omp_load_block(buffer[k], columns, w->dtype[k], has(job->raw, k), at[k], row_stride, w->stride[k][last],
			                   rows, columns);
	}
	for (int64_t r = 0; r < rows; r++) {
		for (int k = 0; k < p->n; k++) {
			int64_t step = rows > 1 ? w->stride[k][last - 1] * w->size[k] : 0;
			if (p->pass[k] == DIRECT)
				run[k] = at[k] + r * step;
			else if (p->pass[k] == STAGED)
				run[k] = buffer[k] + r * columns * p->compute_size[k];
			else if (is_converted(job, k))
				mt__omp_load_run(run[k], w->dtype[k], false, at[k] + r * step, 1, 1);
			else
				run[k] = at[k] + r * step;
		}
		job->run(job->context, columns, run, scalars);
	}
	for (int k = 0; k < p->n; k++)
		if (p->pass[k] == STAGED && has(job->writes, k))
			mt__omp_store_block(w->dtype[k], has(job->raw, k), at[k], rows > 1 ? w->stride[k][last - 1] : 0,
			                    w->stride[k][last], buffer[k], columns, rows, columns);
}

static void run_units(const struct plan *p, int64_t begin, int64_t end, char (*buffer)[CHUNK * 8]) {
	const struct mt__walk *w = &p->job->walk;
	int64_t chunk = !anything_staged(p) ? COLUMNS : CHUNK / p->row_block;
	for (int64_t u = begin; u < end; u++) {
		int64_t rest = u, column = rest % p->column_blocks * COLUMNS;
		rest /= p->column_blocks;
		int64_t row = rest % p->row_blocks * p->row_block;
		rest /= p->row_blocks;
		char *at[MT__WALK_ARRAYS];
		for (int k = 0; k < p->n; k++) {
			int64_t offset = column * w->stride[k][p->rank - 1];
			if (row > 0)
				offset += row * w->stride[k][p->rank - 2];
			at[k] = w->data[k] + offset * w->size[k];
		}
		for (int d = p->outer_rank - 1; d >= 0; d--) {
			int64_t i = rest % w->shape[d];
			rest /= w->shape[d];
			for (int k = 0; k < p->n; k++)
				at[k] += i * w->stride[k][d] * w->size[k];
		}
		int64_t rows = mt__omp_min(p->row_block, p->rows - row);
		int64_t columns = mt__omp_min(COLUMNS, p->inner - column);
		if (p->stream) {
			if (p->stream_direct)
				stream_direct(p, at, columns);
			else
				stream_row(p, at, columns, buffer);
			continue;
		}
		for (int64_t c = 0; c < columns; c += chunk) {
			int64_t m = mt__omp_min(chunk, columns - c);
			run_block(p, at, rows, m, buffer);
			for (int k = 0; k < p->n; k++)
				at[k] += m * w->stride[k][p->rank - 1] * w->size[k];
		}
	}
}

/* ---- bundles of short rows ---------------------------------------------------------------------------------------- */

/* Moves n positions from `position` on between an array and a contiguous buffer of raw elements. */
static void move_bundle(const struct mt__walk *w, int k, int64_t position, int64_t n, char *buffer, bool store) {
	int64_t index[MT_MAX_RANK], rest = position, offset = 0;
	int last = w->rank - 1, size = w->size[k];
	for (int d = last; d >= 0; d--) {
		index[d] = rest % w->shape[d];
		rest /= w->shape[d];
		offset += index[d] * w->stride[k][d];
	}
	int64_t done = 0, step = w->stride[k][last], length = w->shape[last];
	while (done < n) {
		/* The rest of this row, then whole rows of the dim before it. */
		int64_t whole = index[last] == 0 ? mt__omp_min(w->shape[last - 1] - index[last - 1], (n - done) / length) : 0;
		int64_t rows = whole > 0 ? whole : 1;
		int64_t columns = whole > 0 ? length : mt__omp_min(length - index[last], n - done);
		char *at = w->data[k] + offset * size, *to = buffer + done * size;
		if (store)
			mt__omp_store_block(w->dtype[k], true, at, w->stride[k][last - 1], step, to, columns, rows, columns);
		else
			mt__omp_load_block(to, columns, w->dtype[k], true, at, w->stride[k][last - 1], step, rows, columns);
		done += rows * columns;
		index[last] += columns;
		offset += columns * step;
		if (index[last] < length)
			continue;
		index[last] = 0;
		index[last - 1] += rows;
		offset += rows * w->stride[k][last - 1] - length * step;
		for (int d = last - 1; d > 0 && index[d] == w->shape[d]; d--) {
			index[d] = 0;
			index[d - 1]++;
			offset += w->stride[k][d - 1] - w->shape[d] * w->stride[k][d];
		}
	}
}

static void run_bundles(const struct plan *p, int64_t begin, int64_t end, char (*buffer)[CHUNK * 8]) {
	const struct mt__omp_job *job = p->job;
	const struct mt__walk *w = &job->walk;
	uint16_t low[CHUNK];
	for (int64_t u = begin; u < end; u++) {
		int64_t position = u * CHUNK, n = mt__omp_min(CHUNK, w->count - position);
		void *run[MT__WALK_ARRAYS];
		uint32_t scalars = 0;
		for (int k = 0; k < p->n; k++) {
			bool converted = is_converted(job, k);
			run[k] = buffer[k];
			if (p->pass[k] == DIRECT) {
				run[k] = w->data[k] + position * w->size[k];
			} else if (p->pass[k] == SCALAR) {
				mt__omp_load_run(buffer[k], w->dtype[k], !converted, w->data[k], 1, 1);
				scalars |= 1u << k;
			} else if (has(job->reads, k)) {
				move_bundle(w, k, position, n, converted ? (char *)low : buffer[k], false);
				if (converted)
					mt__omp_load_run(buffer[k], w->dtype[k], false, low, 1, n);
			}
		}
		job->run(job->context, n, run, scalars);
		for (int k = 0; k < p->n; k++) {
			if (p->pass[k] != STAGED || !has(job->writes, k))
				continue;
			bool converted = is_converted(job, k);
			if (converted)
				mt__omp_store_run(w->dtype[k], false, low, 1, buffer[k], n);
			move_bundle(w, k, position, n, converted ? (char *)low : buffer[k], true);
		}
	}
}

static void run_range(const void *context, int64_t begin, int64_t end) {
	const struct plan *p = context;
	_Alignas(64) char buffer[MT__WALK_ARRAYS][CHUNK * 8];
	if (p->bundle)
		run_bundles(p, begin, end, buffer);
	else
		run_units(p, begin, end, buffer);
	if (p->stream)
		stream_end();
}

/* One dim on one thread: small arrays come here, and nothing is set up.  Contiguous ones are handed on as they are;
 * others pass through small buffers if they fit. */
static bool run_plain(const struct mt__omp_job *job) {
	enum { SMALL = 256 };
	const struct mt__walk *w = &job->walk;
	_Alignas(64) char buffer[MT__WALK_ARRAYS][SMALL * 8];
	void *run[MT__WALK_ARRAYS];
	uint32_t scalars = 0, staged = 0;
	for (int k = 0; k < w->n; k++) {
		int64_t step = w->stride[k][0];
		bool scalar = step == 0 && has(job->may_be_scalar, k);
		run[k] = w->data[k];
		if (scalar)
			scalars |= 1u << k;
		if ((step != 1 && !scalar) || is_converted(job, k)) {
			run[k] = buffer[k];
			staged |= 1u << k;
		}
	}
	if (staged != 0 && w->count > SMALL)
		return false;
	for (int k = 0; staged >> k != 0; k++)
		if (has(staged & job->reads, k))
			mt__omp_load_run(buffer[k], w->dtype[k], has(job->raw, k), w->data[k], w->stride[k][0],
			                 has(scalars, k) ? 1 : w->count);
	job->run(job->context, w->count, run, scalars);
	for (int k = 0; staged >> k != 0; k++)
		if (has(staged & job->writes, k))
			mt__omp_store_run(w->dtype[k], has(job->raw, k), w->data[k], w->stride[k][0], buffer[k], w->count);
	return true;
}

void mt__omp_elementwise(mt_queue *queue, struct mt__omp_job *job) {
	int threads = mt__omp_threads(queue, (double)job->walk.count * job->cost);
	if (threads == 1 && job->walk.rank == 1 && !is_streamed(job) && run_plain(job))
		return;
	struct plan plan;
	make_plan(&plan, job);
	mt__omp_for_units(threads, plan.units, run_range, &plan);
}
