/* Einstein summation over one or two tensors, made of diagonal, sum, permute, matmul and mul. */
#include "ops/einsum.h"

/* A tensor and what its dims are called. */
struct named {
	mt_tensor *t;
	struct mt__einsum_term term;
};

static int find(const struct mt__einsum_term *term, int label) {
	for (int d = 0; d < term->rank; d++)
		if (term->label[d] == label)
			return d;
	return -1;
}

static void drop(struct mt__einsum_term *term, int dim) {
	for (int d = dim; d < term->rank - 1; d++)
		term->label[d] = term->label[d + 1];
	term->rank--;
}

/* ---- one operand on its own --------------------------------------------------------------------------------------- */

/* Dims of one label become their diagonal, which is the last dim. */
static void take_diagonals(struct named *x) {
	for (int d = 0; d < x->term.rank; d++) {
		int label = x->term.label[d], other = d + 1;
		while (other < x->term.rank && x->term.label[other] != label)
			other++;
		if (other == x->term.rank)
			continue;
		x->t = mt_diagonal(x->t, 0, d, other);
		drop(&x->term, other);
		drop(&x->term, d);
		x->term.label[x->term.rank++] = label;
		d = -1;
	}
}

/* Sums over the labels that neither the output nor the other operand (NULL: there is none) has, in x's dtype. */
static void sum_alone(struct named *x, const struct mt__einsum_term *out, const struct mt__einsum_term *other) {
	mt_axes axes = {0};
	struct mt__einsum_term rest = {0};
	for (int d = 0; d < x->term.rank; d++) {
		int label = x->term.label[d];
		if (find(out, label) >= 0 || (other != NULL && find(other, label) >= 0))
			rest.label[rest.rank++] = label;
		else
			axes.axis[axes.n++] = d;
	}
	if (axes.n > 0 && x->t != NULL)
		x->t = mt_cast(mt_sum(x->t, axes, 0), x->t->dtype);
	x->term = rest;
}

/* x with its dims in the order of these labels, which it has all. */
static mt_tensor *ordered(const struct named *x, int n, const int *labels) {
	int64_t dims[MT_MAX_RANK];
	for (int i = 0; i < n; i++)
		dims[i] = find(&x->term, labels[i]);
	return mt_permute(x->t, n, dims);
}

/* ---- two operands ------------------------------------------------------------------------------------------------- */

struct labels {
	int n;
	int label[MT_MAX_RANK];
	int64_t extent[MT_MAX_RANK];
	int64_t numel;
};

/* How labels are spread: in both and kept, in both and summed, in one. */
struct plan {
	struct labels batch, summed, only[2];
};

static void add_label(struct labels *l, int label, int64_t extent) {
	l->label[l->n] = label;
	l->extent[l->n++] = extent;
	if (__builtin_mul_overflow(l->numel, extent, &l->numel))
		l->numel = INT64_MAX; /* no tensor has as many: mt_expand refuses */
}

static struct plan plan_of(const struct mt__einsum *e, const struct named *a, const struct named *b) {
	struct plan p = {.batch = {.numel = 1}, .summed = {.numel = 1}, .only = {{.numel = 1}, {.numel = 1}}};
	for (int d = 0; d < a->term.rank; d++) {
		int label = a->term.label[d], shared = find(&b->term, label) >= 0;
		struct labels *to = !shared ? &p.only[0] : find(&e->out, label) >= 0 ? &p.batch : &p.summed;
		add_label(to, label, e->extent[label]);
	}
	for (int d = 0; d < b->term.rank; d++)
		if (find(&a->term, b->term.label[d]) < 0)
			add_label(&p.only[1], b->term.label[d], e->extent[b->term.label[d]]);
	return p;
}

/* x's dims in the order of first, second, third, with their full extents: an extent of 1 is repeated. */
static mt_tensor *arranged(const struct named *x, const struct labels *first, const struct labels *second,
                           const struct labels *third) {
	const struct labels *all[3] = {first, second, third};
	int labels[MT_MAX_RANK], n = 0;
	int64_t shape[MT_MAX_RANK];
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < all[i]->n; k++) {
			labels[n] = all[i]->label[k];
			shape[n++] = all[i]->extent[k];
		}
	return mt_expand(ordered(x, n, labels), n, shape);
}

/* [batch…, rows, columns]; the batch as one dim where there would be too many. */
static mt_tensor *as_matrices(mt_tensor *t, const struct labels *batch, int64_t rows, int64_t columns) {
	int64_t shape[MT_MAX_RANK];
	int n = 0;
	if (batch->n > MT_MAX_RANK - 2)
		shape[n++] = batch->numel;
	else
		for (int i = 0; i < batch->n; i++)
			shape[n++] = batch->extent[i];
	shape[n++] = rows;
	shape[n++] = columns;
	return mt_reshape(t, n, shape);
}

/* Σ over the summed labels, as [batch…, only a…, only b…]. */
static mt_tensor *multiplied(const struct named *a, const struct named *b, const struct plan *p, int rank,
                             const int64_t *shape) {
	mt_tensor *left = arranged(a, &p->batch, &p->only[0], &p->summed);
	mt_tensor *right = arranged(b, &p->batch, &p->summed, &p->only[1]);
	left = as_matrices(left, &p->batch, p->only[0].numel, p->summed.numel);
	right = as_matrices(right, &p->batch, p->summed.numel, p->only[1].numel);
	return mt_reshape(mt_matmul(left, right), rank, shape);
}

/* The same where nothing is summed. */
static mt_tensor *outer(const struct named *a, const struct named *b, const struct plan *p, int rank,
                        const int64_t *shape) {
	static const struct labels none = {.numel = 1};
	int64_t left[MT_MAX_RANK], right[MT_MAX_RANK];
	for (int d = 0; d < rank; d++) {
		int of_a = d < p->batch.n + p->only[0].n, of_b = d < p->batch.n || !of_a;
		left[d] = of_a ? shape[d] : 1;
		right[d] = of_b ? shape[d] : 1;
	}
	return mt_mul(mt_reshape(arranged(a, &p->batch, &p->only[0], &none), rank, left),
	              mt_reshape(arranged(b, &p->batch, &p->only[1], &none), rank, right));
}

/* matmul knows no bool: there the sum is counted. */
static mt_tensor *combined(const struct mt__einsum *e, struct named *a, struct named *b) {
	struct plan p = plan_of(e, a, b);
	const struct labels *all[3] = {&p.batch, &p.only[0], &p.only[1]};
	struct named y = {0};
	int64_t shape[MT_MAX_RANK];
	mt_dtype dtype = mt_promote(a->t->dtype, b->t->dtype),
			 counted = dtype == MT_BOOL && p.summed.n > 0 ? MT_I64 : dtype;
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < all[i]->n; k++) {
			shape[y.term.rank] = all[i]->extent[k];
			y.term.label[y.term.rank++] = all[i]->label[k];
		}
	a->t = mt_cast(a->t, counted);
	b->t = mt_cast(b->t, counted);
	y.t =
		mt_cast(p.summed.n > 0 ? multiplied(a, b, &p, y.term.rank, shape) : outer(a, b, &p, y.term.rank, shape), dtype);
	return ordered(&y, e->out.rank, e->out.label);
}

/* ---- the op ------------------------------------------------------------------------------------------------------- */

static int check_operands(const char *equation, int n, mt_tensor *const *operands) {
	if (equation == NULL || operands == NULL) {
		mt__fail_arg_null("einsum", equation == NULL ? "equation" : "operands");
		return 0;
	}
	if (n < 1 || n > 2) {
		mt__fail(MT_E_ARG, "einsum: %d operands; one or two are needed", n);
		return 0;
	}
	for (int i = 0; i < n; i++)
		if (!mt__check_tensor("einsum", i == 0 ? "operands[0]" : "operands[1]", operands[i]))
			return 0;
	return mt__check_same_device("einsum", operands, n);
}

mt_tensor *mt_einsum(const char *equation, int n, mt_tensor *const *operands) {
	struct mt__einsum e;
	struct named x[2] = {{0}, {0}};
	if (!check_operands(equation, n, operands) || mt__einsum_read(equation, n, operands, &e) != MT_OK)
		return NULL;
	for (int i = 0; i < n; i++) {
		x[i] = (struct named){operands[i], e.in[i]};
		take_diagonals(&x[i]);
	}
	for (int i = 0; i < n; i++)
		sum_alone(&x[i], &e.out, n > 1 ? &x[1 - i].term : NULL);
	if (x[0].t == NULL || (n > 1 && x[1].t == NULL))
		return NULL;
	return n > 1 ? combined(&e, &x[0], &x[1]) : ordered(&x[0], e.out.rank, e.out.label);
}
