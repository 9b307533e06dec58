#include "structure.h"

#include <stdarg.h>
#include <stdio.h>

static const struct cf_structure *const suites[] = {cf_entry_checks, cf_table_checks, cf_device_checks,
                                                    cf_memory_checks, cf_queue_checks};

const struct cf_structure *cf_structure_at(int i) {
	for (size_t s = 0; s < sizeof suites / sizeof *suites; s++)
		for (const struct cf_structure *c = suites[s]; c->suite != NULL; c++)
			if (i-- == 0)
				return c;
	return NULL;
}

int cf_expect(struct cf_structure_run *r, int ok, const char *format, ...) {
	va_list args;
	r->result->calls++;
	if (ok || r->result->outcome == CF_FAILED)
		return ok;
	r->result->outcome = CF_FAILED;
	va_start(args, format);
	vsnprintf(r->result->words, sizeof r->result->words, format, args);
	va_end(args);
	return 0;
}

void cf_skip(struct cf_structure_run *r, const char *format, ...) {
	va_list args;
	if (r->result->outcome == CF_FAILED)
		return;
	r->result->outcome = CF_SKIPPED;
	va_start(args, format);
	vsnprintf(r->result->words, sizeof r->result->words, format, args);
	va_end(args);
}

void cf_structure_run(const struct cf_structure *s, const struct cf_target *target, struct cf_result *result) {
	struct cf_host host = {.queue = NULL};
	struct cf_structure_run r = {.target = target, .result = result};
	*result = (struct cf_result){.outcome = CF_PASSED};
	if (s->opens) {
		if (!cf_expect(&r, cf_host_open(&host, target, NULL), "%s", cf_error()))
			return;
		r.host = &host;
	}
	s->run(&r);
	cf_expect(&r, result->calls > 0 || result->outcome == CF_SKIPPED,
	          "mt-conformance itself is wrong: nothing was checked");
	cf_host_close(&host);
}
