/* train_sentiment's words: tokens, UTF-8, distinct words, vocabularies, text files, TSV, word vectors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "train_sentiment/corpus.h"
#include "train_sentiment/tokenize.h"
#include "train_sentiment/vectors.h"
#include "train_sentiment/vocabulary.h"

#include "mt_test.h"

static char path[64];

static int make_file(void) {
	snprintf(path, sizeof path, "/tmp/mt-sentiment.XXXXXX");
	int fd = mkstemp(path);
	return fd < 0 || close(fd) != 0;
}

static int remove_file(void) {
	return unlink(path);
}

static void write_text(const char *text, size_t bytes) {
	FILE *f = fopen(path, "wb");
	MT_REQUIRE(f != NULL);
	fwrite(text, 1, bytes, f);
	MT_CHECK_INT(fclose(f), 0);
}

/* ---- tokens ----------------------------------------------------------------------------------------------------- */

/* text's words with | between them. */
static const char *tokens_of(const char *text) {
	static char joined[1024];
	struct tokens t;
	joined[0] = '\0';
	tokens_begin(&t, text, strlen(text));
	while (tokens_next(&t)) {
		size_t n = strlen(joined);
		snprintf(joined + n, sizeof joined - n, "%s%s", n ? "|" : "", t.word);
	}
	return joined;
}

static void test_tokens(void) {
	static const struct {
		const char *text, *words;
	} rows[] = {
		{"", ""},
		{" \t . - ; : \" ", ""},
		{"A Fine FILM", "a|fine|film"},
		{"well,done!(really?)", "well|,|done|!|(|really|?|)"},
		{"too-tepid co-writer/director", "too|tepid|co|writer|director"},
		{"isn't it's I'm you're we've they'll he'd", "is|n't|it|'s|i|'m|you|'re|we|'ve|they|'ll|he|'d"},
		{"does n't it 's 'd", "does|n't|it|'s|'d"},
		{"'quoted' o'brien rock 'n' roll''", "quoted|o'brien|rock|n|roll"},
		{"' '' ```", ""},
		{"`tis don`t", "tis|do|n't"},
		{"don\u2019t \u2018x\u2019", "do|n't|x"},
		{"1970s 2.5", "1970s|2|5"},
		{"caf\u00e9 \u00c9TUDE \u00d7 \u00f7", "caf\u00e9|\u00e9tude|\u00d7|\u00f7"},
		{"a\u2014b\u00a0c\u201cd\u201d", "a|b|c|d"},
		{"\u6620\u753b \U0001F600", "\u6620\u753b|\U0001F600"},
		{"a\xff"
	     "b \xc3",
	     "a|b"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("%s", rows[i].text);
		MT_CHECK_STR(tokens_of(rows[i].text), rows[i].words);
	}
}

static void test_long_words(void) {
	char text[400];
	memset(text, 'a', sizeof text);
	text[399] = '\0';
	MT_CHECK_INT(strlen(tokens_of(text)), WORD_BYTES - 1);
	for (int i = 0; i + 1 < 400; i += 2)
		memcpy(text + i, "\u00e9", 2);
	text[398] = '\0';
	const char *cut = tokens_of(text);
	MT_CHECK_INT(strlen(cut), WORD_BYTES - 2);
	MT_CHECK(utf8_valid(cut, strlen(cut)));
	struct tokens t;
	tokens_begin(&t, "ab cd", 4); /* the end is where it was said to be */
	MT_CHECK(tokens_next(&t) && strcmp(t.word, "ab") == 0);
	MT_CHECK(tokens_next(&t) && strcmp(t.word, "c") == 0);
	MT_CHECK(!tokens_next(&t));
}

static void test_utf8(void) {
	static const struct {
		const char *text;
		int valid;
	} rows[] = {{"", 1},
	            {"a\x7f", 1},
	            {"\xc2\x80\u07ff\u0800\uffff", 1},
	            {"\U00010000\U0010ffff", 1},
	            {"\x80", 0},
	            {"\xc1\xbf", 0},
	            {"\xe0\x9f\xbf", 0},
	            {"\xf0\x8f\xbf\xbf", 0},
	            {"\xed\xa0\x80", 0},
	            {"\xf4\x90\x80\x80", 0},
	            {"\xf5\x80\x80\x80", 0},
	            {"a\xc3", 0},
	            {"\xe2\x82", 0},
	            {"\xc3(", 0}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("row %zu", i);
		MT_CHECK_INT(utf8_valid(rows[i].text, strlen(rows[i].text)), rows[i].valid);
	}
	char out[8];
	size_t n = utf8_from_latin1("a\xe9\xff", 3, out);
	MT_CHECK(n == 5 && memcmp(out, "a\u00e9\u00ff", 5) == 0);
}

/* ---- distinct words --------------------------------------------------------------------------------------------- */

static void test_lexicon(void) {
	struct lexicon l = {0}, copy = {0}, bad = {0};
	char word[32];
	MT_CHECK_INT(lexicon_find(&l, "x", 1), -1);
	for (int i = 0; i < 5000; i++) {
		int n = snprintf(word, sizeof word, "w%d", i);
		MT_REQUIRE(lexicon_add(&l, word, (size_t)n) == i);
	}
	MT_CHECK_INT(lexicon_add(&l, "w77", 3), 77);
	MT_CHECK_INT(l.n, 5000);
	MT_CHECK_INT(lexicon_find(&l, "w4999", 5), 4999);
	MT_CHECK_INT(lexicon_find(&l, "w4999", 4), 499);
	MT_CHECK_INT(lexicon_find(&l, "w5000", 5), -1);
	size_t length;
	const char *last = lexicon_word(&l, 4999, &length);
	MT_CHECK(length == 5 && memcmp(last, "w4999", 5) == 0);
	MT_CHECK(lexicon_read(&copy, l.text, l.bytes));
	MT_CHECK(copy.n == l.n && copy.bytes == l.bytes && memcmp(copy.text, l.text, l.bytes) == 0);
	MT_CHECK(!lexicon_read(&bad, "a\nb\na\n", 6));
	lexicon_free(&bad);
	MT_CHECK(!lexicon_read(&bad, "a\nb", 3));
	lexicon_free(&bad);
	lexicon_free(&copy);
	lexicon_free(&l);
}

static int add(struct corpus *c, const char *text, int label) {
	return corpus_add(c, NULL, text, strlen(text), label) == MT_OK;
}

static void test_vocabulary(void) {
	struct corpus c = {0};
	struct lexicon v = {0};
	const uint32_t order[] = {0, 1, 3};
	MT_REQUIRE(add(&c, "b a b c", 0) && add(&c, "a b d", 1) && add(&c, "e e e e", 1) && add(&c, "...", 0));
	unsigned char extra[] = {0, 0, 0, 1, 0, 0}; /* b a c d e "" */
	MT_CHECK_INT(c.words.n, 6);
	MT_REQUIRE(vocabulary_build(&v, &c, order, 3, 2, extra) == MT_OK);
	/* e is frequent in a sentence that does not count; c is rare; d is rare, but extra */
	MT_CHECK(v.bytes == 18 && memcmp(v.text, "<pad>\n<unk>\nb\na\nd\n", 18) == 0);
	MT_CHECK(vocabulary_valid(&v));
	MT_REQUIRE(vocabulary_apply(&v, &c) == MT_OK);
	const int32_t ids[] = {2, 3, 2, 1, 3, 2, 4, 1, 1, 1, 1, 1};
	MT_CHECK_INT(c.n_ids, 12);
	MT_CHECK(memcmp(c.ids, ids, sizeof ids) == 0);
	MT_CHECK(corpus_add(&c, &v, "a new b", 7, 1) == MT_OK);
	MT_CHECK(c.ids[12] == 3 && c.ids[13] == UNKNOWN_ID && c.ids[14] == 2);
	lexicon_free(&v);
	MT_CHECK(!vocabulary_valid(&v));
	corpus_free(&c);
}

static void test_long_sentence(void) {
	struct corpus c = {0};
	enum { BYTES = 1 << 20 };
	char *text = malloc(BYTES);
	MT_REQUIRE(text != NULL);
	for (int i = 0; i < BYTES; i++)
		text[i] = i % 2 ? ' ' : 'a';
	MT_CHECK_INT(corpus_add(&c, NULL, text, 2 * SENTENCE_WORDS, 1), MT_OK);
	MT_CHECK_INT(c.cut, 0);
	MT_CHECK_INT(corpus_add(&c, NULL, text, BYTES, 1), MT_OK);
	MT_CHECK_INT(c.cut, 1);
	MT_CHECK_INT(c.sentences[1].length, SENTENCE_WORDS);
	MT_CHECK_INT(c.n_ids, 2 * SENTENCE_WORDS);
	free(text);
	corpus_free(&c);
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static void test_lines(void) {
	struct corpus c = {0};
	static const char text[] = "\xef\xbb\xbfgood film\r\n\n \t\nbad film\r\nno end";
	write_text(text, sizeof text - 1);
	MT_CHECK_INT(corpus_read_lines(&c, path, 1), MT_OK);
	MT_CHECK_INT(c.n, 3);
	MT_CHECK(c.latin1 == 0 && c.n_ids == 6 && c.sentences[2].label == 1);
	MT_CHECK_INT(c.words.n, 5);
	write_text("caf\xe9 caf\xc3\xa9\n", 11); /* not UTF-8 as a whole: Latin-1 as a whole */
	MT_CHECK_INT(corpus_read_lines(&c, path, 0), MT_OK);
	MT_CHECK(c.latin1 == 1);
	MT_CHECK(lexicon_find(&c.words, "caf\u00e9", 5) >= 0);
	corpus_free(&c);
}

static void test_bad_lines(void) {
	struct corpus c = {0};
	write_text("", 0);
	MT_CHECK_INT(corpus_read_lines(&c, path, 1), MT_E_FORMAT);
	MT_CHECK_CONTAINS(mt_error_take(NULL), ": there are no sentences");
	write_text("a\0b\n", 4);
	MT_CHECK_INT(corpus_read_lines(&c, path, 1), MT_E_FORMAT);
	MT_CHECK_CONTAINS(mt_error_take(NULL), ": not a text file: byte 1 is zero");
	MT_CHECK_INT(corpus_read_lines(&c, "/nowhere/at/all", 1), MT_E_IO);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "/nowhere/at/all: ");
	MT_CHECK_INT(corpus_read_lines(&c, "/tmp", 1), MT_E_IO);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "/tmp: ");
	corpus_free(&c);
}

static void test_tsv(void) {
	static const struct {
		const char *text;
		const char *labels; /* or a part of the message */
	} rows[] = {
		{"0\tbad\n1\tgood\n", "01"},
		{"sentence\tlabel\nbad one \t0\ngood one \t1\n", "01"},
		{"label\tsentence\npos\tgood\nneg\tbad\n", "10"},
		{"good\tpositive\nbad\tnegative\n\n", "10"},
		{"1\t1\nbad\t0\n", "10"}, /* the second line tells that labels are on the right */
		{"1\t0\n0\t1\n", "10"},
		{"0\tbad\n1 good\n", "line 2: no tab between label and sentence"},
		{"0\tbad\n1\tgood\tmore\n", "line 2: more than two columns"},
		{"0\tbad\n2\tgood\n", "line 2: expected a label (0 or 1, neg or pos, negative or positive), got '2'"},
		{"0\tbad\n\tgood\n", "line 2: expected a label (0 or 1, neg or pos, negative or positive), got ''"},
		{"4\tbad\n5\tgood\n", "line 1: expected a label"},
		{"sentence\tlabel\n", "there are no sentences"},
		{"\n\n", "there are no sentences"},
		{"0\tbad\nsentence\tlabel\n", "line 2: expected a label"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct corpus c = {0};
		int good = rows[i].labels[0] == '0' || rows[i].labels[0] == '1';
		mt_test_row("%s", rows[i].text);
		write_text(rows[i].text, strlen(rows[i].text));
		MT_CHECK_INT(corpus_read_tsv(&c, path), good ? MT_OK : MT_E_FORMAT);
		const char *message = mt_error_take(NULL);
		if (!good) {
			MT_CHECK_CONTAINS(message, rows[i].labels);
			MT_CHECK_CONTAINS(message, path);
		}
		for (int64_t k = 0; good && k < c.n; k++)
			MT_CHECK_INT(c.sentences[k].label, rows[i].labels[k] - '0');
		MT_CHECK(!good || c.n == (int64_t)strlen(rows[i].labels));
		corpus_free(&c);
	}
}

static void test_generated(void) {
	struct corpus c = {0}, more = {0}, other = {0};
	MT_REQUIRE(corpus_generate(&c, 200, 1) == MT_OK && corpus_generate(&more, 400, 1) == MT_OK &&
	           corpus_generate(&other, 200, 2) == MT_OK);
	MT_CHECK(memcmp(c.ids, more.ids, (size_t)c.n_ids * sizeof *c.ids) == 0);
	MT_CHECK(c.n_ids != other.n_ids || memcmp(c.ids, other.ids, (size_t)c.n_ids * sizeof *c.ids) != 0);
	int64_t positive = 0;
	for (int64_t i = 0; i < more.n; i++)
		positive += more.sentences[i].label;
	MT_CHECK_MSG(positive > 160 && positive < 240, "%lld of 400 are positive", (long long)positive);
	corpus_free(&c);
	corpus_free(&more);
	corpus_free(&other);
}

/* ---- word vectors ----------------------------------------------------------------------------------------------- */

static void test_vectors(void) {
	struct lexicon words = {0}, vocabulary = {0};
	struct vectors v = {0};
	lexicon_add(&words, "film", 4);
	lexicon_add(&words, "good", 4);
	lexicon_add(&words, "new york", 8);
	lexicon_add(&words, "2004", 4);
	static const char text[] = "4 3\nthe 1 2 3\ngood 0.5 -1e-2 3\nnew york 7 8 9\r\n2004 1 1 1 \ngood 9 9 9\n";
	write_text(text, sizeof text - 1);
	if (!MT_CHECK_INT(vectors_read(&v, path, &words), MT_OK))
		mt_test_note("%s", mt_error_take(NULL));
	MT_CHECK(v.size == 3 && v.found == 3);
	MT_CHECK(!v.has[0] && v.has[1] && v.has[2] && v.has[3]);
	MT_CHECK(v.values[3] == 0.5F && v.values[4] == -1e-2F && v.values[5] == 3 && v.values[8] == 9);
	lexicon_read(&vocabulary, "<pad>\n<unk>\n2004\nfilm\ngood\n", 27);
	MT_REQUIRE(vectors_renumber(&v, &words, &vocabulary) == MT_OK);
	MT_CHECK(!v.has[0] && !v.has[1] && v.has[2] && !v.has[3] && v.has[4]);
	MT_CHECK(v.values[6] == 1 && v.values[12] == 0.5F);
	vectors_free(&v);
	lexicon_free(&words);
	lexicon_free(&vocabulary);
}

static void test_bad_vectors(void) {
	static const struct {
		const char *text, *part;
	} rows[] = {
		{"", "there are no vectors"},
		{"a 1 2\nb 1\n", "line 2: expected a word and 2 numbers, got 1"},
		{"a 1 2\nb 1 2 3\n", "line 2: more than 2 numbers"},
		{"a 1 2\nb 1 x\n", "line 2: expected a number, got 'x'"},
		{"a 1 2\nb 1 2x\n", "line 2: expected a number, got '2x'"},
		{"a 1 2\nb nan 2\n", "line 2: a number that is not finite"},
		{"a 1 2\nb 1e99 2\n", "line 2: a number that is not finite"},
		{"a 1 2\n\nb 1 2\n", "line 2: expected a word and 2 numbers, got 0"},
		{"word\n", "line 1: expected a word and numbers"},
		{"a 1  2\n", "line 1: expected a number, got ''"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct vectors v = {0};
		struct lexicon words = {0};
		lexicon_add(&words, "b", 1);
		mt_test_row("%s", rows[i].text);
		write_text(rows[i].text, strlen(rows[i].text));
		MT_CHECK_INT(vectors_read(&v, path, &words), MT_E_FORMAT);
		const char *message = mt_error_take(NULL);
		MT_CHECK_CONTAINS(message, rows[i].part);
		MT_CHECK_CONTAINS(message, path);
		vectors_free(&v);
		lexicon_free(&words);
	}
}

static const mt_test_case words_cases[] = {{"tokens", test_tokens},
                                           {"long_words", test_long_words},
                                           {"utf8", test_utf8},
                                           {"lexicon", test_lexicon},
                                           {"vocabulary", test_vocabulary},
                                           {"long_sentence", test_long_sentence},
                                           {"generated", test_generated},
                                           {0}};
static const mt_test_case file_cases[] = {
	{"lines", test_lines},     {"bad_lines", test_bad_lines},     {"tsv", test_tsv},
	{"vectors", test_vectors}, {"bad_vectors", test_bad_vectors}, {0}};
static const mt_test_suite suites[] = {
	{"words", words_cases, NULL, NULL}, {"files", file_cases, make_file, remove_file}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
