/* Good files of every format, damaged in every small way and in many larger ones: a reader gives an error or a valid
 * tensor, and nothing else happens.  (make check under sanitizers or valgrind looks closer.) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mt/mt.h"
#include "mt/philox.h"
#include "mt_test.h"
#include "seeds.h"

static char folder[] = "/tmp/mt-mutated.XXXXXX";
static struct fuzz_seed seeds[FUZZ_SEEDS];

static int make_seeds(void) {
	return mkdtemp(folder) == NULL || !fuzz_make_seeds(seeds, folder);
}

static int free_seeds(void) {
	fuzz_free_seeds(seeds);
	return rmdir(folder);
}

static int under_valgrind(void) {
	return getenv("MT_TEST_VALGRIND") != NULL;
}

/* Reads the file; says what was done to it where that went wrong. */
static void check(const struct fuzz_seed *seed, const void *data, size_t bytes, const char *what, size_t at) {
	const char *wrong = seed->reader(data, bytes);
	if (wrong != NULL)
		MT_CHECK_MSG(0, "%s, %s %zu: %s", seed->name, what, at, wrong);
}

static void test_good(void) {
	for (int i = 0; i < FUZZ_SEEDS; i++) {
		long before = fuzz_valid;
		mt_test_row("%s", seeds[i].name);
		MT_CHECK_STR(seeds[i].reader(seeds[i].data, seeds[i].bytes), NULL);
		MT_CHECK_MSG(fuzz_valid > before, "%s", mt_error_take(NULL));
	}
}

static void test_truncated(void) {
	for (int i = 0; i < FUZZ_SEEDS; i++) {
		long before = fuzz_valid;
		for (size_t n = 0; n < seeds[i].bytes; n++)
			check(&seeds[i], seeds[i].data, n, "cut to byte", n);
		MT_CHECK_MSG(fuzz_valid == before, "%s: a part of the file was taken for all of it", seeds[i].name);
	}
}

static void test_longer(void) {
	for (int i = 0; i < FUZZ_SEEDS; i++) {
		unsigned char *longer = calloc(1, seeds[i].bytes + 300);
		MT_REQUIRE(longer != NULL);
		memcpy(longer, seeds[i].data, seeds[i].bytes);
		for (size_t n = 1; n < 300; n += 13)
			check(&seeds[i], longer, seeds[i].bytes + n, "longer by", n);
		free(longer);
	}
}

static void test_each_bit(void) {
	size_t step = under_valgrind() ? 7 : 1, readings = 0;
	long before = fuzz_valid;
	for (int i = 0; i < FUZZ_SEEDS; i++)
		for (size_t bit = 0; bit < 8 * seeds[i].bytes; bit += step, readings++) {
			seeds[i].data[bit / 8] ^= (unsigned char)(1u << bit % 8);
			check(&seeds[i], seeds[i].data, seeds[i].bytes, "bit", bit);
			seeds[i].data[bit / 8] ^= (unsigned char)(1u << bit % 8);
		}
	mt_test_note("%zu files, %ld valid tensors in them", readings, fuzz_valid - before);
}

static void test_each_byte(void) {
	static const unsigned char values[] = {0, 1, 0x7f, 0x80, 0xff, '0', '9', '\'', '"', '(', '[', '{', '-', ' '};
	size_t step = under_valgrind() ? 11 : 1;
	for (int i = 0; i < FUZZ_SEEDS; i++)
		for (size_t at = 0; at < seeds[i].bytes; at += step)
			for (size_t v = 0; v < sizeof values; v++) {
				unsigned char was = seeds[i].data[at];
				seeds[i].data[at] = values[v];
				check(&seeds[i], seeds[i].data, seeds[i].bytes, "byte", at);
				seeds[i].data[at] = was;
			}
}

/* ---- many changes at once, drawn ---------------------------------------------------------------------------------- */

enum { ROOM = 4096, FILES = 3000 };

struct draw {
	uint64_t block;
	uint32_t word[4];
	int used;
};

static uint32_t next(struct draw *d, size_t below) {
	if (d->used % 4 == 0)
		mt_philox_block(20240601, d->block++, d->word);
	return below > 0 ? d->word[d->used++ % 4] % (uint32_t)below : 0;
}

/* One change of data: bytes overwritten, taken out, doubled, or moved over others. */
static size_t change(struct draw *d, unsigned char *data, size_t bytes) {
	size_t at = next(d, bytes), n = 1 + next(d, 8), to = next(d, bytes);
	if (at + n > bytes || to + n > bytes || bytes + n > ROOM)
		return bytes;
	switch (next(d, 5)) {
	case 0:
		for (size_t i = 0; i < n; i++)
			data[at + i] = (unsigned char)next(d, 256);
		return bytes;
	case 1:
		memset(data + at, next(d, 2) ? 0xff : 0, n);
		return bytes;
	case 2:
		memmove(data + at, data + at + n, bytes - at - n);
		return bytes - n;
	case 3:
		memmove(data + at + n, data + at, bytes - at);
		return bytes + n;
	default:
		memmove(data + to, data + at, n);
		return bytes;
	}
}

static void test_drawn(void) {
	struct draw d = {0};
	size_t files = under_valgrind() ? 100 : FILES;
	long before = fuzz_valid;
	for (int i = 0; i < FUZZ_SEEDS; i++)
		for (size_t k = 0; k < files; k++) {
			unsigned char data[ROOM];
			size_t bytes = seeds[i].bytes;
			MT_REQUIRE(bytes <= ROOM);
			memcpy(data, seeds[i].data, bytes);
			for (uint32_t changes = 1 + next(&d, 4); changes > 0 && bytes > 0; changes--)
				bytes = change(&d, data, bytes);
			check(&seeds[i], data, bytes, "drawn file", k);
		}
	mt_test_note("%zu files, %ld valid tensors in them", files * FUZZ_SEEDS, fuzz_valid - before);
}

static const mt_test_case cases[] = {{"good", test_good},
                                     {"truncated", test_truncated},
                                     {"longer", test_longer},
                                     {"each_bit", test_each_bit},
                                     {"each_byte", test_each_byte},
                                     {"drawn", test_drawn},
                                     {0}};
static const mt_test_suite suites[] = {{"mutated", cases, make_seeds, free_seeds}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
