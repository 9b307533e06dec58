/* The logs of a run: JSON Lines, and event files for TensorBoard. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "training/training.h"

/* ---- opening ---------------------------------------------------------------------------------------------------- */

/* Whether a run that goes on from step keeps the line: not those of later steps, which a killed run wrote after its last
 * checkpoint; nor the test's, which is scored again; nor one that was not written whole. */
static int keeps(const char *line, size_t length, int64_t step) {
	if (length == 0 || line[length - 1] != '\n')
		return 0;
	json_t *object = json_loadb(line, length, 0, NULL);
	const json_t *at = json_object_get(object, "step");
	const char *split = json_string_value(json_object_get(object, "split"));
	int kept = json_is_integer(at) && json_integer_value(at) <= step && (split == NULL || strcmp(split, "test") != 0);
	json_decref(object);
	return kept;
}

/* Cuts the log at the first line that is not kept.  0 or −1. */
static int cut_log(FILE *log, int64_t step) {
	char *line = NULL;
	size_t room = 0;
	off_t keep = 0;
	ssize_t length;
	while ((length = getline(&line, &room, log)) > 0 && keeps(line, (size_t)length, step))
		keep += length;
	free(line);
	return ferror(log) || ftruncate(fileno(log), keep) != 0 || fseeko(log, keep, SEEK_SET) != 0 ? -1 : 0;
}

static int open_log(struct metrics *m, const struct training_options *o, int64_t step) {
	m->log = o->resume ? fopen(o->log, "r+e") : NULL;
	if (m->log == NULL && (o->resume == NULL || errno == ENOENT))
		m->log = fopen(o->log, "we");
	else if (m->log != NULL && cut_log(m->log, step) != 0)
		return -1;
	return m->log ? 0 : -1;
}

int metrics_open(struct metrics *m, const struct cli *cli, const struct training_options *o, int64_t step) {
	*m = (struct metrics){.log_path = o->log, .tensorboard = o->tensorboard};
	if (o->log != NULL && open_log(m, o, step) != 0)
		return cli_fail(cli, EXIT_FAILURE, "--log %s: %s", o->log, strerror(errno));
	if (o->tensorboard != NULL) {
		m->events = mt_event_log_open(o->tensorboard, o->resume ? step + 1 : 0);
		if (m->events == NULL)
			return cli_fail(cli, EXIT_FAILURE, "--tensorboard: %s", mt_error_take(NULL));
	}
	return 0;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* JSON has no NaN and no infinities: null stands for them. */
static json_t *number(double value) {
	return isfinite(value) ? json_real(value) : json_null();
}

static mt_status fail_log(const struct metrics *m) {
	return mt_error_set(MT_E_IO, "--log %s: cannot write: %s", m->log_path, strerror(errno));
}

/* Writes object, which it frees, as a line. */
static mt_status write_line(const struct metrics *m, json_t *object) {
	int failed = object == NULL || json_dumpf(object, m->log, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9)) != 0 ||
	             fputc('\n', m->log) == EOF;
	json_decref(object);
	return failed ? fail_log(m) : MT_OK;
}

mt_status metrics_step(struct metrics *m, int64_t step, int64_t epoch, double loss) {
	mt_status status = MT_OK;
	if (m->log != NULL)
		status = write_line(m, json_pack("{s:I, s:I, s:o}", "step", (json_int_t)step, "epoch", (json_int_t)epoch,
		                                 "loss", number(loss)));
	if (status == MT_OK && m->events != NULL)
		status = mt_event_log_scalar(m->events, step, "train/loss", loss);
	return status;
}

static mt_status write_event(const struct metrics *m, int64_t step, const char *split, const char *name, double value) {
	char tag[64];
	snprintf(tag, sizeof tag, "%s/%s", split, name);
	return mt_event_log_scalar(m->events, step, tag, value);
}

mt_status metrics_evaluation(struct metrics *m, int64_t step, int64_t epoch, const char *split, double accuracy,
                             double loss) {
	mt_status status = MT_OK;
	if (m->log != NULL)
		status =
			write_line(m, json_pack("{s:I, s:I, s:s, s:o, s:o}", "step", (json_int_t)step, "epoch", (json_int_t)epoch,
		                            "split", split, "accuracy", number(accuracy), "loss", number(loss)));
	if (status == MT_OK && m->events != NULL)
		status = write_event(m, step, split, "accuracy", accuracy);
	if (status == MT_OK && m->events != NULL)
		status = write_event(m, step, split, "loss", loss);
	return status;
}

mt_status metrics_flush(struct metrics *m) {
	if (m->log != NULL && fflush(m->log) != 0)
		return fail_log(m);
	return m->events ? mt_event_log_flush(m->events) : MT_OK;
}

int metrics_close(struct metrics *m, const struct cli *cli) {
	int failed = 0;
	if (m->log != NULL) {
		failed = ferror(m->log);
		failed |= fclose(m->log) != 0;
		if (failed)
			cli_fail(cli, EXIT_FAILURE, "--log %s: cannot write", m->log_path);
	}
	if (mt_event_log_close(m->events) != MT_OK)
		failed = cli_fail(cli, EXIT_FAILURE, "--tensorboard: %s", mt_error_take(NULL));
	*m = (struct metrics){0};
	return failed ? EXIT_FAILURE : 0;
}
