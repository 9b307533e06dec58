/* Runs to checkpoints and back: the options that decide what is computed travel as notes. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "training/training.h"

enum { MAX_SETTINGS = 32, KEY_BYTES = 64, VALUE_BYTES = 4200 /* a path fits */ };

#define PROGRAM_NOTE "program"
#define SETTING_PREFIX "option."

/* ---- saving ----------------------------------------------------------------------------------------------------- */

struct notes {
	char key[MAX_SETTINGS][KEY_BYTES], value[MAX_SETTINGS][VALUE_BYTES];
	const char *keys[MAX_SETTINGS], *texts[MAX_SETTINGS];
	int64_t n;
};

static void add_note(struct notes *notes, const char *key, const char *text) {
	notes->keys[notes->n] = key;
	notes->texts[notes->n++] = text;
}

static mt_status collect(struct notes *notes, const struct training_state *s) {
	add_note(notes, PROGRAM_NOTE, s->cli->program);
	for (int i = 0; s->settings[i] != NULL; i++) {
		const struct cli_option *o = cli_find(s->cli, s->settings[i]);
		if (o == NULL || notes->n == MAX_SETTINGS)
			return mt_error_set(MT_E_INTERNAL, "training_save: --%s is no option", s->settings[i]);
		snprintf(notes->key[i], KEY_BYTES, SETTING_PREFIX "%s", o->name);
		add_note(notes, notes->key[i], cli_value(o, notes->value[i], VALUE_BYTES));
	}
	return MT_OK;
}

static mt_checkpoint checkpoint_of(const struct training_state *s) {
	return (mt_checkpoint){.module = s->module,
	                       .optim = s->optim,
	                       .epoch = s->epoch,
	                       .step = s->step,
	                       .n_tensors = s->n_extra,
	                       .tensor_names = s->extra_names,
	                       .tensors = s->extra};
}

mt_status training_save(const struct training_state *s, const char *path) {
	struct notes *notes = calloc(1, sizeof *notes);
	if (notes == NULL)
		return mt_error_set(MT_E_MEMORY, "%s: out of memory", path);
	mt_status status = collect(notes, s);
	if (status == MT_OK) {
		mt_checkpoint c = checkpoint_of(s);
		c.n_notes = notes->n;
		c.note_keys = notes->keys;
		c.note_texts = notes->texts;
		status = mt_checkpoint_save(&c, path);
	}
	free(notes);
	return status;
}

/* ---- loading ---------------------------------------------------------------------------------------------------- */

mt_status training_load(struct training_state *s, const char *path) {
	mt_checkpoint c = checkpoint_of(s);
	mt_status status = mt_checkpoint_load(&c, path);
	s->epoch = c.epoch;
	s->step = c.step;
	return status;
}

static int fail_setting(const struct cli *cli, const char *path, const char *name, const char *given,
                        const char *saved) {
	return cli_fail(cli, EXIT_FAILURE, "--resume %s: --%s is %s there, got %s", path, name,
	                saved[0] ? saved : "not given", given);
}

static int take_setting(const struct cli *cli, const char *path, const mt_tensor_file *file, const char *name,
                        int may_grow, int is_given) {
	const struct cli_option *o = cli_find(cli, name);
	char key[KEY_BYTES], given[VALUE_BYTES];
	snprintf(key, sizeof key, SETTING_PREFIX "%s", name);
	const char *saved = mt_tensor_file_note(file, key);
	if (saved == NULL)
		return cli_fail(cli, EXIT_FAILURE, "--resume %s: expected %s in __metadata__, got nothing", path, key);
	if (is_given) {
		cli_value(o, given, sizeof given);
		int same = strcmp(given, saved) == 0;
		int grown = may_grow && strtoll(given, NULL, 10) > strtoll(saved, NULL, 10);
		return same || grown ? 0 : fail_setting(cli, path, name, given, saved);
	}
	if (saved[0] == '\0')
		return 0;
	char *kept = strdup(saved); /* for good: a CLI_TEXT target borrows it */
	if (kept == NULL)
		return cli_fail(cli, EXIT_FAILURE, "--resume %s: out of memory", path);
	int failed = cli_set(cli, o, kept) >= 0;
	if (failed || o->kind != CLI_TEXT)
		free(kept);
	return failed ? cli_fail(cli, EXIT_FAILURE, "--resume %s: bad %s in __metadata__", path, key) : 0;
}

static int check_program(const struct cli *cli, const char *path, const mt_tensor_file *file) {
	const char *program = mt_tensor_file_note(file, PROGRAM_NOTE);
	if (program == NULL)
		return cli_fail(cli, EXIT_FAILURE, "--resume %s: expected a checkpoint of %s, got tensors alone", path,
		                cli->program);
	if (strcmp(program, cli->program) != 0)
		return cli_fail(cli, EXIT_FAILURE, "--resume %s: expected a checkpoint of %s, got one of %.40s", path,
		                cli->program, program);
	return 0;
}

int training_take_settings(const struct cli *cli, const char *path, const char *const *settings, const char *may_grow,
                           int argc, char **argv) {
	mt_tensor_file *file = mt_tensor_file_open(path);
	if (file == NULL)
		return cli_fail(cli, EXIT_FAILURE, "--resume: %s", mt_error_take(NULL));
	int status = check_program(cli, path, file);
	for (int i = 0; settings[i] != NULL && status == 0; i++)
		status = take_setting(cli, path, file, settings[i], may_grow && strcmp(may_grow, settings[i]) == 0,
		                      cli_is_given(cli, cli_find(cli, settings[i]), argc, argv));
	mt_tensor_file_close(file);
	return status;
}
