/* What happened in each epoch, for the pictures. */
#include <stdlib.h>
#include <string.h>

#include "train_points/train_points.h"

mt_status history_begin(struct history *h, int64_t first, int64_t last, int want_snapshots) {
	memset(h, 0, sizeof *h);
	h->first = first;
	h->capacity = last > first ? last - first : 0;
	h->loss = calloc((size_t)h->capacity + 1, sizeof *h->loss);
	h->correct = calloc((size_t)h->capacity + 1, sizeof *h->correct);
	if (want_snapshots) { /* one at the start, one at the end, 60 at most between */
		h->every = (h->capacity + MAX_SNAPSHOTS - 3) / (MAX_SNAPSHOTS - 2);
		h->every = h->every > 0 ? h->every : 1;
		h->snapshots = calloc(MAX_SNAPSHOTS, sizeof *h->snapshots);
	}
	if (h->loss != NULL && h->correct != NULL && (h->snapshots != NULL || !want_snapshots))
		return MT_OK;
	return mt_error_set(MT_E_MEMORY, "no memory for the history of %lld epochs", (long long)h->capacity);
}

void history_add(struct history *h, double loss, int64_t correct) {
	h->loss[h->n] = loss;
	h->correct[h->n] = correct;
	h->n++;
}

void history_free(struct history *h) {
	free(h->loss);
	free(h->correct);
	free(h->snapshots);
	memset(h, 0, sizeof *h);
}
