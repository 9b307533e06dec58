/* bench_page REPORT.json OUT.html: mt-bench's page of a report, for bench_html.test. */
#include <stdio.h>

#include "bench/report.h"

int main(int argc, char **argv) {
	if (argc != 3) {
		fprintf(stderr, "usage: bench_page REPORT.json OUT.html\n");
		return 2;
	}
	json_error_t error;
	json_t *report = json_load_file(argv[1], 0, &error);
	if (report == NULL) {
		fprintf(stderr, "bench_page: %s: line %d: %s\n", argv[1], error.line, error.text);
		return 1;
	}
	int failed = bench_html_write(report, argv[2]) != MT_OK;
	if (failed)
		fprintf(stderr, "bench_page: %s\n", mt_error_take(NULL));
	json_decref(report);
	return failed;
}
