/* A report as CSV (RFC 4180): a row for each case and backend. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/report.h"
#include "mt/io.h"

static void field(FILE *out, const char *text) {
	if (strpbrk(text, ",\"\r\n") == NULL) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text != '\0'; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

/* ",value"; an empty field where there is none. */
static void number(FILE *out, double value) {
	fputc(',', out);
	if (isfinite(value))
		fprintf(out, "%.9g", value);
}

static void row(FILE *out, const json_t *report, const json_t *one, const char *backend, const json_t *result) {
	static const char *const texts[] = {"id", "suite", "op", "dtype", "size"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		field(out, bench_text(one, texts[i]));
		fputc(',', out);
	}
	struct bench_spread t = bench_time_of(result), base = bench_time_of(bench_result_of(one, bench_baseline(report)));
	double flops = bench_number(one, "flops"), bytes = bench_number(one, "bytes"),
		   items = bench_number(one, "examples");
	field(out, backend);
	fputc(',', out);
	field(out, bench_text(result, "status"));
	number(out, t.median);
	number(out, t.p10);
	number(out, t.p90);
	number(out, t.runs > 0 ? (double)t.runs : NAN);
	number(out, flops > 0 ? 1e-9 * flops / t.median : NAN);
	number(out, bytes > 0 ? 1e-9 * bytes / t.median : NAN);
	number(out, items > 0 ? items / t.median : NAN);
	number(out, base.median / t.median);
	number(out, bench_number(result, "share"));
	fprintf(out, ",%s,", json_is_true(json_object_get(result, "unchecked")) ? "unchecked" : "");
	field(out, bench_text(result, "reason"));
	fputs("\r\n", out);
}

mt_status bench_csv_write(const json_t *report, const char *path) {
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	if (out == NULL)
		return mt_error_set(MT_E_MEMORY, "%s: out of memory", path);
	fputs(
		"id,suite,op,dtype,size,backend,status,median,p10,p90,runs,gflops,gbps,examples_per_s,speedup,share,unchecked,"
		"reason\r\n",
		out);
	json_t *one, *result;
	const char *backend;
	size_t i;
	json_array_foreach(json_object_get(report, "cases"), i, one) {
		json_object_foreach(json_object_get(one, "results"), backend, result) {
			row(out, report, one, backend, result);
		}
	}
	int bad = ferror(out) | (fclose(out) != 0);
	mt_status status = bad ? mt_error_set(MT_E_MEMORY, "%s: out of memory", path) : mt_write_file(path, text, size);
	free(text);
	return status;
}
