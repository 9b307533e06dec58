#include "target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mt/backend.h"
#include "worker.h"

enum { MOST_BYTES = 4 << 20, SECONDS = 120 };

/* libmt loads every backend to list them: in a child, as no plugin may be loaded where children are made. */
static int list_backends(void *memory, const void *context) {
	(void)context;
	char *document = mt_backends_json();
	int ok = document != NULL && strlen(document) < MOST_BYTES;
	if (ok)
		strcpy(memory, document);
	mt_free(document);
	return ok;
}

static json_t *read_backends(char *words, size_t size) {
	json_error_t error;
	char *memory = calloc(1, MOST_BYTES);
	json_t *root = NULL;
	if (memory != NULL && cf_in_child(list_backends, memory, MOST_BYTES, NULL, SECONDS, words, size)) {
		root = json_loads(memory, 0, &error);
		if (root == NULL)
			snprintf(words, size, "libmt's document cannot be read: %s", error.text);
	}
	free(memory);
	return root;
}

static const char *text(const json_t *object, const char *key) {
	const char *value = json_string_value(json_object_get(object, key));
	return value != NULL ? value : "";
}

static void list_names(const json_t *backends, char *out, size_t size) {
	size_t used = 0;
	out[0] = '\0';
	for (size_t i = 0; i < json_array_size(backends) && used < size; i++) {
		const char *state = text(json_array_get(backends, i), "state");
		if (strcmp(state, "shadowed") != 0 && strcmp(state, "skipped") != 0)
			used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "",
			                         text(json_array_get(backends, i), "name"));
	}
}

/* The entry that counts: a shadowed one is another's name. */
static const json_t *find_backend(const json_t *backends, const char *name) {
	for (size_t i = 0; i < json_array_size(backends); i++) {
		const json_t *b = json_array_get(backends, i);
		if (strcmp(text(b, "name"), name) == 0 && strcmp(text(b, "state"), "shadowed") != 0)
			return b;
	}
	return NULL;
}

static int add_option(struct cf_target *t, const char *key, const char *value, char *words, size_t size) {
	for (int i = 0; i < t->n_options; i++)
		if (strcmp(t->options[i].key, key) == 0) {
			t->options[i].value = value;
			t->n_given = i < t->n_given ? i : t->n_given; /* it has to be said again to rerun */
			return 1;
		}
	if (t->n_options == CF_MAX_OPTIONS) {
		snprintf(words, size, "more than %d options", CF_MAX_OPTIONS);
		return 0;
	}
	t->options[t->n_options++] = (struct mt_option){key, value};
	return 1;
}

static int take_backend(struct cf_target *t, const json_t *root, char *words, size_t size) {
	const json_t *backends = json_object_get(root, "backends");
	const json_t *b = find_backend(backends, t->name);
	char names[512];
	if (b == NULL) {
		list_names(backends, names, sizeof names);
		snprintf(words, size, "no backend '%s': there are %s", t->name, names[0] != '\0' ? names : "none");
		return 0;
	}
	if (strcmp(text(b, "state"), "usable") != 0 && strcmp(text(b, "state"), "unusable") != 0) {
		snprintf(words, size, "%s cannot be tested: %s", t->name, text(b, "reason"));
		return 0;
	}
	t->path = text(b, "library");
	json_t *options = json_object_get(b, "options");
	for (void *at = json_object_iter(options); at != NULL; at = json_object_iter_next(options, at))
		if (!add_option(t, json_object_iter_key(at), json_string_value(json_object_iter_value(at)), words, size))
			return 0;
	t->n_given = t->n_options;
	return 1;
}

static int take_path(struct cf_found *found, const char *name, char *words, size_t size) {
	found->path = realpath(name, NULL);
	if (found->path == NULL)
		snprintf(words, size, "%s: %s", name, strerror(errno));
	found->target.path = found->path;
	return found->path != NULL;
}

static int take_options(struct cf_target *t, char *const *options, int n, char *words, size_t size) {
	for (int i = 0; i < n; i++) {
		char *equal = strchr(options[i], '=');
		if (equal == NULL || equal == options[i]) {
			snprintf(words, size, "--option: expected KEY=VALUE, got '%s'", options[i]);
			return 0;
		}
		*equal = '\0';
		if (!add_option(t, options[i], equal + 1, words, size))
			return 0;
	}
	return 1;
}

int cf_find_target(struct cf_found *found, const char *name, int32_t ordinal, char *const *options, int n_options,
                   char *words, size_t size) {
	size_t length = strlen(name);
	int is_path = strchr(name, '/') != NULL || (length > 3 && strcmp(name + length - 3, ".so") == 0);
	*found = (struct cf_found){.target = {.name = name, .ordinal = ordinal}};
	int ok;
	if (is_path) {
		ok = take_path(found, name, words, size);
	} else {
		found->document = read_backends(words, size);
		ok = found->document != NULL && take_backend(&found->target, found->document, words, size);
	}
	ok = ok && take_options(&found->target, options, n_options, words, size);
	if (!ok)
		cf_found_free(found);
	return ok;
}

void cf_found_free(struct cf_found *found) {
	json_decref(found->document);
	free(found->path);
	*found = (struct cf_found){.path = NULL};
}
