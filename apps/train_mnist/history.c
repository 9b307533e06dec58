/* How training went, kept for the page: every step, thinned when it is drawn. */
#include <math.h>
#include <stdlib.h>

#include "train_mnist/html.h"

/* Room for one more of n elements in *array; 0 where there is no memory. */
static int make_room(void **array, int64_t n, int64_t *capacity, size_t size) {
	if (n < *capacity)
		return 1;
	int64_t wanted = *capacity > 0 ? 2 * *capacity : 256;
	void *grown = realloc(*array, (size_t)wanted * size);
	if (grown == NULL)
		return 0;
	*array = grown;
	*capacity = wanted;
	return 1;
}

mt_status history_add_step(struct history *h, int64_t step, double loss, double accuracy) {
	void *steps = h->steps;
	if (!make_room(&steps, h->n_steps, &h->step_capacity, sizeof *h->steps))
		return mt_error_set(MT_E_MEMORY, "--html: out of memory");
	h->steps = steps;
	if (h->n_steps == 0)
		h->first_step = step;
	h->steps[h->n_steps++] = (struct history_step){loss, accuracy};
	return MT_OK;
}

mt_status history_add_valid(struct history *h, int64_t step, double loss, double accuracy) {
	void *valid = h->valid;
	if (!make_room(&valid, h->n_valid, &h->valid_capacity, sizeof *h->valid))
		return mt_error_set(MT_E_MEMORY, "--html: out of memory");
	h->valid = valid;
	h->valid[h->n_valid++] = (struct history_evaluation){step, loss, accuracy};
	return MT_OK;
}

void history_free(struct history *h) {
	free(h->steps);
	free(h->valid);
	*h = (struct history){0};
}

/* ---- curves ----------------------------------------------------------------------------------------------------- */

static struct curve_point point_of(const struct history *h, int64_t begin, int64_t end) {
	struct curve_point p = {.step = h->first_step + end - 1, .low = INFINITY, .high = -INFINITY};
	int64_t finite = 0;
	for (int64_t i = begin; i < end; i++) {
		double loss = h->steps[i].loss;
		p.accuracy += h->steps[i].accuracy;
		if (!isfinite(loss))
			continue;
		finite++;
		p.loss += loss;
		p.low = loss < p.low ? loss : p.low;
		p.high = loss > p.high ? loss : p.high;
	}
	p.accuracy /= (double)(end - begin);
	p.loss /= (double)finite;
	if (finite == 0)
		p.loss = p.low = p.high = NAN;
	return p;
}

int history_curve(const struct history *h, struct curve_point out[HTML_CURVE_POINTS]) {
	int64_t width = (h->n_steps + HTML_CURVE_POINTS - 1) / HTML_CURVE_POINTS;
	int n = 0;
	for (int64_t begin = 0; begin < h->n_steps; begin += width) {
		int64_t end = begin + width < h->n_steps ? begin + width : h->n_steps;
		out[n++] = point_of(h, begin, end);
	}
	return n;
}
