#include "walk.h"

#include <stdlib.h>

/* Appends a dim, or merges it into the one before. */
static void append(struct mt_cuda_walk *w, int64_t extent, const int64_t *const *strides, int dim) {
	int merge = w->rank > 0;
	for (int k = 0; k < w->arrays && merge; k++) {
		int64_t stride = strides[k] ? strides[k][dim] : 0;
		merge = w->stride[k][w->rank - 1] == stride * extent;
	}
	int to = merge ? w->rank - 1 : w->rank++;
	w->shape[to] = merge ? w->shape[to] * extent : extent;
	for (int k = 0; k < w->arrays; k++)
		w->stride[k][to] = strides[k] ? strides[k][dim] : 0;
}

static void walk_dims(struct mt_cuda_walk *w, int arrays, int rank, const int64_t *shape, const int64_t *const *strides,
                      const int *order) {
	*w = (struct mt_cuda_walk){.arrays = arrays, .count = 1};
	for (int i = 0; i < rank; i++) {
		int d = order[i];
		w->count *= shape[d];
		if (shape[d] != 1)
			append(w, shape[d], strides, d);
	}
}

void mt__cuda_walk(struct mt_cuda_walk *w, int arrays, int rank, const int64_t *shape, const int64_t *const *strides) {
	static const int order[MT_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
	walk_dims(w, arrays, rank, shape, strides, order);
}

/* Whether dim a belongs before (outside of) dim b: by the strides of the last array, then of those before it. */
static int belongs_outside(int arrays, const int64_t *const *strides, int a, int b) {
	for (int k = arrays - 1; k >= 0; k--) {
		int64_t sa = strides[k] ? llabs(strides[k][a]) : 0, sb = strides[k] ? llabs(strides[k][b]) : 0;
		if (sa != sb)
			return sa > sb;
	}
	return 0;
}

void mt__cuda_walk_any_order(struct mt_cuda_walk *w, int arrays, int rank, const int64_t *shape,
                             const int64_t *const *strides) {
	int order[MT_MAX_RANK];
	for (int d = 0; d < rank; d++) { /* insertion keeps the order of what is equal */
		int i = d;
		for (; i > 0 && belongs_outside(arrays, strides, d, order[i - 1]); i--)
			order[i] = order[i - 1];
		order[i] = d;
	}
	walk_dims(w, arrays, rank, shape, strides, order);
}

int mt__cuda_walk_is_narrow(const struct mt_cuda_walk *w) {
	if (w->count > INT32_MAX)
		return 0;
	for (int k = 0; k < w->arrays; k++) {
		int64_t low = 0, high = 0; /* the offsets that are reached; buffers are far smaller than 2^63 */
		for (int d = 0; d < w->rank; d++) {
			int64_t reach = (w->shape[d] - 1) * w->stride[k][d];
			low += reach < 0 ? reach : 0;
			high += reach > 0 ? reach : 0;
		}
		if (low < INT32_MIN || high > INT32_MAX)
			return 0;
		for (int d = 0; d < w->rank; d++)
			if (w->stride[k][d] < INT32_MIN || w->stride[k][d] > INT32_MAX)
				return 0;
	}
	return 1;
}

int mt__cuda_walk_is_contiguous(const struct mt_cuda_walk *w, int k) {
	return w->rank == 0 || (w->rank == 1 && w->stride[k][0] == 1);
}

static int fits_vector(const struct mt_cuda_walk *w, int k, const void *address, int size, int n) {
	if ((uintptr_t)address % (uintptr_t)(n * size) != 0 || w->stride[k][w->rank - 1] != 1)
		return 0;
	for (int d = 0; d < w->rank - 1; d++)
		if (w->stride[k][d] % n != 0)
			return 0;
	return 1;
}

int mt__cuda_walk_vector(const struct mt_cuda_walk *w, unsigned mask, const void *const *address, const int *size) {
	int widest = 1;
	for (int k = 0; k < w->arrays; k++)
		if (mask >> k & 1u && size[k] > widest)
			widest = size[k];
	if (w->rank == 0)
		return 1;
	for (int n = 16 / widest; n > 1; n /= 2) {
		int fits = w->shape[w->rank - 1] % n == 0;
		for (int k = 0; k < w->arrays && fits; k++)
			fits = !(mask >> k & 1u) || fits_vector(w, k, address[k], size[k], n);
		if (fits)
			return n;
	}
	return 1;
}

int mt__cuda_walk_packs(struct mt_cuda_packs *packs, const struct mt_cuda_walk *w, int n, unsigned written,
                        const void *const *address, const int *size) {
	int inner = w->rank - 1;
	if (w->rank == 0 || n < 2 || (w->rank > 1 && w->shape[inner] % n != 0))
		return 0;
	unsigned moving = 0;
	for (int k = 0; k < w->arrays; k++) {
		if (w->stride[k][inner] == 0 && !(written >> k & 1u))
			continue;
		if (!fits_vector(w, k, address[k], size[k], n))
			return 0;
		moving |= 1u << k;
	}
	packs->w = *w;
	packs->moving = moving;
	packs->w.shape[inner] = w->shape[inner] / n + (w->shape[inner] % n != 0);
	packs->w.count = w->count / n + (w->count % n != 0);
	packs->last = (int)(w->count - (packs->w.count - 1) * n);
	for (int k = 0; k < w->arrays; k++)
		packs->w.stride[k][inner] *= n;
	return 1;
}

/* ---- a copy that transposes ---- */

/* The least bits with 2^bits >= extent, between 2 and most. */
static int tile_bits(int64_t extent, int most) {
	int bits = 2;
	while (bits < most && (int64_t)1 << bits < extent)
		bits++;
	return bits;
}

int mt__cuda_walk_transpose(struct mt_cuda_transpose *t, const struct mt_cuda_walk *w) {
	int down = w->rank - 1, across = down - 1;
	if (w->rank < 2 || w->stride[1][down] != 1 || w->stride[0][down] == 0)
		return 0;
	while (across >= 0 && w->stride[0][across] != 1)
		across--;
	if (across < 0)
		return 0;
	*t = (struct mt_cuda_transpose){.outer = {.arrays = 2, .count = 1},
	                                .across = w->shape[across],
	                                .down = w->shape[down],
	                                .x_down = w->stride[0][down],
	                                .out_across = w->stride[1][across]};
	int *short_bits = t->across < t->down ? &t->across_bits : &t->down_bits;
	int *long_bits = t->across < t->down ? &t->down_bits : &t->across_bits;
	int64_t short_side = t->across < t->down ? t->across : t->down;
	*short_bits = tile_bits(short_side, 6);
	*long_bits = tile_bits(t->across + t->down - short_side, *short_bits < 4 ? 8 : 12 - *short_bits);
	for (int d = 0; d < down; d++) {
		if (d == across)
			continue;
		int to = t->outer.rank++;
		t->outer.shape[to] = w->shape[d];
		t->outer.count *= w->shape[d];
		for (int k = 0; k < 2; k++)
			t->outer.stride[k][to] = w->stride[k][d];
	}
	return short_side >= 4 && t->across_bits + t->down_bits >= 8;
}

/* ---- pieces ---- */

/* Takes dims of extent 1 out: their strides do not count. */
static void drop_ones(struct mt_cuda_walk *w) {
	int rank = 0;
	for (int d = 0; d < w->rank; d++) {
		if (w->shape[d] == 1)
			continue;
		w->shape[rank] = w->shape[d];
		for (int k = 0; k < w->arrays; k++)
			w->stride[k][rank] = w->stride[k][d];
		rank++;
	}
	w->rank = rank;
}

/* The dim along which some array reaches furthest, of those that can be cut. */
static int longest_dim(const struct mt_cuda_walk *w) {
	int longest = 0;
	int64_t most = -1;
	for (int d = 0; d < w->rank; d++)
		for (int k = 0; k < w->arrays; k++) {
			int64_t reach = (w->shape[d] - 1) * llabs(w->stride[k][d]);
			reach = reach > w->shape[d] - 1 ? reach : w->shape[d] - 1; /* positions count, too */
			if (reach > most) {
				most = reach;
				longest = d;
			}
		}
	return longest;
}

/* A walk with these extents in place of its own. */
static struct mt_cuda_walk with_extents(const struct mt_cuda_walk *w, const int64_t *extent) {
	struct mt_cuda_walk cut = *w;
	cut.count = 1;
	for (int d = 0; d < w->rank; d++) {
		cut.shape[d] = extent[d];
		cut.count *= extent[d];
	}
	return cut;
}

void mt__cuda_pieces(struct mt_cuda_pieces *p, const struct mt_cuda_walk *whole) {
	*p = (struct mt_cuda_pieces){.whole = whole};
	for (int d = 0; d < whole->rank; d++)
		p->extent[d] = whole->shape[d];
	for (;;) {
		struct mt_cuda_walk piece = with_extents(whole, p->extent), narrow = piece;
		drop_ones(&narrow);
		if (mt__cuda_walk_is_narrow(&narrow))
			return;
		int d = longest_dim(&piece);
		int64_t half = 1;
		while (half * 2 < p->extent[d])
			half *= 2;
		p->extent[d] = half;
	}
}

int mt__cuda_next_piece(struct mt_cuda_pieces *p, struct mt_cuda_walk *piece, int64_t *offset) {
	const struct mt_cuda_walk *w = p->whole;
	if (p->done)
		return 0;
	int64_t extent[MT_MAX_RANK];
	for (int k = 0; k < w->arrays; k++)
		offset[k] = 0;
	for (int d = 0; d < w->rank; d++) {
		int64_t left = w->shape[d] - p->start[d];
		extent[d] = left < p->extent[d] ? left : p->extent[d];
		for (int k = 0; k < w->arrays; k++)
			offset[k] += p->start[d] * w->stride[k][d];
	}
	*piece = with_extents(w, extent);
	drop_ones(piece);
	int d = w->rank - 1;
	for (; d >= 0; d--) {
		p->start[d] += p->extent[d];
		if (p->start[d] < w->shape[d])
			break;
		p->start[d] = 0;
	}
	p->done = d < 0;
	return 1;
}

/* ---- division ---- */

struct mt_cuda_divider mt__cuda_divider(int64_t divisor) {
	struct mt_cuda_divider d = {(int32_t)divisor, 0, 0};
	uint64_t n = (uint64_t)divisor;
	while ((uint64_t)1 << d.shift < n)
		d.shift++;
	d.magic = (uint32_t)(((uint64_t)1 << 32) * (((uint64_t)1 << d.shift) - n) / n + 1);
	return d;
}

/* ---- launch geometry ---- */

unsigned mt__cuda_blocks(int64_t count, int64_t per_block, int64_t most) {
	int64_t blocks = count / per_block + (count % per_block != 0);
	return (unsigned)(blocks < 1 ? 1 : blocks < most ? blocks : most);
}

int mt__cuda_power_of_two(int64_t n, int low, int high) {
	int p = low;
	while (p < high && p < n)
		p *= 2;
	return p;
}
