/* One case on one plugin: what is built while it runs, and what came out. */
#ifndef CONFORMANCE_RUN_H
#define CONFORMANCE_RUN_H

#include "array.h"
#include "host.h"

enum cf_outcome {
	CF_PASSED,
	CF_REFUSED, /* MT_E_UNSUPPORTED with a reason and nothing touched; words holds the reason */
	CF_FAILED,
	CF_SKIPPED /* a check that cannot be made here; words holds the reason */
};

/* Plain data: it crosses the pipe between the child that runs and the parent that reports. */
struct cf_result {
	int32_t outcome;
	int32_t calls;   /* kernel calls that were made */
	int32_t lost;    /* the device is broken for this process: the cases after it need another one */
	char output[32]; /* the output's name where an element is wrong, else "" */
	char index[96];  /* "[1, 2]" */
	char got[48], expected[48], error[32], tolerance[32];
	char words[768]; /* the failure in one line, or the reason of a refusal */
};

enum { CF_MAX_HOSTS = 3 };

struct cf_block;

struct cf_run {
	struct cf_host *hosts; /* the first is compared with the reference, the others with the first */
	int n_hosts;
	const struct cf_case *c;
	struct cf_random numbers;
	struct cf_array *arrays; /* newest first */
	struct cf_block *blocks;
	struct cf_result result;
	int executed; /* some call gave outputs to compare */
	int checked;  /* some output was compared */
};

/* Runs c on the hosts, from c->seed, and frees all that it made. */
void cf_run_case(struct cf_host *hosts, int n_hosts, const struct cf_case *c, struct cf_result *result);

/* Memory of the case, zeroed, at least one byte; NULL when out of memory is recorded as a failure and ends the process. */
void *cf_memory(struct cf_run *r, size_t bytes);

/* Makes text that a plugin gave fit for every report: printable UTF-8 on one line. */
void cf_clean_text(char *text);

/* Frees what was made for the case: the arrays on every host; and all the memory too. */
void cf_free_arrays(struct cf_run *r);
void cf_run_end(struct cf_run *r);

/* Tells the tolerances which case is running. */
void cf_begin_checks(const struct cf_case *c);

/* Where element e lies in the array's buffer, in bytes. */
uint64_t cf_position(const mt_array *a, int64_t e);

/* Takes over .values and .integers from a buffer. */
void cf_decode(struct cf_array *a, const unsigned char *bytes);

#endif
