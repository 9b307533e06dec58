/* Devices: one for each backend, ordinal and set of options; the process's default and the thread's current one. */
#include <stdio.h>
#include <string.h>

#include "backend/device_impl.h"
#include "base/error.h"
#include "base/log.h"

mt_device *mt__devices;

static _Atomic(mt_device *) default_device;
static _Thread_local mt_device *current_device;

/* ---- identity ---- */

char *mt__device_text(const char *backend, int32_t ordinal, const struct mt__options *options) {
	struct mt_text text = {0};
	mt__text_add(&text, "%s", backend);
	if (ordinal != 0)
		mt__text_add(&text, ":%d", ordinal);
	for (uint64_t i = 0; i < options->count; i++)
		mt__text_add(&text, "%s%s=%s", i == 0 ? ":" : ",", options->items[i].key, options->items[i].value);
	return text.data;
}

static mt_device *find_open(const struct mt__backend *backend, int32_t ordinal, const struct mt__options *options) {
	for (mt_device *d = mt__devices; d != NULL; d = d->next)
		if (d->backend == backend && d->ordinal == ordinal && mt__options_equal(&d->options, options))
			return d;
	return NULL;
}

/* Options of the manifest, then the environment's, then the string's. */
static mt_status merge_options(struct mt__options *out, const struct mt__backend *b, const struct mt__options *string) {
	struct mt__registry *registry;
	mt_status status = mt__registry(&registry);
	if (status == MT_OK)
		status = mt__options_merge(out, &b->options);
	if (status == MT_OK)
		status = mt__options_environment(out, b->name, registry);
	if (status == MT_OK)
		status = mt__options_merge(out, string);
	/* a fuller slot keeps its message */
	return status == MT_E_MEMORY ? mt__fail_memory("device options", sizeof *out) : status;
}

/* The device of a usable backend; the loader's lock is held. */
static mt_device *open_one(struct mt__backend *b, int32_t ordinal, const struct mt__options *string) {
	struct mt__options options = {0};
	mt_device *d = NULL;
	if (merge_options(&options, b, string) == MT_OK) {
		d = find_open(b, ordinal, &options);
		if (d == NULL && (d = mt__device_create(b, ordinal, &options)) != NULL) {
			d->next = mt__devices;
			mt__devices = d;
		} else if (d != NULL && mt__device_check(d) != MT_OK) {
			d = NULL;
		}
	}
	mt__options_free(&options);
	return d;
}

/* ---- settings ---- */

static mt_status check_words(const char *variable, const char *const *words) {
	const char *value = mt__getenv(variable);
	struct mt_text list = {0};
	for (const char *const *word = words; *word != NULL; word++) {
		if (value == NULL || strcmp(value, *word) == 0) {
			mt__text_free(&list);
			return MT_OK;
		}
		mt__text_add(&list, "%s%s", word == words ? "" : ", ", *word);
	}
	mt_status status = mt__fail(MT_E_ARG, "%s=%s: there are %s", variable, value, list.data != NULL ? list.data : "");
	mt__text_free(&list);
	return status;
}

mt_status mt__check_environment(void) {
	static const char *const policies[] = {"error", "warn", "allow", NULL};
	static const char *const switches[] = {"0", "1", NULL};
	static const char *const on_off[] = {"on", "off", NULL};
	static int good;
	double fraction;
	if (good)
		return MT_OK;
	mt_status status = check_words("MT_FALLBACK", policies);
	if (status == MT_OK)
		status = check_words("MT_PROFILE", switches);
	if (status == MT_OK)
		status = check_words("MT_BUFFER_CACHE", on_off);
	if (status == MT_OK)
		status = mt__memory_fraction(&fraction);
	if (status == MT_OK) {
		good = 1;
		mt__profile_start_from_environment();
	}
	return status;
}

/* ---- opening by name ---- */

/* NAME[:ORDINAL][:KEY=VALUE[,KEY=VALUE…]] taken apart. */
struct request {
	size_t name_length;
	int32_t ordinal;
	struct mt__options options;
};

static mt_status malformed(const char *text, const char *why) {
	return mt__fail(MT_E_ARG,
	                "device \"%s\": %s; a device reads NAME[:ORDINAL][:KEY=VALUE,…], as in omp, cuda:1 or "
	                "omp:threads=4",
	                text, why);
}

static mt_status parse(const char *text, struct request *r) {
	const char *rest = text + strcspn(text, ":"), *why = NULL;
	r->name_length = (size_t)(rest - text);
	if (!mt__is_name(text, r->name_length))
		return malformed(text, "a backend's name is made of a-z, 0-9 and _, and begins with a letter");
	if (*rest == ':' && rest[1] >= '0' && rest[1] <= '9') {
		size_t digits = strspn(++rest, "0123456789");
		if (digits > 4 || (rest[digits] != '\0' && rest[digits] != ':'))
			return malformed(text, "the ordinal is a whole number below 10000");
		for (size_t i = 0; i < digits; i++)
			r->ordinal = r->ordinal * 10 + (rest[i] - '0');
		rest += digits;
	}
	if (*rest == '\0')
		return MT_OK;
	mt_status status = mt__options_parse(&r->options, rest + 1, &why);
	if (status == MT_E_ARG)
		return malformed(text, why);
	return status == MT_OK ? MT_OK : mt__fail_memory("device options", strlen(rest));
}

static mt_device *fail_listing(struct mt__registry *registry, const char *what) {
	struct mt_text text = {0};
	mt__registry_describe(registry, &text);
	mt__fail(MT_E_DEVICE, "%s; %s", what, text.data != NULL ? text.data : "out of memory");
	mt__text_free(&text);
	return NULL;
}

static mt_device *open_request(struct mt__registry *registry, const char *text, const struct request *r) {
	char what[1200];
	struct mt__backend *b = mt__registry_find(registry, text, r->name_length);
	if (b == NULL) {
		const char *skipped = mt__registry_skipped(registry, text, r->name_length);
		if (skipped != NULL)
			snprintf(what, sizeof what, "backend %.*s cannot be used: %s", (int)r->name_length, text, skipped);
		else
			snprintf(what, sizeof what, "no backend is called \"%.*s\"", (int)r->name_length, text);
		return fail_listing(registry, what);
	}
	mt__backend_load(b);
	if (b->state == MT__BACKEND_CANDIDATE)
		return mt__fail_null(MT_E_MEMORY, "backend %s: out of memory while it was loaded", b->name);
	if (b->disabled || b->state != MT__BACKEND_USABLE) {
		const char *why = b->disabled ? "disabled by MT_BACKENDS_DISABLE" : b->reason;
		snprintf(what, sizeof what, "backend %s cannot be used: %s", b->name, why != NULL ? why : "out of memory");
		return fail_listing(registry, what);
	}
	if (r->ordinal >= b->devices)
		return mt__fail_null(MT_E_DEVICE, "backend %s has no device %d; there %s %d, counted from 0", b->name,
		                     r->ordinal, b->devices == 1 ? "is" : "are", b->devices);
	return open_one(b, r->ordinal, &r->options);
}

static mt_device *open_named(struct mt__registry *registry, const char *text) {
	struct request r = {0};
	mt_device *d = parse(text, &r) == MT_OK ? open_request(registry, text, &r) : NULL;
	mt__options_free(&r.options);
	return d;
}

/* ---- auto ---- */

/* The untried backend of the highest priority; the first in search order among equals. */
static struct mt__backend *best(const struct mt__registry *registry, const unsigned char *tried) {
	struct mt__backend *found = NULL;
	for (size_t i = 0; i < registry->n_backends; i++) {
		struct mt__backend *b = &registry->backends[i];
		if (tried[i] || b->disabled || (b->state != MT__BACKEND_CANDIDATE && b->state != MT__BACKEND_USABLE))
			continue;
		if (found == NULL || b->priority > found->priority)
			found = b;
	}
	return found;
}

/* Passes over backends that have no device (R19), and, with a warning, over one whose device will not open. */
static mt_device *open_best(struct mt__registry *registry) {
	static const struct mt__options none;
	unsigned char *tried = mt__calloc(registry->n_backends + 1, 1);
	mt_device *d = NULL;
	mt_status status = MT_E_DEVICE;
	if (tried == NULL)
		return mt__fail_null(MT_E_MEMORY, "device auto: out of memory (%zu bytes)", registry->n_backends);
	for (struct mt__backend *b; d == NULL && (b = best(registry, tried)) != NULL;) {
		tried[b - registry->backends] = 1;
		mt__backend_load(b);
		if (b->state != MT__BACKEND_USABLE)
			continue;
		mt_status before = mt_error_peek();
		d = open_one(b, 0, &none);
		/* a bad option is the user's to mend, not a reason to run elsewhere */
		if (d == NULL && mt_error_peek() == MT_E_ARG)
			break;
		if (d == NULL && before == MT_OK) {
			const char *words = mt_error_take(&status);
			mt__log(MT_LOG_WARN, MT_LOG_LOADER, "auto passes %s over: %s", b->name, words);
			mt__free(b->reason);
			b->reason = mt__strdup(words);
			b->state = status == MT_E_MEMORY ? b->state : MT__BACKEND_UNUSABLE;
		}
	}
	mt__free(tried);
	return d != NULL || mt_error_peek() == MT_E_ARG ? d : fail_listing(registry, "no backend has a device");
}

static mt_device *open_auto(struct mt__registry *registry) {
	const char *name = mt__getenv("MT_BACKEND");
	return name != NULL && strcmp(name, "auto") != 0 ? open_named(registry, name) : open_best(registry);
}

mt_device *mt_device_open(const char *name) {
	struct mt__registry *registry;
	mt_device *d = NULL;
	if (name == NULL) {
		mt__fail_arg_null("mt_device_open", "name");
		return NULL;
	}
	mt__loader_lock();
	if (mt__check_environment() == MT_OK && mt__registry(&registry) == MT_OK)
		d = strcmp(name, "auto") == 0 ? open_auto(registry) : open_named(registry, name);
	mt__loader_unlock();
	return d;
}

/* ---- default and current ---- */

mt_device *mt_device_current(void) {
	if (current_device != NULL)
		return current_device;
	mt_device *d = atomic_load_explicit(&default_device, memory_order_acquire);
	if (d != NULL)
		return d;
	mt__loader_lock();
	d = atomic_load_explicit(&default_device, memory_order_acquire);
	if (d == NULL && (d = mt_device_open("auto")) != NULL)
		atomic_store_explicit(&default_device, d, memory_order_release);
	mt__loader_unlock();
	return d;
}

mt_status mt_device_use(mt_device *device) {
	if (device == NULL)
		return mt__fail_arg_null("mt_device_use", "device");
	current_device = device;
	return MT_OK;
}

/* ---- the reference ---- */

mt_device *mt__reference_device(char *why, size_t size) {
	static _Atomic(mt_device *) reference;
	static const struct mt__options none;
	struct mt__registry *registry;
	mt_device *d = atomic_load_explicit(&reference, memory_order_acquire);
	if (d != NULL)
		return d;
	snprintf(why, size, "there is no reference backend to run it on");
	mt__loader_lock();
	mt_status before = mt_error_peek();
	struct mt__backend *b = mt__registry(&registry) == MT_OK ? mt__registry_reference(registry) : NULL;
	if (b != NULL) {
		mt__backend_load(b);
		d = b->state == MT__BACKEND_USABLE ? open_one(b, 0, &none) : NULL;
		if (d == NULL)
			snprintf(why, size, "the reference backend, %s, cannot run it: %s", b->name,
			         b->state != MT__BACKEND_USABLE && b->reason != NULL ? b->reason
			         : before == MT_OK                                   ? mt_error_take(NULL)
			                                                             : "it cannot be opened");
		else if ((d->info.flags & MT_DEVICE_HOST_MEMORY) == 0) {
			snprintf(why, size, "the reference backend, %s, does not work in host memory", b->name);
			d = NULL;
		}
	}
	if (d != NULL)
		atomic_store_explicit(&reference, d, memory_order_release);
	mt__loader_unlock();
	return d;
}
