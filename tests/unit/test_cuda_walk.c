/* Walks of the CUDA plugin, which need no GPU: plugins/cuda/walk.c.  What a walk is made into is checked by going over its
 * positions one by one. */
#include <stdlib.h>
#include <string.h>

#include "mt_test.h"
#include "walk.h"

enum { ARRAYS = 3, MOST = 4096 };

/* ---- going over a walk as kernels do ---- */

/* Offsets of the arrays at a position. */
struct at {
	int64_t of[ARRAYS];
};

static struct at locate(const struct mt_cuda_walk *w, int64_t position) {
	struct at at = {{0}};
	for (int d = w->rank - 1; d >= 0; d--) {
		int64_t index = d > 0 ? position % w->shape[d] : position;
		position = d > 0 ? position / w->shape[d] : 0;
		for (int k = 0; k < w->arrays; k++)
			at.of[k] += index * w->stride[k][d];
	}
	return at;
}

static int64_t list_walk(const struct mt_cuda_walk *w, struct at *list) {
	for (int64_t i = 0; i < w->count; i++)
		list[i] = locate(w, i);
	return w->count;
}

/* The same of a shape and strides as they were given, in row-major order. */
static int64_t list_shape(int rank, const int64_t *shape, const int64_t *const *strides, struct at *list) {
	int64_t index[MT_MAX_RANK] = {0}, n = 0, count = 1;
	for (int d = 0; d < rank; d++)
		count *= shape[d];
	for (; n < count; n++) {
		list[n] = (struct at){{0}};
		for (int k = 0; k < ARRAYS; k++)
			for (int d = 0; d < rank; d++)
				list[n].of[k] += strides[k] ? index[d] * strides[k][d] : 0;
		for (int d = rank - 1; d >= 0 && ++index[d] == shape[d]; d--)
			index[d] = 0;
	}
	return n;
}

static int compare(const void *a, const void *b) {
	const struct at *x = a, *y = b;
	for (int k = ARRAYS - 1; k >= 0; k--)
		if (x->of[k] != y->of[k])
			return x->of[k] < y->of[k] ? -1 : 1;
	return 0;
}

static int same(const struct at *a, const struct at *b, int64_t n) {
	return memcmp(a, b, (size_t)n * sizeof *a) == 0;
}

static int same_in_any_order(struct at *a, struct at *b, int64_t n) {
	qsort(a, (size_t)n, sizeof *a, compare);
	qsort(b, (size_t)n, sizeof *b, compare);
	return same(a, b, n);
}

/* ---- random shapes, of views: permuted, stepped, reversed, broadcast ---- */

static uint64_t state = 1;

static int64_t draw(int64_t low, int64_t high) {
	state = state * 6364136223846793005u + 1442695040888963407u;
	return low + (int64_t)((state >> 33) % (uint64_t)(high - low + 1));
}

struct layout {
	int rank;
	int64_t shape[MT_MAX_RANK], stride[ARRAYS][MT_MAX_RANK];
	const int64_t *strides[ARRAYS];
};

static void draw_strides(const struct layout *l, int64_t *stride, int written) {
	int order[MT_MAX_RANK];
	for (int d = 0; d < l->rank; d++) {
		int at = draw(0, 2) ? d : (int)draw(0, d);
		memmove(order + at + 1, order + at, (size_t)(d - at) * sizeof *order);
		order[at] = d;
	}
	int64_t step = draw(0, 3) ? 1 : 2;
	for (int i = l->rank - 1; i >= 0; i--) {
		int d = order[i];
		stride[d] = draw(0, 7) ? step : -step;
		if (!written && draw(0, 3) == 0)
			stride[d] = 0;
		step *= l->shape[d] + (draw(0, 5) == 0);
	}
}

/* The last array is the output. */
static void draw_layout(struct layout *l) {
	int64_t numel = 1;
	memset(l, 0, sizeof *l);
	l->rank = (int)draw(0, MT_MAX_RANK);
	for (int d = 0; d < l->rank; d++) {
		l->shape[d] = draw(0, 3) ? draw(1, 6) : 1 + draw(0, 15);
		if (numel * l->shape[d] > MOST)
			l->shape[d] = 1;
		numel *= l->shape[d];
	}
	for (int k = 0; k < ARRAYS; k++) {
		draw_strides(l, l->stride[k], k == ARRAYS - 1);
		l->strides[k] = k < ARRAYS - 1 && draw(0, 5) == 0 ? NULL : l->stride[k];
	}
}

static struct at expected[MOST], got[MOST];

static void test_random_walks(void) {
	struct layout l;
	struct mt_cuda_walk w;
	for (int i = 0; i < 3000; i++) {
		draw_layout(&l);
		int64_t n = list_shape(l.rank, l.shape, l.strides, expected);
		mt_test_row("layout %d", i);
		mt__cuda_walk(&w, ARRAYS, l.rank, l.shape, l.strides);
		MT_REQUIRE(w.count == n && list_walk(&w, got) == n && same(got, expected, n));
		mt__cuda_walk_any_order(&w, ARRAYS, l.rank, l.shape, l.strides);
		MT_REQUIRE(w.count == n && list_walk(&w, got) == n && same_in_any_order(got, expected, n));
		for (int d = 1; d < w.rank; d++)
			MT_REQUIRE(llabs(w.stride[ARRAYS - 1][d - 1]) >= llabs(w.stride[ARRAYS - 1][d]));
	}
}

/* ---- merging ---- */

static void test_merging(void) {
	static const struct {
		const char *name;
		int rank;
		int64_t shape[4], a[4], b[4];
		int in_order, any_order; /* ranks of the walks */
	} rows[] = {
		{"a scalar", 0, {0}, {0}, {0}, 0, 0},
		{"ones", 3, {1, 1, 1}, {7, 3, 1}, {5, 5, 5}, 0, 0},
		{"contiguous", 3, {2, 3, 4}, {12, 4, 1}, {12, 4, 1}, 1, 1},
		{"with ones between", 4, {2, 1, 3, 1}, {3, 99, 1, 5}, {3, 0, 1, 7}, 1, 1},
		{"both transposed alike", 2, {3, 4}, {1, 3}, {1, 3}, 2, 1},
		{"one transposed", 2, {3, 4}, {1, 3}, {4, 1}, 2, 2},
		{"a row", 2, {3, 4}, {0, 1}, {4, 1}, 2, 2},
		{"a column", 2, {3, 4}, {1, 0}, {4, 1}, 2, 2},
		{"one number", 3, {3, 4, 5}, {0, 0, 0}, {20, 5, 1}, 1, 1},
		{"padded rows", 3, {2, 3, 4}, {24, 8, 1}, {12, 4, 1}, 2, 2},
		{"reversed", 2, {3, 4}, {-4, -1}, {4, 1}, 1, 1},
		{"stepped", 2, {3, 4}, {8, 2}, {4, 1}, 1, 1},
		{"channels last", 3, {2, 3, 20}, {60, 1, 3}, {60, 1, 3}, 3, 1},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const int64_t *strides[] = {rows[i].a, rows[i].b};
		struct mt_cuda_walk w;
		mt_test_row("%s", rows[i].name);
		mt__cuda_walk(&w, 2, rows[i].rank, rows[i].shape, strides);
		MT_CHECK_INT(w.rank, rows[i].in_order);
		MT_CHECK(mt__cuda_walk_is_contiguous(&w, 1) == (w.rank == 0 || (w.rank == 1 && w.stride[1][0] == 1)));
		mt__cuda_walk_any_order(&w, 2, rows[i].rank, rows[i].shape, strides);
		MT_CHECK_INT(w.rank, rows[i].any_order);
	}
}

static void test_empty(void) {
	static const int64_t shape[] = {3, 0, 2}, stride[] = {0, 2, 1};
	const int64_t *strides[] = {stride};
	struct mt_cuda_walk w;
	mt__cuda_walk(&w, 1, 3, shape, strides);
	MT_CHECK_INT(w.count, 0);
	MT_CHECK(mt__cuda_walk_is_narrow(&w));
}

/* ---- 32 bits ---- */

static const int64_t EDGE = INT64_C(1) << 31;

static void test_narrow(void) {
	static const struct {
		const char *name;
		int64_t shape[2], stride[2];
		int narrow;
	} rows[] = {
		{"2^31 - 1 elements", {1, INT32_MAX}, {0, 1}, 1},
		{"2^31 elements", {2, INT64_C(1) << 30}, {INT64_C(1) << 30, 1}, 0},
		{"2^31 positions of one element", {2, INT64_C(1) << 30}, {0, 0}, 0},
		{"the last offset is 2^31 - 1", {2, INT64_C(1) << 30}, {(INT64_C(1) << 30) - 1, 1}, 0},
		{"few elements, the last at 2^31 - 1", {2, 2}, {INT32_MAX - 5, 5}, 1},
		{"few elements, the last at 2^31", {2, 2}, {INT32_MAX - 5, 6}, 0},
		{"few elements, the last at -2^31", {2, 2}, {-INT32_MAX + 5, -6}, 1},
		{"few elements, the last at -2^31 - 1", {2, 2}, {-INT32_MAX + 5, -7}, 0},
		{"one reaches up, one down", {2, 2}, {INT32_MAX, -INT32_MAX}, 1},
		{"a stride that does not fit, along a single position", {1, 2}, {INT64_C(1) << 40, 1}, 1},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		static const int64_t none[] = {0, 0};
		const int64_t *first[] = {rows[i].stride, none}, *second[] = {none, rows[i].stride};
		struct mt_cuda_walk w;
		mt_test_row("%s", rows[i].name);
		mt__cuda_walk(&w, 2, 2, rows[i].shape, first);
		MT_CHECK_INT(mt__cuda_walk_is_narrow(&w), rows[i].narrow);
		mt__cuda_walk(&w, 2, 2, rows[i].shape, second);
		MT_CHECK_INT(mt__cuda_walk_is_narrow(&w), rows[i].narrow);
	}
}

/* Every piece is narrow; together they are the whole, without overlap. */
static void check_pieces(const struct mt_cuda_walk *w, int64_t most) {
	struct mt_cuda_pieces p;
	struct mt_cuda_walk piece;
	int64_t offset[MT_CUDA_WALKED], count = 0, pieces = 0, first = 0, last = 0;
	struct at end = locate(w, w->count - 1);
	mt__cuda_pieces(&p, w);
	while (mt__cuda_next_piece(&p, &piece, offset)) {
		MT_REQUIRE(mt__cuda_walk_is_narrow(&piece));
		struct at piece_end = locate(&piece, piece.count - 1);
		for (int k = 0; k < w->arrays; k++)
			last += offset[k] + piece_end.of[k] == end.of[k];
		first += offset[0] == 0 && count == 0;
		count += piece.count;
		pieces++;
	}
	MT_CHECK_INT(count, w->count);
	MT_CHECK(first == 1 && last >= w->arrays);
	MT_CHECK_MSG(pieces <= most, "%lld pieces", (long long)pieces);
}

static void test_pieces(void) {
	static const struct {
		const char *name;
		int rank;
		int64_t shape[3], a[3], b[3], most;
	} rows[] = {
		{"narrow", 2, {3, 5}, {5, 1}, {5, 1}, 1},
		{"2^33 + 3 elements", 1, {(INT64_C(1) << 33) + 3}, {1}, {1}, 9},
		{"2^31 elements", 1, {INT64_C(1) << 31}, {1}, {1}, 2},
		{"rows far apart", 2, {3, 4}, {INT64_C(1) << 34, 1}, {4, 1}, 3},
		{"a transpose of 2^34 elements", 2, {1 << 17, 1 << 17}, {1, 1 << 17}, {1 << 17, 1}, 256},
		{"one element seen 2^32 times", 2, {1 << 16, 1 << 16}, {0, 0}, {1 << 16, 1}, 4},
		{"reversed", 2, {1 << 17, 1 << 15}, {-(1 << 15), -1}, {1 << 15, 1}, 4},
		{"a stride over one position", 3, {1, 2, 2}, {INT64_C(1) << 50, 2, 1}, {0, INT64_C(1) << 33, 1}, 2},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const int64_t *strides[] = {rows[i].a, rows[i].b};
		struct mt_cuda_walk w;
		mt_test_row("%s", rows[i].name);
		mt__cuda_walk(&w, 2, rows[i].rank, rows[i].shape, strides);
		check_pieces(&w, rows[i].most);
	}
}

/* Strides so large that small walks are cut; each position is met once. */
static void test_random_pieces(void) {
	struct layout l;
	struct mt_cuda_walk w, piece;
	struct mt_cuda_pieces p;
	int64_t offset[MT_CUDA_WALKED];
	int cut = 0;
	for (int i = 0; i < 2000; i++) {
		draw_layout(&l);
		for (int k = 0; k < ARRAYS; k++)
			for (int d = 0; d < l.rank; d++)
				l.stride[k][d] *= INT64_C(1) << 27;
		int64_t n = list_shape(l.rank, l.shape, l.strides, expected), at = 0, pieces = 0;
		mt_test_row("layout %d", i);
		mt__cuda_walk_any_order(&w, ARRAYS, l.rank, l.shape, l.strides);
		mt__cuda_pieces(&p, &w);
		for (; mt__cuda_next_piece(&p, &piece, offset); pieces++) {
			MT_REQUIRE(mt__cuda_walk_is_narrow(&piece) && at + piece.count <= n);
			list_walk(&piece, got + at);
			for (int64_t e = at; e < at + piece.count; e++)
				for (int k = 0; k < ARRAYS; k++)
					got[e].of[k] += offset[k];
			at += piece.count;
		}
		MT_REQUIRE(at == n && same_in_any_order(got, expected, n));
		cut += pieces > 1;
	}
	MT_CHECK(cut > 500);
}

/* ---- packs ---- */

static void test_vector(void) {
	static const int size[] = {4, 2};
	static const struct {
		const char *name;
		int64_t shape[2], a[2], b[2];
		uintptr_t at_a, at_b;
		unsigned mask;
		int vector;
	} rows[] = {
		{"contiguous", {4, 8}, {8, 1}, {8, 1}, 256, 256, 3, 4},
		{"an extent of 6", {1, 6}, {0, 1}, {0, 1}, 256, 256, 3, 2},
		{"an extent of 7", {1, 7}, {0, 1}, {0, 1}, 256, 256, 3, 1},
		{"a at 8 bytes", {1, 8}, {0, 1}, {0, 1}, 264, 256, 3, 2},
		{"a at 4 bytes", {1, 8}, {0, 1}, {0, 1}, 260, 256, 3, 1},
		{"b at 4 bytes", {1, 8}, {0, 1}, {0, 1}, 256, 260, 3, 2},
		{"b at 8 bytes", {1, 8}, {0, 1}, {0, 1}, 256, 264, 3, 4},
		{"rows of b 10 apart", {4, 8}, {8, 1}, {10, 1}, 256, 256, 3, 2},
		{"a is stepped", {4, 8}, {16, 2}, {8, 1}, 256, 256, 3, 1},
		{"a is stepped, and not asked about", {4, 8}, {16, 2}, {8, 1}, 256, 256, 2, 8},
		{"one position", {1, 1}, {0, 0}, {0, 0}, 256, 256, 3, 1},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const int64_t *strides[] = {rows[i].a, rows[i].b};
		const void *address[] = {(const void *)rows[i].at_a, (const void *)rows[i].at_b};
		struct mt_cuda_walk w;
		mt_test_row("%s", rows[i].name);
		mt__cuda_walk(&w, 2, 2, rows[i].shape, strides);
		MT_CHECK_INT(mt__cuda_walk_vector(&w, rows[i].mask, address, size), rows[i].vector);
	}
}

static void test_packs(void) {
	static const int size[] = {4, 4};
	static const struct {
		const char *name;
		int64_t shape[2], a[2], b[2];
		uintptr_t at_a;
		int packs; /* 0: none */
		unsigned moving;
		int last;
	} rows[] = {
		{"contiguous", {4, 8}, {8, 1}, {8, 1}, 256, 8, 3, 4},
		{"the last pack has 3", {1, 11}, {0, 1}, {0, 1}, 256, 3, 3, 3},
		{"one pack of 1", {1, 2}, {0, 0}, {0, 1}, 256, 1, 2, 2},
		{"one pack, whole", {1, 4}, {0, 1}, {0, 1}, 256, 1, 3, 4},
		{"a is one number", {4, 8}, {0, 0}, {8, 1}, 256, 8, 2, 4},
		{"a is one number, at 4 bytes", {4, 8}, {0, 0}, {8, 1}, 260, 8, 2, 4},
		{"a is a column", {4, 8}, {3, 0}, {8, 1}, 256, 8, 2, 4},
		{"a is a row", {4, 8}, {0, 1}, {8, 1}, 256, 8, 3, 4},
		{"a is a row, at 8 bytes", {4, 8}, {0, 1}, {8, 1}, 264, 0, 0, 0},
		{"rows of 6", {4, 6}, {0, 1}, {6, 1}, 256, 0, 0, 0},
		{"rows of a 10 apart", {4, 8}, {10, 1}, {8, 1}, 256, 0, 0, 0},
		{"a is stepped", {1, 8}, {0, 2}, {0, 1}, 256, 0, 0, 0},
		{"a is reversed", {1, 8}, {0, -1}, {0, 1}, 256, 0, 0, 0},
		{"b is stepped", {1, 8}, {0, 1}, {0, 2}, 256, 0, 0, 0},
		{"one position", {1, 1}, {0, 0}, {0, 0}, 256, 0, 0, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const int64_t *strides[] = {rows[i].a, rows[i].b};
		const void *address[] = {(const void *)rows[i].at_a, (const void *)256};
		struct mt_cuda_walk w;
		struct mt_cuda_packs p = {.w = {.count = 0}};
		mt_test_row("%s", rows[i].name);
		mt__cuda_walk(&w, 2, 2, rows[i].shape, strides);
		MT_CHECK_INT(mt__cuda_walk_packs(&p, &w, 4, 2, address, size), rows[i].packs > 0);
		MT_CHECK_INT(p.w.count, rows[i].packs);
		MT_CHECK_INT(p.moving, rows[i].moving);
		MT_CHECK_INT(p.last, rows[i].last);
	}
}

/* The elements of all packs are the walk's positions, in its order; packs that move start at multiples of n. */
static int64_t list_packs(const struct mt_cuda_packs *p, int n, struct at *list) {
	int64_t count = 0;
	for (int64_t i = 0; i < p->w.count; i++) {
		struct at first = locate(&p->w, i);
		int elements = i + 1 < p->w.count ? n : p->last;
		for (int k = 0; k < ARRAYS; k++)
			MT_CHECK(!(p->moving >> k & 1u) || first.of[k] % n == 0);
		for (int j = 0; j < elements && count < MOST; j++, count++)
			for (int k = 0; k < ARRAYS; k++)
				list[count].of[k] = first.of[k] + (p->moving >> k & 1u ? j : 0);
	}
	return count;
}

static void test_random_packs(void) {
	static const int size[] = {2, 1, 4};
	static const void *const address[] = {(const void *)256, (const void *)512, (const void *)1024};
	struct layout l;
	struct mt_cuda_walk w;
	struct mt_cuda_packs p;
	int packed = 0;
	for (int i = 0; i < 6000; i++) {
		int n = 1 << draw(1, 3);
		draw_layout(&l);
		mt_test_row("layout %d", i);
		mt__cuda_walk_any_order(&w, ARRAYS, l.rank, l.shape, l.strides);
		if (!mt__cuda_walk_packs(&p, &w, n, 1u << (ARRAYS - 1), address, size))
			continue;
		packed++;
		MT_REQUIRE(p.moving >> (ARRAYS - 1) & 1u);
		int64_t count = list_walk(&w, expected);
		MT_REQUIRE(list_packs(&p, n, got) == count && same(got, expected, count));
	}
	MT_CHECK(packed > 500);
}

/* ---- transposes ---- */

static void test_transposes(void) {
	static const struct {
		const char *name;
		int rank;
		int64_t shape[3], x[3], out[3];
		int across_bits, down_bits; /* 0: it is none */
	} rows[] = {
		{"a matrix", 2, {1000, 700}, {1, 1000}, {700, 1}, 6, 6},
		{"of a padded one", 2, {1000, 700}, {1, 1024}, {800, 1}, 6, 6},
		{"channels last to first", 3, {8, 64, 3136}, {200704, 1, 64}, {200704, 3136, 1}, 6, 6},
		{"channels first to last", 3, {8, 3136, 64}, {200704, 1, 3136}, {200704, 64, 1}, 6, 6},
		{"into another order", 2, {1000, 700}, {700, 1}, {1, 1000}, 6, 6},
		{"a long one", 2, {4, 5000}, {1, 4}, {5000, 1}, 2, 8},
		{"a high one", 2, {5000, 9}, {1, 5000}, {9, 1}, 8, 4},
		{"a batch of small ones", 3, {500, 16, 16}, {256, 1, 16}, {256, 16, 1}, 4, 4},
		{"a batch of tiny ones", 3, {500, 8, 8}, {64, 1, 8}, {64, 8, 1}, 0, 0},
		{"three channels", 2, {3, 5000}, {1, 3}, {5000, 1}, 0, 0},
		{"contiguous", 2, {1000, 700}, {700, 1}, {700, 1}, 0, 0},
		{"x is a column", 2, {1000, 700}, {1, 0}, {700, 1}, 0, 0},
		{"x is stepped", 2, {1000, 700}, {2, 2000}, {700, 1}, 0, 0},
		{"out is stepped", 2, {1000, 700}, {1, 1000}, {1400, 2}, 0, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const int64_t *strides[] = {rows[i].x, rows[i].out};
		struct mt_cuda_walk w;
		struct mt_cuda_transpose t = {.across_bits = 0};
		mt_test_row("%s", rows[i].name);
		mt__cuda_walk_any_order(&w, 2, rows[i].rank, rows[i].shape, strides);
		MT_CHECK_INT(mt__cuda_walk_transpose(&t, &w), rows[i].across_bits > 0);
		if (rows[i].across_bits == 0)
			continue;
		MT_CHECK_INT(t.across_bits, rows[i].across_bits);
		MT_CHECK_INT(t.down_bits, rows[i].down_bits);
		MT_CHECK(t.across * t.down * t.outer.count == w.count);
		MT_CHECK(t.x_down != 1 && t.out_across != 1);
	}
}

/* No tile needs more shared memory than a block has without asking: 48 KiB, of elements of 8 bytes and a column more. */
static void test_tiles(void) {
	for (int64_t across = 4; across < 400; across++)
		for (int64_t down = 4; down < 400; down += 1 + down / 40) {
			const int64_t shape[] = {across, down}, x[] = {1, across}, out[] = {down, 1};
			const int64_t *strides[] = {x, out};
			struct mt_cuda_walk w;
			struct mt_cuda_transpose t;
			mt__cuda_walk_any_order(&w, 2, 2, shape, strides);
			if (!mt__cuda_walk_transpose(&t, &w))
				continue;
			mt_test_row("%lld × %lld", (long long)across, (long long)down);
			MT_REQUIRE((((1 << t.across_bits) + 1) << t.down_bits) * 8 <= 48 << 10);
			MT_REQUIRE(t.across_bits <= 8 && t.down_bits <= 8 && t.across_bits + t.down_bits >= 8);
		}
}

/* ---- division ---- */

static void check_divider(int64_t divisor) {
	static const uint32_t ends[] = {0, 1, 2, 3, INT32_MAX - 1, INT32_MAX};
	struct mt_cuda_divider d = mt__cuda_divider(divisor);
	uint32_t by = (uint32_t)divisor, most = INT32_MAX / by, wrong = 0;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		wrong += mt__cuda_quotient(&d, ends[i]) != ends[i] / by;
	for (int i = 0; i < 200; i++) { /* around multiples, where a quotient changes */
		uint32_t multiple = (i < 4 ? (i < 2 ? (uint32_t)i : most - (uint32_t)i % 2) : (uint32_t)draw(0, most)) * by;
		for (uint32_t n = multiple - (multiple > 0); n <= multiple + 1 && n <= INT32_MAX; n++)
			wrong += mt__cuda_quotient(&d, n) != n / by;
	}
	MT_CHECK_MSG(wrong == 0 && d.divisor == divisor, "%u quotients by %lld are wrong", wrong, (long long)divisor);
}

static void test_divider(void) {
	for (int64_t d = 1; d <= 3000; d++)
		check_divider(d);
	for (int bits = 1; bits < 32; bits++)
		for (int64_t d = (INT64_C(1) << bits) - 2; d <= (INT64_C(1) << bits) + 2; d++)
			if (d >= 1 && d < EDGE)
				check_divider(d);
	for (int i = 0; i < 3000; i++)
		check_divider(draw(1, INT32_MAX));
	check_divider(INT32_MAX);
}

/* ---- launch geometry ---- */

static void test_blocks(void) {
	MT_CHECK_INT(mt__cuda_blocks(0, 256, 100), 1);
	MT_CHECK_INT(mt__cuda_blocks(1, 256, 100), 1);
	MT_CHECK_INT(mt__cuda_blocks(256, 256, 100), 1);
	MT_CHECK_INT(mt__cuda_blocks(257, 256, 100), 2);
	MT_CHECK_INT(mt__cuda_blocks(25600, 256, 100), 100);
	MT_CHECK_INT(mt__cuda_blocks(25601, 256, 100), 100);
	MT_CHECK_INT(mt__cuda_blocks(INT64_MAX, 256, INT32_MAX), INT32_MAX);
	MT_CHECK_INT(mt__cuda_power_of_two(0, 32, 1024), 32);
	MT_CHECK_INT(mt__cuda_power_of_two(32, 32, 1024), 32);
	MT_CHECK_INT(mt__cuda_power_of_two(33, 32, 1024), 64);
	MT_CHECK_INT(mt__cuda_power_of_two(1024, 32, 1024), 1024);
	MT_CHECK_INT(mt__cuda_power_of_two(INT64_MAX, 32, 1024), 1024);
}

static const mt_test_case walks[] = {
	{"random", test_random_walks}, {"merging", test_merging}, {"empty", test_empty}, {0}};
static const mt_test_case bits[] = {
	{"narrow", test_narrow}, {"pieces", test_pieces}, {"random_pieces", test_random_pieces}, {0}};
static const mt_test_case packs[] = {
	{"vector", test_vector}, {"packs", test_packs}, {"random_packs", test_random_packs}, {0}};
static const mt_test_case rest[] = {
	{"transposes", test_transposes}, {"tiles", test_tiles}, {"divider", test_divider}, {"blocks", test_blocks}, {0}};
static const mt_test_suite suites[] = {{"walk", walks, NULL, NULL},
                                       {"32_bits", bits, NULL, NULL},
                                       {"packs", packs, NULL, NULL},
                                       {"launch", rest, NULL, NULL},
                                       {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
