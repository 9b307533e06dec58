/* Runs cases. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/check.h"
#include "bench/clock.h"
#include "bench/runner.h"
#include "bench/text.h"

enum { SEED = 20240229, MOST_CALLS = 1000000 };

/* How many times max_time a run may be expected to take and still be begun. */
#define PATIENCE 4.0

/* One column's part in the case that runs. */
struct slot {
	struct bench_column *column;
	struct bench_result *result;
	void *state;   /* NULL where it takes no part */
	double once;   /* seconds of one run */
	double first;  /* of the first one */
	int64_t turns; /* timed runs that are still to be had; 0: the first run is all */
	int64_t calls;
	double *times, *shares, *ceilings; /* room for settings.repeat of each */
	int64_t n, n_shares;
};

/* ---- one run ---- */

static mt_status run_once(const struct bench_case *c, void *state) {
	mt_scope *scope = mt_scope_begin();
	mt_status status = c->kind->run(state);
	mt_scope_end(scope);
	return status;
}

/* Seconds a run over so many of them, to the device's end; negative where one fails, the error set. */
static double time_runs(const struct bench_case *c, mt_device *device, void *state, int64_t calls) {
	mt_device_use(device);
	double begin = bench_now();
	for (int64_t i = 0; i < calls; i++)
		if (run_once(c, state) != MT_OK)
			return -1;
	if (mt_device_synchronize(device) != MT_OK)
		return -1;
	return (bench_now() - begin) / (double)calls;
}

static void *make(const struct bench_case *c, mt_device *device) {
	mt_device_use(device);
	mt_seed(SEED);
	mt_scope *scope = mt_scope_begin();
	void *state = c->kind->make(c);
	mt_scope_end(scope);
	return state;
}

static void drop(struct slot *s, const struct bench_case *c) {
	if (s->state != NULL) {
		mt_device_use(s->column->device);
		c->kind->free(s->state);
		mt_device_synchronize(s->column->device);
		mt_device_trim(s->column->device);
	}
	s->state = NULL;
}

static void fail(struct slot *s, const struct bench_case *c, enum bench_status status) {
	const char *text = mt_error_take(NULL);
	s->result->status = status;
	snprintf(s->result->reason, sizeof s->result->reason, "%s", text[0] != '\0' ? text : "it fails without a reason");
	drop(s, c);
}

/* ---- how long would it take? ---- */

/* Seconds of one run on a column, by its speed in the last case of this op; where that was too short to tell, or there was
 * none, by its speed in a small product if that is higher. */
static double expected(const struct bench_column *column, const struct bench_case *c) {
	int has_last = column->op != NULL && strcmp(column->op, c->op) == 0 && column->op_speed > 0;
	double speed = column->speed;
	if (has_last && (column->op_seconds > 0.01 || column->op_speed > speed))
		speed = column->op_speed;
	return speed > 0 ? c->reference_cost / speed : 0;
}

/* Operations a second in a product of 96 × 96 matrices; 0 where it fails. */
static double measure_speed(mt_device *device) {
	enum { N = 96 };
	double best = 0;
	mt_device_use(device);
	mt_scope *scope = mt_scope_begin();
	mt_tensor *x = mt_rand(MT_SHAPE(N, N), MT_F32);
	for (int i = 0; i < 5; i++) {
		double begin = bench_now();
		if (mt_matmul(x, x) == NULL || mt_device_synchronize(device) != MT_OK) {
			mt_error_take(NULL);
			break;
		}
		double speed = 2.0 * N * N * N / (bench_now() - begin);
		best = speed > best ? speed : best;
	}
	mt_scope_end(scope);
	return best;
}

/* The share of a run's time that is not in kernels, by the profile of one run more; NAN where it fails. */
static double measure_dispatch(const struct bench_case *c, struct slot *s) {
	struct mt_profile_totals before = {0}, after = {0};
	const char *kept = getenv("MT_PROFILE");
	mt_profile_enable(1);
	mt_profile_totals(s->column->device, &before);
	double seconds = time_runs(c, s->column->device, s->state, 1);
	mt_profile_totals(s->column->device, &after);
	mt_profile_enable(kept != NULL && strcmp(kept, "1") == 0);
	if (seconds <= 0) {
		mt_error_take(NULL);
		return NAN;
	}
	return fmin(1, fmax(0, 1 - 1e-9 * (double)(after.nanoseconds - before.nanoseconds) / seconds));
}

mt_status bench_runner_start(struct bench_runner *runner) {
	runner->reference = mt_device_open("naive");
	if (runner->reference == NULL)
		return mt_error_peek();
	runner->reference_speed = measure_speed(runner->reference);
	for (int i = 0; i < runner->columns->n; i++)
		if (runner->columns->list[i].device != NULL)
			runner->columns->list[i].speed = measure_speed(runner->columns->list[i].device);
	return MT_OK;
}

/* ---- the first run: is it right, how long does it take? ---- */

static mt_status read_output(const struct bench_case *c, void *state, mt_device *reference, struct bench_values *out) {
	mt_scope *scope = mt_scope_begin();
	mt_status status = bench_values_read(c->kind->output(state), reference, out);
	mt_scope_end(scope);
	return status;
}

/* The reference's output by a run of its own.  0 where it would take too long or fails. */
static int reference_output(struct bench_runner *runner, const struct bench_case *c, struct bench_values *out) {
	double speed = runner->reference_speed;
	if (runner->settings.unchecked || speed <= 0 || c->reference_cost / speed > runner->settings.max_time)
		return 0;
	struct bench_column column = {.device = runner->reference};
	struct slot s = {.column = &column};
	s.state = make(c, runner->reference);
	int ok = s.state != NULL && time_runs(c, runner->reference, s.state, 1) >= 0 &&
	         read_output(c, s.state, runner->reference, out) == MT_OK;
	drop(&s, c);
	mt_error_take(NULL);
	return ok;
}

/* Inputs and the first run.  The reference's own output becomes what is compared with. */
static void begin(struct bench_runner *runner, struct slot *s, const struct bench_case *c, struct bench_values *right,
                  int *has_right) {
	struct mt_dispatch_counts before = {0}, after = {0};
	struct bench_values mine = {0};
	char text[200];
	s->state = make(c, s->column->device);
	if (s->state == NULL) {
		fail(s, c, BENCH_FAILED);
		return;
	}
	mt_device_synchronize(s->column->device);
	mt_dispatch_counts(&before);
	s->first = s->once = time_runs(c, s->column->device, s->state, 1);
	mt_dispatch_counts(&after);
	s->result->fallback = (int)(after.fallback - before.fallback);
	int is_reference = s->column->device == runner->reference && !runner->settings.unchecked;
	/* What nothing is compared with is not read. */
	if (s->once < 0 || ((*has_right || is_reference) && read_output(c, s->state, runner->reference, &mine) != MT_OK)) {
		fail(s, c, BENCH_FAILED);
		return;
	}
	if (is_reference && !*has_right) {
		*right = mine;
		*has_right = 1;
	} else {
		if (*has_right && !bench_values_agree(&mine, right, c->tolerance, text, sizeof text)) {
			mt_error_set(MT_E_ARG, "%s", text);
			fail(s, c, BENCH_WRONG);
		}
		s->result->unchecked = !*has_right;
		bench_values_free(&mine);
	}
}

/* How many timed runs, of how many calls. */
static void plan(const struct bench_settings *settings, struct slot *s, const struct bench_case *c) {
	if (s->state == NULL || s->first > settings->max_time)
		return;
	/* A state keeps its last output, so that two buffers take turns: the second run has page faults, too. */
	double again = time_runs(c, s->column->device, s->state, s->first < 0.1 ? 2 : 1);
	if (again < 0) {
		fail(s, c, BENCH_FAILED);
		return;
	}
	s->once = fmin(again, s->first);
	double calls = ceil(settings->min_time / (double)settings->repeat / s->once);
	s->calls = calls > 1 ? (int64_t)fmin(calls, MOST_CALLS) : 1;
	double turns = settings->max_time / (s->once * (double)s->calls);
	s->turns = turns < (double)settings->repeat ? (int64_t)fmax(turns, 1) : settings->repeat;
}

/* ---- the turns ---- */

/* One timed run, after a call that brings its threads and data back where runs are short. */
static void take_turn(struct slot *s, const struct bench_case *c) {
	double seconds = s->calls > 1 ? time_runs(c, s->column->device, s->state, 1) : 0;
	if (seconds >= 0)
		seconds = time_runs(c, s->column->device, s->state, s->calls);
	if (seconds < 0) {
		fail(s, c, BENCH_FAILED);
		return;
	}
	s->times[s->n] = seconds;
}

static double bytes_a_second(struct bench_runner *runner, int engine, const struct bench_case *c) {
	return c->reads ? bench_ceilings_reads(runner->ceilings, engine) : bench_ceilings_bytes(runner->ceilings, engine);
}

/* Samples the ceilings of the columns that had this turn, each hardware once, and closes the turn. */
static void end_turn(struct bench_runner *runner, struct slot *slots, const struct bench_case *c, int64_t turn) {
	double flops[BENCH_COLUMNS], bytes[BENCH_COLUMNS];
	int sampled[BENCH_COLUMNS] = {0};
	for (int i = 0; i < runner->columns->n; i++) {
		struct slot *s = &slots[i];
		int e = s->column->engine;
		if (s->state == NULL || (s->turns <= turn && turn > 0))
			continue;
		if (!sampled[e]) {
			/* Beside a long run there is time for several: the best of them is what the hardware can do. */
			double tries = fmin(0.02, 0.05 * s->times[s->n]);
			flops[e] = c->flops > 0 ? c->flops / bench_ceilings_flops(runner->ceilings, e, c->dtype, tries) : 0;
			bytes[e] = c->bytes > 0 ? c->bytes / bytes_a_second(runner, e, c) : 0;
			sampled[e] = 1;
		}
		/* The nearer ceiling is the one under which the run must take longer. */
		int by_flops = flops[e] > bytes[e] || isnan(flops[e]);
		double least = by_flops ? flops[e] : bytes[e];
		if (least > 0) {
			s->ceilings[s->n_shares] = (by_flops ? c->flops : c->bytes) / least;
			s->shares[s->n_shares++] = least / s->times[s->n];
		}
		s->n++;
	}
}

static void take_turns(struct bench_runner *runner, struct slot *slots, const struct bench_case *c) {
	int64_t most = 1;
	for (int i = 0; i < runner->columns->n; i++)
		most = slots[i].turns > most ? slots[i].turns : most;
	for (int64_t turn = 0; turn < most; turn++) {
		for (int i = 0; i < runner->columns->n; i++) {
			struct slot *s = &slots[i];
			if (s->state != NULL && s->turns > turn)
				take_turn(s, c);
			else if (s->state != NULL && turn == 0)
				s->times[0] = s->first; /* too long for another */
		}
		end_turn(runner, slots, c, turn);
	}
}

/* ---- a case ---- */

static void finish(struct slot *s, const struct bench_case *c) {
	struct bench_result *r = s->result;
	struct bench_column *column = s->column;
	if (s->state == NULL)
		return;
	r->time = bench_spread_of(s->times, s->n);
	r->share = bench_spread_of(s->shares, s->n_shares).median;
	r->ceiling = bench_spread_of(s->ceilings, s->n_shares).median;
	r->calls = s->calls;
	if (strcmp(c->suite, "train") == 0 && s->turns > 0)
		r->dispatch = measure_dispatch(c, s);
	column->op = c->op;
	column->op_seconds = r->time.median;
	column->op_speed = r->time.median > 0 ? c->reference_cost / r->time.median : 0;
}

/* Which columns take part. */
static void choose(struct bench_runner *runner, struct slot *slots, const struct bench_case *c,
                   struct bench_result *results) {
	double most = PATIENCE * runner->settings.max_time;
	for (int i = 0; i < runner->columns->n; i++) {
		struct slot *s = &slots[i];
		struct bench_result *r = &results[i];
		s->column = &runner->columns->list[i];
		s->result = r;
		s->calls = 1;
		*r = (struct bench_result){.share = NAN, .ceiling = NAN, .dispatch = NAN};
		double seconds = s->column->device != NULL ? expected(s->column, c) : 0;
		if (s->column->device != NULL && seconds <= most)
			continue;
		r->status = BENCH_UNAVAILABLE;
		if (s->column->device == NULL) {
			snprintf(r->reason, sizeof r->reason, "%s", s->column->reason);
			continue;
		}
		char text[32];
		text_time(seconds, text, sizeof text);
		snprintf(r->reason, sizeof r->reason, "left out: about %s a run, above %g times --max-time", text, PATIENCE);
	}
}

mt_status bench_run_case(struct bench_runner *runner, const struct bench_case *c, struct bench_result *results) {
	struct slot slots[BENCH_COLUMNS] = {{0}};
	struct bench_values right = {0};
	int n = runner->columns->n, reference = -1, has_right = 0;
	size_t repeat = (size_t)runner->settings.repeat;
	double *samples = calloc(3 * (size_t)n * repeat, sizeof *samples);
	if (samples == NULL)
		return mt_error_set(MT_E_MEMORY, "out of memory");
	choose(runner, slots, c, results);
	for (int i = 0; i < n; i++) {
		slots[i].times = samples + 3 * (size_t)i * repeat;
		slots[i].shares = slots[i].times + repeat;
		slots[i].ceilings = slots[i].shares + repeat;
		if (results[i].status == BENCH_OK && slots[i].column->device == runner->reference)
			reference = i;
	}
	if (reference >= 0)
		begin(runner, &slots[reference], c, &right, &has_right);
	else
		has_right = reference_output(runner, c, &right);
	for (int i = 0; i < n; i++)
		if (i != reference && results[i].status == BENCH_OK)
			begin(runner, &slots[i], c, &right, &has_right);
	bench_values_free(&right);
	for (int i = 0; i < n; i++)
		plan(&runner->settings, &slots[i], c);
	take_turns(runner, slots, c);
	for (int i = 0; i < n; i++) {
		finish(&slots[i], c);
		drop(&slots[i], c);
	}
	free(samples);
	return MT_OK;
}
