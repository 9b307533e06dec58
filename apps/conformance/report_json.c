/* A JSON document; its members are described in docs/conformance.md. */
#include <jansson.h>
#include <string.h>

#include "mt/status.h"
#include "report.h"

static json_t *failures_of(const struct cf_report *r, const struct cf_row *row) {
	json_t *list = json_array();
	char id[CF_ID_SIZE], line[2048];
	for (int32_t i = 0; i < row->count; i++) {
		const struct cf_item *item = &r->plan->items[row->first + i];
		const struct cf_result *t = item->result;
		if (t == NULL || t->outcome != CF_FAILED)
			continue;
		cf_item_id(id, sizeof id, r->plan, item);
		cf_rerun_line(line, sizeof line, r, item);
		json_t *failure = json_pack("{s:s, s:s, s:s?, s:s}", "case", id, "reason", t->words, "smallest", item->smallest,
		                            "rerun", line);
		if (t->output[0] != '\0') {
			json_object_set_new(failure, "output", json_string(t->output));
			json_object_set_new(failure, "index", json_string(t->index));
			json_object_set_new(failure, "got", json_string(t->got));
			json_object_set_new(failure, "expected", json_string(t->expected));
			json_object_set_new(failure, "error", json_string(t->error));
			json_object_set_new(failure, "tolerance", json_string(t->tolerance));
		}
		json_array_append_new(list, failure);
	}
	return list;
}

static json_t *refusals_of(const struct cf_report *r, const struct cf_row *row) {
	json_t *list = json_array();
	const char *reason;
	int times;
	for (int i = 0; (reason = cf_refusal(r->plan, row, i, &times)) != NULL; i++)
		json_array_append_new(list, json_pack("{s:s, s:i}", "reason", reason, "cases", times));
	return list;
}

static json_t *layouts_of(const struct cf_row *row) {
	json_t *layouts = json_object();
	for (int l = 0; l < CF_IN_LAYOUTS; l++)
		json_object_set_new(layouts, cf_layout_names[l],
		                    json_pack("{s:i, s:i, s:i}", "executed", row->layouts[l][0], "refused", row->layouts[l][1],
		                              "failed", row->layouts[l][2]));
	return layouts;
}

static json_t *row_object(const struct cf_report *r, const struct cf_row *row) {
	json_t *object = json_pack("{s:s, s:s, s:o}", row->is_check ? "check" : "op", row->label, "verdict",
	                           cf_verdict(row), "failures", failures_of(r, row));
	if (row->is_check) {
		const struct cf_result *t = r->plan->items[row->first].result;
		if (t != NULL && t->outcome == CF_SKIPPED)
			json_object_set_new(object, "reason", json_string(t->words));
		return object;
	}
	json_object_set_new(object, "dtype", json_string(row->dtype));
	json_object_set_new(object, "executed", json_integer(row->executed));
	json_object_set_new(object, "refused", json_integer(row->refused));
	json_object_set_new(object, "missing", json_integer(row->missing));
	json_object_set_new(object, "failed", json_integer(row->failed));
	json_object_set_new(object, "layouts", layouts_of(row));
	json_object_set_new(object, "refusals", refusals_of(r, row));
	json_object_set_new(object, "failure", row->failure[0] != '\0' ? json_string(row->failure) : json_null());
	return object;
}

static json_t *totals_object(const struct cf_report *r) {
	struct cf_totals t;
	cf_totals(r->plan, &t);
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "ops", t.ops, "executed", t.executed,
	                 "passed", t.passed, "failed", t.failed, "refused", t.refused, "missing", t.missing, "not_run",
	                 t.not_run, "checks", t.checks, "checks_failed", t.checks_failed, "checks_skipped",
	                 t.checks_skipped);
}

static void end(struct cf_report *r) {
	json_t *rows = json_array(), *checks = json_array();
	int bad = 0;
	for (int32_t i = 0; i < r->plan->n_rows; i++) {
		const struct cf_row *row = &r->plan->rows[i];
		json_array_append_new(row->is_check ? checks : rows, row_object(r, row));
		bad += strcmp(cf_verdict(row), "failed") == 0;
	}
	json_t *root =
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:f, s:b, s:b, s:o, s:o, s:o}", "mt", mt_version(),
	              "target", r->target->name, "library", r->target->path, "plugin", r->probe->plugin, "plugin_version",
	              r->probe->version, "device", r->probe->device, "seed", (json_int_t)r->selection->seed, "random",
	              (json_int_t)r->selection->random, "seconds", r->seconds, "stopped", r->stopped, "passed", bad == 0,
	              "totals", totals_object(r), "checks", checks, "rows", rows);
	if (root == NULL || json_dumpf(root, stdout, JSON_INDENT(2)) != 0)
		fprintf(stderr, "mt-conformance: the document cannot be written\n");
	printf("\n");
	json_decref(root);
}

const struct cf_format cf_json_format = {"json", NULL, NULL, NULL, end};
