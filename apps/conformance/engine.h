/* Running a plan: child processes, each for a group or for several, several at once, cases that end or stop their process
 * included. */
#ifndef CONFORMANCE_ENGINE_H
#define CONFORMANCE_ENGINE_H

#include "plan.h"

struct cf_engine {
	struct cf_plan *plan;
	const struct cf_target *target;
	int jobs;
	int64_t timeout; /* seconds for one case */
	int fail_fast;
	int shares;       /* a process goes on with the next group of cases: to start one on a GPU takes its time */
	int stopped;      /* fail_fast has stopped it */
	int32_t failures; /* of items and of rows */
	/* Called for each item that did not pass, after it was shrunk; and for each group when it is done. */
	void (*on_item)(const struct cf_engine *e, const struct cf_item *item);
	void (*on_group)(const struct cf_engine *e, const struct cf_group *group);
	struct cf_slot *slots; /* jobs of them */
};

/* 1, or 0 when there is no memory. */
int cf_engine_start(struct cf_engine *e);

/* Goes on until the group is done (or everything is stopped); others are run beside it. */
void cf_engine_run_group(struct cf_engine *e, struct cf_group *g);

/* Ends what still runs. */
void cf_engine_stop(struct cf_engine *e);

#endif
