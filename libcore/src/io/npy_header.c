/* The header of a .npy: of Python's literals just what NumPy writes, a dict of three keys with a string, a bool and a
 * tuple of integers.  Nothing nests, so that nothing recurses. */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "io/npy.h"

/* The text that is left, and the first thing that is wrong with it. */
struct reading {
	const char *what, *begin, *at, *end;
};

static mt_status fail(const struct reading *r, const char *expected) {
	return mt__fail(MT_E_FORMAT, "%s: expected %s at byte %td of its header", r->what, expected, r->at - r->begin);
}

static void skip_space(struct reading *r) {
	while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r'))
		r->at++;
}

/* The next character after spaces; −1 at the end. */
static int peek(struct reading *r) {
	skip_space(r);
	return r->at < r->end ? (unsigned char)*r->at : -1;
}

static int accept(struct reading *r, char c) {
	if (peek(r) != c)
		return 0;
	r->at++;
	return 1;
}

static int accept_word(struct reading *r, const char *word) {
	size_t length = strlen(word);
	skip_space(r);
	if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0)
		return 0;
	r->at += length;
	return 1;
}

/* 'text' or "text" without escapes. */
static mt_status read_string(struct reading *r, const char **text, size_t *length) {
	int quote = peek(r);
	if (quote != '\'' && quote != '"')
		return fail(r, "a string");
	const char *start = ++r->at;
	while (r->at < r->end && *r->at != quote) {
		if (*r->at == '\\' || (unsigned char)*r->at < ' ')
			return fail(r, "a string of plain characters");
		r->at++;
	}
	if (r->at == r->end)
		return fail(r, "the end of a string");
	*text = start;
	*length = (size_t)(r->at++ - start);
	return MT_OK;
}

/* Digits without leading zeros; Python 2 wrote an L behind. */
static mt_status read_extent(struct reading *r, int64_t *out) {
	int64_t value = 0;
	if (peek(r) < '0' || peek(r) > '9')
		return fail(r, "an extent ≥ 0");
	if (*r->at == '0' && r->at + 1 < r->end && r->at[1] >= '0' && r->at[1] <= '9')
		return fail(r, "an extent without leading zeros");
	for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
		int digit = *r->at - '0';
		if (value > (INT64_MAX - digit) / 10)
			return fail(r, "an extent below 2^63");
		value = value * 10 + digit;
	}
	if (r->at < r->end && *r->at == 'L')
		r->at++;
	*out = value;
	return MT_OK;
}

/* (), (3,), (3, 4) and (3, 4,); (3) is no tuple. */
static mt_status read_shape(struct reading *r, struct mt__npy_header *out) {
	if (!accept(r, '('))
		return fail(r, "a tuple as shape");
	for (int rank = 0;; rank++) {
		if (accept(r, ')')) {
			out->rank = rank;
			return MT_OK;
		}
		if (rank == MT_MAX_RANK)
			return mt__fail(MT_E_UNSUPPORTED, "%s: expected at most %d dims, got more", r->what, MT_MAX_RANK);
		mt_status status = read_extent(r, &out->shape[rank]);
		if (status != MT_OK)
			return status;
		if (!accept(r, ',') && (rank == 0 || peek(r) != ')'))
			return fail(r, rank == 0 ? "',' after an extent" : "',' or ')' after an extent");
	}
}

static mt_status read_descr(struct reading *r, struct mt__npy_header *out) {
	const char *text;
	size_t length;
	if (peek(r) == '[' || peek(r) == '(')
		return mt__fail(MT_E_UNSUPPORTED, "%s: expected a dtype of one number an element, got a structured one",
		                r->what);
	mt_status status = read_string(r, &text, &length);
	return status == MT_OK ? mt__npy_parse_descr(r->what, text, length, &out->dtype, &out->swapped) : status;
}

static mt_status read_order(struct reading *r, struct mt__npy_header *out) {
	out->fortran = accept_word(r, "True");
	return out->fortran || accept_word(r, "False") ? MT_OK : fail(r, "True or False as fortran_order");
}

static const struct {
	const char *name;
	mt_status (*read)(struct reading *r, struct mt__npy_header *out);
} keys[] = {{"descr", read_descr}, {"fortran_order", read_order}, {"shape", read_shape}};

enum { KEYS = sizeof keys / sizeof *keys };

/* One "key: value"; seen has a bit for each key. */
static mt_status read_pair(struct reading *r, struct mt__npy_header *out, unsigned *seen) {
	const char *name;
	size_t length;
	mt_status status = read_string(r, &name, &length);
	if (status != MT_OK)
		return status;
	for (int k = 0; k < KEYS; k++) {
		if (strlen(keys[k].name) != length || memcmp(keys[k].name, name, length) != 0)
			continue;
		if (*seen & 1u << k)
			return mt__fail(MT_E_FORMAT, "%s: its header has '%s' twice", r->what, keys[k].name);
		*seen |= 1u << k;
		return accept(r, ':') ? keys[k].read(r, out) : fail(r, "':' after a key");
	}
	return mt__fail(MT_E_FORMAT, "%s: its header has an unknown key '%.*s'", r->what, length < 40 ? (int)length : 40,
	                name);
}

static mt_status read_dict(struct reading *r, struct mt__npy_header *out) {
	unsigned seen = 0;
	if (!accept(r, '{'))
		return fail(r, "a dict");
	while (!accept(r, '}')) {
		mt_status status = read_pair(r, out, &seen);
		if (status != MT_OK)
			return status;
		if (!accept(r, ',') && peek(r) != '}')
			return fail(r, "',' or '}' after a value");
	}
	for (int k = 0; k < KEYS; k++)
		if ((seen & 1u << k) == 0)
			return mt__fail(MT_E_FORMAT, "%s: its header has no '%s'", r->what, keys[k].name);
	return peek(r) < 0 ? MT_OK : fail(r, "nothing but spaces after the dict");
}

static mt_status count_bytes(const char *what, struct mt__npy_header *h) {
	h->bytes = mt_dtype_size(h->dtype);
	for (int d = 0; d < h->rank; d++) {
		if (h->shape[d] > 0 && h->bytes > (uint64_t)INT64_MAX / (uint64_t)h->shape[d])
			return mt__fail(MT_E_FORMAT, "%s: its shape is too large", what);
		h->bytes *= (uint64_t)h->shape[d];
	}
	return MT_OK;
}

mt_status mt__npy_parse_header(const char *what, const char *text, size_t length, struct mt__npy_header *out) {
	struct reading r = {.what = what, .begin = text, .at = text, .end = text + length};
	memset(out, 0, sizeof *out);
	mt_status status = read_dict(&r, out);
	return status == MT_OK ? count_bytes(what, out) : status;
}
