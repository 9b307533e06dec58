/* The registry: discovery once a process, who shadows whom, who is disabled, and looking a name up. */
#include "backend/registry.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"

static struct mt__registry the_registry;
static int discovered;

char *mt__format(const char *format, ...) {
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	char *text = n >= 0 ? mt__alloc((size_t)n + 1) : NULL;
	if (text != NULL)
		vsnprintf(text, (size_t)n + 1, format, again);
	va_end(again);
	return text;
}

int mt__is_name(const char *text, size_t length) {
	if (length < 1 || length > 32 || text[0] < 'a' || text[0] > 'z')
		return 0;
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") >= length;
}

void *mt__registry_grow(void *items, size_t count, size_t *capacity, size_t size) {
	if (count < *capacity)
		return items;
	size_t more = *capacity != 0 ? *capacity * 2 : 8;
	void *grown = mt__realloc(items, more * size);
	if (grown != NULL)
		*capacity = more;
	return grown;
}

void mt__registry_free(struct mt__registry *r) {
	for (size_t i = 0; i < r->n_places; i++) {
		mt__free(r->places[i].path);
		mt__free(r->places[i].reason);
	}
	for (size_t i = 0; i < r->n_manifests; i++) {
		mt__free(r->manifests[i].path);
		mt__free(r->manifests[i].reason);
	}
	for (size_t i = 0; i < r->n_backends; i++) {
		struct mt__backend *b = &r->backends[i];
		mt__free(b->name);
		mt__free(b->manifest);
		mt__free(b->library);
		mt__free(b->path);
		mt__free(b->description);
		mt__free(b->reason);
		mt__options_free(&b->options);
	}
	mt__free(r->places);
	mt__free(r->manifests);
	mt__free(r->backends);
	*r = (struct mt__registry){0};
}

/* ---- shadowing and disabling ---- */

static void shadow_later_ones(struct mt__registry *r) {
	for (size_t i = 0; i < r->n_backends; i++) {
		struct mt__backend *later = &r->backends[i];
		if (later->state != MT__BACKEND_CANDIDATE)
			continue;
		const struct mt__backend *first = mt__registry_find(r, later->name, strlen(later->name));
		if (first == later)
			continue;
		later->state = MT__BACKEND_SHADOWED;
		later->reason = mt__format("R16: shadowed by %s", first->manifest);
		mt__log(MT_LOG_INFO, MT_LOG_LOADER, "backend %s of %s: shadowed by %s", later->name, later->manifest,
		        first->manifest);
	}
}

static mt_status disable_named(struct mt__registry *r) {
	const char *list = mt__getenv("MT_BACKENDS_DISABLE");
	while (list != NULL && *list != '\0') {
		size_t length = strcspn(list, ",");
		if (length != 0 && !mt__is_name(list, length))
			return mt__fail(MT_E_ARG,
			                "MT_BACKENDS_DISABLE: \"%.*s\" is no backend's name; it takes names with commas "
			                "between, as in cuda,omp",
			                (int)length, list);
		struct mt__backend *b = length != 0 ? mt__registry_find(r, list, length) : NULL;
		if (b != NULL) {
			b->disabled = 1;
			mt__log(MT_LOG_INFO, MT_LOG_LOADER, "backend %s: disabled by MT_BACKENDS_DISABLE", b->name);
		}
		list += length;
		list += *list == ',';
	}
	return MT_OK;
}

mt_status mt__registry(struct mt__registry **out) {
	*out = &the_registry;
	if (discovered)
		return MT_OK;
	struct mt__registry fresh = {0};
	mt_status status = mt__search(&fresh);
	if (status == MT_OK) {
		shadow_later_ones(&fresh);
		status = disable_named(&fresh);
	}
	if (status != MT_OK) {
		mt__registry_free(&fresh);
		return status;
	}
	the_registry = fresh;
	discovered = 1;
	return MT_OK;
}

/* ---- looking up ---- */

static int is_called(const struct mt__backend *b, const char *name, size_t length) {
	return strlen(b->name) == length && strncmp(b->name, name, length) == 0;
}

static int is_out(const struct mt__backend *b) {
	return b->state == MT__BACKEND_SKIPPED || b->state == MT__BACKEND_SHADOWED;
}

struct mt__backend *mt__registry_find(const struct mt__registry *r, const char *name, size_t length) {
	for (size_t i = 0; i < r->n_backends; i++)
		if (!is_out(&r->backends[i]) && is_called(&r->backends[i], name, length))
			return &r->backends[i];
	return NULL;
}

const char *mt__registry_skipped(const struct mt__registry *r, const char *name, size_t length) {
	for (size_t i = 0; i < r->n_backends; i++) {
		const struct mt__backend *b = &r->backends[i];
		if (b->state == MT__BACKEND_SKIPPED && is_called(b, name, length))
			return b->reason != NULL ? b->reason : "out of memory";
	}
	return NULL;
}

struct mt__backend *mt__registry_reference(const struct mt__registry *r) {
	for (size_t i = 0; i < r->n_backends; i++)
		if (!is_out(&r->backends[i]) && r->backends[i].is_reference)
			return &r->backends[i];
	return NULL;
}

static const char *reason_of(const struct mt__backend *b) {
	if (b->disabled)
		return "disabled by MT_BACKENDS_DISABLE";
	return b->reason != NULL ? b->reason : "out of memory";
}

void mt__registry_describe(struct mt__registry *r, struct mt_text *text) {
	int good = 0, bad = 0;
	for (size_t i = 0; i < r->n_backends; i++) {
		struct mt__backend *b = &r->backends[i];
		mt__backend_load(b);
		if (b->state == MT__BACKEND_USABLE && !b->disabled)
			mt__text_add(text, "%s%s", good++ != 0 ? ", " : "there are: ", b->name);
	}
	if (good == 0)
		mt__text_add(text, "there is no usable backend");
	for (size_t i = 0; i < r->n_backends; i++) {
		const struct mt__backend *b = &r->backends[i];
		if (b->state == MT__BACKEND_SHADOWED || (b->state == MT__BACKEND_USABLE && !b->disabled))
			continue;
		mt__text_add(text, "%s%s (%s)", bad++ != 0 ? ", " : "; not usable: ", b->name, reason_of(b));
	}
	for (size_t i = 0; i < r->n_manifests; i++)
		if (r->manifests[i].skipped)
			mt__text_add(text, "; skipped: %s (%s)", r->manifests[i].path,
			             r->manifests[i].reason != NULL ? r->manifests[i].reason : "out of memory");
	if (r->n_backends == 0 && r->n_manifests == 0) {
		mt__text_add(text, "; no manifest in:");
		for (size_t i = 0; i < r->n_places; i++)
			mt__text_add(text, " %s", r->places[i].path);
	}
}
