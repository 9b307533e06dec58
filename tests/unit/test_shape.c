/* Shapes: sizes, text, broadcasting, strides of views, overlap. */
#include <stdint.h>
#include <string.h>

#include "backends.h"
#include "tensor/shape.h"
#include "tensor/tensor.h"

#define BIG (INT64_C(1) << 40)

static void test_numel(void) {
	static const struct {
		int rank;
		int64_t shape[4];
		int64_t numel;
	} rows[] = {
		{0, {0}, 1},
		{1, {5}, 5},
		{3, {2, 0, 3}, 0},
		{2, {BIG, 1 << 22}, INT64_C(1) << 62},
		{2, {BIG, 1 << 23}, -1},
		{3, {0, BIG, BIG}, -1},
		{2, {2, -1}, -1},
		{2, {0, -1}, -1},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("%zu", i);
		MT_CHECK_INT(mt__numel(rows[i].rank, rows[i].shape), rows[i].numel);
	}
}

static void test_text(void) {
	char text[MT__SHAPE_TEXT];
	MT_CHECK_STR(mt__shape_text(text, 0, NULL), "[]");
	MT_CHECK_STR(mt__shape_text(text, 1, (int64_t[]){7}), "[7]");
	MT_CHECK_STR(mt__shape_text(text, 3, (int64_t[]){2, 0, -1}), "[2, 0, -1]");
	int64_t longest[MT_MAX_RANK];
	for (int d = 0; d < MT_MAX_RANK; d++)
		longest[d] = INT64_MIN;
	MT_CHECK_INT(strlen(mt__shape_text(text, MT_MAX_RANK, longest)), 8 * 20 + 7 * 2 + 2);
	mt_tensor t = {.dtype = MT_BF16, .rank = MT_MAX_RANK};
	memcpy(t.shape, longest, sizeof longest);
	MT_CHECK_INT(strlen(mt__tensor_text(text, &t)), 4 + 8 * 20 + 7 * 2 + 2);
}

static void test_dims(void) {
	mt_tensor t = {.rank = 3, .shape = {4, 5, 6}};
	MT_CHECK_INT(mt__dim("op", &t, 0), 0);
	MT_CHECK_INT(mt__dim("op", &t, -1), 2);
	MT_CHECK_INT(mt__dim("op", &t, -3), 0);
	MT_CHECK_INT(mt__dim("op", &t, 3), -1);
	CHECK_ERROR(MT_E_ARG, "op: dim 3 is out of range for shape [4, 5, 6]");
	MT_CHECK_INT(mt__dim("op", &t, INT32_MIN), -1);
	CHECK_ERROR(MT_E_ARG, "op: dim -2147483648");
	t.rank = 0;
	MT_CHECK_INT(mt__dim("op", &t, 0), -1);
	CHECK_ERROR(MT_E_ARG, "for shape []");
}

static void test_broadcast(void) {
	static const struct {
		int rank_a, rank_b;
		int64_t a[4], b[4];
		int rank; /* −1: refused */
		int64_t out[4];
	} rows[] = {
		{2, 2, {2, 3}, {2, 3}, 2, {2, 3}}, {0, 2, {0}, {2, 3}, 2, {2, 3}},
		{1, 2, {3}, {2, 1}, 2, {2, 3}},    {3, 1, {4, 1, 1}, {5}, 3, {4, 1, 5}},
		{2, 2, {0, 3}, {1, 3}, 2, {0, 3}}, {1, 1, {0}, {1}, 1, {0}},
		{1, 1, {0}, {2}, -1, {0}},         {2, 2, {2, 3}, {3, 2}, -1, {0}},
		{2, 1, {2, 3}, {2}, -1, {0}},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		for (int swap = 0; swap < 2; swap++) {
			int rank = -2;
			int64_t out[MT_MAX_RANK];
			mt_test_row("%zu, swap %d", i, swap);
			mt_status status =
				swap ? mt__broadcast("op", rows[i].rank_b, rows[i].b, rows[i].rank_a, rows[i].a, &rank, out)
					 : mt__broadcast("op", rows[i].rank_a, rows[i].a, rows[i].rank_b, rows[i].b, &rank, out);
			MT_CHECK_INT(status, rows[i].rank < 0 ? MT_E_SHAPE : MT_OK);
			if (status != MT_OK) {
				CHECK_ERROR(MT_E_SHAPE, "do not broadcast");
				continue;
			}
			MT_CHECK_INT(rank, rows[i].rank);
			MT_CHECK(memcmp(out, rows[i].out, (size_t)rank * sizeof *out) == 0);
		}
	}
	mt__broadcast("matmul", 2, (int64_t[]){2, 3}, 1, (int64_t[]){4}, &(int){0}, (int64_t[MT_MAX_RANK]){0});
	CHECK_ERROR(MT_E_SHAPE, "matmul: shapes [2, 3] and [4] do not broadcast");
}

/* Elements of a view by its strides are those of its source, in row-major order: checked one by one. */
static int same_elements(const mt_tensor *x, int rank, const int64_t *shape, const int64_t *stride) {
	for (int64_t i = 0; i < x->numel; i++) {
		int64_t at_x = 0, at_y = 0, rest_x = i, rest_y = i;
		for (int d = x->rank - 1; d >= 0; d--) {
			at_x += rest_x % x->shape[d] * x->stride[d];
			rest_x /= x->shape[d];
		}
		for (int d = rank - 1; d >= 0; d--) {
			at_y += rest_y % shape[d] * stride[d];
			rest_y /= shape[d];
		}
		if (at_x != at_y)
			return 0;
	}
	return 1;
}

static void test_view_strides(void) {
	static const struct {
		int rank;
		int64_t shape[4], stride[4];
		int new_rank;
		int64_t new_shape[4];
		int possible;
	} rows[] = {
		{2, {4, 6}, {6, 1}, 1, {24}, 1},
		{2, {4, 6}, {6, 1}, 4, {2, 2, 3, 2}, 1},
		{2, {6, 4}, {1, 6}, 1, {24}, 0},
		{2, {6, 4}, {1, 6}, 3, {2, 3, 4}, 1},
		{2, {6, 4}, {1, 6}, 3, {6, 2, 2}, 1},
		{2, {6, 4}, {1, 6}, 2, {4, 6}, 0},
		{2, {4, 3}, {6, 1}, 1, {12}, 0}, /* a slice with gaps */
		{2, {4, 3}, {6, 1}, 3, {2, 2, 3}, 1},
		{1, {5}, {-1}, 2, {5, 1}, 1}, /* flipped */
		{1, {6}, {-1}, 2, {2, 3}, 1},
		{2, {2, 3}, {-3, -1}, 1, {6}, 1}, /* flipped as a whole */
		{2, {2, 3}, {3, -1}, 1, {6}, 0},
		{2, {4, 3}, {0, 1}, 1, {12}, 0}, /* expanded */
		{2, {3, 4}, {0, 0}, 1, {12}, 1}, /* all at one place */
		{2, {3, 4}, {1, 0}, 1, {12}, 0},
		{3, {2, 1, 3}, {3, 77, 1}, 1, {6}, 1}, /* the stride of extent 1 is any */
		{3, {1, 1, 4}, {INT64_MAX, INT64_MIN, 1}, 2, {2, 2}, 1},
		{2, {4, 1}, {1, INT64_MAX}, 2, {2, 2}, 1},
		{0, {0}, {0}, 3, {1, 1, 1}, 1},
		{1, {1}, {9}, 0, {0}, 1},
		{2, {0, 3}, {1, 1}, 3, {7, 0, 2}, 1},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_tensor x = {.rank = rows[i].rank};
		int64_t stride[MT_MAX_RANK];
		mt_test_row("%zu", i);
		memcpy(x.shape, rows[i].shape, sizeof rows[i].shape);
		memcpy(x.stride, rows[i].stride, sizeof rows[i].stride);
		x.numel = mt__numel(x.rank, x.shape);
		int possible = mt__view_strides(&x, rows[i].new_rank, rows[i].new_shape, stride);
		MT_CHECK_INT(possible, rows[i].possible);
		if (possible)
			MT_CHECK(same_elements(&x, rows[i].new_rank, rows[i].new_shape, stride));
	}
}

/* Against a count of the positions: overlap may be claimed where there is none, never the other way round. */
static void test_overlap(void) {
	int claimed = 0, wrong = 0, missed = 0;
	for (int64_t e0 = 0; e0 <= 4; e0++)
		for (int64_t e1 = 0; e1 <= 4; e1++)
			for (int64_t s0 = -6; s0 <= 6; s0++)
				for (int64_t s1 = -6; s1 <= 6; s1++) {
					const int64_t shape[2] = {e0, e1}, stride[2] = {s0, s1};
					int seen[80] = {0}, twice = 0;
					for (int64_t i = 0; i < e0; i++)
						for (int64_t j = 0; j < e1; j++)
							twice |= seen[40 + i * s0 + j * s1]++ > 0;
					int overlap = mt__self_overlap(2, shape, stride);
					claimed += overlap;
					missed += twice && !overlap;
					wrong += overlap && !twice;
				}
	MT_CHECK_INT(missed, 0);
	MT_CHECK_MSG(wrong * 3 < claimed, "%d of %d claims are wrong", wrong, claimed);
	MT_CHECK(!mt__self_overlap(3, (int64_t[]){2, 3, 4}, (int64_t[]){12, 4, 1}));
	MT_CHECK(!mt__self_overlap(3, (int64_t[]){4, 2, 3}, (int64_t[]){-1, 12, 4}));
	MT_CHECK(mt__self_overlap(2, (int64_t[]){3, 2}, (int64_t[]){1, 1}));
	MT_CHECK(mt__self_overlap(1, (int64_t[]){2}, (int64_t[]){0}));
}

static void test_reach(void) {
	static const struct {
		int rank;
		int64_t shape[3], stride[3];
		int ok;
		int64_t low, high;
	} rows[] = {
		{0, {0}, {0}, 1, 0, 0},
		{2, {2, 3}, {3, 1}, 1, 0, 5},
		{2, {2, 3}, {-3, 1}, 1, -3, 2},
		{1, {5}, {0}, 1, 0, 0},
		{2, {0, 3}, {INT64_MAX, INT64_MAX}, 1, 0, -1},
		{1, {3}, {INT64_MAX}, 0, 0, 0},
		{2, {2, 2}, {INT64_MAX, INT64_MAX}, 0, 0, 0},
		{1, {1}, {INT64_MIN}, 1, 0, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t low = 1, high = 1;
		mt_test_row("%zu", i);
		MT_CHECK_INT(mt__reach(rows[i].rank, rows[i].shape, rows[i].stride, &low, &high), rows[i].ok);
		if (rows[i].ok)
			MT_CHECK(low == rows[i].low && high == rows[i].high);
	}
}

static const mt_test_case cases[] = {
	{"numel", test_numel},
	{"text", test_text},
	{"dims", test_dims},
	{"broadcast", test_broadcast},
	{"view_strides", test_view_strides},
	{"overlap", test_overlap},
	{"reach", test_reach},
	{NULL, NULL},
};
static const mt_test_suite suites[] = {{"shape", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
