/* What a program tells while it trains: a bar on a terminal, lines elsewhere. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "training/training.h"

double training_now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void progress_begin(struct progress *p, int64_t total_steps, int64_t epochs, const char *unit, int quiet) {
	*p = (struct progress){.total_steps = total_steps, .epochs = epochs, .unit = unit, .quiet = quiet};
	p->bar = !quiet && isatty(STDERR_FILENO);
}

static void draw_bar(const struct progress *p, int64_t step, int64_t epoch, double loss, double rate, double left) {
	enum { WIDTH = 24 };
	char bar[WIDTH + 1];
	memset(bar, '-', WIDTH);
	memset(bar, '#', (size_t)(step * WIDTH / p->total_steps));
	bar[WIDTH] = '\0';
	int64_t seconds = (int64_t)(left + 0.5);
	fprintf(stderr, "\repoch %" PRId64 "/%" PRId64 " [%s] %3d%%  loss %.4f  %.0f %s/s  %" PRId64 ":%02d left \033[K",
	        epoch, p->epochs, bar, (int)(step * 100 / p->total_steps), loss, rate, p->unit, seconds / 60,
	        (int)(seconds % 60));
	fflush(stderr);
}

void progress_step(struct progress *p, int64_t step, int64_t epoch, double loss, double rate, double seconds,
                   int64_t steps) {
	if (!p->bar || step > p->total_steps)
		return;
	double time = training_now();
	if (time - p->shown <= 0.1)
		return;
	p->shown = time;
	draw_bar(p, step, epoch, loss, rate, seconds / (double)steps * (double)(p->total_steps - step));
}

void progress_wipe(const struct progress *p) {
	if (p->bar)
		fprintf(stderr, "\r\033[K");
}

void progress_line(const struct progress *p, const char *format, ...) {
	if (p->quiet)
		return;
	va_list args;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}
