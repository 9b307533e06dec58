/* Words of a sentence, after Kim 2014's cleaning of the movie reviews. */
#include "train_sentiment/tokenize.h"

#include <stdint.h>
#include <string.h>

/* ---- UTF-8 ------------------------------------------------------------------------------------------------------ */

/* Bytes of the character at text, 0 where it is malformed or cut. */
static size_t character_bytes(const unsigned char *text, size_t length) {
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char first = text[0];
	if (first < 0x80)
		return 1;
	size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
	if (first < 0xC2 || first > 0xF4 || bytes > length)
		return 0;
	uint32_t code = first & (0xFFU >> (bytes + 1));
	for (size_t i = 1; i < bytes; i++) {
		if ((text[i] & 0xC0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3F);
	}
	int surrogate = code >= 0xD800 && code <= 0xDFFF;
	return code < least[bytes] || code > 0x10FFFF || surrogate ? 0 : bytes;
}

int utf8_valid(const char *text, size_t length) {
	for (size_t i = 0; i < length;) {
		size_t bytes = character_bytes((const unsigned char *)text + i, length - i);
		if (bytes == 0)
			return 0;
		i += bytes;
	}
	return 1;
}

size_t utf8_from_latin1(const char *text, size_t length, char *out) {
	size_t n = 0;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c >= 0x80) {
			out[n++] = (char)(0xC0 | c >> 6);
			c = 0x80 | (c & 0x3F);
		}
		out[n++] = (char)c;
	}
	return n;
}

/* ---- characters ------------------------------------------------------------------------------------------------- */

/* What a character is: part of a word, a word itself, or neither. */
enum kind { LETTER, MARK, GAP };

/* One character, lowered; an apostrophe is always ' here. */
struct character {
	enum kind kind;
	char text[4];
	size_t bytes;
};

static struct character ascii(char c) {
	struct character r = {GAP, {c}, 1};
	if (c >= 'A' && c <= 'Z')
		r.text[0] = (char)(c - 'A' + 'a');
	if ((r.text[0] >= 'a' && r.text[0] <= 'z') || (c >= '0' && c <= '9') || c == '\'')
		r.kind = LETTER;
	else if (c == '`')
		r = (struct character){LETTER, "'", 1};
	else if (c != '\0' && strchr(",!?()", c) != NULL)
		r.kind = MARK;
	return r;
}

/* A character of at least two bytes. */
static struct character wide(const char *at, size_t bytes) {
	struct character r = {LETTER, {0}, bytes};
	memcpy(r.text, at, bytes);
	const unsigned char *c = (const unsigned char *)r.text;
	if (bytes == 2 && c[0] == 0xC3 && c[1] >= 0x80 && c[1] <= 0x9E && c[1] != 0x97)
		r.text[1] = (char)(c[1] + 0x20);
	else if (bytes == 2 && c[0] == 0xC2) /* U+0080 to U+00BF: controls, a space and signs */
		r.kind = GAP;
	else if (bytes == 3 && c[0] == 0xE2 && c[1] == 0x80 && (c[2] == 0x98 || c[2] == 0x99))
		return (struct character){LETTER, "'", 1};
	else if (bytes == 3 && c[0] == 0xE2 && c[1] == 0x80)
		r.kind = GAP;
	return r;
}

/* The character at t->at, which moves on.  A malformed byte parts words. */
static struct character take(struct tokens *t) {
	size_t bytes = character_bytes((const unsigned char *)t->at, (size_t)(t->end - t->at));
	struct character r = bytes == 0 ? (struct character){GAP, {0}, 1} : bytes == 1 ? ascii(*t->at) : wide(t->at, bytes);
	t->at += bytes == 0 ? 1 : bytes;
	return r;
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

/* Drops apostrophes before and after the word, unless it is an ending that the text has set apart: "does n't". */
static void trim(char *word, size_t *n) {
	size_t from = 0;
	while (*n > 0 && word[*n - 1] == '\'')
		--*n;
	while (from < *n && word[from] == '\'')
		from++;
	static const char *const endings[] = {"s", "m", "re", "ve", "ll", "d"};
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
		if (from > 0 && *n - from == strlen(endings[i]) && memcmp(word + from, endings[i], *n - from) == 0)
			from--;
	*n -= from;
	memmove(word, word + from, *n);
	word[*n] = '\0';
}

/* Moves an ending of word to rest. */
static void split_ending(char *word, size_t n, char *rest) {
	static const char *const endings[] = {"n't", "'s", "'m", "'re", "'ve", "'ll", "'d"};
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		size_t length = strlen(endings[i]);
		if (n > length && strcmp(word + n - length, endings[i]) == 0) {
			memcpy(rest, endings[i], length + 1);
			word[n - length] = '\0';
			return;
		}
	}
}

void tokens_begin(struct tokens *t, const char *text, size_t length) {
	memset(t, 0, sizeof *t);
	t->at = text;
	t->end = text + length;
}

/* The run of letters from here on, into t->word. */
static void take_word(struct tokens *t) {
	size_t n = 0;
	int full = 0;
	while (t->at < t->end) {
		const char *before = t->at;
		struct character c = take(t);
		if (c.kind != LETTER) {
			t->at = before;
			break;
		}
		full = full || n + c.bytes > WORD_BYTES - 1;
		if (!full) {
			memcpy(t->word + n, c.text, c.bytes);
			n += c.bytes;
		}
	}
	trim(t->word, &n);
	split_ending(t->word, n, t->rest);
}

int tokens_next(struct tokens *t) {
	if (t->rest[0] != '\0') {
		memcpy(t->word, t->rest, sizeof t->rest);
		t->rest[0] = '\0';
		return 1;
	}
	while (t->at < t->end) {
		const char *before = t->at;
		struct character c = take(t);
		if (c.kind == MARK) {
			t->word[0] = c.text[0];
			t->word[1] = '\0';
			return 1;
		}
		if (c.kind == GAP)
			continue;
		t->at = before;
		take_word(t);
		if (t->word[0] != '\0')
			return 1;
	}
	return 0;
}
