/* A device's options: key=value pairs, sorted by key, each key once. */
#ifndef MT_BACKEND_OPTIONS_H
#define MT_BACKEND_OPTIONS_H

#include <stddef.h>

#include "base/alloc.h"
#include "mt/plugin.h"
#include "mt/status.h"

struct mt__options {
	struct mt_option *items; /* owned, and their strings too */
	uint64_t count;
};

/* Sets key to value, replacing an older value.  MT_OK or MT_E_MEMORY (without touching the error slot). */
mt_status mt__options_set(struct mt__options *options, const char *key, size_t key_length, const char *value,
                          size_t value_length);

const char *mt__options_get(const struct mt__options *options, const char *key, size_t key_length);

/* Sets each of from in options. */
mt_status mt__options_merge(struct mt__options *options, const struct mt__options *from);

/* Parses "key=value[,key=value…]".  MT_E_ARG with the reason in *why (a constant text), or MT_E_MEMORY. */
mt_status mt__options_parse(struct mt__options *options, const char *text, const char **why);

struct mt__registry;

/* Sets what the environment says about backend name: MT_<NAME>_<KEY>=value (docs/environment.md); where the names of
 * several backends fit, the longest has it.  A value that cannot be one is MT_E_ARG; here the error is set. */
mt_status mt__options_environment(struct mt__options *options, const char *name, const struct mt__registry *registry);

int mt__options_equal(const struct mt__options *a, const struct mt__options *b);
void mt__options_free(struct mt__options *options);

/* Whether a key reads [a-z][a-z0-9_]{0,31}, and a value can stand in a device string (not empty, no ',' and no control
 * character). */
int mt__option_key_ok(const char *key, size_t length);
int mt__option_value_ok(const char *value, size_t length);

#endif
