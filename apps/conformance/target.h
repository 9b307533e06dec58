/* Which library and device to test. */
#ifndef CONFORMANCE_TARGET_H
#define CONFORMANCE_TARGET_H

#include <jansson.h>

#include "host.h"

struct cf_found {
	struct cf_target target;
	json_t *document; /* what libmt found, which the target's strings belong to; NULL for a path */
	char *path;
};

/* A path (it has a '/' or ends in ".so") or a backend's name, looked for as libmt does.  options: "KEY=VALUE".
 * 1, or 0 with a reason in words. */
int cf_find_target(struct cf_found *found, const char *name, int32_t ordinal, char *const *options, int n_options,
                   char *words, size_t size);
void cf_found_free(struct cf_found *found);

#endif
