/* The points, and the part of the plane that pictures show. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "train_points/train_points.h"

enum { MOST_SHOWN = 1000 };

/* The unit square, or the smallest one around it that has a margin around every point: an arm of the spiral leaves it. */
static void find_extent(struct points *p) {
	double low = 0, high = 1;
	for (int64_t i = 0; i < p->n; i++)
		for (int axis = 0; axis < 2; axis++) {
			double v = points_at(p, i, axis);
			low = v < low ? v : low;
			high = v > high ? v : high;
		}
	double margin = low < 0 || high > 1 ? 0.02 * (high - low) : 0;
	p->low = low - margin;
	p->high = high + margin;
}

int points_make(struct points *p, const struct options *o) {
	memset(p, 0, sizeof *p);
	if (mt_points_generate(o->dataset, o->points, o->seed, &p->xy, &p->labels) != MT_OK)
		return cli_fail(&train_points_cli, EXIT_FAILURE, "--dataset %s --points %" PRId64 ": %s",
		                mt_points_name(o->dataset), o->points, mt_error_take(NULL));
	p->n = o->points;
	p->shown_every = (p->n + MOST_SHOWN - 1) / MOST_SHOWN;
	find_extent(p);
	return 0;
}

void points_free(struct points *p) {
	mt_host_array_free(&p->xy);
	mt_host_array_free(&p->labels);
}
