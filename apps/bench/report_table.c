/* A report as a table on a terminal. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/report.h"
#include "bench/text.h"

#define BOLD "\033[1m"
#define RED "\033[1;31m"
#define PLAIN "\033[0m"

enum { TEXT = 160, LEAST = 12, MARKS = 4 };

struct table {
	const json_t *report, *backends;
	const char *baseline;
	FILE *out;
	int color;
	int unchecked, fallback; /* whether their marks were used */
};

/* ---- cells ---- */

/* "±3%", half of p10 to p90 over the median; "" for one run. */
static void spread_text(const struct bench_spread *t, char *out, size_t size) {
	out[0] = '\0';
	if (t->runs > 1)
		snprintf(out, size, "±%.0f%%", fmin(100 * (t->p90 - t->p10) / (2 * t->median), 999));
}

/* "11.6 GF/s", "9.8 GB/s", "1.20 kex/s" (examples). */
static void work_text(const json_t *one, double seconds, char *out, size_t size) {
	static const struct { const char *key, *unit; } kinds[] = {{"examples", "ex"}, {"flops", "F"}, {"bytes", "B"}};
	out[0] = '\0';
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds && out[0] == '\0'; i++)
		if (bench_number(one, kinds[i].key) > 0)
			text_rate(bench_number(one, kinds[i].key) / seconds, kinds[i].unit, out, size);
}

/* Appends text to a cell, right-aligned in width columns; a space before it at least. */
static void append(char *cell, const char *text, int width) {
	size_t used = strlen(cell);
	int missing = width - text_width(text);
	int least = used > 0 && text[0] != '\0';
	snprintf(cell + used, TEXT - used, "%*s%s", missing > least ? missing : least, "", text);
}

/* The cell of one backend in one case: time, spread, rate, speedup, share; or why there is none. */
static void cell_text(struct table *table, const json_t *one, const char *backend, char *cell) {
	const json_t *result = bench_result_of(one, backend);
	struct bench_spread t = bench_time_of(result);
	char part[64], number[32];
	cell[0] = '\0';
	if (t.runs < 1) {
		snprintf(cell, TEXT, "%s", result == NULL ? "-" : bench_text(result, "status"));
		return;
	}
	int unchecked = json_is_true(json_object_get(result, "unchecked"));
	int fallback = json_object_get(result, "fallback") != NULL;
	table->unchecked |= unchecked;
	table->fallback |= fallback;
	text_time(t.median, part, sizeof part);
	append(cell, part, 8);
	spread_text(&t, part, sizeof part);
	append(cell, part, 6);
	snprintf(part, sizeof part, "%s%s", unchecked ? "?" : "", fallback ? "*" : "");
	append(cell, part, table->unchecked || table->fallback ? 2 : 0);
	work_text(one, t.median, part, sizeof part);
	append(cell, part, 11);
	double base = bench_time_of(bench_result_of(one, table->baseline)).median;
	part[0] = '\0';
	if (strcmp(backend, table->baseline) != 0 && base > 0) {
		text_three(base / t.median, number, sizeof number);
		snprintf(part, sizeof part, "%s×", number);
	}
	append(cell, part, strcmp(backend, table->baseline) != 0 ? 7 : 0);
	double share = bench_number(result, "share");
	part[0] = '\0';
	if (share >= 0)
		snprintf(part, sizeof part, "%.0f%%", 100 * share);
	append(cell, part, 6);
}

static const char *backend_name(const struct table *table, size_t i) {
	return bench_text(json_array_get(table->backends, i), "name");
}

/* The backend with the lowest median among two or more; −1 where there are fewer. */
static int best_of(const struct table *table, const json_t *one) {
	int best = -1, n = 0;
	double least = INFINITY;
	for (size_t i = 0; i < json_array_size(table->backends); i++) {
		double median = bench_time_of(bench_result_of(one, backend_name(table, i))).median;
		n += median > 0;
		if (median < least) {
			least = median;
			best = (int)i;
		}
	}
	return n > 1 ? best : -1;
}

/* ---- blocks: the cases of one op and dtype ---- */

static int same_block(const json_t *a, const json_t *b) {
	return b != NULL && strcmp(bench_text(a, "suite"), bench_text(b, "suite")) == 0 &&
	       strcmp(bench_text(a, "op"), bench_text(b, "op")) == 0 &&
	       strcmp(bench_text(a, "dtype"), bench_text(b, "dtype")) == 0;
}

static void print_painted(struct table *table, const char *paint, const char *text, int width) {
	int use = table->color && paint[0] != '\0';
	fputs(use ? paint : "", table->out);
	text_left(table->out, text, width);
	fputs(use ? PLAIN : "", table->out);
}

static void print_block(struct table *table, const json_t *cases, size_t from, size_t to) {
	size_t n = json_array_size(table->backends);
	const json_t *first = json_array_get(cases, from);
	char head[TEXT], cell[TEXT], cut[TEXT];
	snprintf(head, sizeof head, "%s/%s %s", bench_text(first, "suite"), bench_text(first, "op"),
	         bench_text(first, "dtype"));
	int label = text_width(head), *widths = calloc(n + 1, sizeof *widths);
	for (size_t k = from; widths != NULL && k < to; k++) {
		const json_t *one = json_array_get(cases, k);
		int width = 2 + text_width(bench_text(one, "size"));
		label = width > label ? width : label;
		for (size_t i = 0; i < n; i++) {
			int name = text_width(backend_name(table, i));
			cell_text(table, one, backend_name(table, i), cell);
			width = text_width(cell) > name ? text_width(cell) : name;
			widths[i] = width > widths[i] ? width : widths[i];
			widths[i] = widths[i] < LEAST ? LEAST : widths[i];
		}
	}
	if (widths == NULL)
		return;
	print_painted(table, BOLD, head, label);
	for (size_t i = 0; i < n; i++) {
		fputs("  ", table->out);
		text_right(table->out, backend_name(table, i), widths[i]);
	}
	fputc('\n', table->out);
	int missing = 0;
	for (size_t i = 0; i < n; i++)
		missing |= bench_text(json_array_get(table->backends, i), "reason")[0] != '\0';
	text_left(table->out, "", missing ? label : 0);
	for (size_t i = 0; missing && i < n; i++) {
		text_cut(bench_text(json_array_get(table->backends, i), "reason"), widths[i], cut, sizeof cut);
		fputs("  ", table->out);
		text_right(table->out, cut, widths[i]);
	}
	fputs(missing ? "\n" : "", table->out);
	for (size_t k = from; k < to; k++) {
		const json_t *one = json_array_get(cases, k);
		int best = best_of(table, one);
		snprintf(head, sizeof head, "  %s", bench_text(one, "size"));
		text_left(table->out, head, label);
		for (size_t i = 0; i < n; i++) {
			const char *name = backend_name(table, i), *status = bench_text(bench_result_of(one, name), "status");
			cell_text(table, one, name, cell);
			fprintf(table->out, "  %*s", widths[i] - text_width(cell), "");
			int bad = strcmp(status, "WRONG") == 0 || strcmp(status, "failed") == 0;
			print_painted(table, bad ? RED : (int)i == best ? BOLD : "", cell, 0);
		}
		fputc('\n', table->out);
	}
	fputc('\n', table->out);
	free(widths);
}

/* What MiniTorch's implementations took for the cases of a block, on hardware of their own. */
static void print_seeds(const struct table *table, const json_t *cases, size_t from, size_t to) {
	int n = 0;
	for (size_t k = from; k < to; k++) {
		const json_t *one = json_array_get(cases, k);
		const char *column;
		json_t *seconds;
		int in_line = 0;
		json_object_foreach(json_object_get(one, "seeds"), column, seconds) {
			char text[32];
			text_time(json_number_value(seconds), text, sizeof text);
			fputs(n++ == 0 ? "  MiniTorch's own figures, of other hardware:\n" : "", table->out);
			if (in_line++ == 0)
				fprintf(table->out, "  %s", bench_text(one, "size"));
			fprintf(table->out, "%s %s (%s)", in_line > 1 ? "," : ":", text, column);
		}
		fputs(in_line > 0 ? "\n" : "", table->out);
	}
	fputs(n > 0 ? "\n" : "", table->out);
}

/* ---- what stands below ---- */

static void print_reasons(const struct table *table, const json_t *cases) {
	json_t *one, *result;
	const char *name;
	size_t i;
	for (i = 0; i < json_array_size(table->backends); i++) {
		const char *reason = bench_text(json_array_get(table->backends, i), "reason");
		if (reason[0] != '\0')
			fprintf(table->out, "%s cannot be had: %s\n", backend_name(table, i), reason);
	}
	json_array_foreach(cases, i, one) {
		json_object_foreach(json_object_get(one, "results"), name, result) {
			const char *status = bench_text(result, "status"), *reason = bench_text(result, "reason");
			json_t *backend;
			size_t k;
			int told = strcmp(status, "ok") == 0;
			json_array_foreach(table->backends, k, backend) {
				told |= strcmp(bench_text(backend, "name"), name) == 0 && bench_text(backend, "reason")[0] != '\0';
			}
			if (!told)
				fprintf(table->out, "%s, %s: %s: %s\n", bench_text(one, "id"), name, status, reason);
		}
	}
}

static void print_ceilings(const struct table *table) {
	json_t *one;
	size_t i;
	json_array_foreach(json_object_get(table->report, "ceilings"), i, one) {
		double gflops = bench_number(one, "gflops"), gbps = bench_number(one, "gbps");
		char text[40];
		fprintf(table->out, "%s", i == 0 ? "Ceilings: " : "; ");
		fprintf(table->out, "%s", bench_text(one, "backend"));
		if (gflops > 0) {
			text_three(gflops, text, sizeof text);
			fprintf(table->out, " %s GF/s", text);
		}
		if (gbps > 0) {
			text_three(gbps, text, sizeof text);
			fprintf(table->out, " %s GB/s", text);
		}
	}
	fputs(i > 0 ? "\n" : "", table->out);
}

void bench_table_print(const json_t *report, FILE *out, int color) {
	const json_t *cases = json_object_get(report, "cases");
	struct table table = {report, json_object_get(report, "backends"), bench_baseline(report), out, color, 0, 0};
	size_t from = 0, n = json_array_size(cases);
	for (size_t to = 1; to <= n; to++)
		if (!same_block(json_array_get(cases, from), json_array_get(cases, to))) {
			print_block(&table, cases, from, to);
			print_seeds(&table, cases, from, to);
			from = to;
		}
	print_ceilings(&table);
	if (table.unchecked)
		fputs("?: not checked, the reference would have taken too long.\n", out);
	if (table.fallback)
		fputs("*: the reference did some of the kernels in this backend's place.\n", out);
	print_reasons(&table, cases);
}

/* ---- the last lines ---- */

static void print_speedups(const json_t *report, const char *what, const json_t *one, FILE *out) {
	const char *baseline = bench_baseline(report);
	double base = bench_time_of(bench_result_of(one, baseline)).median;
	json_t *backend;
	size_t i;
	int n = 0;
	json_array_foreach(json_object_get(report, "backends"), i, backend) {
		const char *name = bench_text(backend, "name");
		const json_t *result = bench_result_of(one, name);
		double median = bench_time_of(result).median;
		char number[32];
		if (strcmp(name, baseline) == 0 || result == NULL)
			continue;
		fprintf(out, "%s%s ", n++ == 0 ? what : ", ", name);
		if (base > 0 && median > 0) {
			text_three(base / median, number, sizeof number);
			fprintf(out, "%s× %s", number, baseline);
		} else {
			fprintf(out, "%s", median > 0 ? "has nothing to stand beside" : bench_text(result, "status"));
		}
	}
	fputs(n > 0 ? "\n" : "", out);
}

void bench_summary_print(const json_t *report, FILE *out) {
	json_t *one;
	size_t i;
	json_array_foreach(json_object_get(report, "cases"), i, one) {
		char what[160];
		if (strcmp(bench_text(one, "id"), "ops/matmul/f32/m=1024,k=1024,n=1024") == 0)
			print_speedups(report, "matmul 1024: ", one, out);
		if (strcmp(bench_text(one, "suite"), "train") == 0 && strcmp(bench_text(one, "op"), "lenet") == 0 &&
		    strcmp(bench_text(one, "dtype"), "f32") == 0) {
			snprintf(what, sizeof what, "LeNet step, %s: ", bench_text(one, "size"));
			print_speedups(report, what, one, out);
		}
	}
}
