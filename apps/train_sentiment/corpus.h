/* Sentences with labels, their words as numbers. */
#ifndef APPS_TRAIN_SENTIMENT_CORPUS_H
#define APPS_TRAIN_SENTIMENT_CORPUS_H

#include "train_sentiment/lexicon.h"
#include "train_sentiment/text.h"

enum {
	CLASSES = 2,         /* negative, positive */
	SENTENCE_WORDS = 256 /* words of the longest sentence: longer ones are cut, so that one line cannot fill memory */
};

struct sentence {
	int64_t first; /* of its words in ids */
	int32_t length, label;
};

/* Zero-initialised: empty. */
struct corpus {
	struct lexicon words;
	int32_t *ids; /* of all words, sentence after sentence: numbers of words */
	int64_t n_ids, room_ids;
	struct sentence *sentences;
	int64_t n, room;
	int64_t cut; /* sentences that were cut */
	int latin1;  /* a file was not UTF-8 and was read as Latin-1 */
	char source[2100];
};

/* Adds a sentence.  lexicon NULL: new words go to c->words; else words that it lacks become unknown (number 1), as in a
 * vocabulary.  A sentence without words is one word, "". */
mt_status corpus_add(struct corpus *c, const struct lexicon *vocabulary, const char *text, size_t length, int label);

/* One sentence a line, blank lines left out.  MT_E_FORMAT where there is none. */
mt_status corpus_read_lines(struct corpus *c, const char *path, int label);

/* LABEL TAB SENTENCE or SENTENCE TAB LABEL: the first line with a label in one column alone decides which.  Labels are 0 and
 * 1, neg and pos, negative and positive.  The first line may be a header, in which a column is called "label".  Blank lines
 * are left out.  MT_E_FORMAT names the line. */
mt_status corpus_read_tsv(struct corpus *c, const char *path);

/* n sentences made of small lists of words, with labels that more than one word decides ("not good" is negative). */
mt_status corpus_generate(struct corpus *c, int64_t n, uint64_t seed);

void corpus_free(struct corpus *c);

#endif
