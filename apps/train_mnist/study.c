/* How the test set was read: what was taken for what, and the images read worst. */
#include <math.h>
#include <string.h>

#include "train_mnist/html.h"

/* NaN is worse than anything. */
static int is_worse(double loss, double than) {
	return isnan(loss) ? !isnan(than) : loss > than;
}

static struct worst_image read_image(const float log_probs[HTML_DIGITS], int label, int64_t image) {
	struct worst_image w = {.image = image, .label = label};
	for (int d = 1; d < HTML_DIGITS; d++)
		if (log_probs[d] > log_probs[w.predicted])
			w.predicted = d;
	w.p = exp(log_probs[w.predicted]);
	w.p_label = exp(log_probs[label]);
	w.loss = -log_probs[label];
	return w;
}

/* Puts w where it belongs among the worst, if it is one of them. */
static void insert(struct test_study *s, const struct worst_image *w) {
	int at = s->n_worst;
	while (at > 0 && is_worse(w->loss, s->worst[at - 1].loss))
		at--;
	if (at == HTML_WORST)
		return;
	s->n_worst += s->n_worst < HTML_WORST;
	memmove(&s->worst[at + 1], &s->worst[at], (size_t)(s->n_worst - 1 - at) * sizeof *w);
	s->worst[at] = *w;
}

void study_test(const float (*log_probs)[HTML_DIGITS], const unsigned char *labels, int64_t n, struct test_study *out) {
	memset(out, 0, sizeof *out);
	for (int64_t i = 0; i < n; i++) {
		struct worst_image w = read_image(log_probs[i], labels[i], i);
		out->confusion[w.label][w.predicted]++;
		insert(out, &w);
	}
}
