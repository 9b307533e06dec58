/* Options: sorted lists, the KEY=VALUE syntax, and the environment's part. */
#include "backend/options.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "backend/registry.h"
#include "base/error.h"
#include "base/log.h"

int mt__option_key_ok(const char *key, size_t length) {
	return mt__is_name(key, length);
}

int mt__option_value_ok(const char *value, size_t length) {
	for (size_t i = 0; i < length; i++)
		if (value[i] == ',' || (unsigned char)value[i] < 0x20 || value[i] == 0x7f)
			return 0;
	return length != 0;
}

/* memcmp's order of key against an item's; *found says whether it is there. */
static uint64_t position(const struct mt__options *options, const char *key, size_t length, int *found) {
	*found = 0;
	for (uint64_t i = 0; i < options->count; i++) {
		int order = strncmp(options->items[i].key, key, length);
		if (order == 0 && options->items[i].key[length] != '\0')
			order = 1;
		if (order >= 0) {
			*found = order == 0;
			return i;
		}
	}
	return options->count;
}

static char *copy_of(const char *text, size_t length) {
	char *copy = mt__alloc(length + 1);
	if (copy != NULL) {
		memcpy(copy, text, length);
		copy[length] = '\0';
	}
	return copy;
}

mt_status mt__options_set(struct mt__options *options, const char *key, size_t key_length, const char *value,
                          size_t value_length) {
	int found;
	uint64_t at = position(options, key, key_length, &found);
	char *value_copy = copy_of(value, value_length);
	if (value_copy == NULL)
		return MT_E_MEMORY;
	if (found) {
		mt__free((void *)options->items[at].value);
		options->items[at].value = value_copy;
		return MT_OK;
	}
	char *key_copy = copy_of(key, key_length);
	struct mt_option *items =
		key_copy != NULL ? mt__realloc(options->items, (options->count + 1) * sizeof *items) : NULL;
	if (items == NULL) {
		mt__free(key_copy);
		mt__free(value_copy);
		return MT_E_MEMORY;
	}
	memmove(items + at + 1, items + at, (options->count - at) * sizeof *items);
	items[at] = (struct mt_option){key_copy, value_copy};
	options->items = items;
	options->count++;
	return MT_OK;
}

const char *mt__options_get(const struct mt__options *options, const char *key, size_t key_length) {
	int found;
	uint64_t at = position(options, key, key_length, &found);
	return found ? options->items[at].value : NULL;
}

mt_status mt__options_merge(struct mt__options *options, const struct mt__options *from) {
	mt_status status = MT_OK;
	for (uint64_t i = 0; i < from->count && status == MT_OK; i++) {
		const struct mt_option *o = &from->items[i];
		status = mt__options_set(options, o->key, strlen(o->key), o->value, strlen(o->value));
	}
	return status;
}

mt_status mt__options_parse(struct mt__options *options, const char *text, const char **why) {
	for (;;) {
		size_t length = strcspn(text, ",");
		const char *equals = memchr(text, '=', length);
		if (equals == NULL) {
			*why = "an option reads KEY=VALUE";
			return MT_E_ARG;
		}
		size_t key_length = (size_t)(equals - text), value_length = length - key_length - 1;
		if (!mt__option_key_ok(text, key_length)) {
			*why = "an option's key is made of a-z, 0-9 and _";
			return MT_E_ARG;
		}
		if (!mt__option_value_ok(equals + 1, value_length)) {
			*why = "an option's value is empty, or has a control character";
			return MT_E_ARG;
		}
		if (mt__options_get(options, text, key_length) != NULL) {
			*why = "an option is given twice";
			return MT_E_ARG;
		}
		mt_status status = mt__options_set(options, text, key_length, equals + 1, value_length);
		if (status != MT_OK)
			return status;
		if (text[length] == '\0')
			return MT_OK;
		text += length + 1;
	}
}

/* What libmt and its tools read themselves: never an option, whatever a backend is called. */
static const char *const own_variables[] = {
	"MT_ADD_MANIFEST_PATH", "MT_BACKEND",          "MT_BACKENDS_DISABLE", "MT_BUFFER_CACHE",
	"MT_CUDA_LIBRARY_PATH", "MT_DATA_DIR",         "MT_FALLBACK",         "MT_LOG",
	"MT_MANIFEST_PATH",     "MT_MATMUL_PRECISION", "MT_MAX_ISA",          "MT_MEMORY_FRACTION",
	"MT_PROFILE",
};

static int is_own_variable(const char *entry, size_t length) {
	if (strncmp(entry, "MT_TEST_", 8) == 0)
		return 1;
	for (size_t i = 0; i < sizeof own_variables / sizeof *own_variables; i++)
		if (strlen(own_variables[i]) == length && strncmp(own_variables[i], entry, length) == 0)
			return 1;
	return 0;
}

/* Where the key begins in "MT_<NAME>_<KEY>"; 0 where the first length characters of entry are not of that form. */
static size_t key_start(const char *entry, size_t length, const char *name) {
	size_t name_length = strlen(name);
	if (length < name_length + 5 || strncmp(entry, "MT_", 3) != 0)
		return 0;
	for (size_t i = 0; i < name_length; i++)
		if (entry[3 + i] != toupper((unsigned char)name[i]))
			return 0;
	return entry[3 + name_length] == '_' ? 3 + name_length + 1 : 0;
}

/* Whether a variable that fits name is another backend's: of those that fit, it belongs to the longest name.
 * (MT_CUDA_TILED_SYNC is cuda_tiled's sync, not cuda's tiled_sync.) */
static int is_anothers(const char *entry, size_t length, const char *name, const struct mt__registry *registry) {
	for (size_t i = 0; i < registry->n_backends; i++) {
		const char *other = registry->backends[i].name;
		if (strlen(other) > strlen(name) && key_start(entry, length, other) != 0)
			return 1;
	}
	return 0;
}

/* The key of "MT_<NAME>_<KEY>=…" in lower case; 0 where entry is not of that form. */
static size_t environment_key(const char *entry, const char *name, char *key, size_t size) {
	size_t length = strcspn(entry, "="), start = key_start(entry, length, name), key_length = length - start;
	if (start == 0 || key_length >= size || is_own_variable(entry, length))
		return 0;
	for (size_t i = 0; i < key_length; i++) {
		if (islower((unsigned char)entry[start + i]))
			return 0;
		key[i] = (char)tolower((unsigned char)entry[start + i]);
	}
	key[key_length] = '\0';
	return mt__option_key_ok(key, key_length) ? key_length : 0;
}

mt_status mt__options_environment(struct mt__options *options, const char *name, const struct mt__registry *registry) {
	mt_status status = MT_OK;
	for (char **entry = environ; entry != NULL && *entry != NULL && status == MT_OK; entry++) {
		char key[33], variable[72];
		size_t key_length = environment_key(*entry, name, key, sizeof key);
		size_t length = strcspn(*entry, "=");
		if (key_length == 0 || length >= sizeof variable || is_anothers(*entry, length, name, registry))
			continue;
		memcpy(variable, *entry, length);
		variable[length] = '\0';
		/* mt__getenv, because it keeps quiet in setuid programs (R17) */
		const char *value = mt__getenv(variable);
		if (value == NULL)
			continue;
		if (!mt__option_value_ok(value, strlen(value)))
			return mt__fail(MT_E_ARG, "%s: an option's value has no comma and no control character", variable);
		status = mt__options_set(options, key, key_length, value, strlen(value));
	}
	return status == MT_E_MEMORY ? mt__fail_memory("options", sizeof *options) : status;
}

int mt__options_equal(const struct mt__options *a, const struct mt__options *b) {
	if (a->count != b->count)
		return 0;
	for (uint64_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i].key, b->items[i].key) != 0 || strcmp(a->items[i].value, b->items[i].value) != 0)
			return 0;
	return 1;
}

void mt__options_free(struct mt__options *options) {
	for (uint64_t i = 0; i < options->count; i++) {
		mt__free((void *)options->items[i].key);
		mt__free((void *)options->items[i].value);
	}
	mt__free(options->items);
	*options = (struct mt__options){0};
}
