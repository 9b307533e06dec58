/* A corpus for where there is none: one-line reviews made of small lists of words. */
#include <stdlib.h>
#include <string.h>

#include "train_sentiment/corpus.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const char *const subjects[] = {"the film",    "this movie",      "the plot",        "the acting",
                                       "the script",  "the story",       "the dialogue",    "the ending",
                                       "the music",   "her performance", "the humour",      "the camera",
                                       "this sequel", "the direction",   "the second half", "the cast"};
static const char *const adjectives[CLASSES][20] = {
	{"dull",     "awful",     "tedious", "clumsy",   "shallow", "bland",  "lifeless", "predictable", "boring", "weak",
     "confused", "pointless", "stale",   "dreadful", "lazy",    "forced", "hollow",   "tiresome",    "messy",  "flat"},
	{"brilliant", "moving",    "funny",     "charming", "gripping", "fresh",     "clever",
     "touching",  "superb",    "lively",    "elegant",  "honest",   "thrilling", "graceful",
     "warm",      "inventive", "wonderful", "rich",     "subtle",   "delightful"}};
static const char *const negations[] = {"not", "never", "hardly"};
static const char *const degrees[] = {"very", "quite", "truly", "rather", "so", "always"};
static const char *const asides[] = {"in the end",     "for two hours",  "at first",   "after all",
                                     "to my surprise", "as in the book", "once again", "from start to finish"};

/* Vigna's splitmix64: the same numbers everywhere. */
static uint64_t draw(uint64_t *state) {
	uint64_t z = *state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static size_t below(uint64_t *state, size_t n) {
	return (size_t)(draw(state) % n);
}

static void append(char *text, size_t size, const char *word) {
	size_t n = strlen(text);
	snprintf(text + n, size - n, "%s%s", n ? " " : "", word);
}

/* Half of the judgements are turned round, so that an adjective alone says little. */
static void append_clause(char *text, size_t size, uint64_t *state, int label) {
	int negated = (int)below(state, 2);
	append(text, size, subjects[below(state, COUNT(subjects))]);
	append(text, size, "is");
	if (negated)
		append(text, size, negations[below(state, COUNT(negations))]);
	if (below(state, 2))
		append(text, size, degrees[below(state, COUNT(degrees))]);
	append(text, size, adjectives[label ^ negated][below(state, COUNT(adjectives[0]))]);
}

mt_status corpus_generate(struct corpus *c, int64_t n, uint64_t seed) {
	mt_status status = MT_OK;
	for (int64_t i = 0; i < n && status == MT_OK; i++) {
		char text[256] = "";
		uint64_t state = seed * 0x2545f4914f6cdd1d + (uint64_t)i * 0xd1342543de82ef95;
		int label = (int)below(&state, CLASSES);
		append_clause(text, sizeof text, &state, label);
		if (below(&state, 2)) {
			append(text, sizeof text, "and");
			append_clause(text, sizeof text, &state, label);
		}
		if (below(&state, 2))
			append(text, sizeof text, asides[below(&state, COUNT(asides))]);
		status = corpus_add(c, NULL, text, strlen(text), label);
	}
	return status;
}
