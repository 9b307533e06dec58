/* Cases from a file. */
#ifndef CONFORMANCE_CASE_JSON_H
#define CONFORMANCE_CASE_JSON_H

#include "case_id.h"

/* Reads {"cases": ["ID", {"op": …}, …]}; the format is in docs/conformance.md.  A case without a seed has seed 0.
 * 1 with *cases (to be freed) and *n, or 0 with a reason in words. */
int cf_read_cases(const char *path, struct cf_case **cases, int *n, char *words, size_t size);

#endif
