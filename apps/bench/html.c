/* The report as a page: what was measured where is told here, bench.js and its neighbours draw the rest. */
#include <math.h>
#include <string.h>

#include "bench/report.h"
#include "web/page.h"

/* Made from the files of these names. */
extern const char bench_css[], bench_js[], bench_summary_js[], bench_charts_js[], bench_table_js[];

/* ---- the machine and the build ---- */

static void begin_row(struct page *p, const char *name) {
	page_html(p, "<tr><th scope=\"row\">%s</th><td>", name);
}

static void end_row(struct page *p) {
	page_html(p, "</td></tr>\n");
}

static void put_text_row(struct page *p, const char *name, const char *text) {
	if (text[0] == '\0')
		return;
	begin_row(p, name);
	page_escaped(p, text);
	end_row(p);
}

static void put_processor(struct page *p, const json_t *machine) {
	const char *cpu = bench_text(machine, "cpu");
	double cores = bench_number(machine, "cores");
	if (cpu[0] == '\0' && !(cores > 0))
		return;
	begin_row(p, "processor");
	page_escaped(p, cpu[0] != '\0' ? cpu : "unknown");
	if (cores > 0)
		page_html(p, ", %.0f %s", cores, cores == 1 ? "core" : "cores");
	end_row(p);
}

static void put_caches(struct page *p, const json_t *machine) {
	const json_t *caches = json_object_get(machine, "caches"), *cache;
	size_t i;
	if (json_array_size(caches) == 0)
		return;
	begin_row(p, "caches");
	json_array_foreach(caches, i, cache) {
		const char *text = json_string_value(cache);
		page_html(p, "%s", i > 0 ? ", " : "");
		page_escaped(p, text != NULL ? text : "unknown");
	}
	end_row(p);
}

static void put_machine(struct page *p, const json_t *report) {
	const json_t *machine = json_object_get(report, "machine");
	const json_t *build = json_object_get(report, "build");
	page_html(p, "<h2>Machine</h2>\n<div class=\"mt-scroll\"><table class=\"bench-facts\">\n<tbody>\n");
	put_processor(p, machine);
	put_text_row(p, "instruction sets", bench_text(machine, "isa"));
	put_caches(p, machine);
	double memory = bench_number(machine, "memory");
	if (memory > 0) {
		begin_row(p, "memory");
		page_html(p, "%.1f GiB", memory / (1024.0 * 1024.0 * 1024.0));
		end_row(p);
	}
	put_text_row(p, "system", bench_text(machine, "os"));
	put_text_row(p, "mt", bench_text(build, "version"));
	put_text_row(p, "compiler", bench_text(build, "compiler"));
	put_text_row(p, "commit", bench_text(build, "commit"));
	page_html(p, "</tbody>\n</table></div>\n");
}

/* ---- the backends ---- */

static const json_t *find_ceiling(const json_t *report, const char *name) {
	const json_t *ceiling;
	size_t i;
	json_array_foreach(json_object_get(report, "ceilings"), i, ceiling) {
		if (strcmp(bench_text(ceiling, "backend"), name) == 0)
			return ceiling;
	}
	return NULL;
}

/* A right-aligned cell of a number, or of a dash. */
static void put_number(struct page *p, double value) {
	if (!isfinite(value))
		page_html(p, "<td class=\"mt-number\">–</td>");
	else
		page_html(p, "<td class=\"mt-number\">%.*f</td>", value < 100 ? 1 : 0, value);
}

static void put_backend(struct page *p, const json_t *report, const json_t *backend, int baseline) {
	const char *name = bench_text(backend, "name"), *device = bench_text(backend, "device");
	const char *reason = bench_text(backend, "reason");
	const json_t *ceiling = find_ceiling(report, name);
	page_html(p, "<tr><th scope=\"row\">");
	page_escaped(p, name);
	page_html(p, "</th><td>");
	page_escaped(p, device[0] != '\0' ? device : "–");
	page_html(p, "</td>");
	put_number(p, bench_number(ceiling, "gflops"));
	put_number(p, bench_number(ceiling, "gbps"));
	page_html(p, "<td>");
	if (json_is_true(json_object_get(backend, "peer")))
		page_html(p, "a peer: another library, measured by its own program<br>");
	if (baseline)
		page_html(p, "speedups are against it<br>");
	if (reason[0] != '\0') {
		page_html(p, "<span class=\"mt-bad\">unavailable:</span> ");
		page_escaped(p, reason);
	}
	page_html(p, "</td></tr>\n");
}

static void put_backends(struct page *p, const json_t *report) {
	const json_t *backends = json_object_get(report, "backends"), *backend;
	const char *baseline = bench_baseline(report);
	size_t i;
	page_html(p, "<h2>Backends</h2>\n<div class=\"mt-scroll\"><table id=\"bench-backends\">\n<thead><tr>"
	             "<th scope=\"col\">name</th><th scope=\"col\">device</th>"
	             "<th scope=\"col\" class=\"mt-number\">ceiling, GFLOP/s</th>"
	             "<th scope=\"col\" class=\"mt-number\">ceiling, GB/s</th><th scope=\"col\"></th>"
	             "</tr></thead>\n<tbody>\n");
	json_array_foreach(backends, i, backend) {
		put_backend(p, report, backend, strcmp(bench_text(backend, "name"), baseline) == 0);
	}
	page_html(p, "</tbody>\n</table></div>\n<p class=\"mt-note\">Ceilings are what loops of multiply-adds and copies "
	             "reached on the same hardware, measured between the cases (medians, f32).</p>\n");
}

mt_status bench_html_write(const json_t *report, const char *path) {
	struct page page;
	page_begin(&page, "mt-bench", bench_text(report, "created"));
	page_html(&page, "<style>\n%s</style>\n", bench_css);
	if (bench_text(report, "command")[0] != '\0')
		page_text(&page, "pre", bench_text(report, "command"));
	page_html(&page, "<section id=\"bench-summary\"></section>\n<section id=\"bench-problems\"></section>\n"
	                 "<section id=\"bench-ops\"></section>\n<section id=\"bench-roofline\"></section>\n"
	                 "<section id=\"bench-cases\"></section>\n");
	put_backends(&page, report);
	put_machine(&page, report);
	page_data(&page, "report", report);
	page_script(&page, bench_js);
	page_script(&page, bench_summary_js);
	page_script(&page, bench_charts_js);
	page_script(&page, bench_table_js);
	return page_write(&page, path);
}
