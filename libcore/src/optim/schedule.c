/* Learning-rate schedules: pure functions of the step. */
#include <math.h>

#include "mt/optim.h"

static const double pi = 3.14159265358979323846;

/* From a at x = 0 to b at x = 1 along half a cosine. */
static double half_cosine(double a, double b, double x) {
	return b + (a - b) * 0.5 * (1 + cos(pi * x));
}

/* How far the main course has gone at step, 0 to 1: it begins when the warm-up ends. */
static double progress(const mt_schedule *s, int64_t step) {
	if (step >= s->total)
		return 1;
	return (double)(step - s->warmup) / (double)(s->total - s->warmup);
}

static int valid(const mt_schedule *s) {
	if (s->total < 0 || s->warmup < 0 || s->period < 0)
		return 0;
	switch (s->kind) {
	case MT_SCHEDULE_CONSTANT:
	case MT_SCHEDULE_EXPONENTIAL:
		return 1;
	case MT_SCHEDULE_STEP:
		return s->period > 0;
	case MT_SCHEDULE_LINEAR:
	case MT_SCHEDULE_COSINE:
	case MT_SCHEDULE_ONE_CYCLE:
		return s->warmup <= s->total;
	default:
		return 0;
	}
}

double mt_schedule_factor(const mt_schedule *schedule, int64_t step) {
	const mt_schedule *s = schedule;
	if (s == NULL || step < 0 || !valid(s))
		return (double)NAN;
	if (step < s->warmup) {
		double x = (double)step / (double)s->warmup;
		return s->kind == MT_SCHEDULE_ONE_CYCLE ? half_cosine(s->start, 1, x) : s->start + (1 - s->start) * x;
	}
	switch (s->kind) {
	case MT_SCHEDULE_LINEAR:
		return 1 + (s->floor - 1) * progress(s, step);
	case MT_SCHEDULE_COSINE:
	case MT_SCHEDULE_ONE_CYCLE:
		return half_cosine(1, s->floor, progress(s, step));
	case MT_SCHEDULE_STEP:
		return pow(s->gamma, (double)((step - s->warmup) / s->period));
	case MT_SCHEDULE_EXPONENTIAL:
		return pow(s->gamma, (double)(step - s->warmup));
	default:
		return 1;
	}
}
