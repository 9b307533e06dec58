/* The backends that are compared. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "bench/columns.h"

int bench_columns_find(const struct bench_columns *columns, const char *name) {
	for (int i = 0; i < columns->n; i++)
		if (strcmp(columns->list[i].name, name) == 0)
			return i;
	return -1;
}

/* The number before " thread" in text, or behind "threads=": 0 where there is none. */
static int threads_in(const char *text) {
	const char *at = strstr(text, "threads=");
	if (at != NULL)
		return atoi(at + strlen("threads="));
	at = strstr(text, " thread");
	if (at == NULL)
		return 0;
	while (at > text && isdigit((unsigned char)at[-1]))
		at--;
	return atoi(at);
}

int bench_device_threads(const mt_device *device) {
	struct mt_device_info info = {0};
	int n = threads_in(mt_device_name(device));
	if (n < 1 && mt_device_describe(device, &info) == MT_OK)
		n = threads_in(info.name);
	return n > 0 && n <= 4096 ? n : 1;
}

/* Takes the error: what it says, less the name in front of it, and for a backend that is there less the list of others. */
static char *taken_reason(const char *name) {
	char unusable[BENCH_NAME + 40];
	const char *text = mt_error_take(NULL);
	size_t n = strlen(name);
	snprintf(unusable, sizeof unusable, "backend %.*s cannot be used: ", (int)strcspn(name, ":"), name);
	if (strncmp(text, name, n) == 0 && strncmp(text + n, ": ", 2) == 0)
		text += n + 2;
	if (strncmp(text, unusable, strlen(unusable)) == 0) {
		text += strlen(unusable);
		const char *others = strstr(text, "; there are: ");
		return others != NULL ? strndup(text, (size_t)(others - text)) : strdup(text);
	}
	return strdup(text[0] != '\0' ? text : "it cannot be opened");
}

/* Opens name into a new column. */
static int add(const struct cli *cli, struct bench_columns *columns, const char *name) {
	struct mt_device_info info = {0};
	if (columns->n == BENCH_COLUMNS)
		return cli_fail(cli, EXIT_USAGE, "--compare: more than %d columns", BENCH_COLUMNS);
	if (bench_columns_find(columns, name) >= 0)
		return cli_fail(cli, EXIT_USAGE, "--compare: '%s' is there twice", name);
	struct bench_column *c = &columns->list[columns->n++];
	*c = (struct bench_column){.engine = -1};
	snprintf(c->name, sizeof c->name, "%s", name);
	c->device = mt_device_open(name);
	if (c->device == NULL) {
		c->reason = taken_reason(name);
		return c->reason != NULL ? -1 : cli_fail(cli, 1, "out of memory");
	}
	for (int i = 0; i < columns->n - 1; i++)
		if (columns->list[i].device == c->device)
			return cli_fail(cli, EXIT_USAGE, "--compare: '%s' and '%s' are the same device", columns->list[i].name,
			                name);
	if (mt_device_describe(c->device, &info) == MT_OK)
		snprintf(c->text, sizeof c->text, "%s", info.name);
	c->host = mt_device_has_host_memory(c->device);
	c->threads = c->host ? bench_device_threads(c->device) : 0;
	return -1;
}

/* The counts of --threads; their number, or 0 where text is no such list. */
static int parse_counts(const char *text, int *counts, int most) {
	int n = 0;
	for (const char *at = text;; at++) {
		char *end;
		long value = isdigit((unsigned char)*at) ? strtol(at, &end, 10) : 0;
		if (value < 1 || value > 4096 || n == most || (*end != ',' && *end != '\0'))
			return 0;
		counts[n++] = (int)value;
		if (*end == '\0')
			return n;
		at = end;
	}
}

/* One column a count, where name is a CPU backend that takes the option; else one for name. */
static int expand(const struct cli *cli, struct bench_columns *columns, const char *name, const int *counts, int n) {
	mt_device *device = n > 0 && strstr(name, "threads=") == NULL ? mt_device_open(name) : NULL;
	const char *link = strchr(name, '=') != NULL ? "," : ":";
	char wide[BENCH_NAME + 24];
	snprintf(wide, sizeof wide, "%s%sthreads=1", name, link);
	int takes = device != NULL && mt_device_has_host_memory(device) && mt_device_open(wide) != NULL;
	mt_error_take(NULL);
	if (!takes)
		return add(cli, columns, name);
	for (int i = 0; i < n; i++) {
		snprintf(wide, sizeof wide, "%s%sthreads=%d", name, link, counts[i]);
		if (strlen(wide) >= BENCH_NAME)
			return cli_fail(cli, EXIT_USAGE, "--compare: '%s' is too long", wide);
		int status = add(cli, columns, wide);
		if (status >= 0)
			return status;
	}
	return -1;
}

/* The end of the device string that begins at text: before the next comma that begins another name. */
static size_t string_length(const char *text) {
	size_t n = strcspn(text, ",");
	while (text[n] == ',') {
		size_t part = strcspn(text + n + 1, ",=:");
		if (text[n + 1 + part] != '=')
			break;
		n += 1 + strcspn(text + n + 1, ",");
	}
	return n;
}

int bench_columns_parse(const struct cli *cli, const char *compare, const char *threads,
                        struct bench_columns *columns) {
	int counts[BENCH_COLUMNS], n = 0;
	if (threads != NULL && (n = parse_counts(threads, counts, BENCH_COLUMNS)) == 0)
		return cli_fail(cli, EXIT_USAGE, "--threads: expected up to %d counts with commas between, got '%s'",
		                BENCH_COLUMNS, threads);
	for (const char *at = compare;; at++) {
		char name[BENCH_NAME];
		size_t length = string_length(at);
		if (length == 0)
			return cli_fail(cli, EXIT_USAGE, "--compare: an empty name in '%s'", compare);
		if (length >= sizeof name)
			return cli_fail(cli, EXIT_USAGE, "--compare: '%.*s' is too long", (int)length, at);
		snprintf(name, sizeof name, "%.*s", (int)length, at);
		if (strchr(name, '=') != NULL && strcspn(name, ":") > strcspn(name, "="))
			return cli_fail(cli, EXIT_USAGE, "--compare: '%s' has an option and no ':' before it: NAME:KEY=VALUE",
			                name);
		int status = expand(cli, columns, name, counts, n);
		if (status >= 0)
			return status;
		at += length;
		if (*at == '\0')
			return -1;
	}
}

void bench_columns_free(struct bench_columns *columns) {
	for (int i = 0; i < columns->n; i++)
		free(columns->list[i].reason);
	columns->n = 0;
}
