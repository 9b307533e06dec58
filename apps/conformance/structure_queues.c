/* Queues: order, synchronisation, events, scratch memory (R10). */
#include <stdio.h>
#include <string.h>

#include "families.h"
#include "structure.h"

enum { N = 20000, STEPS = 50 };

struct buffers {
	void *base[3];
};

static int get_buffers(struct cf_structure_run *r, struct buffers *b) {
	*b = (struct buffers){{NULL}};
	for (int i = 0; i < 3; i++)
		if (!cf_expect(r, r->host->api->alloc(r->host->device, N * sizeof(float), &b->base[i]) == MT_OK, "alloc: %s",
		               cf_error()))
			return 0;
	return 1;
}

static void give_buffers(struct cf_structure_run *r, struct buffers *b) {
	for (int i = 0; i < 3; i++)
		if (b->base[i] != NULL)
			r->host->api->free(r->host->device, b->base[i]);
}

static mt_array vector(void *base) {
	return (mt_array){
		.base = base, .buffer_bytes = N * sizeof(float), .dtype = MT_F32, .rank = 1, .shape = {N}, .stride = {1}};
}

/* Kernels are called without synchronising between. */
static int32_t fill(struct cf_host *h, mt_queue *queue, void *base, double value) {
	const mt_array out = vector(base);
	const struct mt_fill_args args = {
		.struct_size = sizeof args, .out = &out, .value = {MT_SCALAR_F64, 0, {.f = value}}};
	return h->api->kernels->fill(queue, &args);
}

static int32_t copy(struct cf_host *h, mt_queue *queue, void *to, void *from) {
	const mt_array x = vector(from), out = vector(to);
	const struct mt_copy_args args = {.struct_size = sizeof args, .x = &x, .out = &out};
	return h->api->kernels->copy(queue, &args);
}

static int holds(struct cf_structure_run *r, mt_queue *queue, const void *base, float value) {
	static float back[N];
	if (r->host->api->download(queue, base, 0, back, sizeof back) != MT_OK)
		return 0;
	for (int i = 0; i < N; i++)
		if (!(back[i] == value))
			return 0;
	return 1;
}

/* Each step reads what the last one wrote, and overwrites what an earlier one still reads. */
static void in_order(struct cf_structure_run *r) {
	static float staged[N];
	struct buffers b;
	mt_queue *q = r->host->queue;
	int ok = get_buffers(r, &b);
	for (int step = 0; ok && step < STEPS; step++) {
		for (int i = 0; i < N; i++)
			staged[i] = (float)step;
		ok = r->host->api->upload(q, b.base[0], 0, staged, sizeof staged) == MT_OK;
		memset(staged, 0, sizeof staged);
		ok = ok && copy(r->host, q, b.base[1], b.base[0]) == MT_OK && fill(r->host, q, b.base[0], -1) == MT_OK &&
		     r->host->api->copy_device(q, b.base[2], 0, b.base[1], 0, N * sizeof(float)) == MT_OK &&
		     fill(r->host, q, b.base[1], -2) == MT_OK;
		cf_expect(r, ok, "a step fails: %s", cf_error());
		ok = ok && cf_expect(r, holds(r, q, b.base[2], (float)step),
		                     "R10: a queue's work is not done in order (step %d)", step);
	}
	give_buffers(r, &b);
}

static void synchronises(struct cf_structure_run *r) {
	for (int i = 0; i < 3; i++)
		cf_expect(r, r->host->api->synchronize(r->host->queue) == MT_OK, "synchronize of an idle queue: %s",
		          cf_error());
}

/* A device may offer one queue only: then it says so. */
static void second_queue(struct cf_structure_run *r) {
	struct cf_scratch *scratch;
	struct buffers b;
	mt_queue *second;
	cf_error_clear();
	if (!cf_queue_create(r->host, &second, &scratch)) {
		cf_expect(r, cf_error()[0] != '\0', "a second queue is refused without a reason");
		cf_skip(r, "one queue only: %s", cf_error());
		return;
	}
	if (get_buffers(r, &b)) {
		for (int step = 0; step < STEPS; step++) {
			int ok = fill(r->host, r->host->queue, b.base[0], step) == MT_OK &&
			         fill(r->host, second, b.base[1], -step) == MT_OK &&
			         copy(r->host, second, b.base[2], b.base[1]) == MT_OK;
			cf_expect(r, ok, "work on two queues: %s", cf_error());
			cf_expect(r, holds(r, r->host->queue, b.base[0], (float)step), "two queues at work disturb each other");
			cf_expect(r, holds(r, second, b.base[2], (float)-step), "two queues at work disturb each other");
		}
	}
	give_buffers(r, &b);
	cf_queue_destroy(r->host, second, scratch);
}

static void events(struct cf_structure_run *r) {
	const struct mt_device_api *api = r->host->api;
	struct cf_scratch *scratch;
	struct buffers b;
	mt_queue *second = NULL;
	mt_event *event = NULL;
	if (api->event_create == NULL) {
		cf_skip(r, "the device has no events");
		return;
	}
	if (!cf_queue_create(r->host, &second, &scratch)) {
		cf_skip(r, "one queue only");
		return;
	}
	if (cf_expect(r, api->event_create(r->host->device, &event) == MT_OK, "event_create: %s", cf_error()) &&
	    get_buffers(r, &b)) {
		for (int step = 0; step < STEPS; step++) {
			int ok = fill(r->host, r->host->queue, b.base[0], step) == MT_OK &&
			         api->event_record(r->host->queue, event) == MT_OK && api->event_wait(second, event) == MT_OK &&
			         copy(r->host, second, b.base[1], b.base[0]) == MT_OK;
			cf_expect(r, ok, "work across two queues: %s", cf_error());
			cf_expect(r, holds(r, second, b.base[1], (float)step),
			          "R10: what waits for an event goes before it (step %d)", step);
		}
		give_buffers(r, &b);
	}
	if (event != NULL)
		api->event_destroy(event);
	cf_queue_destroy(r->host, second, scratch);
}

/* ---- scratch memory that cannot be had ---- */

struct denied {
	struct cf_structure_run *r;
	const struct cf_family *family;
	int32_t op; /* that is tried */
	int tried;
};

/* A few cases of each op: right, or refused with MT_E_MEMORY and a reason. */
static void try_denied(const struct cf_case *given, void *context) {
	struct denied *d = context;
	struct cf_case c = *given;
	struct cf_result result;
	c.family = d->family;
	c.seed = 1;
	d->tried = c.op == d->op ? d->tried : 0;
	d->op = c.op;
	if (d->tried >= 3 || c.dtype == MT_BOOL ||
	    !cf_claims(d->r->host->api, c.family->kernel, cf_abi_op(c.op), c.dtype, c.side))
		return;
	d->tried++;
	cf_run_case(d->r->host, 1, &c, &result);
	cf_expect(d->r, result.outcome != CF_FAILED, "%s, without scratch memory: %s", c.family->name, result.words);
}

static void denied_scratch(struct cf_structure_run *r) {
	cf_deny_scratch(1);
	for (int32_t k = 1; k < MT_K_END_; k++) {
		struct denied d = {.r = r, .family = cf_family_of(k)};
		if (d.family != NULL)
			d.family->each(try_denied, &d);
	}
	cf_deny_scratch(0);
	cf_expect(r, 1, "nothing");
}

const struct cf_structure cf_queue_checks[] = {
	{"queues", "in_order", 1, in_order},
	{"queues", "synchronises", 1, synchronises},
	{"queues", "second_queue", 1, second_queue},
	{"queues", "events", 1, events},
	{"queues", "denied_scratch", 1, denied_scratch},
	{NULL, NULL, 0, NULL},
};
