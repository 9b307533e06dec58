/* tril, triu, diagonal, pad, roll, repeat: values against plain loops in every layout and dtype, gradients, edges. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "linear.h"
#include "oracle.h"

#define RANK 3
static const int64_t extents[RANK] = {2, 5, 4};
static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16, MT_BF16, MT_I32, MT_I64, MT_U8, MT_BOOL};

static mt_tensor *whole_numbers(enum layout layout, mt_dtype dtype) {
	int64_t base[RANK];
	base_shape(layout, RANK, extents, base);
	mt_tensor *whole = mt_cast(mt_floor(random_like(RANK, base, MT_F64, 1, 9, 3)), dtype);
	return lay_out(whole, layout, RANK, extents);
}

/* An op by its arguments. */
struct rearrangement {
	enum { TRIL, TRIU, DIAGONAL, PAD, ROLL, REPEAT } op;
	int64_t a[6];
	int n, mode;
};

static const char *const op_names[] = {"tril", "triu", "diagonal", "pad", "roll", "repeat"};

static mt_tensor *apply(mt_tensor *x, const void *context) {
	const struct rearrangement *r = context;
	switch (r->op) {
	case TRIL:
		return mt_tril(x, r->a[0]);
	case TRIU:
		return mt_triu(x, r->a[0]);
	case DIAGONAL:
		return mt_diagonal(x, r->a[0], (int)r->a[1], (int)r->a[2]);
	case PAD:
		return mt_pad(x, r->n, r->a, r->mode, mt_i(0));
	case ROLL:
		return mt_roll(x, r->a[0], (int)r->a[1]);
	default:
		return mt_repeat(x, r->n, r->a);
	}
}

/* ---- by definition: the element of x that each element of the result is (−1: 0) ------------------------------------- */

struct result {
	int rank;
	int64_t shape[8], numel;
};

static struct result shape_of(const struct rearrangement *r) {
	struct result s = {RANK, {extents[0], extents[1], extents[2]}, 1};
	if (r->op == DIAGONAL) {
		int d0 = (int)(r->a[1] + RANK) % RANK, d1 = (int)(r->a[2] + RANK) % RANK;
		int64_t n0 = extents[d0] + (r->a[0] < 0 ? r->a[0] : 0), n1 = extents[d1] - (r->a[0] > 0 ? r->a[0] : 0);
		int64_t n = n0 < n1 ? n0 : n1;
		s = (struct result){2, {extents[3 - d0 - d1], n > 0 ? n : 0}, 1};
	} else if (r->op == PAD) {
		for (int i = 0; i < r->n; i++)
			s.shape[RANK - 1 - i] += r->a[2 * i] + r->a[2 * i + 1];
	} else if (r->op == REPEAT) {
		s.rank = r->n;
		for (int d = 0; d < r->n; d++)
			s.shape[d] = r->a[d] * (d < r->n - RANK ? 1 : extents[d - (r->n - RANK)]);
	}
	for (int d = 0; d < s.rank; d++)
		s.numel *= s.shape[d];
	return s;
}

/* Index i of a padded dim as an index of x. */
static int64_t unpadded(int64_t i, int64_t n, int mode) {
	switch (mode) {
	case MT_PAD_REFLECT:
		return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
	case MT_PAD_REPLICATE:
		return i < 0 ? 0 : i >= n ? n - 1 : i;
	case MT_PAD_CIRCULAR:
		return (i + n) % n;
	default:
		return i < 0 || i >= n ? -1 : i;
	}
}

static int64_t source(const struct rearrangement *r, const struct result *s, int64_t element) {
	int64_t at[8] = {0}, x[RANK] = {0};
	for (int d = s->rank - 1; d >= 0; d--) {
		at[d] = element % s->shape[d];
		element /= s->shape[d];
	}
	for (int d = 0; d < RANK; d++)
		x[d] = at[d];
	if ((r->op == TRIL && at[2] - at[1] > r->a[0]) || (r->op == TRIU && at[2] - at[1] < r->a[0]))
		return -1;
	if (r->op == DIAGONAL) {
		int d0 = (int)(r->a[1] + RANK) % RANK, d1 = (int)(r->a[2] + RANK) % RANK;
		x[3 - d0 - d1] = at[0];
		x[d0] = at[1] + (r->a[0] < 0 ? -r->a[0] : 0);
		x[d1] = at[1] + (r->a[0] > 0 ? r->a[0] : 0);
	}
	for (int i = 0; r->op == PAD && i < r->n; i++) {
		int d = RANK - 1 - i;
		if ((x[d] = unpadded(at[d] - r->a[2 * i], extents[d], r->mode)) < 0)
			return -1;
	}
	if (r->op == ROLL) {
		int d = (int)(r->a[1] + RANK) % RANK;
		x[d] = ((at[d] - r->a[0]) % extents[d] + extents[d]) % extents[d];
	}
	for (int d = 0; r->op == REPEAT && d < RANK; d++)
		x[d] = at[s->rank - RANK + d] % extents[d];
	return (x[0] * extents[1] + x[1]) * extents[2] + x[2];
}

/* ---- the cases ---------------------------------------------------------------------------------------------------- */

static const struct rearrangement rows[] = {
	{TRIL, {0}, 0, 0},
	{TRIL, {1}, 0, 0},
	{TRIL, {-2}, 0, 0},
	{TRIL, {9}, 0, 0},
	{TRIL, {-9}, 0, 0},
	{TRIU, {0}, 0, 0},
	{TRIU, {2}, 0, 0},
	{TRIU, {-1}, 0, 0},
	{TRIU, {INT64_MAX}, 0, 0},
	{TRIU, {INT64_MIN}, 0, 0},
	{DIAGONAL, {0, 0, 1}, 0, 0},
	{DIAGONAL, {1, -2, -1}, 0, 0},
	{DIAGONAL, {-3, 1, 2}, 0, 0},
	{DIAGONAL, {-1, 2, 0}, 0, 0},
	{DIAGONAL, {4, 2, 1}, 0, 0},
	{DIAGONAL, {7, 1, 2}, 0, 0},
	{DIAGONAL, {-5, 1, 2}, 0, 0},
	{PAD, {0}, 0, MT_PAD_CONSTANT},
	{PAD, {1, 2}, 1, MT_PAD_CONSTANT},
	{PAD, {0, 3, 2, 0}, 2, MT_PAD_CONSTANT},
	{PAD, {1, 1, 0, 2, 1, 0}, 3, MT_PAD_CONSTANT},
	{PAD, {-1, 2, 1, -2}, 2, MT_PAD_CONSTANT},
	{PAD, {-2, -2}, 1, MT_PAD_CONSTANT},
	{PAD, {-5, 3}, 1, MT_PAD_CONSTANT},
	{PAD, {0, 0, -2, 1, -1, 0}, 3, MT_PAD_CONSTANT},
	{PAD, {3, 2}, 1, MT_PAD_REFLECT},
	{PAD, {1, 0, 4, 3}, 2, MT_PAD_REFLECT},
	{PAD, {0, 2, 1, 1, 1, 0}, 3, MT_PAD_REFLECT},
	{PAD, {0}, 0, MT_PAD_REFLECT},
	{PAD, {6, 0}, 1, MT_PAD_REPLICATE},
	{PAD, {1, 2, 3, 1, 0, 2}, 3, MT_PAD_REPLICATE},
	{PAD, {4, 4}, 1, MT_PAD_CIRCULAR},
	{PAD, {1, 0, 2, 5, 1, 2}, 3, MT_PAD_CIRCULAR},
	{ROLL, {0, 1}, 0, 0},
	{ROLL, {2, 1}, 0, 0},
	{ROLL, {-1, -1}, 0, 0},
	{ROLL, {13, 0}, 0, 0},
	{ROLL, {-11, 2}, 0, 0},
	{REPEAT, {1, 1, 1}, 3, 0},
	{REPEAT, {2, 1, 3}, 3, 0},
	{REPEAT, {2, 3, 1, 2, 1}, 5, 0},
	{REPEAT, {1, 0, 2}, 3, 0},
	{REPEAT, {0, 1, 1, 1}, 4, 0},
};
#define N_ROWS ((int)(sizeof rows / sizeof *rows))

static void name_row(int i, const char *what) {
	const struct rearrangement *r = &rows[i];
	row("%s %lld %lld %lld (row %d, mode %d), %s", op_names[r->op], (long long)r->a[0], (long long)r->a[1],
	    (long long)r->a[2], i, r->mode, what);
}

static void values_on_device(void) {
	for (int i = 0; i < N_ROWS; i++)
		for (int l = 0; l < N_LAYOUTS; l++)
			for (int d = 0; d < 8; d++) {
				mt_scope *scope = mt_scope_begin();
				name_row(i, layout_name(l));
				struct result s = shape_of(&rows[i]);
				mt_tensor *x = whole_numbers(l, dtypes[d]), *y = apply(x, &rows[i]);
				double *from = elements(x), *want = calloc((size_t)s.numel + 1, sizeof *want);
				for (int64_t e = 0; e < s.numel; e++) {
					int64_t at = source(&rows[i], &s, e);
					want[e] = at < 0 ? 0 : from[at];
				}
				CHECK_CLOSE(y, want, s.numel, 0, 0);
				check_shape(y, s.rank, s.shape, __FILE__, __LINE__, "y");
				MT_CHECK_INT(mt_tensor_dtype(y), dtypes[d]);
				MT_CHECK_INT(mt_tensor_shares_storage(x, y), rows[i].op == DIAGONAL);
				free(from);
				free(want);
				mt_scope_end(scope);
			}
}

static void values(void) {
	each_backend(values_on_device);
}

static void gradients_on_device(void) {
	for (int i = 0; i < N_ROWS; i++) {
		name_row(i, "gradient");
		int again = rows[i].op <= TRIU || (rows[i].op == PAD && rows[i].mode == MT_PAD_CONSTANT);
		check_linear(apply, &rows[i], RANK, extents, again);
	}
}

static void gradients(void) {
	each_backend(gradients_on_device);
}

/* ---- edges -------------------------------------------------------------------------------------------------------- */

static void edges_on_device(void) {
	mt_tensor *x = counting(MT_SHAPE(2, 3), MT_F32), *none = mt_zeros(MT_SHAPE(2, 0), MT_F32);
	mt_tensor *number = mt_scalar_tensor(mt_f(3), MT_F32);
	const int64_t ones[] = {1, 1, 1, 1};
	row("values around, in x's dtype");
	CHECK_VALUES(mt_pad(mt_ones(MT_SHAPE(1), MT_F32), 1, ones, 0, mt_f(-INFINITY)), -INFINITY, 1, -INFINITY);
	CHECK_VALUES(mt_pad(mt_ones(MT_SHAPE(1), MT_I32), 1, ones, 0, mt_i(-7)), -7, 1, -7);
	CHECK_VALUES(mt_pad(mt_zeros(MT_SHAPE(1), MT_BOOL), 1, ones, 0, mt_i(5)), 1, 0, 1);
	row("what is cut away does not count, NaN neither");
	mt_tensor *nan = mt_full(MT_SHAPE(2, 2), MT_F32, mt_f(NAN));
	CHECK_VALUES(mt_tril(nan, 0), NAN, 0, NAN, NAN);
	CHECK_VALUES(mt_triu(nan, 1), 0, NAN, 0, 0);
	row("no elements");
	CHECK_SHAPE(mt_tril(none, 0), 2, 0);
	CHECK_SHAPE(mt_diagonal(none, 0, 0, 1), 0);
	CHECK_SHAPE(mt_diagonal(none, INT64_MIN, 1, 0), 0);
	CHECK_VALUES(mt_pad(none, 1, ones, 0, mt_i(4)), 4, 4, 4, 4);
	CHECK_SHAPE(mt_roll(none, 3, 1), 2, 0);
	CHECK_SHAPE(mt_repeat(none, 2, (const int64_t[]){3, 2}), 6, 0);
	CHECK_SHAPE(mt_repeat(x, 2, (const int64_t[]){1000000000000, 0}), 2000000000000, 0);
	row("0-d");
	CHECK_SHAPE0(mt_pad(number, 0, NULL, 0, mt_i(1)));
	CHECK_VALUES(mt_repeat(number, 2, (const int64_t[]){2, 2}), 3, 3, 3, 3);
	CHECK_SHAPE0(mt_repeat(number, 0, NULL));
	row("8 dims");
	mt_tensor *deep = mt_reshape(x, MT_SHAPE(1, 1, 2, 1, 1, 3, 1, 1));
	CHECK_SHAPE(mt_repeat(deep, 8, (const int64_t[]){1, 2, 1, 1, 1, 2, 1, 2}), 1, 2, 2, 1, 1, 6, 1, 2);
	row("a written diagonal is a written matrix");
	mt_tensor *square = mt_zeros(MT_SHAPE(3, 3), MT_F32);
	mt_fill_(mt_diagonal(square, 1, 0, 1), mt_i(7));
	CHECK_VALUES(square, 0, 7, 0, 0, 0, 7, 0, 0, 0);
	row("many elements");
	int64_t n = 70001;
	mt_tensor *count = mt_arange(mt_i(0), mt_i(n), mt_i(1), MT_F64), *wide = mt_expand(count, MT_SHAPE(2, n));
	CHECK_VALUES(mt_sum(mt_tril(wide, n - 2), MT_AXES(1), 0), 35000.0 * 70001 - 70000, 35000.0 * 70001);
	CHECK_VALUES(mt_sum(mt_repeat(count, 2, (const int64_t[]){2, 3}), MT_AXES(1), 0), 105000.0 * 70001,
	             105000.0 * 70001);
	CHECK_VALUES(mt_slice(mt_roll(count, -70000, 0), 0, 0, 3, 1), 70000, 0, 1);
	CHECK_VALUES(mt_slice(mt_pad(count, 1, (const int64_t[]){70000, 1}, MT_PAD_REFLECT, mt_i(0)), 0, 0, MT_END, 70000),
	             70000, 0, 70000);
}

static void edges(void) {
	each_backend(edges_on_device);
}

static void errors(void) {
	mt_tensor *x = mt_zeros(MT_SHAPE(2, 3), MT_F32), *line = mt_zeros(MT_SHAPE(3), MT_F32);
	const int64_t two[] = {3, 3, 2, 2}, huge[] = {INT64_MAX, 1}, low[] = {INT64_MIN, INT64_MAX}, crop[] = {-2, -2};
	MT_CHECK(mt_tril(line, 0) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "tril: x is f32[3]; two dims or more are needed");
	MT_CHECK(mt_triu(NULL, 0) == NULL);
	CHECK_ERROR(MT_E_NULL, "triu");
	MT_CHECK(mt_diagonal(x, 0, 1, -1) == NULL);
	CHECK_ERROR(MT_E_ARG, "diagonal: dim0 and dim1 are both 1 of f32[2, 3]");
	MT_CHECK(mt_diagonal(line, 0, 0, 1) == NULL);
	CHECK_ERROR(MT_E_ARG, "diagonal: dim 1 is out of range");
	MT_CHECK(mt_pad(x, 3, two, 0, mt_i(0)) == NULL);
	CHECK_ERROR(MT_E_ARG, "pad: 3 pairs for f32[2, 3]");
	MT_CHECK(mt_pad(x, 1, NULL, 0, mt_i(0)) == NULL);
	CHECK_ERROR(MT_E_NULL, "pads");
	MT_CHECK(mt_pad(x, 1, two, 4, mt_i(0)) == NULL);
	CHECK_ERROR(MT_E_ARG, "pad: mode is 4");
	MT_CHECK(mt_pad(x, 1, two, MT_PAD_REFLECT, mt_i(0)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "pad: dim 1 of f32[2, 3] cannot be padded by 3 and 3: reflect needs pads below the extent");
	MT_CHECK(mt_pad(x, 2, (const int64_t[]){3, 3, 0, 3}, MT_PAD_CIRCULAR, mt_i(0)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "pad: dim 0 of f32[2, 3] cannot be padded by 0 and 3: circular");
	MT_CHECK(mt_pad(x, 1, crop, MT_PAD_CIRCULAR, mt_i(0)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "only constant padding may be negative");
	MT_CHECK(mt_pad(mt_zeros(MT_SHAPE(0), MT_F32), 1, two, MT_PAD_REPLICATE, mt_i(0)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "there is nothing to replicate");
	MT_CHECK(mt_pad(x, 1, crop, MT_PAD_CONSTANT, mt_i(0)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "padded by -2 and -2: no extent would result");
	MT_CHECK(mt_pad(x, 1, huge, 0, mt_i(0)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "no extent would result");
	MT_CHECK(mt_pad(x, 1, low, 0, mt_i(0)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "no extent would result");
	MT_CHECK(mt_pad(x, 1, two, 0, (mt_scalar){0}) == NULL);
	CHECK_ERROR(MT_E_ARG, "pad: value is no number");
	MT_CHECK(mt_roll(x, 1, 2) == NULL);
	CHECK_ERROR(MT_E_ARG, "roll: dim 2");
	MT_CHECK(mt_repeat(x, 1, two) == NULL);
	CHECK_ERROR(MT_E_ARG, "repeat: 1 times for f32[2, 3]; 2 to 8 are needed");
	MT_CHECK(mt_repeat(x, INT_MIN, two) == NULL);
	CHECK_ERROR(MT_E_ARG, "repeat: -2147483648 times");
	MT_CHECK(mt_repeat(x, 2, (const int64_t[]){2, -1}) == NULL);
	CHECK_ERROR(MT_E_ARG, "repeat: -1 times along dim 1");
	MT_CHECK(mt_repeat(x, 2, (const int64_t[]){INT64_MAX / 2, 2}) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "repeat: f32[2, 3] times");
	MT_CHECK(mt_repeat(x, 2, NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "times");
}

static const mt_test_case cases[] = {
	{"values", values}, {"gradients", gradients}, {"edges", edges}, {"errors", errors}, {0},
};
static const mt_test_suite suites[] = {{"rearrange", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
