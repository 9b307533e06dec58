#include "reduce_plan.h"

#include <stdlib.h>

enum {
	WARP = 32,
	PACKS_A_THREAD = 4,     /* in flight at once, where a group is large enough for it */
	MANY_THREADS = 1 << 17, /* enough of them to fill a GPU */
	ACROSS_BLOCKS = 2048,   /* splitting aims at so many */
	DOWN_BLOCKS = 1024,
	LEAST_PACKS = 8, /* of a thread in a part */
	LEAST_TERMS = 32,
	LONG_PACKS = 32, /* of a thread, where a warp has an output: beyond, a block does */
};

static int64_t least(int64_t a, int64_t b) {
	return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b) {
	return a > b ? a : b;
}

static int64_t divided_up(int64_t a, int64_t b) {
	return a / b + (a % b != 0);
}

/* How far apart neighbours of a walk's innermost dim lie; very far where they do not move. */
static int64_t pace(const struct mt_cuda_walk *w, int array) {
	int64_t stride = w->rank > 0 ? llabs(w->stride[array][w->rank - 1]) : 0;
	return stride != 0 ? stride : INT64_MAX;
}

static void split(struct mt_cuda_reduce_plan *p, int64_t wanted) {
	wanted = most(1, least(wanted, p->work));
	p->per_part = most(1, divided_up(p->work, wanted));
	p->parts = most(1, divided_up(p->work, p->per_part));
}

/* ---- across ---- */

static void find_runs(struct mt_cuda_reduce_plan *p) {
	p->runs = p->terms;
	p->length = p->terms.count;
	p->stride = 0;
	if (p->terms.rank > 0) {
		int last = --p->runs.rank;
		p->stride = p->terms.stride[0][last];
		if (p->terms.count > 0)
			p->length = p->terms.shape[last];
	}
	p->runs.count = p->terms.count > 0 ? p->terms.count / p->length : 1;
	if (p->terms.count == 0)
		p->runs.rank = 0;
}

/* Threads an output: few where there is little to do for them, a block where there is much, or too few outputs. */
static int group_of(const struct mt_cuda_reduce_plan *p, int pack) {
	int64_t packs = divided_up(p->count, pack);
	if (packs > WARP * LONG_PACKS)
		return MT_CUDA_REDUCE_BLOCK;
	if (p->kept.count < MANY_THREADS / WARP && packs > WARP * 2)
		return MT_CUDA_REDUCE_BLOCK;
	return mt__cuda_power_of_two(divided_up(packs, PACKS_A_THREAD), 1, WARP);
}

static void plan_across(struct mt_cuda_reduce_plan *p, int size) {
	find_runs(p);
	int pack = p->stride == 1 ? mt__cuda_reduce_pack(size) : 1;
	p->group = group_of(p, pack);
	int64_t wanted = 1;
	if (p->group == MT_CUDA_REDUCE_BLOCK)
		wanted = most(1, least(divided_up(ACROSS_BLOCKS, p->kept.count),
		                       p->count / ((int64_t)MT_CUDA_REDUCE_BLOCK * pack * LEAST_PACKS)));
	/* Chunks begin at whole packs, counted from the run's start. */
	int64_t cuts = divided_up(wanted, p->runs.count);
	p->chunk = most(1, divided_up(divided_up(p->length, cuts), pack) * pack);
	if (cuts == 1)
		p->chunk = most(1, p->length);
	p->chunks = most(1, divided_up(p->length, p->chunk));
	p->work = p->runs.count * p->chunks;
	p->team = mt__cuda_power_of_two(divided_up(p->chunk, pack), 1, p->group);
	split(p, wanted);
}

/* ---- down ---- */

static int vector_of(const struct mt_cuda_reduce_plan *p, const mt_array *x, int size) {
	const void *address[] = {NULL, (const char *)x->base + x->byte_offset};
	const int sizes[] = {1, size};
	int widest = mt__cuda_reduce_pack(size),
		vector = mt__cuda_walk_vector(&p->kept, 1u << MT_CUDA_KEPT_X, address, sizes);
	for (int d = 0; d < p->terms.rank; d++)
		while (p->terms.stride[0][d] % vector != 0)
			vector /= 2;
	return vector >= widest ? widest : 1;
}

static void plan_down(struct mt_cuda_reduce_plan *p, const mt_array *x, int size) {
	int block = MT_CUDA_REDUCE_BLOCK;
	p->vector = vector_of(p, x, size);
	/* Threads side by side: as many as lie close together, up to a warp; all where there are few terms to share. */
	int64_t width = p->kept.rank > 0 ? divided_up(p->kept.shape[p->kept.rank - 1], p->vector) : 1;
	int narrowest = mt__cuda_power_of_two(width, 1, WARP), rows = 1;
	while (rows * 2 <= block / narrowest && (int64_t)rows * 2 * 4 <= p->count)
		rows *= 2;
	p->columns = block / rows;
	p->work = p->count;
	int64_t blocks = divided_up(p->kept.count, (int64_t)p->columns * p->vector);
	split(p, least(divided_up(DOWN_BLOCKS, blocks), p->count / ((int64_t)rows * LEAST_TERMS)));
}

void mt__cuda_reduce_plan(struct mt_cuda_reduce_plan *p, const mt_array *x, const mt_array *out, uint32_t axes,
                          int size) {
	int64_t reduced[MT_MAX_RANK];
	for (int d = 0; d < x->rank; d++)
		reduced[d] = axes >> d & 1u ? x->shape[d] : 1;
	*p = (struct mt_cuda_reduce_plan){.chunk = 1, .chunks = 1, .group = 1, .team = 1, .vector = 1, .columns = 1};
	mt__cuda_walk_any_order(&p->kept, 2, out->rank, out->shape, (const int64_t *const[]){out->stride, x->stride});
	mt__cuda_walk_any_order(&p->terms, 1, x->rank, reduced, (const int64_t *const[]){x->stride});
	p->count = p->terms.count;
	p->down = pace(&p->kept, MT_CUDA_KEPT_X) < pace(&p->terms, 0);
	if (p->down)
		plan_down(p, x, size);
	else
		plan_across(p, size);
}
