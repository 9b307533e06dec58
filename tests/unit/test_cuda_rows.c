/* How the CUDA plugin shares rows among threads (plugins/cuda/rows.c), without a GPU: every element of every row is taken
 * exactly once, blocks are ones that the kernels can run with, and typical shapes get what is meant for them. */
#include <stdlib.h>
#include <string.h>

#include "mt_test.h"
#include "rows.h"

enum { FEWER = 8, MORE = 32 };

static int is_power_of_two(uint32_t n) {
	return n > 0 && (n & (n - 1)) == 0;
}

/* What group_all and take_seat rely on. */
static int block_is_sound(const struct mt_cuda_rows *p) {
	uint32_t threads = p->x * p->y, group = p->along ? p->x : p->y;
	if (!is_power_of_two(p->x) || !is_power_of_two(p->y) || threads > MT_CUDA_ROW_THREADS)
		return 0;
	if (p->along && (threads % 32 != 0 || (p->x > 32 && p->y != 1)))
		return 0;
	return p->tile == (int32_t)group * p->values && p->values % p->pack == 0 && p->tile % p->pack == 0;
}

/* Does what take_seat does for each thread of each block; taken: rows × length counters. */
static void take(const struct mt_cuda_rows *p, unsigned char *taken) {
	int64_t columns = p->along ? p->y : p->x, group = p->along ? p->x : p->y, bands = p->units / p->chunks;
	for (int64_t unit = 0; unit < p->units; unit++) {
		int64_t chunk = p->along ? unit % p->chunks : unit / bands, band = p->along ? unit / p->chunks : unit % bands;
		for (int64_t row = band * columns; row < (band + 1) * columns && row < p->rows; row++) {
			int64_t start = chunk * p->tile, left = p->length - start, count = left < p->tile ? left : p->tile;
			for (int64_t thread = 0; thread < group; thread++)
				for (int64_t k = 0; k < p->values / p->pack; k++)
					for (int64_t l = (k * group + thread) * p->pack, i = 0; i < p->pack && l < count; i++)
						taken[row * p->length + start + l + i]++;
		}
	}
}

static int takes_all_once(const struct mt_cuda_rows *p) {
	size_t n = (size_t)(p->rows * p->length);
	unsigned char *taken = calloc(n > 0 ? n : 1, 1);
	int ok = taken != NULL;
	if (ok)
		take(p, taken);
	for (size_t i = 0; i < n && ok; i++)
		ok = taken[i] == 1;
	free(taken);
	return ok;
}

static void every_element_once(void) {
	static const int64_t rows[] = {1, 2, 5, 33, 300, 5000, 70000},
						 lengths[] = {0, 1, 4, 8, 12, 40, 256, 1000, 1024, 4100, 16384, 16388, 50000};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (size_t j = 0; j < sizeof lengths / sizeof *lengths; j++)
			for (int how = 0; how < 6; how++) {
				struct mt_cuda_rows p, finish;
				int along = how % 3 > 0, pack = how % 3 > 1 && lengths[j] % 4 == 0 ? 4 : 1;
				if (rows[i] * lengths[j] > 2000000)
					continue;
				mt_test_row("%ld rows of %ld, %d", (long)rows[i], (long)lengths[j], how);
				if (how < 3)
					mt__cuda_plan_rows(&p, rows[i], lengths[j], along, pack, FEWER, MORE);
				else
					mt__cuda_plan_pass(&p, rows[i], lengths[j], along, pack, FEWER);
				MT_CHECK(block_is_sound(&p));
				MT_CHECK(takes_all_once(&p));
				mt__cuda_plan_finish(&finish, &p);
				MT_CHECK(block_is_sound(&finish) && finish.chunks == 1 && finish.length == p.chunks);
			}
}

static void plans(void) {
	static const struct {
		int64_t rows, length;
		int along, pack;
		uint32_t x, y;
		int values;
		int64_t chunks;
	} cases[] = {
		{1000, 10, 1, 1, 16, 8, FEWER, 1},    /* half a warp a row */
		{1000, 8, 1, 4, 2, 64, FEWER, 1},     /* two packs */
		{100000, 1000, 1, 4, 32, 4, MORE, 1}, /* a warp a row */
		{100, 1000, 1, 4, 128, 1, FEWER, 1},  /* too few rows for that */
		{100, 4096, 1, 4, 512, 1, FEWER, 1},  {100, 16384, 1, 4, 512, 1, MORE, 1},
		{1, 16388, 1, 4, 256, 1, MORE, 3},    {100000, 3, 0, 1, 128, 1, FEWER, 1}, /* a thread a row */
		{100000, 30, 0, 1, 128, 1, MORE, 1},  {1000, 30, 0, 1, 32, 4, FEWER, 1},
		{1000, 1000, 0, 1, 16, 32, MORE, 1}, /* fewer columns rather than chunks */
		{1000, 5000, 0, 1, 32, 8, MORE, 20},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct mt_cuda_rows p;
		mt_test_row("%ld rows of %ld", (long)cases[i].rows, (long)cases[i].length);
		mt__cuda_plan_rows(&p, cases[i].rows, cases[i].length, cases[i].along, cases[i].pack, FEWER, MORE);
		MT_CHECK_INT(p.x, cases[i].x);
		MT_CHECK_INT(p.y, cases[i].y);
		MT_CHECK_INT(p.values, cases[i].values);
		MT_CHECK_INT(p.chunks, cases[i].chunks);
	}
}

/* Counts beyond 32 bits stay whole. */
static void huge(void) {
	struct mt_cuda_rows p;
	int64_t n = (int64_t)3 << 31;
	mt__cuda_plan_rows(&p, 1, n, 1, 4, FEWER, MORE);
	MT_CHECK(p.chunks == n / p.tile && p.units == p.chunks);
	mt__cuda_plan_rows(&p, n, 4, 0, 1, FEWER, MORE);
	MT_CHECK(p.chunks == 1 && p.units == n / p.x);
}

static void directions(void) {
	MT_CHECK(mt__cuda_rows_along(1, 1, 0, 100, 7) == 1);       /* one row */
	MT_CHECK(mt__cuda_rows_along(100, 100, 1, 1, 1) == 0);     /* rows of one element */
	MT_CHECK(mt__cuda_rows_along(100, 100, 50, 50, 1) == 1);   /* the axis is contiguous */
	MT_CHECK(mt__cuda_rows_along(100, 100, -50, 50, -1) == 1); /* … backwards */
	MT_CHECK(mt__cuda_rows_along(100, 100, 1, 50, 100) == 0);  /* the rows are side by side */
	MT_CHECK(mt__cuda_rows_along(100, 2, 1, 50, 2) == 1);      /* only two of them, and the axis is near */
	MT_CHECK(mt__cuda_rows_along(100, 2, 1, 50, 1000) == 0);   /* … or far */
}

static void packs(void) {
	int64_t shape = 6, even[] = {8}, odd[] = {9};
	const int64_t *strides[] = {even, even}, one[] = {1, 1}, two[] = {1, 2};
	const void *aligned[] = {(void *)256, (void *)512}, *off[] = {(void *)256, (void *)520};
	struct mt_cuda_walk w;
	mt__cuda_walk(&w, 2, 1, &shape, strides);
	MT_CHECK_INT(mt__cuda_rows_pack(&w, aligned, one, 4, 8), 4);
	MT_CHECK_INT(mt__cuda_rows_pack(&w, aligned, one, 2, 8), 8);
	MT_CHECK_INT(mt__cuda_rows_pack(&w, aligned, one, 8, 8), 2);
	MT_CHECK_INT(mt__cuda_rows_pack(&w, aligned, one, 4, 6), 1); /* the row ends within a pack */
	MT_CHECK_INT(mt__cuda_rows_pack(&w, aligned, two, 4, 8), 1);
	MT_CHECK_INT(mt__cuda_rows_pack(&w, off, one, 4, 8), 1);
	strides[1] = odd;
	mt__cuda_walk(&w, 2, 1, &shape, strides);
	MT_CHECK_INT(mt__cuda_rows_pack(&w, aligned, one, 4, 8), 1);
}

static const mt_test_case cases[] = {{"every_element_once", every_element_once},
                                     {"plans", plans},
                                     {"huge", huge},
                                     {"directions", directions},
                                     {"packs", packs},
                                     {0}};
static const mt_test_suite suites[] = {{"cuda_rows", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
