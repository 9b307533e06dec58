/* How the CUDA plugin lays a reduction over threads (plugins/cuda/reduce_plan.c), without a GPU: every term is taken
 * exactly once, plans are what is meant for typical shapes. */
#include <stdlib.h>
#include <string.h>

#include "mt_test.h"
#include "reduce_plan.h"

enum { BLOCK = MT_CUDA_REDUCE_BLOCK };

/* A contiguous array; in 256-byte aligned memory, as the device's. */
static mt_array contiguous(int rank, const int64_t *shape) {
	mt_array a = {.rank = rank, .dtype = MT_F32};
	int64_t stride = 1;
	for (int d = rank - 1; d >= 0; d--) {
		a.shape[d] = shape[d];
		a.stride[d] = stride;
		stride *= shape[d];
	}
	return a;
}

static mt_array reduced(const mt_array *x, uint32_t axes) {
	int64_t shape[MT_MAX_RANK];
	for (int d = 0; d < x->rank; d++)
		shape[d] = axes >> d & 1u ? 1 : x->shape[d];
	return contiguous(x->rank, shape);
}

static struct mt_cuda_reduce_plan plan_of(const mt_array *x, uint32_t axes, int size) {
	struct mt_cuda_reduce_plan p;
	mt_array out = reduced(x, axes);
	mt__cuda_reduce_plan(&p, x, &out, axes, size);
	return p;
}

/* ---- what the kernels do, in plain loops ---- */

static int64_t offset(const struct mt_cuda_walk *w, int array, int64_t i) {
	int64_t at = 0;
	for (int d = w->rank - 1; d >= 0; d--) {
		int64_t index = d > 0 ? i % w->shape[d] : i;
		at += index * w->stride[array][d];
		i = d > 0 ? i / w->shape[d] : 0;
	}
	return at;
}

static void take_units(const struct mt_cuda_reduce_plan *p, int64_t base, int64_t from, int64_t to, int64_t *taken) {
	int at_once = p->group / p->team;
	for (int thread = 0; thread < p->group; thread++)
		for (int64_t unit = from + thread / p->team; unit < to; unit += at_once) {
			int64_t first = unit % p->chunks * p->chunk, run = offset(&p->runs, 0, unit / p->chunks);
			for (int64_t i = first + thread % p->team; i < first + p->chunk && i < p->length; i += p->team)
				taken[base + run + i * p->stride]++;
		}
}

static void take_terms(const struct mt_cuda_reduce_plan *p, int64_t base, int64_t from, int64_t to, int64_t *taken) {
	int rows = BLOCK / p->columns;
	for (int row = 0; row < rows; row++)
		for (int64_t j = from + row; j < to; j += rows)
			taken[base + offset(&p->terms, 0, j)]++;
}

/* taken[e] counts how often element e of x is read. */
static void take(const struct mt_cuda_reduce_plan *p, int64_t *taken) {
	for (int64_t output = 0; output < p->kept.count; output++)
		for (int64_t part = 0; part < p->parts; part++) {
			int64_t from = part * p->per_part, to = from + p->per_part < p->work ? from + p->per_part : p->work;
			int64_t base = offset(&p->kept, MT_CUDA_KEPT_X, output);
			if (p->down)
				take_terms(p, base, from, to, taken);
			else
				take_units(p, base, from, to, taken);
		}
}

static int is_power_of_two(int64_t n) {
	return n > 0 && (n & (n - 1)) == 0;
}

static void check_form(const struct mt_cuda_reduce_plan *p) {
	MT_CHECK(p->parts >= 1 && p->per_part >= 1 && p->parts * p->per_part >= p->work);
	MT_CHECK(p->parts == 1 || (p->parts - 1) * p->per_part < p->work); /* no part is empty */
	MT_CHECK(is_power_of_two(p->group) && (p->group <= 32 || p->group == BLOCK));
	MT_CHECK(is_power_of_two(p->team) && p->team <= p->group);
	MT_CHECK(is_power_of_two(p->columns) && p->columns <= BLOCK);
	MT_CHECK(p->chunk >= 1 && p->chunks >= 1 && p->chunk * p->chunks >= p->length);
	MT_CHECK(p->vector == 1 || p->kept.count % p->vector == 0);
}

/* x of shape, its dims in memory in the order of `order` (outermost first), each `step`-th element used, read by every
 * set of axes: each element once. */
static void check_coverage(int rank, const int64_t *shape, const int *order, int64_t step) {
	mt_array x = contiguous(rank, shape);
	int64_t numel = 1;
	for (int i = rank - 1; i >= 0; i--) {
		x.stride[order[i]] = numel * step;
		numel *= shape[order[i]];
	}
	int64_t *taken = calloc((size_t)(numel * step), sizeof *taken);
	MT_REQUIRE(taken != NULL);
	for (uint32_t axes = 0; axes < 1u << rank; axes++) {
		mt_test_row("rank %d, %lld elements, axes %u, step %d, last dim %d", rank, (long long)numel, axes, (int)step,
		            order[rank - 1]);
		struct mt_cuda_reduce_plan p = plan_of(&x, axes, 4);
		check_form(&p);
		memset(taken, 0, (size_t)(numel * step) * sizeof *taken);
		take(&p, taken);
		int64_t wrong = 0;
		for (int64_t e = 0; e < numel * step; e++)
			wrong += taken[e] != (e % step == 0);
		MT_CHECK_INT(wrong, 0);
	}
	free(taken);
}

static void coverage(void) {
	static const int64_t shapes[][4] = {{4, 3, 5, 6},     {1, 9, 1, 1},   {2, 1, 70000, 3}, {2, 33001, 1, 1},
	                                    {300, 2, 300, 1}, {7, 7, 49, 64}, {1, 1, 1, 1},     {9000, 1, 1, 13}};
	static const int orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}};
	for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
		for (size_t o = 0; o < sizeof orders / sizeof *orders; o++)
			for (int64_t step = 1; step <= 2; step++)
				check_coverage(4, shapes[s], orders[o], step);
}

/* ---- what is meant ---- */

static void typical(void) {
	static const struct {
		const char *what;
		int64_t shape[3];
		uint32_t axes;
		int size, down, group, vector, split;
	} rows[] = {
		{"all of a large array: blocks, split", {1, 1, 100000000}, 7, 4, 0, BLOCK, 1, 1},
		{"all of a small array: one block", {1, 1, 4000}, 7, 4, 0, BLOCK, 1, 0},
		{"many rows of 1000: a warp each", {1, 100000, 1000}, 4, 4, 0, 32, 1, 0},
		{"many rows of 4: a thread each", {1, 1000000, 4}, 4, 4, 0, 1, 1, 0},
		{"a few long rows: split", {1, 8, 1000000}, 4, 2, 0, BLOCK, 1, 1},
		{"a thousand rows of 10000: a block each", {1, 5000, 10000}, 4, 4, 0, BLOCK, 1, 0},
		{"the sum of a bias's gradient: down, split", {1, 65536, 1024}, 2, 4, 1, 1, 4, 1},
		{"the same in bf16: 8 columns a thread", {1, 65536, 1024}, 2, 2, 1, 1, 8, 1},
		{"an odd number of columns: one at a time", {1, 65536, 1023}, 2, 4, 1, 1, 1, 1},
		{"few terms, many columns: not split", {1, 8, 1000000}, 2, 4, 1, 1, 4, 0},
		{"channels of [N, C, S]: across runs", {256, 64, 3136}, 5, 4, 0, BLOCK, 1, 1},
		{"nothing reduced: down", {1, 1000, 1000}, 0, 4, 1, 1, 4, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("%s", rows[i].what);
		mt_array x = contiguous(3, rows[i].shape);
		struct mt_cuda_reduce_plan p = plan_of(&x, rows[i].axes, rows[i].size);
		check_form(&p);
		MT_CHECK_INT(p.down, rows[i].down);
		MT_CHECK_INT(p.group, rows[i].group);
		MT_CHECK_INT(p.vector, rows[i].vector);
		MT_CHECK_INT(p.parts > 1, rows[i].split);
	}
}

/* Parts are enough to fill a GPU, and no more than their results are worth. */
static void parts(void) {
	const int64_t shape[] = {3, 200003};
	mt_array x = contiguous(2, shape);
	struct mt_cuda_reduce_plan p = plan_of(&x, 2, 4);
	MT_CHECK(p.parts > 8 && p.per_part * p.chunk >= BLOCK * 4 * 8);
	p = plan_of(&x, 3, 4);
	MT_CHECK(p.parts > 32 && p.parts <= 2048);
}

/* Vectors need the address, every stride and the extent to be multiples. */
static void alignment(void) {
	const int64_t shape[] = {64, 1024};
	mt_array x = contiguous(2, shape);
	MT_CHECK_INT(plan_of(&x, 1, 4).vector, 4);
	x.byte_offset = 4;
	MT_CHECK_INT(plan_of(&x, 1, 4).vector, 1);
	x.byte_offset = 16;
	MT_CHECK_INT(plan_of(&x, 1, 4).vector, 4);
	x.stride[0] = 1026;
	MT_CHECK_INT(plan_of(&x, 1, 4).vector, 1);
}

/* Strides of 0: one element stands for many. */
static void repeated(void) {
	const int64_t shape[] = {50, 40};
	for (int d = 0; d < 2; d++)
		for (uint32_t axes = 0; axes < 4; axes++) {
			mt_array x = contiguous(2, shape);
			x.stride[d] = 0;
			x.stride[1 - d] = 1;
			mt_test_row("dim %d repeated, axes %u", d, axes);
			struct mt_cuda_reduce_plan p = plan_of(&x, axes, 4);
			check_form(&p);
			int64_t taken[50] = {0}, wrong = 0;
			take(&p, taken);
			for (int64_t e = 0; e < shape[1 - d]; e++)
				wrong += taken[e] != shape[d];
			MT_CHECK_INT(wrong, 0);
		}
}

static void empty(void) {
	const int64_t shape[] = {3, 0, 5};
	mt_array x = contiguous(3, shape);
	for (uint32_t axes = 2; axes < 8; axes++)
		if (axes & 2u) {
			mt_test_row("axes %u", axes);
			struct mt_cuda_reduce_plan p = plan_of(&x, axes, 8);
			check_form(&p);
			int64_t nothing = 0;
			take(&p, &nothing);
			MT_CHECK(p.count == 0 && nothing == 0 && p.parts == 1);
		}
}

static const mt_test_case cases[] = {
	{"coverage", coverage},
	{"typical", typical},
	{"parts", parts},
	{"alignment", alignment},
	{"repeated", repeated},
	{"empty", empty},
	{0},
};
static const mt_test_suite suites[] = {{"cuda_reduce_plan", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
