/* A report as it is made. */
#ifndef APPS_BENCH_REPORT_BUILD_H
#define APPS_BENCH_REPORT_BUILD_H

#include <jansson.h>

#include "bench/runner.h"

/* A report without cases.  baseline: NULL, or a name.  NULL when out of memory. */
json_t *bench_report_new(int argc, char **argv, const struct bench_columns *columns, const char *baseline);

/* "suite/op/dtype/size". */
void bench_case_id(const struct bench_case *c, char *out, size_t size);

/* Adds a case with one result a column.  0, or −1 when out of memory. */
int bench_report_add(json_t *report, const struct bench_case *c, const struct bench_columns *columns,
                     const struct bench_result *results);

/* Fills in the medians of what was sampled. */
int bench_report_ceilings(json_t *report, const struct bench_columns *columns, struct bench_ceilings *ceilings);

#endif
