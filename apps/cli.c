/* Command lines. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "mt/status.h"

int cli_fail(const struct cli *cli, int status, const char *format, ...) {
	va_list args;
	fprintf(stderr, "%s: ", cli->program);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	if (status == EXIT_USAGE)
		fprintf(stderr, "Try '%s --help'.\n", cli->program);
	return status;
}

static void print_help(const struct cli *cli, const struct cli_words *words) {
	int width = (int)strlen("version");
	for (const struct cli_option *o = cli->options; o->name != NULL; o++) {
		int length = (int)(strlen(o->name) + (o->value ? 1 + strlen(o->value) : 0));
		width = length > width ? length : width;
	}
	printf("Usage: %s [OPTION]...%s%s\n%s\n\n", cli->program, words ? " " : "", words ? words->usage : "",
	       cli->summary);
	for (const struct cli_option *o = cli->options; o->name != NULL; o++) {
		int length = printf("  --%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
		printf("%*s%s\n", width + 6 - length, "", o->help);
	}
	printf("  --%-*sshow this help\n  --%-*sshow the version\n", width + 2, "help", width + 2, "version");
	if (cli->notes != NULL)
		printf("\n%s", cli->notes);
}

static int bad_value(const struct cli *cli, const struct cli_option *o, const char *text, const char *expected) {
	return cli_fail(cli, EXIT_USAGE, "--%s: expected %s, got '%s'", o->name, expected, text);
}

static int parse_choice(const struct cli *cli, const struct cli_option *o, const char *text) {
	char list[256] = "one of";
	for (int i = 0; o->choices[i] != NULL; i++) {
		if (strcmp(o->choices[i], text) == 0) {
			*(int *)o->target = i;
			return -1;
		}
		size_t used = strlen(list);
		snprintf(list + used, sizeof list - used, "%s %s", i > 0 ? "," : "", o->choices[i]);
	}
	return bad_value(cli, o, text, list);
}

static int parse_count(const struct cli *cli, const struct cli_option *o, const char *text) {
	char expected[96], *end;
	snprintf(expected, sizeof expected, "an integer from %.0f to %.0f", o->low, o->high);
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (!(isdigit((unsigned char)text[0]) || text[0] == '-') || *end != '\0' || errno != 0 || (double)value < o->low ||
	    (double)value > o->high)
		return bad_value(cli, o, text, expected);
	*(int64_t *)o->target = value;
	return -1;
}

static int parse_seed(const struct cli *cli, const struct cli_option *o, const char *text) {
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0)
		return bad_value(cli, o, text, "an integer from 0 to 18446744073709551615");
	*(uint64_t *)o->target = value;
	return -1;
}

static int parse_real(const struct cli *cli, const struct cli_option *o, const char *text) {
	char expected[96], *end;
	snprintf(expected, sizeof expected, "a number from %g to %g", o->low, o->high);
	double value = strtod(text, &end);
	if (isspace((unsigned char)text[0]) || end == text || *end != '\0' || !(value >= o->low && value <= o->high))
		return bad_value(cli, o, text, expected);
	*(double *)o->target = value;
	return -1;
}

static int add_to_list(const struct cli *cli, const struct cli_option *o, struct cli_list *list, const char *text) {
	if (text[0] == '\0')
		return bad_value(cli, o, text, "some text");
	if (list->n == CLI_LIST_MAX)
		return cli_fail(cli, EXIT_USAGE, "--%s is given more than %d times", o->name, CLI_LIST_MAX);
	list->values[list->n++] = text;
	return -1;
}

static int parse_value(const struct cli *cli, const struct cli_option *o, const char *text) {
	switch (o->kind) {
	case CLI_CHOICE:
		return parse_choice(cli, o, text);
	case CLI_COUNT:
		return parse_count(cli, o, text);
	case CLI_SEED:
		return parse_seed(cli, o, text);
	case CLI_REAL:
		return parse_real(cli, o, text);
	case CLI_LIST:
		return add_to_list(cli, o, o->target, text);
	default:
		if (text[0] == '\0')
			return bad_value(cli, o, text, "some text");
		*(const char **)o->target = text;
		return -1;
	}
}

static const struct cli_option *find(const struct cli *cli, const char *name, size_t length) {
	for (const struct cli_option *o = cli->options; o->name != NULL; o++)
		if (strlen(o->name) == length && memcmp(o->name, name, length) == 0)
			return o;
	return NULL;
}

const struct cli_option *cli_find(const struct cli *cli, const char *name) {
	return find(cli, name, strlen(name));
}

int cli_is_given(const struct cli *cli, const struct cli_option *o, int argc, char **argv) {
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) != 0)
			continue;
		size_t length = strcspn(argv[i] + 2, "=");
		const struct cli_option *here = find(cli, argv[i] + 2, length);
		if (here == o)
			return 1;
		if (here != NULL && here->kind != CLI_FLAG && argv[i][2 + length] != '=')
			i++; /* its value */
	}
	return 0;
}

const char *cli_value(const struct cli_option *o, char *text, size_t size) {
	text[0] = '\0';
	switch (o->kind) {
	case CLI_FLAG:
		snprintf(text, size, "%d", *(const int *)o->target != 0);
		break;
	case CLI_CHOICE: {
		int n = 0;
		while (o->choices[n] != NULL)
			n++;
		int value = *(const int *)o->target;
		if (value >= 0 && value < n)
			snprintf(text, size, "%s", o->choices[value]);
		break;
	}
	case CLI_COUNT: {
		int64_t value = *(const int64_t *)o->target;
		if ((double)value >= o->low && (double)value <= o->high)
			snprintf(text, size, "%" PRId64, value);
		break;
	}
	case CLI_SEED:
		snprintf(text, size, "%" PRIu64, *(const uint64_t *)o->target);
		break;
	case CLI_REAL: {
		double value = *(const double *)o->target;
		if (value >= o->low && value <= o->high)
			snprintf(text, size, "%.17g", value);
		break;
	}
	default:
		if (*(const char *const *)o->target != NULL)
			snprintf(text, size, "%s", *(const char *const *)o->target);
	}
	return text;
}

int cli_set(const struct cli *cli, const struct cli_option *o, const char *text) {
	if (o->kind != CLI_FLAG)
		return parse_value(cli, o, text);
	if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
		return bad_value(cli, o, text, "0 or 1");
	*(int *)o->target = text[0] == '1';
	return -1;
}

static int take_word(const struct cli *cli, const struct cli_words *words, const char *word) {
	if (words == NULL || word[0] == '\0' || word[0] == '-' || words->target->n == words->most)
		return cli_fail(cli, EXIT_USAGE, "unexpected argument '%s'", word);
	words->target->values[words->target->n++] = word;
	return -1;
}

/* One option at argv[*at]; *at moves on to the last word it used. */
static int parse_option(const struct cli *cli, int argc, char **argv, int *at) {
	const char *word = argv[*at];
	size_t length = strcspn(word + 2, "=");
	const char *value = word[2 + length] == '=' ? word + 3 + length : NULL;
	const struct cli_option *o = find(cli, word + 2, length);
	if (o == NULL)
		return cli_fail(cli, EXIT_USAGE, "unknown option '--%.*s'", (int)length, word + 2);
	if (o->kind == CLI_FLAG) {
		if (value != NULL)
			return cli_fail(cli, EXIT_USAGE, "--%s takes no value", o->name);
		*(int *)o->target = 1;
		return -1;
	}
	if (value == NULL && *at + 1 < argc)
		value = argv[++*at];
	if (value == NULL)
		return cli_fail(cli, EXIT_USAGE, "--%s needs a value", o->name);
	return parse_value(cli, o, value);
}

int cli_parse_words(const struct cli *cli, const struct cli_words *words, int argc, char **argv) {
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			print_help(cli, words);
			return 0;
		}
		if (strcmp(argv[i], "--version") == 0) {
			printf("%s (mt) %s\n", cli->program, mt_version());
			return 0;
		}
		int is_option = strncmp(argv[i], "--", 2) == 0;
		int status = is_option ? parse_option(cli, argc, argv, &i) : take_word(cli, words, argv[i]);
		if (status >= 0)
			return status;
	}
	return -1;
}

int cli_parse(const struct cli *cli, int argc, char **argv) {
	return cli_parse_words(cli, NULL, argc, argv);
}
