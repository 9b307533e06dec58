/* A report as it is made. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "bench/machine.h"
#include "bench/report_build.h"

/* Arguments may be any bytes: what is no UTF-8 becomes '?'. */
static json_t *command_text(int argc, char **argv) {
	char text[2000] = "mt-bench";
	size_t used = strlen(text);
	for (int i = 1; i < argc && used + 2 < sizeof text; i++) {
		snprintf(text + used, sizeof text - used, " %s", argv[i]);
		used = strlen(text);
	}
	json_t *whole = json_string(text);
	for (size_t i = 0; whole == NULL && i < used; i++)
		if ((unsigned char)text[i] >= 0x80)
			text[i] = '?';
	return whole != NULL ? whole : json_string(text);
}

static json_t *backends(const struct bench_columns *columns) {
	json_t *list = json_array();
	for (int i = 0; i < columns->n; i++) {
		const struct bench_column *c = &columns->list[i];
		json_array_append_new(list, json_pack("{s:s, s:s?, s:s?, s:b}", "name", c->name, "device",
		                                      c->device != NULL ? c->text : NULL, "reason", c->reason, "peer", 0));
	}
	return list;
}

json_t *bench_report_new(int argc, char **argv, const struct bench_columns *columns, const char *baseline) {
	char created[40];
	time_t now = time(NULL);
	struct tm utc;
	strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	json_t *report = json_pack("{s:s, s:s, s:o, s:o, s:o, s:[], s:o, s:[]}", "format", "mt-bench 1", "created", created,
	                           "command", command_text(argc, argv), "machine", bench_machine(), "build", bench_build(),
	                           "ceilings", "backends", backends(columns), "cases");
	if (report != NULL && baseline != NULL && json_object_set_new(report, "baseline", json_string(baseline)) != 0) {
		json_decref(report);
		report = NULL;
	}
	return report;
}

void bench_case_id(const struct bench_case *c, char *out, size_t size) {
	snprintf(out, size, "%s/%s/%s/%s", c->suite, c->op, mt_dtype_name(c->dtype), c->size);
}

/* A number that JSON can hold: none where it is not finite. */
static void set_number(json_t *object, const char *key, double value) {
	if (isfinite(value))
		json_object_set_new(object, key, json_real(value));
}

static json_t *result_json(const struct bench_result *r) {
	static const char *const names[] = {"ok", "WRONG", "failed", "unavailable"};
	json_t *object = json_pack("{s:s}", "status", names[r->status]);
	if (r->status != BENCH_OK) {
		json_t *reason = json_string(r->reason);
		json_object_set_new(object, "reason", reason != NULL ? reason : json_string("?"));
		return object;
	}
	if (r->unchecked)
		json_object_set_new(object, "unchecked", json_true());
	set_number(object, "median", r->time.median);
	set_number(object, "p10", r->time.p10);
	set_number(object, "p90", r->time.p90);
	json_object_set_new(object, "runs", json_integer(r->time.runs));
	json_object_set_new(object, "calls", json_integer(r->calls));
	if (r->fallback > 0)
		json_object_set_new(object, "fallback", json_integer(r->fallback));
	set_number(object, "dispatch", r->dispatch);
	set_number(object, "share", r->share);
	set_number(object, "ceiling", r->ceiling);
	return object;
}

static json_t *seeds_json(const struct bench_case *c) {
	json_t *object = json_object();
	for (size_t i = 0; i < sizeof c->seeds / sizeof *c->seeds; i++)
		if (c->seeds[i].column != NULL && c->seeds[i].seconds > 0)
			json_object_set_new(object, c->seeds[i].column, json_real(c->seeds[i].seconds));
	return object;
}

int bench_report_add(json_t *report, const struct bench_case *c, const struct bench_columns *columns,
                     const struct bench_result *results) {
	char id[160];
	json_t *list = json_object();
	bench_case_id(c, id, sizeof id);
	for (int i = 0; i < columns->n; i++)
		json_object_set_new(list, columns->list[i].name, result_json(&results[i]));
	json_t *one =
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:f, s:f, s:f, s:f, s:o, s:o}", "id", id, "suite", c->suite, "op", c->op,
	              "dtype", mt_dtype_name(c->dtype), "size", c->size, "x", c->x, "flops", c->flops, "bytes", c->bytes,
	              "examples", c->examples, "seeds", seeds_json(c), "results", list);
	return one != NULL ? json_array_append_new(json_object_get(report, "cases"), one) : -1;
}

int bench_report_ceilings(json_t *report, const struct bench_columns *columns, struct bench_ceilings *ceilings) {
	json_t *list = json_object_get(report, "ceilings");
	for (int i = 0; i < columns->n; i++) {
		const struct bench_column *c = &columns->list[i];
		if (c->device == NULL)
			continue;
		json_t *one = json_pack("{s:s}", "backend", c->name);
		set_number(one, "gflops", 1e-9 * bench_ceilings_median_flops(ceilings, c->engine));
		set_number(one, "gbps", 1e-9 * bench_ceilings_median_bytes(ceilings, c->engine));
		if (json_array_append_new(list, one) != 0)
			return -1;
	}
	return 0;
}
