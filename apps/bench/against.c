/* What became slower or faster since an older report. */
#include <math.h>
#include <string.h>

#include "bench/report.h"
#include "bench/text.h"

struct counts {
	int compared, slower, faster, broken;
};

static void compare(const char *id, const char *backend, const json_t *before, const json_t *now, FILE *out,
                    struct counts *counts) {
	struct bench_spread a = bench_time_of(before), b = bench_time_of(now);
	const char *status = bench_text(now, "status");
	char from[40], to[40], ratio[32];
	if (a.runs < 1)
		return;
	text_time(a.median, from, sizeof from);
	if (strcmp(status, "WRONG") == 0 || strcmp(status, "failed") == 0) {
		fprintf(out, "  %s  %s, %s: %s -> %s\n", status, id, backend, from, bench_text(now, "reason"));
		counts->broken++;
	}
	if (b.runs < 1)
		return;
	counts->compared++;
	int change = bench_change(&a, &b);
	if (change == 0)
		return;
	text_time(b.median, to, sizeof to);
	text_three(change > 0 ? b.median / a.median : a.median / b.median, ratio, sizeof ratio);
	fprintf(out, "  %s×  %s  %s, %s: %s -> %s (noise %.0f%%)\n", ratio, change > 0 ? "slower" : "faster", id, backend,
	        from, to, 100 * bench_noise(&a, &b));
	counts->slower += change > 0;
	counts->faster += change < 0;
}

int bench_against_print(const json_t *old, const json_t *report, FILE *out) {
	struct counts counts = {0};
	json_t *one, *backend;
	size_t i, k;
	fprintf(out, "\nAgainst %s, %s:\n", bench_text(old, "created"), bench_text(old, "command"));
	json_array_foreach(json_object_get(report, "cases"), i, one) {
		const char *id = bench_text(one, "id");
		const json_t *before = bench_case_of(old, id);
		json_array_foreach(json_object_get(report, "backends"), k, backend) {
			const char *name = bench_text(backend, "name");
			const json_t *was = bench_result_of(before, name), *now = bench_result_of(one, name);
			if (was != NULL && now != NULL && !json_is_true(json_object_get(backend, "peer")))
				compare(id, name, was, now, out, &counts);
		}
	}
	fprintf(out, "%d compared: %d slower, %d faster, %d as before", counts.compared, counts.slower, counts.faster,
	        counts.compared - counts.slower - counts.faster);
	fprintf(out, counts.broken > 0 ? ", %d not right any more\n" : "\n", counts.broken);
	return counts.slower + counts.broken;
}
