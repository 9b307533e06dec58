/* mt_test.h: unit tests as tables, run by CUnit, reported as TAP.
 *
 *   static void test_add(void) { MT_CHECK_INT(1 + 1, 2); }
 *   static const mt_test_case cases[] = {{"add", test_add}, {0}};
 *   static const mt_test_suite suites[] = {{"arithmetic", cases, NULL, NULL}, {0}};
 *   int main(int argc, char **argv) { return mt_test_main(argc, argv, suites); }
 *
 * A test is known as "suite.case". Command line: -l lists the tests, -k GLOB runs those whose name matches.
 * CUnit's own assertions (CU_ASSERT…, and CU_ASSERT…_FATAL which ends the test) work beside the checks below. */
#ifndef MT_TEST_H
#define MT_TEST_H

#include <CUnit/CUnit.h>

#ifdef __GNUC__
#define MT_TEST_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define MT_TEST_PRINTF(fmt, args)
#endif

typedef struct mt_test_case {
	const char *name;
	void (*run)(void);
} mt_test_case;

typedef struct mt_test_suite {
	const char *name;
	const mt_test_case *cases; /* ends with a NULL name */
	int (*init)(void);         /* NULL, or 0 on success: else every test of the suite fails */
	int (*cleanup)(void);
} mt_test_suite;

/* Runs the suites (up to one with a NULL name). Returns what main should: not 0 where a test failed or where none was run.
 * With MT_TEST_HARNESS set, failed tests are told by TAP alone. */
int mt_test_main(int argc, char **argv, const mt_test_suite *suites);

/* Marks the running test as skipped, with a reason; the caller returns then. Failures before it still count. */
void mt_test_skip(const char *fmt, ...) MT_TEST_PRINTF(1, 2);
#define MT_SKIP(...)                                                                                                   \
	do {                                                                                                               \
		mt_test_skip(__VA_ARGS__);                                                                                     \
		return;                                                                                                        \
	} while (0)

/* Names the row of a table that the running test is at: failures from here on show it. */
void mt_test_row(const char *fmt, ...) MT_TEST_PRINTF(1, 2);

/* A diagnostic line ("# …") in the test's output. */
void mt_test_note(const char *fmt, ...) MT_TEST_PRINTF(1, 2);

/* Checks note a failure and go on; each is true where it held. Each argument is evaluated once. */
int mt_test_check(int ok, const char *file, int line, const char *fmt, ...) MT_TEST_PRINTF(4, 5);
int mt_test_check_int(long long actual, long long expected, const char *file, int line, const char *text);
int mt_test_check_str(const char *actual, const char *expected, const char *file, int line, const char *text);
int mt_test_check_contains(const char *actual, const char *part, const char *file, int line, const char *text);
int mt_test_check_near(double actual, double expected, double tolerance, const char *file, int line, const char *text);

#define MT_CHECK(condition) mt_test_check(!!(condition), __FILE__, __LINE__, "%s", #condition)
#define MT_CHECK_MSG(condition, ...) mt_test_check(!!(condition), __FILE__, __LINE__, __VA_ARGS__)
#define MT_CHECK_INT(actual, expected)                                                                                 \
	mt_test_check_int((long long)(actual), (long long)(expected), __FILE__, __LINE__, #actual)
/* NULL is equal to NULL alone. */
#define MT_CHECK_STR(actual, expected) mt_test_check_str(actual, expected, __FILE__, __LINE__, #actual)
#define MT_CHECK_CONTAINS(actual, part) mt_test_check_contains(actual, part, __FILE__, __LINE__, #actual)
/* |actual − expected| ≤ tolerance · max(1, |expected|). NaN is near to nothing, infinity only to itself. */
#define MT_CHECK_NEAR(actual, expected, tolerance)                                                                     \
	mt_test_check_near(actual, expected, tolerance, __FILE__, __LINE__, #actual)
/* The check, and the end of the test where it fails. */
#define MT_REQUIRE(condition)                                                                                          \
	do {                                                                                                               \
		if (!MT_CHECK(condition))                                                                                      \
			return;                                                                                                    \
	} while (0)

#endif
