/* Results into a tensor that is there: every form, layout and dtype of out against the form without; out that is an
 * argument, or overlaps one; what is refused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

/* ---- the forms, side by side -------------------------------------------------------------------------------------- */

/* The result of a form, or that form into out. */
typedef mt_tensor *(*form_fn)(mt_tensor *a, mt_tensor *b, mt_tensor *out);

static mt_tensor *map_exp(mt_tensor *a, mt_tensor *b, mt_tensor *out) {
	(void)b;
	return out == NULL ? mt_map(MT_MAP_EXP, a, mt_f(0), mt_f(0)) : mt_map_out(MT_MAP_EXP, a, mt_f(0), mt_f(0), out);
}

static mt_tensor *map_clamp(mt_tensor *a, mt_tensor *b, mt_tensor *out) {
	(void)b;
	return out == NULL ? mt_map(MT_MAP_CLAMP, a, mt_f(-0.5), mt_f(0.7))
	                   : mt_map_out(MT_MAP_CLAMP, a, mt_f(-0.5), mt_f(0.7), out);
}

static mt_tensor *map_isfinite(mt_tensor *a, mt_tensor *b, mt_tensor *out) {
	(void)b;
	return out == NULL ? mt_isfinite(a) : mt_map_out(MT_MAP_ISFINITE, a, mt_f(0), mt_f(0), out);
}

static mt_tensor *zip_sub(mt_tensor *a, mt_tensor *b, mt_tensor *out) {
	return out == NULL ? mt_sub(a, b) : mt_zip_out(MT_ZIP_SUB, a, b, out);
}

static mt_tensor *zip_div(mt_tensor *a, mt_tensor *b, mt_tensor *out) {
	return out == NULL ? mt_div(a, b) : mt_zip_out(MT_ZIP_DIV, a, b, out);
}

static mt_tensor *zip_lt(mt_tensor *a, mt_tensor *b, mt_tensor *out) {
	return out == NULL ? mt_lt(a, b) : mt_zip_out(MT_ZIP_LT, a, b, out);
}

static mt_tensor *zip_number(mt_tensor *a, mt_tensor *b, mt_tensor *out) {
	(void)b;
	return out == NULL ? mt_zip_scalar(MT_ZIP_MUL, a, mt_f(-2.5)) : mt_zip_scalar_out(MT_ZIP_MUL, a, mt_f(-2.5), out);
}

static mt_tensor *number_zip(mt_tensor *a, mt_tensor *b, mt_tensor *out) {
	(void)b;
	return out == NULL ? mt_scalar_zip(MT_ZIP_SUB, mt_i(3), a) : mt_scalar_zip_out(MT_ZIP_SUB, mt_i(3), a, out);
}

static mt_tensor *sum_kept(mt_tensor *a, mt_tensor *b, mt_tensor *out) {
	(void)b;
	return out == NULL ? mt_sum(a, MT_AXES(1), 1) : mt_reduce_out(MT_REDUCE_SUM, a, MT_AXES(1), 1, out);
}

static mt_tensor *maximum(mt_tensor *a, mt_tensor *b, mt_tensor *out) {
	(void)b;
	return out == NULL ? mt_max(a, MT_AXES(0, 2), 0) : mt_reduce_out(MT_REDUCE_MAX, a, MT_AXES(0, 2), 0, out);
}

static mt_tensor *any(mt_tensor *a, mt_tensor *b, mt_tensor *out) {
	(void)b;
	return out == NULL ? mt_any(a, MT_AXES(-1), 0) : mt_reduce_out(MT_REDUCE_ANY, a, MT_AXES(-1), 0, out);
}

static mt_tensor *product(mt_tensor *a, mt_tensor *b, mt_tensor *out) {
	b = mt_transpose(b, -1, -2);
	return out == NULL ? mt_matmul(a, b) : mt_matmul_out(a, b, out);
}

static mt_tensor *matrix_vector(mt_tensor *a, mt_tensor *b, mt_tensor *out) {
	b = mt_index(mt_index(b, 0, 0), 0, 0);
	return out == NULL ? mt_matmul(a, b) : mt_matmul_out(a, b, out);
}

static mt_tensor *vector_matrix(mt_tensor *a, mt_tensor *b, mt_tensor *out) {
	a = mt_index(mt_index(a, 0, 1), 0, 0);
	b = mt_transpose(b, -1, -2);
	return out == NULL ? mt_matmul(a, b) : mt_matmul_out(a, b, out);
}

static mt_tensor *shared_matrix(mt_tensor *a, mt_tensor *b, mt_tensor *out) {
	b = mt_transpose(mt_index(b, 0, 0), -1, -2);
	return out == NULL ? mt_matmul(a, b) : mt_matmul_out(a, b, out);
}

static const struct form {
	const char *name;
	form_fn fn;
	int broadcasts; /* the result may be spread over a wider out */
} forms[] = {
	{"map exp", map_exp, 1},
	{"map clamp", map_clamp, 1},
	{"map isfinite", map_isfinite, 1},
	{"zip sub", zip_sub, 1},
	{"zip div", zip_div, 1},
	{"zip lt", zip_lt, 1},
	{"zip_scalar", zip_number, 1},
	{"scalar_zip", number_zip, 1},
	{"sum", sum_kept, 0},
	{"max", maximum, 0},
	{"any", any, 0},
	{"matmul", product, 0},
	{"matrix @ vector", matrix_vector, 0},
	{"vector @ matrix", vector_matrix, 0},
	{"shared matrix", shared_matrix, 0},
};
#define N_FORMS (sizeof forms / sizeof *forms)

/* got holds what wanted does, converted. */
static void check_near(mt_tensor *got, mt_tensor *wanted, double tolerance) {
	mt_tensor *converted = mt_cast(wanted, mt_tensor_dtype(got));
	double *want = elements(converted);
	MT_REQUIRE(want != NULL);
	check_values(got, want, mt_tensor_numel(converted), tolerance, __FILE__, __LINE__, "out");
	free(want);
}

static void check_same(mt_tensor *got, mt_tensor *wanted) {
	check_near(got, wanted, 0);
}

/* An out of y's shape in this layout; everything around it holds 77. */
static mt_tensor *poisoned(mt_tensor *y, enum layout layout, mt_dtype dtype, mt_tensor **base) {
	int64_t shape[MT_MAX_RANK];
	int rank = mt_tensor_rank(y);
	base_shape(layout, rank, mt_tensor_shape(y), shape);
	*base = mt_full(rank, shape, dtype, mt_i(77));
	return lay_out(*base, layout, rank, mt_tensor_shape(y));
}

static void check_form(const struct form *f, enum layout in, enum layout layout, mt_dtype x, mt_dtype dtype) {
	mt_scope *scope = mt_scope_begin();
	mt_tensor *a = mt_cast(random_in(in, MT_SHAPE(2, 3, 4), MT_F32, 0.5, 9, 1), x);
	mt_tensor *b = mt_cast(random_in(in, MT_SHAPE(2, 3, 4), MT_F32, 1, 9, 2), x);
	mt_tensor *base, *want = f->fn(a, b, NULL), *out = poisoned(want, layout, dtype, &base);
	row("%s, %s %s to %s %s", f->name, mt_dtype_name(x), layout_name(in), mt_dtype_name(dtype), layout_name(layout));
	double around = 77.0 * (double)(mt_tensor_numel(base) - mt_tensor_numel(out));
	MT_CHECK(f->fn(a, b, out) == out);
	check_same(out, want);
	double sum_base = 0, sum_out = 0;
	mt_item(mt_sum(mt_cast(base, MT_F64), MT_ALL_AXES, 0), &sum_base);
	mt_item(mt_sum(mt_cast(out, MT_F64), MT_ALL_AXES, 0), &sum_out);
	if (dtype != MT_BOOL)
		MT_CHECK_NEAR(sum_base - sum_out, around, 1e-6 * (fabs(sum_base) + 1));
	mt_scope_end(scope);
}

static void forms_on_device(void) {
	static const mt_dtype dtypes[] = {MT_F32, MT_F64, MT_F16, MT_BF16, MT_I32, MT_BOOL};
	for (size_t i = 0; i < N_FORMS; i++)
		for (int layout = 0; layout < REPEATED; layout++) {
			for (int in = 0; in < N_LAYOUTS; in++)
				check_form(&forms[i], in, layout, MT_F32, MT_F32);
			for (size_t d = 1; d < sizeof dtypes / sizeof *dtypes; d++)
				check_form(&forms[i], TRANSPOSED, layout, MT_F32, dtypes[d]);
			check_form(&forms[i], CONTIGUOUS, layout, MT_BF16, MT_BF16);
			check_form(&forms[i], CONTIGUOUS, layout, MT_F64, MT_F64);
			if (forms[i].fn != map_isfinite)
				check_form(&forms[i], CONTIGUOUS, layout, MT_I32, MT_I32);
		}
}

static void every_form(void) {
	each_backend(forms_on_device);
}

static void shapes_on_device(void) {
	mt_tensor *column = random_like(MT_SHAPE(3, 1), MT_F32, 1, 2, 1);
	row("a wider out");
	for (size_t i = 0; i < N_FORMS; i++) {
		if (!forms[i].broadcasts)
			continue;
		mt_tensor *out = mt_full(MT_SHAPE(2, 3, 4), MT_F32, mt_i(77));
		MT_CHECK(forms[i].fn(column, column, out) == out);
		check_same(out, mt_expand(forms[i].fn(column, column, NULL), MT_SHAPE(2, 3, 4)));
	}
	row("0-d and empty");
	mt_tensor *point = mt_zeros(MT_SHAPE0, MT_F32), *none = mt_zeros(MT_SHAPE(0, 3), MT_F32);
	CHECK_VALUES(mt_map_out(MT_MAP_EXP, point, mt_f(0), mt_f(0), point), 1);
	CHECK_VALUES(mt_reduce_out(MT_REDUCE_SUM, none, MT_ALL_AXES, 0, point), 0);
	CHECK_VALUES(mt_reduce_out(MT_REDUCE_PROD, none, MT_AXES(0), 0, mt_zeros(MT_SHAPE(3), MT_F64)), 1, 1, 1);
	CHECK_SHAPE(mt_zip_out(MT_ZIP_ADD, none, point, mt_empty_like(none)), 0, 3);
	CHECK_SHAPE(mt_matmul_out(mt_zeros(MT_SHAPE(0, 3), MT_F32), mt_zeros(MT_SHAPE(3, 2), MT_F32),
	                          mt_zeros(MT_SHAPE(0, 2), MT_F32)),
	            0, 2);
	CHECK_VALUES(mt_matmul_out(mt_zeros(MT_SHAPE(1, 0), MT_F32), mt_zeros(MT_SHAPE(0, 2), MT_F32),
	                           mt_full(MT_SHAPE(1, 2), MT_F32, mt_i(5))),
	             0, 0);
	row("large");
	mt_tensor *big = random_like(MT_SHAPE(3, 40001), MT_F32, -2, 2, 9), *sum = mt_empty_like(big);
	mt_zip_out(MT_ZIP_ADD, big, mt_flip(big, 1), sum);
	check_same(sum, mt_add(big, mt_flip(big, 1)));
}

static void shapes(void) {
	each_backend(shapes_on_device);
}

/* ---- out that shares memory with an argument ---------------------------------------------------------------------- */

/* A view of t, over memory that the others use too. */
static mt_tensor *view_of(mt_tensor *t, int i) {
	switch (i) {
	case 0:
		return mt_slice(mt_slice(t, 0, 0, 4, 1), 1, 0, 4, 1);
	case 1:
		return mt_slice(mt_slice(t, 0, 1, 5, 1), 1, 0, 4, 1);
	case 2:
		return mt_transpose(view_of(t, 0), 0, 1);
	case 3:
		return mt_flip(view_of(t, 0), 1);
	case 4:
		return mt_slice(mt_slice(t, 0, 0, 4, 1), 1, 0, 8, 2);
	default:
		return mt_slice(mt_slice(t, 0, 0, 4, 1), 1, 1, 5, 1);
	}
}
#define N_VIEWS 6

static void overlap_on_device(void) {
	static const form_fn fns[] = {map_exp, zip_sub, zip_lt, zip_number, number_zip, product};
	for (size_t f = 0; f < sizeof fns / sizeof *fns; f++)
		for (int va = 0; va < N_VIEWS; va++)
			for (int vb = 0; vb < N_VIEWS; vb++)
				for (int vo = 0; vo < N_VIEWS; vo++) {
					mt_scope *scope = mt_scope_begin();
					row("form %zu, views %d %d to %d", f, va, vb, vo);
					mt_tensor *t = random_like(MT_SHAPE(5, 9), MT_F32, 0.5, 2, 3);
					mt_tensor *a = view_of(t, va), *b = view_of(t, vb), *out = view_of(t, vo);
					mt_tensor *want = fns[f](mt_clone(a), mt_clone(b), NULL);
					MT_CHECK(fns[f](a, b, out) == out);
					/* on a GPU the order of a product's sums depends on strides */
					int near = fns[f] == product && !mt_device_has_host_memory(mt_device_current());
					check_near(out, want, near ? 1e-5 : 0);
					mt_scope_end(scope);
				}
	row("a reduction into its argument");
	mt_tensor *x = counting(MT_SHAPE(3, 4), MT_F32);
	mt_reduce_out(MT_REDUCE_SUM, x, MT_AXES(0), 0, mt_index(x, 0, 1));
	CHECK_VALUES(x, 0, 1, 2, 3, 12, 15, 18, 21, 8, 9, 10, 11);
	row("bool in its own place");
	mt_tensor *flags = mt_from_data(MT_SHAPE(3), MT_BOOL, (const uint8_t[]){1, 0, 1});
	CHECK_VALUES(mt_map_out(MT_MAP_LOGICAL_NOT, flags, mt_f(0), mt_f(0), flags), 0, 1, 0);
	CHECK_VALUES(mt_zip_out(MT_ZIP_EQ, flags, flags, flags), 1, 1, 1);
	row("a broadcast argument that is a part of out");
	mt_tensor *m = counting(MT_SHAPE(2, 3), MT_F32);
	mt_zip_out(MT_ZIP_ADD, m, mt_slice(m, 0, 1, 2, 1), m);
	CHECK_VALUES(m, 3, 5, 7, 6, 8, 10);
}

static void overlap(void) {
	each_backend(overlap_on_device);
}

/* Where the kernel may write to out, nothing else is allocated. */
static void no_temporaries_on_device(void) {
	mt_tensor *a = random_like(MT_SHAPE(8, 8), MT_F32, 0.5, 2, 1), *b = random_like(MT_SHAPE(8, 8), MT_F32, 0.5, 2, 2);
	mt_tensor *out = mt_empty(MT_SHAPE(8, 8), MT_F32), *sums = mt_empty(MT_SHAPE(8), MT_F32);
	mt_tensor *turned = mt_transpose(mt_empty(MT_SHAPE(8, 8), MT_F32), 0, 1);
	mt_tensor *flags = mt_empty(MT_SHAPE(8, 8), MT_BOOL);
	uint64_t before, after;
	row("no temporaries");
	MT_CHECK_INT(mt_device_memory(mt_device_current(), &before, NULL), MT_OK);
	int64_t live = mt_live_tensors();
	mt_map_out(MT_MAP_EXP, a, mt_f(0), mt_f(0), out);
	mt_map_out(MT_MAP_EXP, out, mt_f(0), mt_f(0), out);
	mt_map_out(MT_MAP_ISNAN, a, mt_f(0), mt_f(0), flags);
	mt_zip_out(MT_ZIP_ADD, a, b, out);
	mt_zip_out(MT_ZIP_ADD, a, out, out);
	mt_zip_out(MT_ZIP_MUL, out, b, out);
	mt_zip_out(MT_ZIP_LT, a, b, flags);
	mt_zip_scalar_out(MT_ZIP_SUB, out, mt_f(1), out);
	mt_scalar_zip_out(MT_ZIP_SUB, mt_f(1), a, turned);
	mt_matmul_out(a, b, out);
	mt_matmul_out(a, b, turned);
	mt_reduce_out(MT_REDUCE_SUM, a, MT_AXES(1), 0, sums);
	MT_CHECK_INT(mt_live_tensors(), live);
	MT_CHECK_INT(mt_device_memory(mt_device_current(), &after, NULL), MT_OK);
	MT_CHECK_INT((long long)after, (long long)before);
}

static void no_temporaries(void) {
	each_backend(no_temporaries_on_device);
}

/* ---- the graph, and what is refused ------------------------------------------------------------------------------- */

static void graph_on_device(void) {
	mt_tensor *x = mt_requires_grad_(counting(MT_SHAPE(3), MT_F32), 1), *out = mt_zeros(MT_SHAPE(3), MT_F32);
	mt_tensor *leaf = mt_requires_grad_(mt_zeros(MT_SHAPE(3), MT_F32), 1), *plain = mt_ones(MT_SHAPE(3), MT_F32);
	row("while gradients are recorded");
	for (size_t i = 0; i < N_FORMS; i++) {
		if (!forms[i].broadcasts)
			continue;
		MT_CHECK(forms[i].fn(x, plain, out) == NULL);
		CHECK_ERROR(MT_E_STATE, "requires a gradient");
		MT_CHECK(forms[i].fn(plain, plain, leaf) == NULL);
		CHECK_ERROR(MT_E_STATE, "requires a gradient");
		MT_CHECK(forms[i].fn(plain, plain, out) == out);
	}
	MT_CHECK(mt_reduce_out(MT_REDUCE_SUM, mt_square(x), MT_ALL_AXES, 0, mt_zeros(MT_SHAPE0, MT_F32)) == NULL);
	CHECK_ERROR(MT_E_STATE, "reduce_out: an argument requires a gradient");
	MT_CHECK(mt_matmul_out(x, plain, mt_zeros(MT_SHAPE0, MT_F32)) == NULL);
	CHECK_ERROR(MT_E_STATE, "matmul_out: an argument requires a gradient");
	row("while they are not");
	int was = mt_grad_enable(0);
	MT_CHECK(mt_zip_out(MT_ZIP_ADD, x, plain, leaf) == leaf);
	mt_grad_enable(was);
	CHECK_VALUES(leaf, 1, 2, 3);
	MT_CHECK(mt_tensor_is_leaf(leaf));
	row("a saved tensor");
	mt_tensor *w = mt_full(MT_SHAPE(3), MT_F32, mt_f(2)), *y = mt_sum(mt_mul(x, w), MT_ALL_AXES, 0);
	mt_map_out(MT_MAP_NEG, plain, mt_f(0), mt_f(0), w);
	MT_CHECK_INT(mt_backward(y), MT_E_VERSION);
	CHECK_ERROR(MT_E_VERSION, "mul: the saved tensor");
}

static void graph(void) {
	each_backend(graph_on_device);
}

static void errors(void) {
	mt_tensor *a = mt_ones(MT_SHAPE(2, 3), MT_F32), *out = mt_zeros(MT_SHAPE(2, 3), MT_F32);
	MT_CHECK(mt_map_out(MT_MAP_EXP, a, mt_f(0), mt_f(0), mt_zeros(MT_SHAPE(3), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "map_out: the result is f32[2, 3], which out, f32[3], cannot hold");
	MT_CHECK(mt_zip_out(MT_ZIP_ADD, a, a, mt_zeros(MT_SHAPE(2, 4), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "zip_out: the result is f32[2, 3]");
	MT_CHECK(mt_reduce_out(MT_REDUCE_SUM, a, MT_AXES(0), 1, mt_zeros(MT_SHAPE(2, 3), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "reduce_out: the result is f32[1, 3]");
	MT_CHECK(mt_matmul_out(a, mt_ones(MT_SHAPE(3, 4), MT_F32), mt_zeros(MT_SHAPE(4, 2), MT_F32)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "matmul_out: the result is f32[2, 4]");
	MT_CHECK(mt_zip_out(MT_ZIP_ADD, a, mt_ones(MT_SHAPE(5), MT_F32), out) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "add: shapes [2, 3] and [5]");
	MT_CHECK(mt_zip_scalar_out(MT_ZIP_ADD, a, mt_i(1), mt_expand(mt_zeros(MT_SHAPE(3), MT_F32), MT_SHAPE(2, 3))) ==
	         NULL);
	CHECK_ERROR(MT_E_STATE, "zip_scalar_out: f32[2, 3] is an expanded view");
	MT_CHECK(mt_map_out(MT_MAP_EXP, a, mt_f(0), mt_f(0), NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "map_out");
	MT_CHECK(mt_map_out(MT_MAP_EXP, a, mt_f(0), mt_f(0), MT_NONE) == NULL);
	CHECK_ERROR(MT_E_ARG, "map_out");
	MT_CHECK(mt_scalar_zip_out(MT_ZIP_ADD, mt_i(1), NULL, out) == NULL);
	CHECK_ERROR(MT_E_NULL, "scalar_zip_out");
	MT_CHECK(mt_map_out(999, a, mt_f(0), mt_f(0), out) == NULL);
	CHECK_ERROR(MT_E_ARG, "map: there is no op 999");
	MT_CHECK(mt_zip_out(-1, a, a, out) == NULL);
	CHECK_ERROR(MT_E_ARG, "zip: there is no op -1");
	MT_CHECK(mt_reduce_out(0, a, MT_ALL_AXES, 0, out) == NULL);
	CHECK_ERROR(MT_E_ARG, "reduce: there is no op 0");
	MT_CHECK(mt_zip_scalar_out(MT_ZIP_ADD, a, (mt_scalar){0}, out) == NULL);
	CHECK_ERROR(MT_E_ARG, "not a number");
	CHECK_VALUES(out, 0, 0, 0, 0, 0, 0);
}

static const mt_test_case cases[] = {
	{"every_form", every_form},
	{"shapes", shapes},
	{"overlap", overlap},
	{"no_temporaries", no_temporaries},
	{"graph", graph},
	{"errors", errors},
	{0},
};
static const mt_test_suite suites[] = {{"out", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
