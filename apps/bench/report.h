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
 *                                         "dispatch": share of the time in dispatch, train suite alone,
 *                                         "share": of the nearer of the backend's ceilings } } } ] }
 *
 * backends[0] is what speedups are against, unless --baseline names another: "baseline": NAME. */
#ifndef APPS_BENCH_REPORT_H
#define APPS_BENCH_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "mt/status.h"

mt_status bench_json_write(const json_t *report, const char *path);
mt_status bench_csv_write(const json_t *report, const char *path);
mt_status bench_html_write(const json_t *report, const char *path);
/* The table on a terminal; color: whether escapes may be used. */
void bench_table_print(const json_t *report, FILE *out, int color);
/* A report read and checked; NULL with the error set. */
json_t *bench_json_read(const char *path);
/* Lays a peer's backends and results into report, matching cases by id.  MT_E_FORMAT where they cannot be. */
mt_status bench_merge_peer(json_t *report, const json_t *peer);

#endif
