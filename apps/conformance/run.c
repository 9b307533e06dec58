#include "run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "family.h"

/* Aligned as any type needs. */
struct cf_block {
	struct cf_block *next;
	long double bytes[];
};

void *cf_memory(struct cf_run *r, size_t bytes) {
	struct cf_block *b = calloc(1, sizeof *b + bytes + 1);
	if (b == NULL) {
		fprintf(stderr, "mt-conformance: out of memory: %zu bytes for one case\n", bytes);
		exit(EXIT_FAILURE); /* the parent sees that the case ended the process */
	}
	b->next = r->blocks;
	r->blocks = b;
	return b->bytes;
}

long double *cf_reference(struct cf_run *r, int64_t count) {
	return cf_memory(r, (size_t)count * sizeof(long double));
}

int64_t *cf_reference_integers(struct cf_run *r, int64_t count) {
	return cf_memory(r, (size_t)count * sizeof(int64_t));
}

struct cf_random *cf_numbers(struct cf_run *r) {
	return &r->numbers;
}

void cf_fail(struct cf_run *r, const char *format, ...) {
	va_list args;
	if (r->result.outcome == CF_FAILED)
		return; /* the first failure is the one to look at */
	r->result.outcome = CF_FAILED;
	va_start(args, format);
	vsnprintf(r->result.words, sizeof r->result.words, format, args);
	va_end(args);
}

void cf_run_end(struct cf_run *r) {
	cf_free_arrays(r);
	while (r->blocks != NULL) {
		struct cf_block *b = r->blocks;
		r->blocks = b->next;
		free(b);
	}
}

void cf_run_case(struct cf_host *hosts, int n_hosts, const struct cf_case *c, struct cf_result *result) {
	struct cf_run r = {.hosts = hosts, .n_hosts = n_hosts, .c = c, .numbers = {c->seed}};
	cf_begin_checks(c);
	c->family->run(&r, c);
	if (r.result.outcome == CF_PASSED && !r.executed)
		cf_fail(&r, "the case made no call");
	if (r.result.outcome == CF_PASSED && !r.checked)
		cf_fail(&r, "the case compared nothing");
	cf_run_end(&r);
	*result = r.result;
}
