/* einsum: values against a sum over all labels, in every layout; gradients; dtypes; what it refuses, and where. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "linear.h"
#include "oracle.h"

struct einsum_case {
	const char *equation;
	const char *plain; /* the same with a letter for each dim and an output; NULL: as it is */
	struct {
		int rank; /* −1: there is none */
		int64_t shape[5];
	} in[2];
};

static const struct einsum_case einsum_cases[] = {
	{"ij,jk->ik", NULL, {{2, {2, 3}}, {2, {3, 4}}}},
	{"ij,jk", "ij,jk->ik", {{2, {2, 3}}, {2, {3, 4}}}},
	{"ij,jk->ki", NULL, {{2, {2, 3}}, {2, {3, 4}}}},
	{"bij,bjk->bik", NULL, {{3, {2, 3, 4}}, {3, {2, 4, 2}}}},
	{"ijb,kbj->ikb", NULL, {{3, {3, 4, 2}}, {3, {2, 2, 4}}}},
	{"i,i->", NULL, {{1, {5}}, {1, {5}}}},
	{"i,j->ij", NULL, {{1, {3}}, {1, {4}}}},
	{"i,j->ji", NULL, {{1, {3}}, {1, {4}}}},
	{"ij,ij->ij", NULL, {{2, {3, 4}}, {2, {3, 4}}}},
	{"ij,ji->ij", NULL, {{2, {3, 4}}, {2, {4, 3}}}},
	{"ij,ij->i", NULL, {{2, {3, 4}}, {2, {3, 4}}}},
	{"ijk,lj->", NULL, {{3, {2, 3, 2}}, {2, {2, 3}}}},
	{"abcd,dcef->abef", NULL, {{4, {2, 3, 2, 3}}, {4, {3, 2, 2, 2}}}},
	{"bhqd,bhkd->bhqk", NULL, {{4, {2, 2, 3, 4}}, {4, {2, 2, 2, 4}}}},
	{"bqhd,bkhd->bhqk", NULL, {{4, {2, 3, 2, 4}}, {4, {2, 2, 2, 4}}}},
	{"ii,i->i", NULL, {{2, {3, 3}}, {1, {3}}}},
	{"iij,jj->i", NULL, {{3, {2, 2, 3}}, {2, {3, 3}}}},
	{"i,->i", NULL, {{1, {3}}, {0, {0}}}},
	{",", ",->", {{0, {0}}, {0, {0}}}},
	{" i j , j k -> i k ", "ij,jk->ik", {{2, {2, 3}}, {2, {3, 4}}}},
	{"aB,Bc", "aB,Bc->ac", {{2, {2, 3}}, {2, {3, 2}}}},
	{"ba,aB", "ba,aB->Bb", {{2, {2, 3}}, {2, {3, 2}}}},
	{"...ij,...jk->...ik", "xij,xjk->xik", {{3, {2, 3, 4}}, {3, {2, 4, 2}}}},
	{"...ij,...jk", "xyij,yjk->xyik", {{4, {2, 3, 2, 2}}, {3, {3, 2, 2}}}},
	{"...,...", "xy,y->xy", {{2, {2, 3}}, {1, {3}}}},
	{"i...,i...->...", "ixy,iy->xy", {{3, {4, 2, 3}}, {2, {4, 3}}}},
	{"i...j,j->...i", "ixj,j->xi", {{3, {3, 2, 4}}, {1, {4}}}},
	{"...i,ij->j...", "xyi,ij->jxy", {{3, {2, 3, 2}}, {2, {2, 4}}}},
	{"ij->ji", NULL, {{2, {2, 3}}, {-1, {0}}}},
	{"ba", "ba->ab", {{2, {2, 3}}, {-1, {0}}}},
	{"ij->", NULL, {{2, {2, 3}}, {-1, {0}}}},
	{"ij->j", NULL, {{2, {2, 3}}, {-1, {0}}}},
	{"ii", "ii->", {{2, {3, 3}}, {-1, {0}}}},
	{"ii->i", NULL, {{2, {3, 3}}, {-1, {0}}}},
	{"iji->ji", NULL, {{3, {3, 2, 3}}, {-1, {0}}}},
	{"iii->i", NULL, {{3, {3, 3, 3}}, {-1, {0}}}},
	{"ijij->j", NULL, {{4, {2, 3, 2, 3}}, {-1, {0}}}},
	{"...ij->...ji", "xyij->xyji", {{4, {2, 3, 2, 2}}, {-1, {0}}}},
	{"i...->...", "ixy->xy", {{3, {2, 3, 2}}, {-1, {0}}}},
	{"...ii->...", "xii->x", {{3, {2, 3, 3}}, {-1, {0}}}},
	{"i->...i", "i->i", {{1, {3}}, {-1, {0}}}},
	{"", "->", {{0, {0}}, {-1, {0}}}},
	{"i,i->i", NULL, {{1, {1}}, {1, {3}}}},
	{"ij,jk->ik", NULL, {{2, {2, 1}}, {2, {3, 4}}}},
	{"bij,bjk->bik", NULL, {{3, {2, 3, 4}}, {3, {1, 4, 2}}}},
	{"ij,jk->ik", NULL, {{2, {2, 0}}, {2, {0, 4}}}},
	{"ij,jk->ik", NULL, {{2, {0, 3}}, {2, {3, 4}}}},
	{"ij,jk->ik", NULL, {{2, {2, 0}}, {2, {1, 4}}}},
	{"ij,jk->ik", NULL, {{2, {2, 1}}, {2, {0, 4}}}},
	{"ij,ij->ij", NULL, {{2, {2, 0}}, {2, {2, 1}}}},
	{"ij->i", NULL, {{2, {2, 0}}, {-1, {0}}}},
};
#define N_CASES ((int)(sizeof einsum_cases / sizeof *einsum_cases))

/* ---- by definition: every combination of all letters ---------------------------------------------------------------- */

struct plain {
	const char *in[3]; /* the third is the output */
	int rank[3];
	int64_t extent[128];
	char letters[16];
	int n_letters;
};

static struct plain read_plain(const struct einsum_case *c) {
	struct plain p = {.rank = {0}};
	const char *s = c->plain != NULL ? c->plain : c->equation, *arrow = strstr(s, "->"), *comma = strchr(s, ',');
	for (int l = 0; l < 128; l++)
		p.extent[l] = 1;
	p.in[0] = s;
	p.rank[0] = (int)((comma != NULL ? comma : arrow) - s);
	p.in[1] = comma != NULL ? comma + 1 : arrow;
	p.rank[1] = (int)(arrow - p.in[1]);
	p.in[2] = arrow + 2;
	p.rank[2] = (int)strlen(arrow + 2);
	for (int i = 0; i < 2; i++)
		for (int d = 0; d < p.rank[i]; d++) {
			unsigned char letter = (unsigned char)p.in[i][d];
			if (strchr(p.letters, letter) == NULL)
				p.letters[p.n_letters++] = (char)letter;
			if (p.extent[letter] == 1)
				p.extent[letter] = c->in[i].shape[d];
		}
	return p;
}

/* Where the element with these values of the letters stands; extents of 1 broadcast. */
static int64_t place(const struct plain *p, int i, const int64_t *shape, const int64_t *value) {
	int64_t at = 0;
	for (int d = 0; d < p->rank[i]; d++) {
		unsigned char letter = (unsigned char)p->in[i][d];
		int64_t extent = shape != NULL ? shape[d] : p->extent[letter];
		at = at * extent + (extent == 1 ? 0 : value[letter]);
	}
	return at;
}

static int64_t plain_einsum(const struct plain *p, const struct einsum_case *c, double *const *x, double *want) {
	int64_t value[128] = {0}, results = 1, combinations = 1;
	for (int d = 0; d < p->rank[2]; d++)
		results *= p->extent[(unsigned char)p->in[2][d]];
	for (int64_t r = 0; r < results; r++)
		want[r] = 0;
	for (int l = 0; l < p->n_letters; l++)
		combinations *= p->extent[(unsigned char)p->letters[l]];
	for (int64_t i = 0; i < combinations; i++) {
		int64_t rest = i;
		for (int l = 0; l < p->n_letters; l++) {
			unsigned char letter = (unsigned char)p->letters[l];
			value[letter] = rest % p->extent[letter];
			rest /= p->extent[letter];
		}
		double product = x[0][place(p, 0, c->in[0].shape, value)];
		if (c->in[1].rank >= 0)
			product *= x[1][place(p, 1, c->in[1].shape, value)];
		want[place(p, 2, NULL, value)] += product;
	}
	return results;
}

static void check_case(const struct einsum_case *c, enum layout l, mt_dtype dtype) {
	mt_tensor *in[2] = {NULL, NULL};
	double *x[2] = {NULL, NULL}, want[256];
	int n = c->in[1].rank >= 0 ? 2 : 1;
	for (int i = 0; i < n; i++) {
		in[i] = random_in(l, c->in[i].rank, c->in[i].shape, dtype, -3, 3, 11 + (uint64_t)i);
		x[i] = elements(in[i]);
		MT_REQUIRE(x[i] != NULL);
	}
	struct plain p = read_plain(c);
	int64_t results = plain_einsum(&p, c, x, want), shape[8];
	for (int d = 0; d < p.rank[2]; d++)
		shape[d] = p.extent[(unsigned char)p.in[2][d]];
	mt_tensor *y = mt_einsum(c->equation, n, in);
	CHECK_CLOSE(y, want, results, 4 * rtol_of(dtype), 20);
	check_shape(y, p.rank[2], shape, __FILE__, __LINE__, c->equation);
	MT_CHECK_INT(mt_tensor_dtype(y), dtype);
	free(x[0]);
	free(x[1]);
}

static void values_on_device(void) {
	for (int i = 0; i < N_CASES; i++)
		for (int l = 0; l < N_LAYOUTS; l++) {
			mt_scope *scope = mt_scope_begin();
			row("%s (case %d) %s", einsum_cases[i].equation, i, layout_name(l));
			check_case(&einsum_cases[i], l, MT_F32);
			check_case(&einsum_cases[i], l, MT_F64);
			check_case(&einsum_cases[i], l, MT_I32);
			check_case(&einsum_cases[i], l, MT_I64);
			mt_scope_end(scope);
		}
}

static void values(void) {
	each_backend(values_on_device);
}

/* ---- gradients: linear in each operand -------------------------------------------------------------------------------- */

struct fixed {
	const struct einsum_case *c;
	int free; /* the operand that is the argument */
};

static mt_tensor *in_one(mt_tensor *x, const void *context) {
	const struct fixed *f = context;
	mt_tensor *in[2] = {x, x};
	int other = 1 - f->free, n = f->c->in[1].rank >= 0 ? 2 : 1;
	if (n == 2)
		in[other] =
			mt_round(random_like(f->c->in[other].rank, f->c->in[other].shape, MT_F64, -4, 4, 3 + (uint64_t)other));
	return mt_einsum(f->c->equation, n, in);
}

static void gradients_on_device(void) {
	for (int i = 0; i < N_CASES; i++)
		for (int free = 0; free < 2; free++) {
			const struct einsum_case *c = &einsum_cases[i];
			if (c->in[free].rank < 0)
				continue;
			row("%s (case %d), operand %d", c->equation, i, free);
			check_linear(in_one, &(struct fixed){c, free}, c->in[free].rank, c->in[free].shape, 0);
		}
}

static void gradients(void) {
	each_backend(gradients_on_device);
}

/* ---- dtypes, many elements ---------------------------------------------------------------------------------------- */

static void edges_on_device(void) {
	mt_tensor *t = mt_from_data(MT_SHAPE(2, 2), MT_BOOL, (const uint8_t[]){1, 0, 1, 1});
	row("bool: or of ands");
	CHECK_VALUES(mt_einsum("ij,jk->ik", MT_TENSORS(t, t)), 1, 0, 1, 1);
	MT_CHECK_INT(mt_tensor_dtype(mt_einsum("ij,jk->ik", MT_TENSORS(t, t))), MT_BOOL);
	CHECK_VALUES(mt_einsum("ij->j", MT_TENSORS(t)), 1, 1);
	CHECK_VALUES(mt_einsum("ij,ij->ij", MT_TENSORS(t, t)), 1, 0, 1, 1);
	row("integers wrap in their own dtype");
	mt_tensor *u8 = mt_full(MT_SHAPE(3), MT_U8, mt_i(100));
	CHECK_VALUES(mt_einsum("i->", MT_TENSORS(u8)), 44);
	CHECK_VALUES(mt_einsum("i,i->", MT_TENSORS(u8, u8)), 30000 % 256);
	row("promotion");
	mt_tensor *y = mt_einsum("i,i", MT_TENSORS(u8, mt_full(MT_SHAPE(3), MT_F32, mt_f(0.5))));
	CHECK_VALUES(y, 150);
	MT_CHECK_INT(mt_tensor_dtype(y), MT_F32);
	row("many elements");
	int64_t n = 70001;
	mt_tensor *x = mt_arange(mt_i(0), mt_i(n), mt_i(1), MT_F64), *ones = mt_ones(MT_SHAPE(2, n), MT_F64);
	CHECK_VALUES(mt_einsum("i,ji->j", MT_TENSORS(x, ones)), 35000.0 * 70001, 35000.0 * 70001);
	CHECK_VALUES(mt_all(mt_eq(mt_einsum("i,ji->ij", MT_TENSORS(x, ones)), mt_unsqueeze(x, 1)), MT_ALL_AXES, 0), 1);
}

static void edges(void) {
	each_backend(edges_on_device);
}

/* ---- errors ------------------------------------------------------------------------------------------------------- */

static void errors(void) {
	static const struct {
		const char *equation;
		mt_status status;
		const char *message;
	} rows[] = {
		{"ij,j1->i", MT_E_ARG, "einsum: \"ij,j1->i\", position 4: a letter"},
		{"ij,jk>ik", MT_E_ARG, "position 5: a letter"},
		{"ij,jk-ik", MT_E_ARG, "position 5: \"-\" without \">\""},
		{"ij,jk-", MT_E_ARG, "position 5: \"-\""},
		{"ij,jk->ik->", MT_E_ARG, "position 9: the equation should end here"},
		{"ij,jk->i,k", MT_E_ARG, "position 8: the equation should end here"},
		{"ij,..jk->ik", MT_E_ARG, "position 3: a dot"},
		{"ij,j.k->ik", MT_E_ARG, "position 4: a dot"},
		{"...i...,jk", MT_E_ARG, "position 4: a second \"...\""},
		{"ij,jk->iz", MT_E_ARG, "position 8: this letter of the output is in no operand"},
		{"ij,jk->iki", MT_E_ARG, "position 9: this letter is in the output twice"},
		{"ij,...k->ik", MT_E_ARG, "position 9: the output lacks the \"...\""},
		{"ij", MT_E_ARG, "position 2: \",\" and subscripts for the second operand"},
		{"ij->i", MT_E_ARG, "position 2: \",\" and subscripts for the second operand"},
		{"ij,jk,kl", MT_E_ARG, "position 5: subscripts for a third tensor"},
		{"ijk,jk->i", MT_E_SHAPE, "operand 0 is f32[2, 3], and its subscripts \"ijk\" name 3 dims"},
		{"ij,j->i", MT_E_SHAPE, "operand 1 is f32[3, 4], and its subscripts \"j\" name 1 dims"},
		{"ij,...abc->i", MT_E_SHAPE, "\"...abc\" name 3 dims or more"},
		{"ij,ik->jk", MT_E_SHAPE, "the extents of i differ: 2 and 3"},
		{"...j,...k->...", MT_E_SHAPE, "the extents of ... differ: 2 and 3"},
		{"ii,jk->i", MT_E_SHAPE, "the extents of i differ within operand 0: 2 and 3"},
	};
	mt_tensor *a = mt_zeros(MT_SHAPE(2, 3), MT_F32), *b = mt_zeros(MT_SHAPE(3, 4), MT_F32);
	mt_tensor *wide = mt_zeros(MT_SHAPE(1, 1, 1, 1, 1), MT_F32);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("%s", rows[i].equation);
		MT_CHECK(mt_einsum(rows[i].equation, MT_TENSORS(a, b)) == NULL);
		CHECK_ERROR(rows[i].status, rows[i].message);
	}
	mt_test_row("others");
	MT_CHECK(mt_einsum("ij,jk", MT_TENSORS(a)) == NULL);
	CHECK_ERROR(MT_E_ARG, "position 2: subscripts for a second tensor; there is one operand");
	MT_CHECK(mt_einsum("abcde,fghij", MT_TENSORS(wide, wide)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "the result has more than 8 dims");
	MT_CHECK(mt_einsum("abcde,fghij->abcdefghij", MT_TENSORS(wide, wide)) == NULL);
	CHECK_ERROR(MT_E_SHAPE, "the result has more than 8 dims");
	CHECK_VALUES(mt_einsum("abcde,fghij->aj", MT_TENSORS(wide, wide)), 0);
	MT_CHECK(mt_einsum("ij", 0, &a) == NULL);
	CHECK_ERROR(MT_E_ARG, "einsum: 0 operands");
	MT_CHECK(mt_einsum("i,i,i", 3, (mt_tensor *[]){a, a, a}) == NULL);
	CHECK_ERROR(MT_E_ARG, "einsum: 3 operands");
	MT_CHECK(mt_einsum(NULL, 1, &a) == NULL);
	CHECK_ERROR(MT_E_NULL, "equation");
	MT_CHECK(mt_einsum("i", 1, NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "operands");
	MT_CHECK(mt_einsum("i,i", MT_TENSORS(a, NULL)) == NULL);
	CHECK_ERROR(MT_E_NULL, "operands[1]");
	char longest[400];
	memset(longest, 'a', sizeof longest);
	longest[399] = '\0';
	MT_CHECK(mt_einsum(longest, MT_TENSORS(a)) == NULL);
	CHECK_ERROR(MT_E_ARG, "more letters than there are");
}

static const mt_test_case cases[] = {
	{"values", values}, {"gradients", gradients}, {"edges", edges}, {"errors", errors}, {0},
};
static const mt_test_suite suites[] = {{"einsum", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
