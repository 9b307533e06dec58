# The report as a page, a library of its own: for mt-bench and for the test of pages.
#   prog_LDADD = $(bench_html_ldadd) $(app_ldadd) $(JANSSON_LIBS)
noinst_LIBRARIES += %D%/libbench_html.a
bench_html_ldadd = %D%/libbench_html.a $(web_ldadd)

bench_html_embedded = %D%/bench_css.c
bench_html_embedded += %D%/bench_js.c
bench_html_embedded += %D%/bench_charts_js.c
bench_html_embedded += %D%/bench_summary_js.c
bench_html_embedded += %D%/bench_table_js.c

apps_bench_libbench_html_a_SOURCES = %D%/html.c %D%/report.h
nodist_apps_bench_libbench_html_a_SOURCES = $(bench_html_embedded)
apps_bench_libbench_html_a_CPPFLAGS = $(app_cppflags) $(JANSSON_CFLAGS)
CLEANFILES += $(bench_html_embedded)

EXTRA_DIST += %D%/bench.css
EXTRA_DIST += %D%/bench.js
EXTRA_DIST += %D%/bench_charts.js
EXTRA_DIST += %D%/bench_summary.js
EXTRA_DIST += %D%/bench_table.js
