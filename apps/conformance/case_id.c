#include "case_id.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dtype.h"
#include "families.h"

enum { FIELDS = 7 };

const char *const cf_layout_names[CF_IN_LAYOUTS] = {"contiguous", "transposed", "stepped", "negative",
                                                    "padded",     "broadcast",  "repeated"};
const char *const cf_data_names[CF_DATA_END] = {"random", "special", "ties", "wide"};

/* ---- writing ---- */

struct text {
	char *at;
	size_t left;
};

static void put(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct text *t, const char *format, ...) {
	va_list args;
	va_start(args, format);
	int n = vsnprintf(t->at, t->left, format, args);
	va_end(args);
	size_t used = n < 0 ? 0 : (size_t)n < t->left ? (size_t)n : t->left - 1;
	t->at += used;
	t->left -= used;
}

static void put_shape(struct text *t, const struct cf_case *c) {
	if (!c->family->shaped || c->rank == 0)
		put(t, "%s", c->family->shaped ? "0d" : "-");
	for (int d = 0; d < c->rank; d++)
		put(t, "%s%" PRId64, d > 0 ? "x" : "", c->shape[d]);
}

static void put_params(struct text *t, const struct cf_case *c) {
	int n = 0;
	for (int i = 0; i < c->family->n_params; i++)
		if (c->param[i] != c->family->params[i].simplest)
			put(t, "%s%s=%" PRId64, n++ > 0 ? "," : "", c->family->params[i].name, c->param[i]);
	if (n == 0)
		put(t, "-");
}

/* All but the seed. */
static void put_what(struct text *t, const struct cf_case *c) {
	const struct cf_op *op = cf_op_of(c->family, c->op);
	put(t, "%s%s%s/%s", c->family->name, op->name[0] != '\0' ? "." : "", op->name, cf_dtype_name(c->dtype));
	if (c->side != 0)
		put(t, "-%s", cf_dtype_name(c->side));
	put(t, "/%s-%s/%s/", cf_layout_names[c->in], cf_layout_names[c->out], cf_data_names[c->data]);
	put_shape(t, c);
	put(t, "/");
	put_params(t, c);
}

void cf_case_id(char *out, size_t size, const struct cf_case *c) {
	struct text t = {out, size};
	put_what(&t, c);
	put(&t, "/s%" PRIx64, c->seed);
}

uint64_t cf_hash(const char *text) {
	uint64_t hash = 0xcbf29ce484222325u;
	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
	return hash;
}

uint64_t cf_case_seed(const struct cf_case *c, uint64_t seed) {
	char what[CF_ID_SIZE];
	struct text t = {what, sizeof what};
	put_what(&t, c);
	struct cf_random r = {cf_hash(what) ^ seed};
	return cf_random_bits(&r) >> 32;
}

/* ---- reading ---- */

struct field {
	const char *text;
	size_t length;
};

static int is(struct field f, const char *word) {
	return strlen(word) == f.length && memcmp(f.text, word, f.length) == 0;
}

static int wrong(char *words, size_t size, const char *what, struct field f) {
	snprintf(words, size, "%s '%.*s'", what, (int)f.length, f.text);
	return 0;
}

/* The part of *rest before the first separator, which is taken away with it; *rest.text is NULL after the last. */
static struct field next_part(struct field *rest, char separator) {
	const char *end = memchr(rest->text, separator, rest->length);
	struct field part = {rest->text, end != NULL ? (size_t)(end - rest->text) : rest->length};
	*rest = end != NULL ? (struct field){end + 1, rest->length - part.length - 1} : (struct field){NULL, 0};
	return part;
}

static int read_integer(struct field f, int base, int64_t *out) {
	char digits[32], *end;
	if (f.length == 0 || f.length >= sizeof digits || f.text[0] == ' ' || f.text[0] == '+')
		return 0;
	memcpy(digits, f.text, f.length);
	digits[f.length] = '\0';
	errno = 0;
	*out = base == 16 ? (int64_t)strtoull(digits, &end, 16) : strtoll(digits, &end, base);
	return *end == '\0' && errno == 0;
}

static int read_name(struct field f, const char *const *names, int n, int32_t *out) {
	for (int i = 0; i < n; i++)
		if (is(f, names[i])) {
			*out = i;
			return 1;
		}
	return 0;
}

static int32_t read_dtype(struct field f) {
	for (int32_t t = 1; t < MT_DTYPE_END_; t++)
		if (is(f, cf_dtype_name(t)))
			return t;
	return 0;
}

static int read_op(struct cf_case *c, struct field f) {
	struct field rest = f;
	struct field kernel = next_part(&rest, '.');
	c->family = cf_family_named(kernel.text, kernel.length);
	const struct cf_op *op = c->family == NULL   ? NULL
	                         : rest.text != NULL ? cf_op_named(c->family, rest.text, rest.length)
	                                             : cf_op_named(c->family, "", 0);
	if (op == NULL)
		return 0;
	c->op = op->id;
	return 1;
}

static int read_dtypes(struct cf_case *c, struct field f) {
	struct field rest = f;
	c->dtype = read_dtype(next_part(&rest, '-'));
	c->side = rest.text != NULL ? read_dtype(rest) : 0;
	return c->dtype != 0 && (rest.text == NULL || c->side != 0);
}

static int read_layouts(struct cf_case *c, struct field f) {
	struct field rest = f;
	return read_name(next_part(&rest, '-'), cf_layout_names, CF_IN_LAYOUTS, &c->in) && rest.text != NULL &&
	       read_name(rest, cf_layout_names, CF_OUT_LAYOUTS, &c->out);
}

static int read_shape(struct cf_case *c, struct field f) {
	struct field rest = f;
	if (is(f, "-") || is(f, "0d"))
		return is(f, "0d") == c->family->shaped;
	while (rest.text != NULL)
		if (c->rank == MT_MAX_RANK || !read_integer(next_part(&rest, 'x'), 10, &c->shape[c->rank++]))
			return 0;
	return 1;
}

static int read_params(struct cf_case *c, struct field f) {
	struct field rest = f;
	while (rest.text != NULL && !is(f, "-")) {
		struct field value = next_part(&rest, ',');
		struct field name = next_part(&value, '=');
		int i = 0;
		while (i < c->family->n_params && !is(name, c->family->params[i].name))
			i++;
		if (i == c->family->n_params || value.text == NULL || !read_integer(value, 10, &c->param[i]))
			return 0;
	}
	return 1;
}

int cf_case_parse(struct cf_case *c, const char *id, char *words, size_t size) {
	struct field fields[FIELDS], rest = {id, strlen(id)};
	int n = 0;
	while (rest.text != NULL && n < FIELDS)
		fields[n++] = next_part(&rest, '/');
	*c = (struct cf_case){.family = NULL};
	if (n < FIELDS || rest.text != NULL)
		return wrong(words, size, "an id has 7 parts with '/' between them, not", (struct field){id, strlen(id)});
	if (!read_op(c, fields[0]))
		return wrong(words, size, "unknown op", fields[0]);
	for (int i = 0; i < c->family->n_params; i++)
		c->param[i] = c->family->params[i].simplest;
	if (!read_dtypes(c, fields[1]))
		return wrong(words, size, "unknown dtype", fields[1]);
	if (!read_layouts(c, fields[2]))
		return wrong(words, size, "unknown layouts", fields[2]);
	if (!read_name(fields[3], cf_data_names, CF_DATA_END, &c->data))
		return wrong(words, size, "unknown data", fields[3]);
	if (!read_shape(c, fields[4]))
		return wrong(words, size, "not a shape for this op:", fields[4]);
	if (!read_params(c, fields[5]))
		return wrong(words, size, "not parameters of this op:", fields[5]);
	struct field seed = {fields[6].text + 1, fields[6].length > 0 ? fields[6].length - 1 : 0};
	if (fields[6].length < 2 || fields[6].text[0] != 's' || !read_integer(seed, 16, (int64_t *)&c->seed))
		return wrong(words, size, "not a seed:", fields[6]);
	if (!cf_case_valid(c)) {
		snprintf(words, size, "not a legal case of %s", c->family->name);
		return 0;
	}
	return 1;
}
