/* Reading einsum's equation. */
#include "ops/einsum.h"

/* Subscripts as they are written. */
struct subscripts {
	int n;                          /* letters */
	int letter[MT__EINSUM_LETTERS]; /* the first ones; more than this is refused in any case */
	int at[MT__EINSUM_LETTERS];     /* position of each in the text */
	int ellipsis;                   /* letters before "..."; −1: there is none */
	int start, end;                 /* position of the first character, and behind the last */
};

struct reader {
	const char *text;
	int at;
};

static mt_status unreadable(const struct reader *r, int at, const char *why) {
	return mt__fail(MT_E_ARG, "einsum: \"%s\", position %d: %s", r->text, at, why);
}

static int letter_of(char c) {
	return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : -1;
}

static char letter_text(int label) {
	return (char)(label < 26 ? 'A' + label : 'a' + label - 26);
}

static mt_status read_ellipsis(struct reader *r, struct subscripts *s) {
	if (r->text[r->at + 1] != '.' || r->text[r->at + 2] != '.')
		return unreadable(r, r->at, "a dot that is not part of \"...\"");
	if (s->ellipsis >= 0)
		return unreadable(r, r->at, "a second \"...\" for one tensor");
	s->ellipsis = s->n;
	r->at += 3;
	return MT_OK;
}

static mt_status read_subscripts(struct reader *r, struct subscripts *s) {
	*s = (struct subscripts){.ellipsis = -1, .start = r->at};
	for (;; s->end = r->at) {
		char c = r->text[r->at];
		if (c == '\0' || c == ',' || c == '-')
			return MT_OK;
		if (c == '.') {
			mt_status status = read_ellipsis(r, s);
			if (status != MT_OK)
				return status;
			continue;
		}
		if (c != ' ' && letter_of(c) < 0)
			return unreadable(r, r->at, "a letter, \"...\", \",\" or \"->\" is needed");
		if (c != ' ' && s->n == MT__EINSUM_LETTERS)
			return unreadable(r, r->at, "more letters than there are");
		if (c != ' ') {
			s->letter[s->n] = letter_of(c);
			s->at[s->n++] = r->at;
		}
		r->at++;
	}
}

/* ---- labels ------------------------------------------------------------------------------------------------------- */

/* The labels of s, "..." standing for dims of them; 0 where they are too many. */
static int label_dims(const struct subscripts *s, int dims, struct mt__einsum_term *term) {
	term->rank = 0;
	if (s->n + dims > MT_MAX_RANK)
		return 0;
	for (int i = 0; i <= s->n; i++) {
		for (int k = dims; i == s->ellipsis && k > 0; k--)
			term->label[term->rank++] = MT__EINSUM_LETTERS + k - 1;
		if (i < s->n)
			term->label[term->rank++] = s->letter[i];
	}
	return 1;
}

static mt_status label_operand(const struct reader *r, const struct subscripts *s, int i, const mt_tensor *x,
                               struct mt__einsum_term *term) {
	char text[MT__SHAPE_TEXT];
	int dims = s->ellipsis >= 0 ? x->rank - s->n : 0;
	if (dims >= 0 && s->n + dims == x->rank && label_dims(s, dims, term))
		return MT_OK;
	return mt__fail(MT_E_SHAPE, "einsum: \"%s\": operand %d is %s, and its subscripts \"%.*s\" name %d dims%s", r->text,
	                i, mt__tensor_text(text, x), s->end - s->start, r->text + s->start, s->n,
	                s->ellipsis >= 0 ? " or more" : "");
}

/* Without "->": what "..." stands for, then the letters that occur once, in the order of their codes. */
static void imply_output(struct mt__einsum *e, const int *count, int dims) {
	for (int k = dims; k > 0; k--)
		e->out.label[e->out.rank++] = MT__EINSUM_LETTERS + k - 1;
	for (int l = 0; l < MT__EINSUM_LETTERS; l++)
		if (count[l] == 1 && e->out.rank < MT_MAX_RANK)
			e->out.label[e->out.rank++] = l;
		else if (count[l] == 1)
			e->out.rank = MT_MAX_RANK + 1; /* refused below */
}

static mt_status label_output(const struct reader *r, const struct subscripts *s, const int *count, int dims,
                              struct mt__einsum *e) {
	int seen[MT__EINSUM_LETTERS] = {0};
	for (int i = 0; i < s->n; i++) {
		if (count[s->letter[i]] == 0)
			return unreadable(r, s->at[i], "this letter of the output is in no operand");
		if (seen[s->letter[i]]++ > 0)
			return unreadable(r, s->at[i], "this letter is in the output twice");
	}
	if (s->ellipsis < 0 && dims > 0)
		return unreadable(r, s->start, "the output lacks the \"...\" of the operands");
	if (!label_dims(s, dims, &e->out))
		e->out.rank = MT_MAX_RANK + 1;
	return MT_OK;
}

/* ---- extents ------------------------------------------------------------------------------------------------------ */

static mt_status differ(const struct reader *r, int label, const char *where, int64_t a, int64_t b) {
	char name[4] = "...";
	if (label < MT__EINSUM_LETTERS)
		snprintf(name, sizeof name, "%c", letter_text(label));
	return mt__fail(MT_E_SHAPE, "einsum: \"%s\": the extents of %s differ%s: %lld and %lld", r->text, name, where,
	                (long long)a, (long long)b);
}

/* Extents of 1 broadcast between the operands, not within one. */
static mt_status find_extents(const struct reader *r, int n, mt_tensor *const *operands, struct mt__einsum *e) {
	int64_t own[2][MT__EINSUM_LABELS];
	for (int i = 0; i < n; i++) {
		const struct mt__einsum_term *term = &e->in[i];
		for (int l = 0; l < MT__EINSUM_LABELS; l++)
			own[i][l] = -1;
		for (int d = 0; d < term->rank; d++) {
			int64_t extent = operands[i]->shape[d], *known = &own[i][term->label[d]];
			if (*known >= 0 && *known != extent)
				return differ(r, term->label[d], i == 0 ? " within operand 0" : " within operand 1", *known, extent);
			*known = extent;
		}
	}
	for (int l = 0; l < MT__EINSUM_LABELS; l++) {
		int64_t a = own[0][l], b = n > 1 ? own[1][l] : -1;
		if (a >= 0 && b >= 0 && a != b && a != 1 && b != 1)
			return differ(r, l, "", a, b);
		e->extent[l] = a < 0 || (a == 1 && b >= 0) ? b : a;
	}
	return MT_OK;
}

/* ---- the equation ------------------------------------------------------------------------------------------------- */

static mt_status read_operands(struct reader *r, int n, mt_tensor *const *operands, struct mt__einsum *e, int *count,
                               int *dims) {
	for (int i = 0; i < n; i++) {
		struct subscripts s;
		mt_status status = read_subscripts(r, &s);
		if (status != MT_OK)
			return status;
		char stop = r->text[r->at];
		if (i < n - 1 ? stop != ',' : stop == ',')
			return unreadable(r, r->at,
			                  n == 1        ? "subscripts for a second tensor; there is one operand"
			                  : stop == ',' ? "subscripts for a third tensor; there are two operands"
			                                : "\",\" and subscripts for the second operand are needed");
		if ((status = label_operand(r, &s, i, operands[i], &e->in[i])) != MT_OK)
			return status;
		for (int k = 0; k < s.n; k++)
			count[s.letter[k]]++;
		if (operands[i]->rank - s.n > *dims)
			*dims = operands[i]->rank - s.n;
		r->at += stop == ',';
	}
	return MT_OK;
}

static mt_status read_output(struct reader *r, const int *count, int dims, struct mt__einsum *e) {
	struct subscripts s;
	if (r->text[r->at] == '\0') {
		imply_output(e, count, dims);
		return MT_OK;
	}
	if (r->text[r->at + 1] != '>')
		return unreadable(r, r->at, "\"-\" without \">\"");
	r->at += 2;
	mt_status status = read_subscripts(r, &s);
	if (status == MT_OK && r->text[r->at] != '\0')
		return unreadable(r, r->at, "the equation should end here");
	return status == MT_OK ? label_output(r, &s, count, dims, e) : status;
}

mt_status mt__einsum_read(const char *text, int n, mt_tensor *const *operands, struct mt__einsum *out) {
	struct reader r = {text, 0};
	int count[MT__EINSUM_LETTERS] = {0}, dims = 0;
	*out = (struct mt__einsum){0};
	mt_status status = read_operands(&r, n, operands, out, count, &dims);
	if (status == MT_OK)
		status = read_output(&r, count, dims, out);
	if (status == MT_OK)
		status = find_extents(&r, n, operands, out);
	if (status == MT_OK && out->out.rank > MT_MAX_RANK)
		status = mt__fail(MT_E_SHAPE, "einsum: \"%s\": the result has more than %d dims", text, MT_MAX_RANK);
	return status;
}
