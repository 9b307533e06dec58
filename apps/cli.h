/* Command lines: a table of long options, strict values, help made from the table. */
#ifndef APPS_CLI_H
#define APPS_CLI_H

#include <stdint.h>
#include <stdio.h>

enum { EXIT_USAGE = 2 };

enum cli_kind {
	CLI_FLAG,   /* int *: 1 where given */
	CLI_TEXT,   /* const char **: not empty */
	CLI_CHOICE, /* int *: index into choices, a list that ends with NULL */
	CLI_COUNT,  /* int64_t *: an integer from low to high */
	CLI_SEED,   /* uint64_t *: any 64-bit number */
	CLI_REAL,   /* double *: a finite number from low to high */
	CLI_LIST    /* struct cli_list *: as CLI_TEXT, each time that it is given */
};

enum { CLI_LIST_MAX = 256 };

struct cli_list {
	const char *values[CLI_LIST_MAX];
	int n;
};

struct cli_option {
	const char *name; /* "batch", for --batch */
	enum cli_kind kind;
	void *target;      /* left as it is where the option is not given */
	const char *value; /* "N", as help shows it; NULL for flags */
	const char *help;
	double low, high;
	const char *const *choices;
};

struct cli {
	const char *program;
	const char *summary;              /* one line of help */
	const struct cli_option *options; /* ends with a NULL name */
	const char *notes;                /* further lines of help; may be NULL */
};

/* Words that are not options: "NAME | FILE", as usage shows them, at most so many. */
struct cli_words {
	const char *usage;
	int most;
	struct cli_list *target;
};

/* Reads --NAME VALUE, --NAME=VALUE and flags into the targets; --help and --version print to stdout.
 * −1: go on; else the status to exit with (0 after help or version, EXIT_USAGE after a message on stderr). */
int cli_parse(const struct cli *cli, int argc, char **argv);

/* The same with words; NULL: none may be given.  Too few are the caller's to refuse. */
int cli_parse_words(const struct cli *cli, const struct cli_words *words, int argc, char **argv);

/* ---- options by name, for values that come from elsewhere than the command line ---------------------------------- */

/* NULL where there is none of this name. */
const struct cli_option *cli_find(const struct cli *cli, const char *name);
/* Whether argv, which cli_parse took, gives the option. */
int cli_is_given(const struct cli *cli, const struct cli_option *o, int argc, char **argv);
/* Its value as cli_set takes it, "" where the target is outside the option's values; not for CLI_LIST.  Returns text. */
const char *cli_value(const struct cli_option *o, char *text, size_t size);
/* As --NAME=text on the command line; text is borrowed by CLI_TEXT, a flag takes "1" or "0".  −1, or the exit status. */
int cli_set(const struct cli *cli, const struct cli_option *o, const char *text);

/* "PROGRAM: text" on stderr; returns status. */
int cli_fail(const struct cli *cli, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
