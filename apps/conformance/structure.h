/* Checks of a plugin's structure: what holds whatever its kernels compute. */
#ifndef CONFORMANCE_STRUCTURE_H
#define CONFORMANCE_STRUCTURE_H

#include "host.h"
#include "run.h"

/* One check being made. */
struct cf_structure_run {
	const struct cf_target *target;
	struct cf_host *host;     /* an open device with a queue; NULL for checks that open for themselves */
	struct cf_result *result; /* passed until a function below says otherwise */
};

struct cf_structure {
	const char *suite, *name; /* "memory", "alignment" */
	int opens;                /* the engine opens a host first */
	void (*run)(struct cf_structure_run *r);
};

/* All checks, suite by suite; ends with a NULL suite. */
extern const struct cf_structure cf_entry_checks[], cf_table_checks[], cf_device_checks[], cf_memory_checks[],
	cf_queue_checks[];
/* The i-th of all; NULL after the last. */
const struct cf_structure *cf_structure_at(int i);

/* Records a failure unless ok; returns ok.  The first one stays. */
int cf_expect(struct cf_structure_run *r, int ok, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The check cannot be made here, for this reason. */
void cf_skip(struct cf_structure_run *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Runs one check. */
void cf_structure_run(const struct cf_structure *s, const struct cf_target *target, struct cf_result *result);

#endif
