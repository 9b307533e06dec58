#include "rows.h"

#include <stdlib.h>

enum {
	LANES = 32,
	SMALL_BLOCK = 128,       /* threads where a group is within a warp */
	CHUNK_THREADS = 256,     /* threads of a group that has a chunk of a long row */
	PLENTY_OF_ROWS = 4096,   /* enough for a warp each to keep any device busy */
	PLENTY_OF_LANES = 65536, /* … and for a thread each */
	SECTOR = 8,              /* neighbours that are still worth reading together */
	FAR = 32                 /* a stride at which nothing is read together */
};

static int64_t pieces(int64_t n, int64_t size) {
	return n / size + (n % size != 0);
}

int mt__cuda_rows_along(int64_t rows, int64_t extent, int64_t row_stride, int64_t length, int64_t stride) {
	if (rows == 1)
		return 1;
	if (length == 1)
		return 0;
	if (llabs(row_stride) >= llabs(stride))
		return 1;
	return extent < SECTOR && llabs(stride) < FAR;
}

int mt__cuda_rows_pack(const struct mt_cuda_walk *rows, const void *const *address, const int64_t *step, int size,
                       int64_t run) {
	int n = 16 / size;
	if (run % n != 0)
		return 1;
	for (int k = 0; k < rows->arrays; k++) {
		if (step[k] != 1 || (uintptr_t)address[k] % 16 != 0)
			return 1;
		for (int d = 0; d < rows->rank; d++)
			if (rows->stride[k][d] % n != 0)
				return 1;
	}
	return n;
}

/* ---- plans ---- */

/* Threads of a group go along. */
static void set_along(struct mt_cuda_rows *p, int64_t threads, int values) {
	p->values = values;
	p->x = (uint32_t)mt__cuda_power_of_two(threads, 1, MT_CUDA_ROW_THREADS);
	p->y = p->x <= LANES ? SMALL_BLOCK / p->x : 1;
	p->tile = (int32_t)p->x * values;
}

/* They go across; columns: rows of a block. */
static void set_across(struct mt_cuda_rows *p, int columns, int64_t threads, int values) {
	p->values = values;
	p->x = (uint32_t)columns;
	p->y = (uint32_t)mt__cuda_power_of_two(threads, 1, MT_CUDA_ROW_THREADS / columns);
	p->tile = (int32_t)p->y * values;
}

static void count_units(struct mt_cuda_rows *p) {
	p->chunks = p->length > p->tile ? pieces(p->length, p->tile) : 1;
	p->units = pieces(p->rows, p->along ? p->y : p->x) * p->chunks;
}

static void plan_along(struct mt_cuda_rows *p, int fewer, int more) {
	int64_t n = p->length, most = (int64_t)MT_CUDA_ROW_THREADS * more;
	if (n <= LANES * fewer)
		set_along(p, mt__cuda_power_of_two(pieces(n, p->pack), 1, LANES), fewer);
	else if (n <= LANES * more && p->rows >= PLENTY_OF_ROWS)
		set_along(p, LANES, more);
	else if (n <= MT_CUDA_ROW_THREADS * fewer)
		set_along(p, pieces(n, fewer), fewer);
	else
		set_along(p, n <= most ? pieces(n, more) : CHUNK_THREADS, more);
}

static void plan_across(struct mt_cuda_rows *p, int fewer, int more) {
	int64_t n = p->length;
	int columns = mt__cuda_power_of_two(p->rows, 1, LANES);
	if (n <= fewer || (n <= more && p->rows >= PLENTY_OF_LANES)) {
		set_across(p, mt__cuda_power_of_two(p->rows, 1, SMALL_BLOCK), 1, n <= fewer ? fewer : more);
		return;
	}
	if (n <= MT_CUDA_ROW_THREADS / columns * fewer) {
		set_across(p, columns, pieces(n, fewer), fewer);
		return;
	}
	int narrow = columns;
	while (narrow > SECTOR && n > MT_CUDA_ROW_THREADS / narrow * more)
		narrow /= 2;
	if (n <= MT_CUDA_ROW_THREADS / narrow * more)
		set_across(p, narrow, pieces(n, more), more);
	else
		set_across(p, columns, CHUNK_THREADS / columns, more);
}

void mt__cuda_plan_rows(struct mt_cuda_rows *p, int64_t rows, int64_t length, int along, int pack, int fewer,
                        int more) {
	*p = (struct mt_cuda_rows){.rows = rows, .length = length, .along = along, .pack = pack};
	if (along)
		plan_along(p, fewer, more);
	else
		plan_across(p, fewer, more);
	count_units(p);
}

void mt__cuda_plan_pass(struct mt_cuda_rows *p, int64_t rows, int64_t length, int along, int pack, int fewer) {
	*p = (struct mt_cuda_rows){.rows = rows, .length = length, .along = along, .pack = pack};
	int columns = mt__cuda_power_of_two(rows, 1, LANES);
	if (along && length <= LANES * fewer)
		set_along(p, mt__cuda_power_of_two(pieces(length, pack), 1, LANES), fewer);
	else if (along)
		set_along(p, mt__cuda_power_of_two(pieces(length, fewer), LANES, CHUNK_THREADS), fewer);
	else
		set_across(p, columns, mt__cuda_power_of_two(pieces(length, fewer), 1, CHUNK_THREADS / columns), fewer);
	count_units(p);
}

void mt__cuda_plan_finish(struct mt_cuda_rows *finish, const struct mt_cuda_rows *p) {
	*finish = (struct mt_cuda_rows){.rows = p->rows, .length = p->chunks, .along = p->along, .pack = 1};
	if (p->along)
		set_along(finish, mt__cuda_power_of_two(p->chunks, LANES, MT_CUDA_ROW_THREADS), 1);
	else
		set_across(finish, mt__cuda_power_of_two(p->rows, 1, LANES), p->chunks, 1);
	finish->chunks = 1;
	finish->units = pieces(p->rows, p->along ? finish->y : finish->x);
}
