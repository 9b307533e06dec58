#include "case_json.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An object is written as an id and read as one: what an id can say, and no more, is a case. */
struct id_text {
	char text[CF_ID_SIZE];
	size_t used;
};

static void put(struct id_text *t, const char *word) {
	size_t room = sizeof t->text - t->used;
	int n = snprintf(t->text + t->used, room, "%s", word);
	t->used += n >= 0 && (size_t)n < room ? (size_t)n : room - 1;
}

static void put_integer(struct id_text *t, json_int_t value) {
	char word[32];
	snprintf(word, sizeof word, "%" JSON_INTEGER_FORMAT, value);
	put(t, word);
}

/* The member, or the default where it is left out; a member of another type is an error. */
static int put_string(struct id_text *t, const json_t *object, const char *key, const char *otherwise) {
	const json_t *value = json_object_get(object, key);
	if (value == NULL && otherwise == NULL)
		return 0;
	if (value != NULL && !json_is_string(value))
		return 0;
	put(t, value != NULL ? json_string_value(value) : otherwise);
	return 1;
}

static int put_shape(struct id_text *t, const json_t *shape) {
	if (shape == NULL) {
		put(t, "-");
		return 1;
	}
	if (!json_is_array(shape))
		return 0;
	if (json_array_size(shape) == 0)
		put(t, "0d");
	for (size_t i = 0; i < json_array_size(shape); i++) {
		if (!json_is_integer(json_array_get(shape, i)))
			return 0;
		put(t, i > 0 ? "x" : "");
		put_integer(t, json_integer_value(json_array_get(shape, i)));
	}
	return 1;
}

static int put_params(struct id_text *t, json_t *params) {
	int n = 0;
	if (params != NULL && !json_is_object(params))
		return 0;
	for (void *at = json_object_iter(params); at != NULL; at = json_object_iter_next(params, at)) {
		const json_t *value = json_object_iter_value(at);
		if (!json_is_integer(value) && !json_is_boolean(value))
			return 0;
		put(t, n++ > 0 ? "," : "");
		put(t, json_object_iter_key(at));
		put(t, "=");
		put_integer(t, json_is_integer(value) ? json_integer_value(value) : json_is_true(value));
	}
	if (n == 0)
		put(t, "-");
	return 1;
}

static int put_seed(struct id_text *t, const json_t *seed) {
	char word[32];
	if (seed != NULL && (!json_is_integer(seed) || json_integer_value(seed) < 0))
		return 0;
	snprintf(word, sizeof word, "s%" PRIx64, (uint64_t)json_integer_value(seed));
	put(t, word);
	return 1;
}

static const char *const members[] = {"op", "dtype", "side", "in", "out", "data", "shape", "params", "seed", "comment"};

static int has_unknown_member(json_t *object, char *words, size_t size) {
	for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
		const char *key = json_object_iter_key(at);
		int known = 0;
		for (size_t i = 0; i < sizeof members / sizeof *members; i++)
			known |= strcmp(members[i], key) == 0;
		if (!known) {
			snprintf(words, size, "unknown member \"%s\"", key);
			return 1;
		}
	}
	return 0;
}

static int bad_member(const char *key, char *words, size_t size) {
	snprintf(words, size, "member \"%s\" is missing or of the wrong type", key);
	return 0;
}

static int object_id(struct id_text *t, json_t *object, char *words, size_t size) {
	if (has_unknown_member(object, words, size))
		return 0;
	if (!put_string(t, object, "op", NULL))
		return bad_member("op", words, size);
	put(t, "/");
	if (!put_string(t, object, "dtype", NULL))
		return bad_member("dtype", words, size);
	if (json_object_get(object, "side") != NULL) {
		put(t, "-");
		if (!put_string(t, object, "side", NULL))
			return bad_member("side", words, size);
	}
	put(t, "/");
	if (!put_string(t, object, "in", "contiguous"))
		return bad_member("in", words, size);
	put(t, "-");
	if (!put_string(t, object, "out", "contiguous"))
		return bad_member("out", words, size);
	put(t, "/");
	if (!put_string(t, object, "data", "random"))
		return bad_member("data", words, size);
	put(t, "/");
	if (!put_shape(t, json_object_get(object, "shape")))
		return bad_member("shape", words, size);
	put(t, "/");
	if (!put_params(t, json_object_get(object, "params")))
		return bad_member("params", words, size);
	put(t, "/");
	return put_seed(t, json_object_get(object, "seed")) ? 1 : bad_member("seed", words, size);
}

static int read_case(struct cf_case *c, json_t *value, char *words, size_t size) {
	struct id_text id = {.used = 0};
	if (json_is_string(value))
		return cf_case_parse(c, json_string_value(value), words, size);
	if (!json_is_object(value)) {
		snprintf(words, size, "neither an id nor an object");
		return 0;
	}
	return object_id(&id, value, words, size) && cf_case_parse(c, id.text, words, size);
}

int cf_read_cases(const char *path, struct cf_case **cases, int *n, char *words, size_t size) {
	json_error_t error;
	char why[512];
	json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	const json_t *list = json_object_get(root, "cases");
	int ok = json_is_array(list) && json_array_size(list) > 0 && json_array_size(list) < 1000000;
	*n = 0;
	*cases = ok ? calloc(json_array_size(list), sizeof **cases) : NULL;
	if (root == NULL)
		snprintf(words, size, "%s, line %d: %s", path, error.line, error.text);
	else if (*cases == NULL)
		snprintf(words, size, "%s: \"cases\" must be an array of cases", path);
	ok = *cases != NULL;
	for (size_t i = 0; ok && i < json_array_size(list); i++) {
		ok = read_case(&(*cases)[i], json_array_get(list, i), why, sizeof why);
		if (!ok)
			snprintf(words, size, "%s, case %zu: %s", path, i, why);
		*n += ok;
	}
	json_decref(root);
	if (!ok) {
		free(*cases);
		*cases = NULL;
	}
	return ok;
}
