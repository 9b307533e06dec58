/* What train_mnist tells while it runs: a progress bar or lines, and the JSON Lines log. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "train_mnist/train_mnist.h"

double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int report_open(struct report *r, const struct options *o, int64_t total_steps) {
	memset(r, 0, sizeof *r);
	r->quiet = o->quiet;
	r->bar = !o->quiet && isatty(STDERR_FILENO);
	r->total_steps = total_steps;
	r->epochs = o->epochs;
	r->log_path = o->log;
	if (o->log == NULL)
		return 0;
	r->log = fopen(o->log, "w");
	if (r->log == NULL)
		return cli_fail(&train_mnist_cli, EXIT_FAILURE, "--log %s: %s", o->log, strerror(errno));
	return 0;
}

/* ---- the log ---------------------------------------------------------------------------------------------------- */

/* JSON has no NaN and no infinities: null stands for them. */
static json_t *number(double value) {
	return isfinite(value) ? json_real(value) : json_null();
}

/* Writes object, which it frees, as a line.  0, or −1 with the error set. */
static int write_line(struct report *r, json_t *object) {
	int failed = object == NULL || json_dumpf(object, r->log, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9)) != 0 ||
	             fputc('\n', r->log) == EOF;
	json_decref(object);
	if (failed)
		mt_error_set(MT_E_IO, "--log %s: cannot write: %s", r->log_path, strerror(errno));
	return failed ? -1 : 0;
}

int report_evaluation(struct report *r, int64_t step, int64_t epoch, const char *split, double accuracy, double loss) {
	if (r->log == NULL)
		return 0;
	return write_line(r, json_pack("{s:I, s:I, s:s, s:o, s:o}", "step", (json_int_t)step, "epoch", (json_int_t)epoch,
	                               "split", split, "accuracy", number(accuracy), "loss", number(loss)));
}

int report_close(struct report *r) {
	if (r->log == NULL)
		return 0;
	int failed = ferror(r->log);
	failed |= fclose(r->log) != 0;
	r->log = NULL;
	return failed ? cli_fail(&train_mnist_cli, EXIT_FAILURE, "--log %s: cannot write", r->log_path) : 0;
}

/* ---- the terminal ----------------------------------------------------------------------------------------------- */

void report_line(const struct report *r, const char *format, ...) {
	if (r->quiet)
		return;
	va_list args;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static void draw_bar(const struct report *r, int64_t step, int64_t epoch, double loss, double rate, double seconds) {
	enum { WIDTH = 24 };
	char bar[WIDTH + 1];
	int filled = (int)(step * WIDTH / r->total_steps);
	memset(bar, '-', WIDTH);
	memset(bar, '#', (size_t)filled);
	bar[WIDTH] = '\0';
	int left = (int)(seconds / (double)step * (double)(r->total_steps - step) + 0.5);
	fprintf(stderr, "\repoch %" PRId64 "/%" PRId64 " [%s] %3d%%  loss %.4f  %.0f images/s  %d:%02d left \033[K", epoch,
	        r->epochs, bar, (int)(step * 100 / r->total_steps), loss, rate, left / 60, left % 60);
	fflush(stderr);
}

int report_step(struct report *r, int64_t step, int64_t epoch, double loss, double rate, double seconds) {
	double time = now();
	if (r->bar && time - r->shown > 0.1) {
		r->shown = time;
		draw_bar(r, step, epoch, loss, rate, seconds);
	}
	if (r->log == NULL)
		return 0;
	return write_line(
		r, json_pack("{s:I, s:I, s:o}", "step", (json_int_t)step, "epoch", (json_int_t)epoch, "loss", number(loss)));
}

void report_epoch(struct report *r, int64_t epoch, double loss, double rate) {
	if (r->bar)
		fprintf(stderr, "\r\033[K");
	report_line(r, "epoch %" PRId64 "/%" PRId64 " loss %.4f images/s %.0f", epoch, r->epochs, loss, rate);
}
