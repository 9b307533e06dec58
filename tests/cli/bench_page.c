/* bench_page REPORT.json OUT.html: mt-bench's page of a report, for bench_html.test. */
#include <stdio.h>

#include "bench/report.h"

int main(int argc, char **argv) {
	if (argc != 3) {
		fprintf(stderr, "usage: bench_page REPORT.json OUT.html\n");
		return 2;
	}
	json_t *report = bench_json_read(argv[1]);
	if (report == NULL) {
		fprintf(stderr, "bench_page: %s\n", mt_error_take(NULL));
		return 1;
	}
	int failed = bench_html_write(report, argv[2]) != MT_OK;
	if (failed)
		fprintf(stderr, "bench_page: %s\n", mt_error_take(NULL));
	json_decref(report);
	return failed;
}
