#include "engine.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shrink.h"
#include "worker.h"

enum { SHRINK_MS = 20000 };

/* One child process at work. */
struct cf_slot {
	struct cf_worker worker;
	struct cf_group *group; /* NULL: free */
	int32_t next;           /* item to run */
	struct cf_item *item;   /* whose answer is awaited; NULL: none */
	int shrinking;
	struct cf_shrink shrink;
	struct cf_case tried;
	int64_t deadline, shrink_end;
	int finishing; /* told that there is no more … */
	int leaving;   /* … as its device is broken: another one goes on */
	int hangs;     /* cases of the group that were killed for want of an answer */
	int losses;    /* … that broke the device, and so ended their process */
};

/* Each costs the whole timeout, or a process: after these the group's other cases are left out. */
enum { MAX_HANGS = 3, MAX_LOSSES = 8 };

static int64_t now_ms(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int cf_engine_start(struct cf_engine *e) {
	e->slots = calloc((size_t)e->jobs, sizeof *e->slots);
	return e->slots != NULL;
}

void cf_engine_stop(struct cf_engine *e) {
	for (int i = 0; i < e->jobs && e->slots != NULL; i++)
		cf_worker_kill(&e->slots[i].worker);
	free(e->slots);
	e->slots = NULL;
}

/* ---- results ---- */

static void keep_result(struct cf_item *item, const struct cf_result *result) {
	if (item->result == NULL)
		item->result = malloc(sizeof *item->result);
	if (item->result == NULL)
		return;
	*item->result = *result;
	cf_clean_text(item->result->words);
}

static void count(struct cf_row *row, const struct cf_item *item, int32_t outcome, int by) {
	row->executed += outcome == CF_PASSED || outcome == CF_FAILED ? by : 0;
	row->passed += outcome == CF_PASSED ? by : 0;
	row->refused += outcome == CF_REFUSED ? by : 0;
	row->failed += outcome == CF_FAILED ? by : 0;
	row->skipped += outcome == CF_SKIPPED ? by : 0;
	if (item->check != NULL)
		return;
	int *cell = row->layouts[cf_layout_of(&item->c)];
	cell[0] += outcome == CF_PASSED || outcome == CF_FAILED ? by : 0;
	cell[1] += outcome == CF_REFUSED ? by : 0;
	cell[2] += outcome == CF_FAILED ? by : 0;
}

/* The item has its outcome; what failed first in a row is made smaller before it is told. */
static void conclude(struct cf_engine *e, struct cf_slot *slot) {
	slot->shrinking = 0;
	if (slot->item->result != NULL && e->on_item != NULL)
		e->on_item(e, slot->item);
	slot->item = NULL;
	if (e->fail_fast && e->failures > 0)
		e->stopped = 1;
}

static void take_outcome(struct cf_engine *e, struct cf_slot *slot, const struct cf_result *result, int may_shrink) {
	struct cf_item *item = slot->item;
	struct cf_row *row = &e->plan->rows[item->row];
	item->state = CF_DONE;
	count(row, item, result->outcome, 1);
	e->failures += result->outcome == CF_FAILED;
	if (result->outcome != CF_PASSED)
		keep_result(item, result);
	if (result->outcome == CF_FAILED && may_shrink && item->check == NULL && row->failed == 1) {
		cf_shrink_start(&slot->shrink, &item->c);
		slot->shrinking = 1;
		slot->shrink_end = now_ms() + SHRINK_MS;
		return;
	}
	conclude(e, slot);
}

static void keep_smallest(struct cf_item *item, const struct cf_case *c, const struct cf_result *result) {
	char id[CF_ID_SIZE];
	cf_case_id(id, sizeof id, c);
	free(item->smallest);
	item->smallest = strdup(id);
	keep_result(item, result); /* what the smallest shows is the easiest to look at */
}

/* An answer has come, or been made up for a process that ended or hangs. */
static void take_answer(struct cf_engine *e, struct cf_slot *slot, const struct cf_result *result, int may_shrink) {
	if (!slot->shrinking) {
		take_outcome(e, slot, result, may_shrink);
		return;
	}
	if (result->outcome == CF_FAILED) {
		cf_shrink_accept(&slot->shrink, &slot->tried);
		keep_smallest(slot->item, &slot->tried, result);
	}
}

/* ---- sending ---- */

static void finish_group(struct cf_engine *e, struct cf_slot *slot) {
	struct cf_group *g = slot->group;
	slot->group = NULL;
	slot->finishing = 0;
	g->done = 1;
	for (int32_t i = 0; i < g->rows; i++) {
		struct cf_row *row = &e->plan->rows[g->first_row + i];
		if (row->claimed && row->executed == 0 && row->refused > 0 && row->missing == 0) {
			snprintf(row->failure, sizeof row->failure, "claimed in the capability table, but refused in all %d cases",
			         row->refused);
			e->failures++;
		}
	}
	if (e->on_group != NULL)
		e->on_group(e, g);
	if (e->fail_fast && e->failures > 0)
		e->stopped = 1;
}

static void send_to(struct cf_engine *e, struct cf_slot *slot, const struct cf_case *c) {
	char words[256];
	if (slot->worker.pid == 0 && !cf_worker_start(&slot->worker, e->target, words, sizeof words)) {
		fprintf(stderr, "mt-conformance: %s\n", words);
		e->failures++;
		e->stopped = 1;
		return;
	}
	cf_worker_send(&slot->worker, slot->item->check, c);
	slot->deadline = now_ms() + e->timeout * 1000;
}

static void end_group(struct cf_engine *e, struct cf_slot *slot);

/* The next case of the shrinking, or else the next item, or else the end of the group. */
static void go_on(struct cf_engine *e, struct cf_slot *slot) {
	if (slot->shrinking) {
		if (now_ms() < slot->shrink_end && cf_shrink_next(&slot->shrink, &slot->tried)) {
			send_to(e, slot, &slot->tried);
			return;
		}
		conclude(e, slot);
	}
	struct cf_group *g = slot->group;
	while (slot->next < g->first + g->count && !e->stopped) {
		struct cf_item *item = &e->plan->items[slot->next++];
		if (item->state != CF_WAITING)
			continue;
		slot->item = item;
		send_to(e, slot, item->check == NULL ? &item->c : NULL);
		return;
	}
	end_group(e, slot);
}

static struct cf_group *next_group(struct cf_engine *e) {
	for (int32_t i = 0; i < e->plan->n_groups && !e->stopped; i++)
		if (!e->plan->groups[i].started)
			return &e->plan->groups[i];
	return NULL;
}

static void start_group(struct cf_engine *e, struct cf_slot *slot, struct cf_group *g) {
	*slot = (struct cf_slot){.group = g, .next = g->first, .worker = slot->worker};
	g->started = 1;
	go_on(e, slot);
}

static int is_checks(const struct cf_engine *e, const struct cf_group *g) {
	return g->count > 0 && e->plan->items[g->first].check != NULL;
}

/* The process goes on with another group, or ends first: how it does is the group's, too. */
static void end_group(struct cf_engine *e, struct cf_slot *slot) {
	struct cf_group *next = e->shares && !is_checks(e, slot->group) ? next_group(e) : NULL;
	if (slot->worker.pid == 0) {
		finish_group(e, slot);
	} else if (next != NULL && !is_checks(e, next)) {
		finish_group(e, slot);
		start_group(e, slot, next);
	} else {
		slot->finishing = 1;
		slot->deadline = now_ms() + e->timeout * 1000;
		cf_worker_finish(&slot->worker);
	}
}

/* ---- ends ---- */

/* The last item of the group that was run: what a process does after it is laid to it. */
static struct cf_item *last_run(struct cf_engine *e, const struct cf_slot *slot) {
	for (int32_t i = slot->next - 1; i >= slot->group->first; i--)
		if (e->plan->items[i].state == CF_DONE)
			return &e->plan->items[i];
	return NULL;
}

static void fail_after_end(struct cf_engine *e, struct cf_slot *slot, const char *words) {
	struct cf_item *item = last_run(e, slot);
	struct cf_result result = {.outcome = CF_FAILED};
	if (item == NULL || (item->result != NULL && item->result->outcome == CF_FAILED))
		return;
	snprintf(result.words, sizeof result.words, "after the last case, when the device is closed: %s", words);
	count(&e->plan->rows[item->row], item, item->result != NULL ? item->result->outcome : CF_PASSED, -1);
	count(&e->plan->rows[item->row], item, CF_FAILED, 1);
	e->failures++;
	keep_result(item, &result);
	if (e->on_item != NULL)
		e->on_item(e, item);
}

/* The process whose device is broken has ended, or will not. */
static void process_left(struct cf_engine *e, struct cf_slot *slot) {
	slot->leaving = 0;
	cf_worker_kill(&slot->worker);
	go_on(e, slot);
}

static void process_ended(struct cf_engine *e, struct cf_slot *slot) {
	char words[256];
	if (slot->leaving) {
		process_left(e, slot);
		return;
	}
	int ok = cf_worker_reap(&slot->worker, words, sizeof words);
	if (slot->finishing) {
		if (!ok)
			fail_after_end(e, slot, words);
		finish_group(e, slot);
		return;
	}
	struct cf_result result = {.outcome = CF_FAILED};
	snprintf(result.words, sizeof result.words, "%s", words);
	take_answer(e, slot, &result, 1);
	go_on(e, slot);
}

/* The answer of a process whose device is broken: it ends, with all that tools around it have to say, and another one goes
 * on. */
static void device_lost(struct cf_engine *e, struct cf_slot *slot) {
	struct cf_row *row = &e->plan->rows[slot->item->row];
	if (!slot->shrinking && ++slot->losses == MAX_LOSSES) {
		snprintf(row->failure, sizeof row->failure,
		         "%d cases broke the device for their process: the op's other cases are left out", MAX_LOSSES);
		slot->next = slot->group->first + slot->group->count;
	}
	take_answer(e, slot, &slot->worker.reply, 1);
	slot->leaving = 1;
	slot->deadline = now_ms() + e->timeout * 1000;
	cf_worker_finish(&slot->worker);
}

static void process_hangs(struct cf_engine *e, struct cf_slot *slot) {
	struct cf_result result = {.outcome = CF_FAILED};
	if (slot->leaving) {
		process_left(e, slot);
		return;
	}
	snprintf(result.words, sizeof result.words, "no answer within %lld s: it was killed", (long long)e->timeout);
	cf_worker_kill(&slot->worker);
	if (slot->finishing) {
		fail_after_end(e, slot, result.words);
		finish_group(e, slot);
		return;
	}
	if (++slot->hangs == MAX_HANGS) {
		size_t used = strlen(result.words);
		snprintf(result.words + used, sizeof result.words - used,
		         "; after %d of these the op's other cases are left out", MAX_HANGS);
		slot->next = slot->group->first + slot->group->count;
	}
	take_answer(e, slot, &result, 0);
	if (slot->shrinking)
		conclude(e, slot); /* each further try would cost as much */
	go_on(e, slot);
}

/* ---- the loop ---- */

static void read_from(struct cf_engine *e, struct cf_slot *slot) {
	switch (cf_worker_read(&slot->worker)) {
	case CF_REPLY_ENDED:
		process_ended(e, slot);
		break;
	case CF_REPLY_WHOLE:
		if (slot->worker.reply.lost) {
			device_lost(e, slot);
			break;
		}
		take_answer(e, slot, &slot->worker.reply, 1);
		go_on(e, slot);
		break;
	default:
		break;
	}
}

/* Waits for an answer, an end or a deadline, and deals with all that there are. */
static void turn(struct cf_engine *e) {
	struct pollfd fds[CF_MAX_JOBS];
	struct cf_slot *of[CF_MAX_JOBS];
	int n = 0;
	int64_t wait = 1000, now = now_ms();
	for (int i = 0; i < e->jobs; i++) {
		struct cf_slot *slot = &e->slots[i];
		if (slot->group == NULL)
			continue;
		wait = slot->deadline - now < wait ? slot->deadline - now : wait;
		of[n] = slot;
		fds[n++] = (struct pollfd){.fd = slot->worker.fd, .events = POLLIN};
	}
	if (poll(fds, (nfds_t)n, (int)(wait > 0 ? wait : 0)) < 0 && errno != EINTR)
		return;
	for (int i = 0; i < n; i++) {
		if ((fds[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
			read_from(e, of[i]);
		else if (now_ms() >= of[i]->deadline)
			process_hangs(e, of[i]);
	}
}

void cf_engine_run_group(struct cf_engine *e, struct cf_group *g) {
	while (!g->done && !e->stopped) {
		for (int i = 0; i < e->jobs; i++) {
			struct cf_slot *slot = &e->slots[i];
			struct cf_group *next = slot->group == NULL ? next_group(e) : NULL;
			if (next != NULL)
				start_group(e, slot, next);
		}
		if (!g->done)
			turn(e);
	}
}
