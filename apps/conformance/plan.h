/* What is to be run: cases and checks in rows (an op and a dtype), rows in groups (an op), which child processes run. */
#ifndef CONFORMANCE_PLAN_H
#define CONFORMANCE_PLAN_H

#include "case_id.h"
#include "probe.h"
#include "run.h"
#include "structure.h"

struct cf_item {
	int32_t row;
	const struct cf_structure *check; /* NULL: it is a case */
	struct cf_case c;
	int32_t state;            /* enum cf_state */
	struct cf_result *result; /* of what did not pass; else NULL */
	char *smallest;           /* id of the smallest case found that fails, or NULL */
};

enum cf_state {
	CF_WAITING, /* not run */
	CF_MISSING, /* the plugin does not claim it */
	CF_DONE     /* it has an outcome */
};

struct cf_row {
	char label[64];              /* "map.exp", "memory.alignment" */
	char dtype[16];              /* "f32", "f32-i64"; "" for a check */
	int32_t group, first, count; /* its items */
	int is_check;
	int executed, passed, refused, failed, skipped, missing;
	int claimed;
	int layouts[CF_IN_LAYOUTS][3]; /* executed, refused, failed */
	char failure[160];             /* of the row as a whole: claimed and refused everywhere; else "" */
};

struct cf_group {
	char suite[32], label[64];
	int32_t first_row, rows, first, count;
	int started, done;
};

struct cf_plan {
	struct cf_item *items;
	struct cf_row *rows;
	struct cf_group *groups;
	int32_t n_items, n_rows, n_groups, room;
};

/* What the command line chose. */
struct cf_selection {
	const char *const *ops; /* globs over "kernel.op" and "suite.check" */
	int n_ops;
	uint32_t dtypes;
	uint64_t seed;
	int64_t random;
	const struct cf_case *given; /* of --case and --cases: nothing else is run then but random cases */
	int n_given;
	int only_given;
};

/* Builds the plan.  probe says what the plugin claims; NULL: everything counts as claimed (--list).
 * 1, or 0 with a reason in words. */
int cf_plan_build(struct cf_plan *p, const struct cf_selection *s, const struct cf_probe *probe, char *words,
                  size_t size);
void cf_plan_free(struct cf_plan *p);

/* Whether --op chose this label. */
int cf_selected(const struct cf_selection *s, const char *label);

/* The layout a case is counted under: that of its inputs, or of its outputs where those are contiguous. */
int cf_layout_of(const struct cf_case *c);

/* "map.exp/f32/…", or a check's label. */
void cf_item_id(char *out, size_t size, const struct cf_plan *p, const struct cf_item *item);

#endif
