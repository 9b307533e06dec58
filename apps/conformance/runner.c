/* Groups are CUnit's tests, in a suite for each kernel. */
#include "runner.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"
#include "families.h"
#include "worker.h"

/* CUnit's functions take no argument: what they need is here. */
static struct {
	const struct cf_format *format;
	struct cf_report report;
	struct cf_engine engine;
	struct cf_plan plan;
	CU_pTest *tests; /* one for each group */
} running;

static void on_item(const struct cf_engine *e, const struct cf_item *item) {
	(void)e;
	if (running.format->item != NULL)
		running.format->item(&running.report, item);
	(void)fflush(stdout); /* whoever ends a run that takes too long still has what failed by then */
}

/* Groups are told in the order of the plan, however they end. */
static void tell_groups(void) {
	static int32_t told;
	for (; told < running.plan.n_groups && running.plan.groups[told].done; told++)
		if (running.format->group != NULL)
			running.format->group(&running.report, &running.plan.groups[told]);
}

static int failures_of(const struct cf_group *g) {
	int n = 0;
	for (int32_t i = 0; i < g->rows; i++) {
		const struct cf_row *row = &running.plan.rows[g->first_row + i];
		n += row->failed + (row->failure[0] != '\0');
	}
	return n;
}

static void run_group(void) {
	int32_t i = 0;
	while (i < running.plan.n_groups && running.tests[i] != CU_get_current_test())
		i++;
	if (i == running.plan.n_groups || running.engine.stopped)
		return;
	struct cf_group *g = &running.plan.groups[i];
	cf_engine_run_group(&running.engine, g);
	tell_groups();
	CU_assertImplementation(failures_of(g) == 0, 0, g->label, g->suite, "", CU_FALSE);
}

static int register_groups(void) {
	CU_pSuite suite = NULL;
	running.tests = calloc((size_t)running.plan.n_groups, sizeof *running.tests);
	if (running.tests == NULL || CU_initialize_registry() != CUE_SUCCESS)
		return 0;
	for (int32_t i = 0; i < running.plan.n_groups; i++) {
		const struct cf_group *g = &running.plan.groups[i];
		if (suite == NULL || strcmp(suite->pName, g->suite) != 0)
			suite = CU_add_suite(g->suite, NULL, NULL);
		running.tests[i] = suite != NULL ? CU_add_test(suite, g->label, run_group) : NULL;
		if (running.tests[i] == NULL)
			return 0;
	}
	return 1;
}

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- what makes a run a failure though no case failed ---- */

static int probe_in_child(void *memory, const void *context) {
	struct cf_probe *probe = memory;
	int ok = cf_probe_run(probe, context);
	if (!ok)
		snprintf(probe->features, sizeof probe->features, "%s", cf_error());
	return ok;
}

static int probe(const struct cf_run_options *o, struct cf_probe *probe, char *words, size_t size) {
	char why[256];
	int ok = cf_in_child(probe_in_child, probe, sizeof *probe, o->target, o->timeout, why, sizeof why);
	char *const texts[] = {probe->plugin, probe->version, probe->device, probe->features};
	for (int i = 0; i < 4; i++)
		cf_clean_text(texts[i]);
	if (ok)
		return 1;
	snprintf(words, size, "%s cannot be tested: %s", o->target->name,
	         probe->features[0] != '\0' && probe->plugin[0] == '\0' ? probe->features : why);
	return 0;
}

static void list_globs(const struct cf_selection *s, char *out, size_t size) {
	size_t used = 0;
	out[0] = '\0';
	for (int i = 0; i < s->n_ops && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, " '%s'", s->ops[i]);
}

static int nothing_chosen(const struct cf_selection *s, char *words, size_t size) {
	char globs[256];
	list_globs(s, globs, sizeof globs);
	snprintf(words, size, "no op or check matches%s%s: see mt-conformance --list", globs[0] != '\0' ? globs : "",
	         s->dtypes != MT_SET_ALL ? " with these dtypes" : "");
	return -1;
}

/* Each --op must choose something: one that was mistyped would else go unseen among the others. */
static int check_globs(const struct cf_selection *s, const struct cf_plan *p, char *words, size_t size) {
	for (int i = 0; i < s->n_ops; i++) {
		const struct cf_selection one = {.ops = &s->ops[i], .n_ops = 1};
		int32_t r = 0;
		while (r < p->n_rows && !cf_selected(&one, p->rows[r].label))
			r++;
		if (r == p->n_rows)
			return nothing_chosen(&(struct cf_selection){.ops = &s->ops[i], .n_ops = 1, .dtypes = s->dtypes}, words,
			                      size);
	}
	return p->n_items > 0 ? 0 : nothing_chosen(s, words, size);
}

static int was_run(const struct cf_plan *p) {
	struct cf_totals t;
	cf_totals(p, &t);
	return t.executed + t.checks > 0;
}

/* ---- */

static void run_registered(const struct cf_run_options *o) {
	double start = now();
	if (running.format->begin != NULL)
		running.format->begin(&running.report);
	CU_set_error_action(CUEA_IGNORE);
	CU_run_all_tests();
	running.report.stopped = running.engine.stopped;
	running.report.seconds = now() - start;
	if (running.format->end != NULL)
		running.format->end(&running.report);
	if (o->format == &cf_text_format) {
		printf("\nCUnit, whose tests are the ops:\n");
		CU_print_run_results(stdout);
		printf("\n");
	}
}

static int run_plan(const struct cf_run_options *o, char *words, size_t size) {
	if (!cf_engine_start(&running.engine) || !register_groups()) {
		snprintf(words, size, "CUnit cannot run the groups: %s", CU_get_error_msg());
		return -1;
	}
	run_registered(o);
	if (!was_run(&running.plan) && running.engine.failures == 0) {
		snprintf(words, size, "nothing was executed: %s has none of the kernels that were chosen", o->target->name);
		return -1;
	}
	if (o->report_file != NULL && !cf_write_matrix(&running.report, o->report_file, words, size))
		return -1;
	return running.engine.failures > 0;
}

int cf_run_all(const struct cf_run_options *o, char *words, size_t size) {
	struct cf_probe *of = calloc(1, sizeof *of);
	if (of == NULL) {
		snprintf(words, size, "out of memory");
		return -1;
	}
	int status = probe(o, of, words, size) && cf_plan_build(&running.plan, o->selection, of, words, size) ? 0 : -1;
	if (status == 0)
		status = check_globs(o->selection, &running.plan, words, size);
	if (status == 0) {
		running.format = o->format;
		running.engine = (struct cf_engine){.plan = &running.plan,
		                                    .target = o->target,
		                                    .jobs = o->jobs,
		                                    .timeout = o->timeout,
		                                    .fail_fast = o->fail_fast,
		                                    .shares = (of->flags & MT_DEVICE_ASYNC) != 0,
		                                    .on_item = on_item};
		running.report = (struct cf_report){.plan = &running.plan,
		                                    .target = o->target,
		                                    .probe = of,
		                                    .selection = o->selection,
		                                    .colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL};
		status = run_plan(o, words, size);
		cf_engine_stop(&running.engine);
		CU_cleanup_registry();
		free(running.tests);
	}
	cf_plan_free(&running.plan);
	free(of);
	return status;
}

int cf_list(const struct cf_selection *s) {
	struct cf_plan p;
	char words[512];
	int ids = s->n_ops > 0 || s->only_given;
	if (!cf_plan_build(&p, s, NULL, words, sizeof words) || check_globs(s, &p, words, sizeof words) != 0) {
		fprintf(stderr, "mt-conformance: %s\n", words);
		cf_plan_free(&p);
		return 1;
	}
	for (int32_t i = 0; i < p.n_items && ids; i++) {
		char id[CF_ID_SIZE];
		cf_item_id(id, sizeof id, &p, &p.items[i]);
		printf("%s\n", id);
	}
	for (int32_t i = 0; i < p.n_groups && !ids; i++) {
		const struct cf_group *g = &p.groups[i];
		for (int32_t k = 0; k < g->rows; k++) {
			const struct cf_row *row = &p.rows[g->first_row + k];
			if (row->is_check)
				printf("%s\n", row->label);
			else
				printf("%s %s %d\n", row->label, row->dtype, row->count);
		}
	}
	cf_plan_free(&p);
	return 0;
}
