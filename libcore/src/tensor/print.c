/* Printing: PyTorch's layout, with as few decimals as the elements shown need. */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "backend/device.h"
#include "base/alloc.h"
#include "base/error.h"
#include "tensor/element.h"
#include "tensor/promote.h"
#include "tensor/shape.h"
#include "tensor/tensor.h"

#define LINE_WIDTH 80
#define MAX_ELEMENTS 1000 /* above, the middle of each long dim is left out */
#define EDGE 3            /* elements kept at each end */
#define MAX_DECIMALS 4
#define ELEMENT_BYTES 64

enum style { STYLE_INTEGER, STYLE_BOOL, STYLE_FIXED, STYLE_SCIENTIFIC };

struct printer {
	struct mt_text text;
	const char *data; /* the elements shown, row-major */
	mt_dtype dtype;
	int rank;
	int64_t shape[MT_MAX_RANK]; /* of data */
	int elided[MT_MAX_RANK];    /* whether "..." stands after the first EDGE of this dim */
	enum style style;
	int decimals;
	int width;
};

static const char prefix[] = "tensor(";

/* ---- the elements shown ------------------------------------------------------------------------------------------- */

/* x with only the edges of dim, in the current scope. */
static mt_tensor *edges(mt_tensor *x, int dim) {
	int64_t shape[MT_MAX_RANK];
	memcpy(shape, x->shape, sizeof shape);
	shape[dim] = 2 * EDGE;
	mt_tensor *out = mt__tensor_new("print", x->storage->device, x->rank, shape, x->dtype);
	if (out == NULL)
		return NULL;
	shape[dim] = EDGE;
	for (int end = 0; end < 2; end++) {
		int64_t skip = end ? (x->shape[dim] - EDGE) * x->stride[dim] : 0;
		mt_tensor *from = mt__tensor_alias(x, x->rank, shape, x->stride, x->offset + skip);
		mt_tensor *to = mt__tensor_alias(out, x->rank, shape, out->stride, end * EDGE * out->stride[dim]);
		if (from == NULL || to == NULL || mt__tensor_copy(to, from) != MT_OK)
			return NULL;
	}
	return out;
}

/* Downloads what is shown, which the caller frees; NULL on failure. */
static char *collect(struct printer *p, mt_tensor *t) {
	int summarize = t->numel > MAX_ELEMENTS;
	mt_scope *scope = mt_scope_begin();
	if (scope == NULL)
		return NULL;
	for (int d = 0; t != NULL && d < t->rank; d++) {
		p->elided[d] = summarize && t->shape[d] > 2 * EDGE;
		if (p->elided[d])
			t = edges(t, d);
	}
	char *data = NULL;
	if (t != NULL) {
		size_t bytes = (size_t)t->numel * mt_dtype_size(t->dtype);
		data = mt__alloc(bytes);
		if (data == NULL)
			mt__fail_memory("print", bytes);
		else if (mt__tensor_download(t, data) != MT_OK) {
			mt__free(data);
			data = NULL;
		}
		memcpy(p->shape, t->shape, sizeof p->shape);
	}
	mt_scope_end(scope);
	return data;
}

static int64_t shown(const struct printer *p) {
	return mt__numel(p->rank, p->shape);
}

/* ---- the form of one element -------------------------------------------------------------------------------------- */

/* printf writes the locale's decimal point. */
static void fix_point(char *buffer) {
	const char *point = localeconv()->decimal_point;
	size_t n = strlen(point);
	char *at = n > 0 && strcmp(point, ".") != 0 ? strstr(buffer, point) : NULL;
	if (at == NULL)
		return;
	*at = '.';
	memmove(at + 1, at + n, strlen(at + n) + 1);
}

static void format_real(char *buffer, double x, enum style style, int decimals) {
	if (!isfinite(x)) {
		snprintf(buffer, ELEMENT_BYTES, "%s", isnan(x) ? "nan" : x > 0 ? "inf" : "-inf");
		return;
	}
	/* The flag # keeps the point where no decimal follows it: "1." */
	if (style == STYLE_SCIENTIFIC)
		snprintf(buffer, ELEMENT_BYTES, "%#.*e", decimals, x);
	else
		snprintf(buffer, ELEMENT_BYTES, "%#.*f", decimals, x);
	fix_point(buffer);
}

static void format_element(const struct printer *p, int64_t i, char *buffer) {
	const char *element = p->data + (size_t)i * mt_dtype_size(p->dtype);
	if (p->style == STYLE_BOOL)
		snprintf(buffer, ELEMENT_BYTES, "%s", *element != 0 ? "True" : "False");
	else if (p->style == STYLE_INTEGER)
		snprintf(buffer, ELEMENT_BYTES, "%lld", (long long)mt__element_i64(p->dtype, element));
	else
		format_real(buffer, mt__element_f64(p->dtype, element), p->style, p->decimals);
}

/* Decimals of x at MAX_DECIMALS that are not trailing zeros. */
static int decimals_of(double x, enum style style) {
	char buffer[ELEMENT_BYTES];
	format_real(buffer, x, style, MAX_DECIMALS);
	const char *digits = strchr(buffer, '.') + 1;
	int n = MAX_DECIMALS;
	while (n > 0 && digits[n - 1] == '0')
		n--;
	return n;
}

/* PyTorch's choice: scientific where the magnitudes lie far apart, or far from 1. */
static void choose_real_style(struct printer *p) {
	double least = INFINITY, most = 0;
	int integral = 1;
	size_t size = mt_dtype_size(p->dtype);
	int64_t n = shown(p);
	for (int64_t i = 0; i < n; i++) {
		double x = fabs(mt__element_f64(p->dtype, p->data + (size_t)i * size));
		if (!isfinite(x) || x == 0)
			continue;
		least = x < least ? x : least;
		most = x > most ? x : most;
		integral = integral && x == floor(x);
	}
	p->style = most > 0 && (most / least > 1000.0 || most > 1e8 || least < 1e-4) ? STYLE_SCIENTIFIC : STYLE_FIXED;
	p->decimals = p->style == STYLE_FIXED && !integral;
	for (int64_t i = 0; i < n && p->decimals < MAX_DECIMALS; i++) {
		double x = mt__element_f64(p->dtype, p->data + (size_t)i * size);
		int needed = isfinite(x) ? decimals_of(x, p->style) : 0;
		p->decimals = needed > p->decimals ? needed : p->decimals;
	}
}

static void choose_form(struct printer *p) {
	if (mt__is_float(p->dtype))
		choose_real_style(p);
	else
		p->style = p->dtype == MT_BOOL ? STYLE_BOOL : STYLE_INTEGER;
	int64_t n = shown(p);
	for (int64_t i = 0; i < n; i++) {
		char buffer[ELEMENT_BYTES];
		format_element(p, i, buffer);
		int width = (int)strlen(buffer);
		p->width = width > p->width ? width : p->width;
	}
}

/* ---- layout ------------------------------------------------------------------------------------------------------- */

/* Dim dim is written as a list of items: its elements, with "..." after the first EDGE where it is elided. */
static int64_t items_of(const struct printer *p, int dim) {
	return p->shape[dim] + p->elided[dim];
}

static int is_dots(const struct printer *p, int dim, int64_t item) {
	return p->elided[dim] && item == EDGE;
}

static int64_t element_of(const struct printer *p, int dim, int64_t item) {
	return item - (p->elided[dim] && item > EDGE);
}

static void add_vector(struct printer *p, int indent, int64_t first) {
	int dim = p->rank - 1, per_line = (LINE_WIDTH - indent) / (p->width + 2);
	int64_t items = items_of(p, dim);
	per_line = per_line > 1 ? per_line : 1;
	mt__text_add(&p->text, "[");
	for (int64_t item = 0; item < items; item++) {
		char buffer[ELEMENT_BYTES];
		if (item > 0 && item % per_line == 0)
			mt__text_add(&p->text, ",\n%*s", indent + 1, "");
		else if (item > 0)
			mt__text_add(&p->text, ", ");
		if (is_dots(p, dim, item)) {
			mt__text_add(&p->text, " ...");
			continue;
		}
		format_element(p, first + element_of(p, dim, item), buffer);
		mt__text_add(&p->text, "%*s", p->width, buffer);
	}
	mt__text_add(&p->text, "]");
}

/* The sub-array of dims dim … rank−1 whose first element is first. */
static void add_array(struct printer *p, int dim, int indent, int64_t first) {
	if (dim == p->rank - 1) {
		add_vector(p, indent, first);
		return;
	}
	int64_t items = items_of(p, dim), step = mt__numel(p->rank - dim - 1, p->shape + dim + 1);
	mt__text_add(&p->text, "[");
	for (int64_t item = 0; item < items; item++) {
		if (item > 0)
			mt__text_add(&p->text, ",%.*s%*s", p->rank - dim - 1, "\n\n\n\n\n\n\n\n", indent + 1, "");
		if (is_dots(p, dim, item))
			mt__text_add(&p->text, "...");
		else
			add_array(p, dim + 1, indent + 1, first + element_of(p, dim, item) * step);
	}
	mt__text_add(&p->text, "]");
}

/* ", name=value", on a line of its own where the last line is full. */
static void add_suffix(struct printer *p, const char *name, const char *value) {
	if (p->text.failed)
		return;
	const char *line = strrchr(p->text.data, '\n');
	size_t length = strlen(line != NULL ? line + 1 : p->text.data) + 2 + strlen(name) + 1 + strlen(value) + 1;
	if (length > LINE_WIDTH)
		mt__text_add(&p->text, ",\n%*s%s=%s", (int)strlen(prefix), "", name, value);
	else
		mt__text_add(&p->text, ", %s=%s", name, value);
}

static void add_suffixes(struct printer *p, const mt_tensor *t) {
	char text[MT__SHAPE_TEXT];
	if (t->numel == 0 && t->rank != 1)
		add_suffix(p, "shape", mt__shape_text(text, t->rank, t->shape));
	/* Elements tell f32, i64 and bool apart. */
	if (t->dtype != MT_F32 && (t->numel == 0 || (t->dtype != MT_I64 && t->dtype != MT_BOOL)))
		add_suffix(p, "dtype", mt_dtype_name(t->dtype));
	mt__text_add(&p->text, ")");
}

char *mt_tensor_to_string(mt_tensor *t) {
	if (!mt__check_tensor("tensor_to_string", "t", t))
		return NULL;
	struct printer p = {.dtype = t->dtype, .rank = t->rank};
	char *data = collect(&p, t);
	if (data == NULL)
		return NULL;
	p.data = data;
	mt__text_add(&p.text, "%s", prefix);
	if (t->numel == 0)
		mt__text_add(&p.text, "[]");
	else {
		choose_form(&p);
		if (t->rank == 0) {
			char buffer[ELEMENT_BYTES];
			format_element(&p, 0, buffer);
			mt__text_add(&p.text, "%s", buffer);
		} else
			add_array(&p, 0, (int)strlen(prefix), 0);
	}
	add_suffixes(&p, t);
	mt__free(data);
	if (p.text.failed)
		return mt__fail_null(MT_E_MEMORY, "tensor_to_string: out of memory");
	return p.text.data;
}

mt_status mt_tensor_print(mt_tensor *t, FILE *out) {
	if (out == NULL)
		return mt__fail_arg_null("tensor_print", "out");
	char *text = mt_tensor_to_string(t);
	if (text == NULL)
		return mt_error_peek();
	int ok = fputs(text, out) >= 0 && fputc('\n', out) != EOF;
	mt__free(text);
	return ok ? MT_OK : mt__fail(MT_E_IO, "tensor_print: cannot write");
}
