/* What a benchmark found, as one JSON document: written by the runner and by bench/peers, read by the table, CSV, HTML and
 * --against.
 *
 *     { "format": "mt-bench 1",
 *       "created": "2026-11-28T10:00:00Z",
 *       "command": "mt-bench --compare naive,omp",
 *       "machine": { "cpu": text, "cores": n, "caches": [text], "memory": bytes, "os": text, "isa": text },
 *       "build": { "version": text, "compiler": text, "commit": text or null },
 *       "ceilings": [ { "backend": NAME, "gflops": median, "gbps": median } ],
 *       "backends": [ { "name": NAME, "device": text or null, "reason": text or null, "peer": bool } ],
 *       "cases": [ { "id": "ops/matmul/f32/m=64,k=64,n=64", "suite", "op", "dtype", "size",
 *                    "x": abscissa, "flops": n or 0, "bytes": n or 0, "examples": n or 0,
 *                    "seeds": { COLUMN: seconds },
 *                    "results": { NAME: { "status": "ok" | "WRONG" | "failed" | "unavailable",
 *                                         "reason": text, where status is not ok,
 *                                         "unchecked": true, where the reference would have taken too long,
 *                                         "median", "p10", "p90": seconds a run, "runs": n,
 *                                         "calls": n, optional: a timed run is the mean of so many calls,
 *                                         "fallback": n, optional: kernels that the reference did in its place,
 *                                         "dispatch": share of the time in dispatch, train suite alone,
 *                                         "share": of the nearer of the backend's ceilings,
 *                                         "ceiling": that one, in operations or bytes a second } } } ] }
 *
 * median, p10, p90 and runs are there where status is ok.  "dispatch" (the part of a profiled run that is not in kernels)
 * "share" and "ceiling" may be missing where they are not known; so may each of a peer's members but name, status and times.
 *
 * backends[0] is what speedups are against, unless --baseline names another: "baseline": NAME. */
#ifndef APPS_BENCH_REPORT_H
#define APPS_BENCH_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "bench/stats.h"
#include "mt/status.h"

mt_status bench_json_write(const json_t *report, const char *path);
mt_status bench_csv_write(const json_t *report, const char *path);
mt_status bench_html_write(const json_t *report, const char *path);
/* The table on a terminal; color: whether escapes may be used. */
void bench_table_print(const json_t *report, FILE *out, int color);
/* The speedups that end a run: at the product of 1024 × 1024 f32 matrices and on LeNet's training step, as far as the report
 * has them. */
void bench_summary_print(const json_t *report, FILE *out);
/* A report read and checked: members that are there have their types and ranges.  NULL with the error set, which begins
 * with the path: MT_E_IO, MT_E_FORMAT. */
json_t *bench_json_read(const char *path);
/* Lays a peer's backends and results into report, matching cases by id.  MT_E_FORMAT where they cannot be. */
mt_status bench_merge_peer(json_t *report, const json_t *peer);
/* What became slower or faster than in old by more than the noise (bench_change), of the backends that both have and that
 * are no peers.  Returns how many became slower, or wrong, or failed where they did not. */
int bench_against_print(const json_t *old, const json_t *report, FILE *out);

/* ---- reading a report ---- */

/* object's text under key; "" where it is none. */
const char *bench_text(const json_t *object, const char *key);
/* The case of this id; NULL where there is none. */
const json_t *bench_case_of(const json_t *report, const char *id);
/* object's number under key, whole or not; NaN where it is none. */
double bench_number(const json_t *object, const char *key);
/* A case's result of a backend; NULL where it has none. */
const json_t *bench_result_of(const json_t *one_case, const char *backend);
/* The result's time; 0 runs where its status is not ok. */
struct bench_spread bench_time_of(const json_t *result);
/* What speedups are against. */
const char *bench_baseline(const json_t *report);

#endif
