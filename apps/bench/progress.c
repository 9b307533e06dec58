/* One line on a terminal. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "bench/clock.h"
#include "bench/progress.h"
#include "bench/text.h"

void bench_progress(int64_t i, int64_t n, double begun, const char *id) {
	char left[64] = "", cut[96];
	if (!isatty(STDERR_FILENO))
		return;
	if (i > 0) {
		int64_t seconds = (int64_t)((bench_now() - begun) / (double)i * (double)(n - i) + 0.5);
		snprintf(left, sizeof left, ", about %" PRId64 ":%02" PRId64 " left", seconds / 60, seconds % 60);
	}
	text_cut(id, 48, cut, sizeof cut);
	fprintf(stderr, "\r[%" PRId64 "/%" PRId64 "%s] ", i + 1, n, left);
	text_left(stderr, cut, 48);
	fflush(stderr);
}

void bench_progress_end(void) {
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%80s\r", "");
}
