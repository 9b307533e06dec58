/* Reports as files, and what reads them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/report.h"
#include "mt/io.h"

/* ---- reading members ---- */

const char *bench_text(const json_t *object, const char *key) {
	const char *text = json_string_value(json_object_get(object, key));
	return text != NULL ? text : "";
}

double bench_number(const json_t *object, const char *key) {
	const json_t *value = json_object_get(object, key);
	return json_is_number(value) ? json_number_value(value) : NAN;
}

const json_t *bench_result_of(const json_t *one_case, const char *backend) {
	return json_object_get(json_object_get(one_case, "results"), backend);
}

struct bench_spread bench_time_of(const json_t *result) {
	if (strcmp(bench_text(result, "status"), "ok") != 0)
		return (struct bench_spread){NAN, NAN, NAN, 0};
	return (struct bench_spread){bench_number(result, "median"), bench_number(result, "p10"),
	                             bench_number(result, "p90"), json_integer_value(json_object_get(result, "runs"))};
}

const char *bench_baseline(const json_t *report) {
	const char *named = bench_text(report, "baseline");
	return named[0] != '\0' ? named : bench_text(json_array_get(json_object_get(report, "backends"), 0), "name");
}

/* ---- checking ---- */

static mt_status wrong(const char *path, const char *where, const char *what) {
	return mt_error_set(MT_E_FORMAT, "%s: %s%s%s", path, where, where[0] != '\0' ? ": " : "", what);
}

static int is_size(const json_t *object, const char *key) {
	const json_t *value = json_object_get(object, key);
	return value == NULL || (json_is_number(value) && json_number_value(value) >= 0);
}

static mt_status check_result(const char *path, const char *id, const json_t *result) {
	static const char *const statuses[] = {"ok", "WRONG", "failed", "unavailable"};
	const char *status = bench_text(result, "status");
	int known = 0;
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		known |= strcmp(status, statuses[i]) == 0;
	if (!known)
		return wrong(path, id, "a result's status is none of ok, WRONG, failed, unavailable");
	struct bench_spread t = bench_time_of(result);
	if (strcmp(status, "ok") == 0 &&
	    !(t.median > 0 && t.p10 > 0 && t.p10 <= t.median && t.median <= t.p90 && t.runs > 0))
		return wrong(path, id, "a result's times are not 0 < p10 <= median <= p90 with runs above 0");
	if (!is_size(result, "share") || !is_size(result, "ceiling") || !is_size(result, "dispatch") ||
	    !is_size(result, "calls"))
		return wrong(path, id, "share, ceiling, dispatch and calls are numbers from 0 up");
	return MT_OK;
}

static mt_status check_case(const char *path, const json_t *one) {
	static const char *const texts[] = {"id", "suite", "op", "dtype", "size"};
	static const char *const sizes[] = {"x", "flops", "bytes", "examples"};
	const char *id = bench_text(one, "id"), *name;
	json_t *result, *results = json_object_get(one, "results");
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (bench_text(one, texts[i])[0] == '\0')
			return mt_error_set(MT_E_FORMAT, "%s: a case has no text '%s'", path, texts[i]);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		if (!is_size(one, sizes[i]))
			return wrong(path, id, "x, flops, bytes and examples are numbers from 0 up");
	if (!json_is_object(results))
		return wrong(path, id, "there are no results");
	json_object_foreach(results, name, result) {
		mt_status status = check_result(path, id, result);
		if (status != MT_OK)
			return status;
	}
	return MT_OK;
}

static mt_status check_report(const char *path, const json_t *report) {
	json_t *one, *backends = json_object_get(report, "backends"), *cases = json_object_get(report, "cases");
	size_t i;
	if (strcmp(bench_text(report, "format"), "mt-bench 1") != 0)
		return wrong(path, "", "not a report of mt-bench: \"format\" is not \"mt-bench 1\"");
	if (!json_is_array(backends) || !json_is_array(cases))
		return wrong(path, "", "there is no array 'backends' or 'cases'");
	json_array_foreach(backends, i, one) {
		if (bench_text(one, "name")[0] == '\0')
			return wrong(path, "", "a backend has no name");
	}
	json_array_foreach(cases, i, one) {
		mt_status status = check_case(path, one);
		if (status != MT_OK)
			return status;
	}
	return MT_OK;
}

json_t *bench_json_read(const char *path) {
	json_error_t error;
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		mt_error_set(MT_E_IO, "%s: it cannot be opened", path);
		return NULL;
	}
	json_t *report = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
	fclose(file);
	if (report == NULL) {
		mt_error_set(MT_E_FORMAT, "%s: not JSON: line %d: %s", path, error.line, error.text);
		return NULL;
	}
	if (check_report(path, report) != MT_OK) {
		json_decref(report);
		return NULL;
	}
	return report;
}

mt_status bench_json_write(const json_t *report, const char *path) {
	char *text = json_dumps(report, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	if (text == NULL)
		return mt_error_set(MT_E_MEMORY, "%s: out of memory", path);
	size_t n = strlen(text);
	text[n] = '\n'; /* in place of the terminator: mt_write_file takes bytes */
	mt_status status = mt_write_file(path, text, n + 1);
	free(text);
	return status;
}

/* ---- peers ---- */

/* The element of the array under list whose text under key is value. */
static const json_t *element_of(const json_t *report, const char *list, const char *key, const char *value) {
	json_t *one;
	size_t i;
	json_array_foreach(json_object_get(report, list), i, one) {
		if (strcmp(bench_text(one, key), value) == 0)
			return one;
	}
	return NULL;
}

const json_t *bench_case_of(const json_t *report, const char *id) {
	return element_of(report, "cases", "id", id);
}

static const json_t *backend_of(const json_t *report, const char *name) {
	return element_of(report, "backends", "name", name);
}

/* Each of the peer's backends, marked as a peer's; a name that report has already is refused before anything is written. */
static mt_status merge_backends(json_t *report, const json_t *peer) {
	json_t *one, *to = json_object_get(report, "backends"), *from = json_object_get(peer, "backends");
	size_t i;
	if (!json_is_array(from) || json_array_size(from) == 0)
		return mt_error_set(MT_E_FORMAT, "a peer's report has no backends");
	json_array_foreach(from, i, one) {
		if (bench_text(one, "name")[0] == '\0')
			return mt_error_set(MT_E_FORMAT, "a peer's backend has no name");
		if (backend_of(report, bench_text(one, "name")) != NULL)
			return mt_error_set(MT_E_FORMAT, "a peer's backend is named '%s', and so is another of this report",
			                    bench_text(one, "name"));
	}
	json_array_foreach(from, i, one) {
		json_t *copy = json_deep_copy(one);
		if (copy == NULL || json_object_set_new(copy, "peer", json_true()) != 0 || json_array_append_new(to, copy) != 0)
			return mt_error_set(MT_E_MEMORY, "out of memory");
	}
	return MT_OK;
}

mt_status bench_merge_peer(json_t *report, const json_t *peer) {
	json_t *one, *result;
	const char *name;
	size_t i;
	mt_status status = merge_backends(report, peer);
	if (status != MT_OK)
		return status;
	json_array_foreach(json_object_get(report, "cases"), i, one) {
		json_t *results = json_object_get(one, "results");
		const json_t *theirs = bench_case_of(peer, bench_text(one, "id"));
		json_object_foreach(json_object_get(theirs, "results"), name, result) {
			if (backend_of(peer, name) != NULL && json_object_set_new(results, name, json_deep_copy(result)) != 0)
				return mt_error_set(MT_E_MEMORY, "out of memory");
		}
	}
	json_t *ceilings = json_object_get(peer, "ceilings");
	json_array_foreach(ceilings, i, one) {
		json_array_append_new(json_object_get(report, "ceilings"), json_deep_copy(one));
	}
	return MT_OK;
}
