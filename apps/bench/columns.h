/* The backends that are compared: one column each, opened, or with the reason why it cannot be had. */
#ifndef APPS_BENCH_COLUMNS_H
#define APPS_BENCH_COLUMNS_H

#include "cli.h"
#include "mt/mt.h"

enum { BENCH_COLUMNS = 16, BENCH_NAME = 128 };

struct bench_column {
	char name[BENCH_NAME]; /* as it was asked for: what opens the device, and the key in a report */
	mt_device *device;     /* NULL: cannot be had */
	char *reason;          /* why not, else NULL; of this column */
	char text[128];        /* the device's own name, "NVIDIA H200" */
	int host;              /* whether its memory is the host's */
	int threads;           /* that work on a CPU; 0 elsewhere */
	int engine;            /* the number of its ceilings */
	double speed;          /* operations a second in a small product: what it may reach at least in a large one */
	const char *op;        /* what it was last timed with, seconds and operations a second there */
	double op_seconds, op_speed;
};

struct bench_columns {
	struct bench_column list[BENCH_COLUMNS];
	int n;
};

/* Device strings with commas between; a part KEY=VALUE without a name belongs to the string before it.  threads (NULL:
 * none): numbers with commas between, each CPU backend that takes the option becomes one column a number.
 * −1: go on; else the status to exit with, told on stderr. */
int bench_columns_parse(const struct cli *cli, const char *compare, const char *threads, struct bench_columns *columns);
void bench_columns_free(struct bench_columns *columns);

/* The column of that name; −1 where there is none. */
int bench_columns_find(const struct bench_columns *columns, const char *name);

/* Threads that a device with host memory works on: its option threads, or what its description says, else 1. */
int bench_device_threads(const mt_device *device);

#endif
