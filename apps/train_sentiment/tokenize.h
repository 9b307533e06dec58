/* Words of a sentence. */
#ifndef APPS_TRAIN_SENTIMENT_TOKENIZE_H
#define APPS_TRAIN_SENTIMENT_TOKENIZE_H

#include <stddef.h>

enum { WORD_BYTES = 64 }; /* of the longest word, with its NUL: longer ones are cut, never inside a character */

/* A walk through UTF-8 text.  Words are runs of letters, digits and apostrophes, in small letters (ASCII and Latin-1
 * capitals are lowered); every byte from 0x80 on counts as a letter but for ’ and ‘, which are apostrophes, and for other
 * quotation marks, dashes and spaces of U+00A0 and U+2000 to U+203F.  The endings n't 's 'm 're 've 'll 'd are words of their
 * own, as in Kim 2014; so are , ! ? ( ).  Apostrophes around a word and all other characters only part words. */
struct tokens {
	const char *at, *end;
	char word[WORD_BYTES]; /* the current one */
	char rest[8];          /* an ending, still to come */
};

void tokens_begin(struct tokens *t, const char *text, size_t length);
/* 1: the next word is in t->word; 0: there is none. */
int tokens_next(struct tokens *t);

/* 1 where the bytes are UTF-8 (no surrogates, no overlong forms). */
int utf8_valid(const char *text, size_t length);
/* Latin-1 to UTF-8; out has room for 2 · length bytes.  Returns the bytes written. */
size_t utf8_from_latin1(const char *text, size_t length, char *out);

#endif
