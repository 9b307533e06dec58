/* What discovery found, as JSON (the format is described in docs/backends.md). */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/device_impl.h"
#include "base/error.h"

/* Values that could not be made are NULL, and json_object_set_new then fails: seen once, at the end. */
struct document {
	int failed;
};

static void set(struct document *d, json_t *object, const char *key, json_t *value) {
	if (json_object_set_new(object, key, value) != 0)
		d->failed = 1;
}

static void append(struct document *d, json_t *array, json_t *value) {
	if (json_array_append_new(array, value) != 0)
		d->failed = 1;
}

/* A path may be no UTF-8, which JSON has to be: each bad byte becomes a question mark. */
static json_t *text_or_null(const char *text) {
	if (text == NULL)
		return json_null();
	json_t *value = json_string(text);
	char *copy = value == NULL ? mt__strdup(text) : NULL;
	for (char *c = copy; c != NULL && *c != '\0'; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	if (copy != NULL)
		value = json_string(copy);
	mt__free(copy);
	return value;
}

static const char *source_word(enum mt__source source) {
	static const char *const words[] = {"MT_ADD_MANIFEST_PATH", "MT_MANIFEST_PATH", "user", "system", "libmt"};
	return words[source];
}

static json_t *place_json(struct document *doc, const struct mt__place *place) {
	static const char *const states[] = {"searched", "absent", "refused"};
	json_t *o = json_object();
	set(doc, o, "path", text_or_null(place->path));
	set(doc, o, "source", json_string(source_word(place->source)));
	set(doc, o, "state", json_string(states[place->state]));
	set(doc, o, "reason", text_or_null(place->reason));
	return o;
}

static json_t *manifest_json(struct document *doc, const struct mt__manifest *manifest) {
	json_t *o = json_object();
	set(doc, o, "path", text_or_null(manifest->path));
	set(doc, o, "source", json_string(source_word(manifest->source)));
	set(doc, o, "state", json_string(manifest->skipped ? "skipped" : "read"));
	set(doc, o, "reason", text_or_null(manifest->reason));
	set(doc, o, "backends", json_integer(manifest->entries));
	return o;
}

/* Words with spaces between; features is cut up. */
static json_t *features_json(struct document *doc, char *features) {
	json_t *array = json_array();
	char *rest = features;
	for (char *word = strtok_r(features, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
		append(doc, array, text_or_null(word));
	return array;
}

static json_t *device_json(struct document *doc, const struct mt__backend *b, int32_t ordinal) {
	static const struct mt__options none;
	struct mt_device_info info;
	char why[1024] = "";
	char *name = mt__device_text(b->name, ordinal, &none);
	json_t *o = json_object();
	mt_status status = mt__describe(b, ordinal, &info, why, sizeof why);
	set(doc, o, "device", text_or_null(name));
	mt__free(name);
	set(doc, o, "reason", status == MT_OK ? json_null() : text_or_null(why));
	if (status != MT_OK)
		return o;
	set(doc, o, "name", text_or_null(info.name));
	set(doc, o, "memory_bytes", json_integer((json_int_t)(info.memory_bytes & INT64_MAX)));
	set(doc, o, "host_memory", json_boolean((info.flags & MT_DEVICE_HOST_MEMORY) != 0));
	set(doc, o, "async", json_boolean((info.flags & MT_DEVICE_ASYNC) != 0));
	set(doc, o, "alignment", json_integer(info.alignment));
	set(doc, o, "features", features_json(doc, info.features));
	return o;
}

static const char *state_word(const struct mt__backend *b) {
	if (b->disabled)
		return "disabled";
	switch (b->state) {
	case MT__BACKEND_USABLE:
		return "usable";
	case MT__BACKEND_NO_DEVICE:
		return "no-device";
	case MT__BACKEND_SHADOWED:
		return "shadowed";
	case MT__BACKEND_SKIPPED:
		return "skipped";
	default:
		return "unusable";
	}
}

static json_t *options_json(struct document *doc, const struct mt__options *options) {
	json_t *o = json_object();
	for (uint64_t i = 0; i < options->count; i++)
		set(doc, o, options->items[i].key, text_or_null(options->items[i].value));
	return o;
}

static json_t *abi_json(const struct mt_plugin_api *api) {
	char text[32];
	snprintf(text, sizeof text, "%u.%u", api->abi_major, api->abi_minor);
	return json_string(text);
}

static json_t *backend_json(struct document *doc, struct mt__backend *b) {
	mt__backend_load(b);
	int loaded = b->plugin != NULL && !b->plugin->refused;
	int usable = b->state == MT__BACKEND_USABLE && !b->disabled && b->plugin->generation == mt__fork_generation;
	json_t *o = json_object(), *devices = json_array();
	set(doc, o, "name", text_or_null(b->name));
	set(doc, o, "state", json_string(state_word(b)));
	set(doc, o, "reason", b->disabled ? json_string("disabled by MT_BACKENDS_DISABLE") : text_or_null(b->reason));
	set(doc, o, "manifest", text_or_null(b->manifest));
	set(doc, o, "library", text_or_null(b->path != NULL ? b->path : b->library));
	set(doc, o, "description", text_or_null(b->description));
	set(doc, o, "priority", json_integer(b->priority));
	set(doc, o, "role", json_string(b->is_reference ? "reference" : "accelerator"));
	set(doc, o, "options", options_json(doc, &b->options));
	set(doc, o, "plugin", loaded ? text_or_null(b->plugin->api.name) : json_null());
	set(doc, o, "version", loaded ? text_or_null(b->plugin->api.version) : json_null());
	set(doc, o, "abi", loaded ? abi_json(&b->plugin->api) : json_null());
	for (int32_t i = 0; usable && i < b->devices; i++)
		append(doc, devices, device_json(doc, b, i));
	set(doc, o, "devices", devices);
	return o;
}

static json_t *host_abi_json(void) {
	struct mt_plugin_api own = {.abi_major = MT_ABI_MAJOR, .abi_minor = MT_ABI_MINOR};
	return abi_json(&own);
}

/* The document as text in memory of libmt's own. */
static char *dump(const json_t *root) {
	char *text = json_dumps(root, JSON_INDENT(2));
	char *copy = text != NULL ? mt__strdup(text) : NULL;
	free(text);
	return copy;
}

char *mt_backends_json(void) {
	struct mt__registry *r;
	struct document doc = {0};
	char *text = NULL;
	mt__loader_lock();
	if (mt__check_environment() != MT_OK || mt__registry(&r) != MT_OK) {
		mt__loader_unlock();
		return NULL;
	}
	json_t *root = json_object(), *places = json_array(), *manifests = json_array(), *backends = json_array();
	for (size_t i = 0; i < r->n_places; i++)
		append(&doc, places, place_json(&doc, &r->places[i]));
	for (size_t i = 0; i < r->n_manifests; i++)
		append(&doc, manifests, manifest_json(&doc, &r->manifests[i]));
	for (size_t i = 0; i < r->n_backends; i++)
		append(&doc, backends, backend_json(&doc, &r->backends[i]));
	set(&doc, root, "version", json_string(mt_version()));
	set(&doc, root, "abi", host_abi_json());
	set(&doc, root, "search_path", places);
	set(&doc, root, "manifests", manifests);
	set(&doc, root, "backends", backends);
	mt__loader_unlock();
	if (!doc.failed)
		text = dump(root);
	json_decref(root);
	if (text == NULL)
		mt__fail_memory("mt_backends_json", 1);
	return text;
}
