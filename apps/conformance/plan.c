#include "plan.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "families.h"

/* What emit functions need. */
struct collecting {
	struct cf_plan *plan;
	const struct cf_selection *selection;
	const struct cf_probe *probe;
	const struct cf_family *family;
};

int cf_selected(const struct cf_selection *s, const char *label) {
	for (int i = 0; i < s->n_ops; i++)
		if (fnmatch(s->ops[i], label, 0) == 0)
			return 1;
	return s->n_ops == 0;
}

int cf_layout_of(const struct cf_case *c) {
	return c->in != CF_CONTIGUOUS ? c->in : c->out;
}

static void *grow(void *memory, size_t count, size_t size) {
	void *more = realloc(memory, count * size);
	if (more == NULL) {
		fprintf(stderr, "mt-conformance: out of memory\n");
		exit(EXIT_FAILURE);
	}
	return more;
}

/* ---- collecting ---- */

static struct cf_item *new_item(struct cf_plan *p) {
	if (p->n_items == p->room) {
		p->room = p->room > 0 ? 2 * p->room : 1024;
		p->items = grow(p->items, (size_t)p->room, sizeof *p->items);
	}
	struct cf_item *item = &p->items[p->n_items];
	*item = (struct cf_item){.row = p->n_items++}; /* its place in the order, until rows are made */
	return item;
}

static int chosen(const struct collecting *k, const struct cf_case *c) {
	char label[64];
	cf_op_label(label, sizeof label, c->family, cf_op_of(c->family, c->op));
	return (k->selection->dtypes & MT_DTYPE_BIT(c->dtype)) != 0 && cf_selected(k->selection, label);
}

static void take(const struct cf_case *given, void *context) {
	const struct collecting *k = context;
	struct cf_case c = *given;
	if (k->family != NULL)
		c.family = k->family;
	if (cf_op_of(c.family, c.op) == NULL || !chosen(k, &c))
		return;
	if (c.seed == 0)
		c.seed = cf_case_seed(&c, k->selection->seed);
	struct cf_item *item = new_item(k->plan);
	item->c = c;
	if (k->probe != NULL && !cf_probe_claims(k->probe, c.family->kernel, cf_abi_op(c.op), c.dtype, c.side))
		item->state = CF_MISSING;
}

static void take_checks(struct collecting *k) {
	const struct cf_structure *check;
	char label[64];
	for (int i = 0; (check = cf_structure_at(i)) != NULL; i++) {
		snprintf(label, sizeof label, "%s.%s", check->suite, check->name);
		if (cf_selected(k->selection, label))
			new_item(k->plan)->check = check;
	}
}

static void take_fixed(struct collecting *k) {
	for (int32_t kernel = 1; kernel < MT_K_END_; kernel++) {
		k->family = cf_family_of(kernel);
		if (k->family != NULL)
			k->family->each(take, k);
	}
	k->family = NULL;
}

/* ---- random cases ---- */

/* One of the bits that are set in mask. */
static int32_t draw_bit(struct cf_random *r, uint32_t mask) {
	int64_t nth = cf_random_integer(r, 0, __builtin_popcount(mask) - 1);
	int32_t bit = 0;
	for (;; bit++)
		if ((mask & (1u << bit)) != 0 && nth-- == 0)
			return bit;
}

static int draw_case(struct cf_case *c, struct cf_random *r, const struct cf_case *kind, uint32_t sides) {
	for (int tries = 0; tries < 100; tries++) {
		const struct cf_family *f = kind->family;
		*c = *kind;
		c->side = sides != 0 ? draw_bit(r, sides) : 0;
		c->in = (int32_t)cf_random_integer(r, 0, CF_IN_LAYOUTS - 1);
		c->out = (int32_t)cf_random_integer(r, 0, CF_OUT_LAYOUTS - 1);
		c->data = draw_bit(r, f->data);
		for (int i = 0; i < f->n_params; i++)
			c->param[i] = f->params[i].simplest;
		f->draw(r, c);
		c->seed = cf_random_bits(r) >> 32;
		if (cf_case_valid(c))
			return 1;
	}
	return 0;
}

/* The ops and dtypes that random cases are drawn for: those that are chosen and claimed. */
static int32_t list_kinds(const struct collecting *k, struct cf_case **kinds) {
	int32_t n = 0;
	*kinds = NULL;
	for (int32_t kernel = 1; kernel < MT_K_END_; kernel++) {
		const struct cf_family *f = cf_family_of(kernel);
		for (int i = 0; f != NULL && i < f->n_ops; i++)
			for (int32_t t = 1; t < MT_DTYPE_END_; t++) {
				struct cf_case c = {.family = f, .op = f->ops[i].id, .dtype = t};
				if (!(f->ops[i].dtypes & MT_DTYPE_BIT(t)) || !chosen(k, &c) ||
				    (k->probe != NULL && !cf_probe_claims(k->probe, kernel, cf_abi_op(c.op), t, 0)))
					continue;
				*kinds = grow(*kinds, (size_t)n + 1, sizeof **kinds);
				(*kinds)[n++] = c;
			}
	}
	return n;
}

static int take_random(struct collecting *k, char *words, size_t size) {
	struct cf_case *kinds;
	int32_t n = list_kinds(k, &kinds);
	int ok = 1;
	for (int64_t i = 0; i < k->selection->random && n > 0 && ok; i++) {
		const struct cf_case *kind = &kinds[i % n];
		char label[96];
		struct cf_case c;
		snprintf(label, sizeof label, "%s/%d/%d", kind->family->name, (int)kind->op, (int)kind->dtype);
		struct cf_random mix = {k->selection->seed ^ cf_hash(label)};
		struct cf_random r = {cf_random_bits(&mix) + (uint64_t)(i / n)};
		uint32_t sides = kind->family->sides;
		if (kind->family->kernel == MT_K_COPY && k->probe != NULL)
			sides &= k->probe->copies[kind->dtype];
		ok = draw_case(&c, &r, kind, sides);
		if (ok)
			take(&c, k);
		else
			snprintf(words, size, "mt-conformance itself is wrong: no legal random case of %s", kind->family->name);
	}
	free(kinds);
	return ok;
}

/* ---- rows and groups ---- */

static int op_place(const struct cf_case *c) {
	return (int)(cf_op_of(c->family, c->op) - c->family->ops);
}

/* copy has a row for each pair of dtypes; elsewhere the second dtype is one more thing that varies. */
static int32_t row_side(const struct cf_case *c) {
	return c->family->kernel == MT_K_COPY ? c->side : 0;
}

static int compare_numbers(int64_t a, int64_t b) {
	return (a > b) - (a < b);
}

/* Checks first, in their order; then by kernel, op, dtype, and as they came. */
static int by_row(const void *left, const void *right) {
	const struct cf_item *a = left, *b = right;
	int order = 0;
	if ((a->check != NULL) != (b->check != NULL))
		return a->check != NULL ? -1 : 1;
	if (a->check == NULL) {
		order = compare_numbers(a->c.family->kernel, b->c.family->kernel);
		order = order != 0 ? order : compare_numbers(op_place(&a->c), op_place(&b->c));
		order = order != 0 ? order : compare_numbers(a->c.dtype, b->c.dtype);
		order = order != 0 ? order : compare_numbers(row_side(&a->c), row_side(&b->c));
	}
	return order != 0 ? order : compare_numbers(a->row, b->row);
}

static void name_row(struct cf_row *row, const struct cf_item *item) {
	row->is_check = item->check != NULL;
	if (item->check != NULL) {
		snprintf(row->label, sizeof row->label, "%s.%s", item->check->suite, item->check->name);
		return;
	}
	const struct cf_case *c = &item->c;
	cf_op_label(row->label, sizeof row->label, c->family, cf_op_of(c->family, c->op));
	if (row_side(c) != 0)
		snprintf(row->dtype, sizeof row->dtype, "%s-%s", cf_dtype_name(c->dtype), cf_dtype_name(c->side));
	else
		snprintf(row->dtype, sizeof row->dtype, "%s", cf_dtype_name(c->dtype));
}

static void name_group(struct cf_group *g, const struct cf_row *row, const struct cf_item *item) {
	snprintf(g->suite, sizeof g->suite, "%s", item->check != NULL ? "plugin" : item->c.family->name);
	snprintf(g->label, sizeof g->label, "%s", item->check != NULL ? item->check->suite : row->label);
}

static void add_to_rows(struct cf_plan *p, int32_t i, const struct cf_probe *probe) {
	struct cf_item *item = &p->items[i];
	struct cf_row row = {.first = i};
	struct cf_group group = {.first_row = p->n_rows, .first = i};
	name_row(&row, item);
	name_group(&group, &row, item);
	struct cf_row *last = p->n_rows > 0 ? &p->rows[p->n_rows - 1] : NULL;
	if (last == NULL || strcmp(last->label, row.label) != 0 || strcmp(last->dtype, row.dtype) != 0) {
		struct cf_group *g = p->n_groups > 0 ? &p->groups[p->n_groups - 1] : NULL;
		if (g == NULL || strcmp(g->label, group.label) != 0) {
			p->groups = grow(p->groups, (size_t)p->n_groups + 1, sizeof *p->groups);
			g = &p->groups[p->n_groups++];
			*g = group;
		}
		g->rows++;
		row.group = p->n_groups - 1;
		row.claimed = item->check == NULL &&
		              (probe == NULL || cf_probe_claims(probe, item->c.family->kernel, cf_abi_op(item->c.op),
		                                                item->c.dtype, row_side(&item->c)));
		p->rows = grow(p->rows, (size_t)p->n_rows + 1, sizeof *p->rows);
		p->rows[p->n_rows++] = row;
	}
	item->row = p->n_rows - 1;
	p->rows[item->row].count++;
	p->rows[item->row].missing += item->state == CF_MISSING;
	p->groups[p->n_groups - 1].count++;
}

int cf_plan_build(struct cf_plan *p, const struct cf_selection *s, const struct cf_probe *probe, char *words,
                  size_t size) {
	struct collecting k = {.plan = p, .selection = s, .probe = probe};
	*p = (struct cf_plan){.n_items = 0};
	if (!s->only_given) {
		take_checks(&k);
		take_fixed(&k);
	}
	for (int i = 0; i < s->n_given; i++)
		take(&s->given[i], &k);
	if (!take_random(&k, words, size))
		return 0;
	if (p->n_items > 0)
		qsort(p->items, (size_t)p->n_items, sizeof *p->items, by_row);
	for (int32_t i = 0; i < p->n_items; i++)
		add_to_rows(p, i, probe);
	return 1;
}

void cf_plan_free(struct cf_plan *p) {
	for (int32_t i = 0; i < p->n_items; i++) {
		free(p->items[i].result);
		free(p->items[i].smallest);
	}
	free(p->items);
	free(p->rows);
	free(p->groups);
	*p = (struct cf_plan){.n_items = 0};
}

void cf_item_id(char *out, size_t size, const struct cf_plan *p, const struct cf_item *item) {
	if (item->check != NULL)
		snprintf(out, size, "%s", p->rows[item->row].label);
	else
		cf_case_id(out, size, &item->c);
}
