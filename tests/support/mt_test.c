#include "mt_test.h"

#include <fnmatch.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_ROWS = 64, LINE_SIZE = 1024 };

/* The test that is running. CUnit's failure records know file, line and condition; the rows say which of them
 * belongs to which row of the test's table. */
static struct {
	char skip[LINE_SIZE];
	char row[LINE_SIZE];
	int failures; /* seen by the checks below */
	int row_start;
	int rows;
	struct {
		int start;
		char text[LINE_SIZE];
	} failed_rows[MAX_ROWS];
} current;

static struct {
	int number;
	int passed;
	int failed;
	int skipped;
} totals;

/* --- checks ----------------------------------------------------------------------------------------------- */

static void close_row(void) {
	int now = (int)CU_get_number_of_failures();
	if (now > current.row_start && current.row[0] && current.rows < MAX_ROWS) {
		current.failed_rows[current.rows].start = current.row_start;
		memcpy(current.failed_rows[current.rows].text, current.row, sizeof current.row);
		current.rows++;
	}
	current.row_start = now;
}

void mt_test_row(const char *fmt, ...) {
	va_list ap;
	close_row();
	va_start(ap, fmt);
	vsnprintf(current.row, sizeof current.row, fmt, ap);
	va_end(ap);
}

void mt_test_skip(const char *fmt, ...) {
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(current.skip, sizeof current.skip, fmt, ap);
	va_end(ap);
	if (!current.skip[0])
		strcpy(current.skip, "no reason given");
}

void mt_test_note(const char *fmt, ...) {
	va_list ap;
	fputs("# ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

int mt_test_check(int ok, const char *file, int line, const char *fmt, ...) {
	char text[LINE_SIZE];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	CU_assertImplementation(ok ? CU_TRUE : CU_FALSE, (unsigned)line, text, file, "", CU_FALSE);
	return ok;
}

int mt_test_check_int(long long actual, long long expected, const char *file, int line, const char *text) {
	return mt_test_check(actual == expected, file, line, "%s is %lld, expected %lld", text, actual, expected);
}

int mt_test_check_str(const char *actual, const char *expected, const char *file, int line, const char *text) {
	int ok = actual && expected ? strcmp(actual, expected) == 0 : actual == expected;
	return mt_test_check(ok, file, line, "%s is \"%s\", expected \"%s\"", text, actual ? actual : "(NULL)",
	                     expected ? expected : "(NULL)");
}

int mt_test_check_contains(const char *actual, const char *part, const char *file, int line, const char *text) {
	int ok = actual && part && strstr(actual, part);
	return mt_test_check(ok, file, line, "%s is \"%s\", expected to contain \"%s\"", text, actual ? actual : "(NULL)",
	                     part ? part : "(NULL)");
}

int mt_test_check_near(double actual, double expected, double tolerance, const char *file, int line, const char *text) {
	double scale = fabs(expected) > 1 ? fabs(expected) : 1;
	double error = fabs(actual - expected);
	int ok = isinf(expected) ? actual == expected : error <= tolerance * scale;
	return mt_test_check(ok, file, line, "%s is %.17g, expected %.17g (error %.3g, tolerance %.3g)", text, actual,
	                     expected, error, tolerance * scale);
}

/* --- reports ---------------------------------------------------------------------------------------------- */

static void on_test_start(const CU_pTest test, const CU_pSuite suite) {
	(void)test;
	(void)suite;
	memset(&current, 0, sizeof current);
	current.failures = current.row_start = (int)CU_get_number_of_failures();
}

/* The row in which the index-th failure of the whole run lies, or NULL. */
static const char *row_of(int index) {
	const char *text = NULL;
	for (int i = 0; i < current.rows && current.failed_rows[i].start <= index; i++)
		text = current.failed_rows[i].text;
	return text;
}

/* CUnit 2.1 hands on the last record of the test, or the first: so the whole list is walked instead. */
static void print_failures(void) {
	int index = 0;
	const char *shown = NULL;
	for (CU_pFailureRecord f = CU_get_failure_list(); f; f = f->pNext) {
		if (f->type != CUF_AssertFailed)
			continue;
		if (index >= current.failures) {
			const char *row = row_of(index);
			if (row && row != shown)
				printf("# in row: %s\n", row);
			shown = row;
			printf("# %s:%u: %s\n", f->strFileName ? f->strFileName : "?", f->uiLineNumber,
			       f->strCondition ? f->strCondition : "?");
		}
		index++;
	}
}

static void on_test_complete(const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord failure) {
	int failed = failure || (int)CU_get_number_of_failures() > current.failures;
	close_row();
	printf("%sok %d - %s.%s", failed ? "not " : "", ++totals.number, suite->pName, test->pName);
	if (failed) {
		totals.failed++;
	} else if (current.skip[0]) {
		totals.skipped++;
		printf(" # SKIP %s", current.skip);
	} else {
		totals.passed++;
	}
	putchar('\n');
	if (failed)
		print_failures();
	fflush(stdout);
}

/* CUnit runs none of the suite's tests then: they count as failed. */
static void on_suite_init_failure(const CU_pSuite suite) {
	for (CU_pTest test = suite->pTest; test; test = test->pNext) {
		totals.failed++;
		printf("not ok %d - %s.%s\n# the suite's init function failed\n", ++totals.number, suite->pName, test->pName);
	}
	fflush(stdout);
}

static void on_suite_cleanup_failure(const CU_pSuite suite) {
	totals.failed++;
	printf("not ok %d - %s\n# the suite's cleanup function failed\n", ++totals.number, suite->pName);
	fflush(stdout);
}

/* --- selection and run ------------------------------------------------------------------------------------- */

static int selected(const mt_test_suite *suite, const mt_test_case *test, const char *glob) {
	char name[LINE_SIZE];
	snprintf(name, sizeof name, "%s.%s", suite->name, test->name);
	return !glob || fnmatch(glob, name, 0) == 0;
}

/* Registers what is selected, or prints it; returns how many tests that were, or -1. */
static int add_tests(const mt_test_suite *suites, const char *glob, int list) {
	int count = 0;
	for (const mt_test_suite *s = suites; s->name; s++) {
		CU_pSuite suite = NULL;
		for (const mt_test_case *c = s->cases; c->name; c++) {
			if (!selected(s, c, glob))
				continue;
			count++;
			if (list) {
				printf("%s.%s\n", s->name, c->name);
				continue;
			}
			if (!suite)
				suite = CU_add_suite(s->name, s->init, s->cleanup);
			if (!suite || !CU_add_test(suite, c->name, c->run)) {
				fprintf(stderr, "%s.%s: %s\n", s->name, c->name, CU_get_error_msg());
				return -1;
			}
		}
	}
	return count;
}

static int run_tests(int count) {
	CU_set_test_start_handler(on_test_start);
	CU_set_test_complete_handler(on_test_complete);
	CU_set_suite_init_failure_handler(on_suite_init_failure);
	CU_set_suite_cleanup_failure_handler(on_suite_cleanup_failure);
	CU_set_error_action(CUEA_IGNORE);
	CU_run_all_tests();
	printf("1..%d\n", totals.number > count ? totals.number : count);
	fflush(stdout);

	CU_print_run_results(stderr);
	fprintf(stderr, "\n%d passed, %d failed, %d skipped\n", totals.passed, totals.failed, totals.skipped);
	if (totals.number == 0)
		return 1;
	return totals.failed > 0 && !getenv("MT_TEST_HARNESS");
}

int mt_test_main(int argc, char **argv, const mt_test_suite *suites) {
	const char *glob = NULL;
	int list = 0;
	int option;
	while ((option = getopt(argc, argv, "lk:h")) != -1) {
		if (option == 'l') {
			list = 1;
		} else if (option == 'k') {
			glob = optarg;
		} else {
			fprintf(option == 'h' ? stdout : stderr, "usage: %s [-l] [-k GLOB]\n", argv[0]);
			return option == 'h' ? 0 : 2;
		}
	}

	if (CU_initialize_registry() != CUE_SUCCESS) {
		fprintf(stderr, "CUnit: %s\n", CU_get_error_msg());
		return 2;
	}
	int count = add_tests(suites, glob, list);
	int status = 2;
	if (count == 0) {
		fprintf(stderr, "no test%s%s\n", glob ? " matches " : "s", glob ? glob : "");
		status = 1;
	} else if (count > 0) {
		status = list ? 0 : run_tests(count);
	}
	CU_cleanup_registry();
	return status;
}
