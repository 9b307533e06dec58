/* Reading a manifest (R14, R15): JSON, checked strictly, with the reason kept for whatever is skipped. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/registry.h"
#include "base/error.h"
#include "base/log.h"

enum { MAX_BYTES = 64 * 1024, KNOWN_MAJOR = 1, KNOWN_MINOR = 0, MAX_PRIORITY = 1000000 };

/* One entry while it is read: what to fill, and the first thing that is wrong with it. */
struct reading {
	struct mt__backend *backend;
	const char *folder; /* absolute, of the manifest */
	enum mt__source source;
	int minor;
	int failed;
	int out_of_memory; /* then it is not the manifest's fault: discovery ends, to be tried again */
};

/* Reasons quote the file, and are shown on terminals. */
static void make_printable(char *text) {
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

static void refuse(struct reading *r, const char *format, ...) MT_PRINTF(2, 3);

static void refuse(struct reading *r, const char *format, ...) {
	if (r->failed)
		return;
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	make_printable(text);
	r->failed = 1;
	r->backend->state = MT__BACKEND_SKIPPED;
	r->backend->reason = mt__strdup(text);
	r->out_of_memory |= r->backend->reason == NULL;
}

/* ---- values ---- */

static int has_control(const char *text) {
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return 1;
	return 0;
}

/* The string under key; NULL when it is absent, or (refused) no string or one that would upset a terminal. */
static const char *get_string(struct reading *r, const json_t *entry, const char *key, int required) {
	const json_t *value = json_object_get(entry, key);
	if (value == NULL) {
		if (required)
			refuse(r, "R14: \"%s\" is missing", key);
		return NULL;
	}
	if (!json_is_string(value) || has_control(json_string_value(value)) || json_string_value(value)[0] == '\0') {
		refuse(r, "R14: \"%s\" must be a string of printable text", key);
		return NULL;
	}
	return json_string_value(value);
}

static json_int_t get_integer(struct reading *r, const json_t *entry, const char *key, json_int_t absent,
                              json_int_t low, json_int_t high) {
	const json_t *value = json_object_get(entry, key);
	if (value == NULL)
		return absent;
	if (!json_is_integer(value) || json_integer_value(value) < low || json_integer_value(value) > high) {
		refuse(r, "R14: \"%s\" must be a whole number from %lld to %lld", key, (long long)low, (long long)high);
		return absent;
	}
	return json_integer_value(value);
}

/* Unknown keys are what a newer minor brings; in a file of a known version they are mistakes. */
static void check_keys(struct reading *r, json_t *entry) {
	static const char known[] = " name library abi priority role description options ";
	if (r->minor > KNOWN_MINOR)
		return;
	for (void *at = json_object_iter(entry); at != NULL; at = json_object_iter_next(entry, at)) {
		const char *key = json_object_iter_key(at);
		char word[80];
		snprintf(word, sizeof word, " %s ", key);
		if (strchr(key, ' ') != NULL || strstr(known, word) == NULL)
			refuse(r,
			       "R14: unknown key \"%s\"; there are name, library, abi, priority, role, description and "
			       "options",
			       key);
	}
}

static void read_options(struct reading *r, const json_t *entry) {
	json_t *options = json_object_get(entry, "options");
	if (options == NULL)
		return;
	if (!json_is_object(options)) {
		refuse(r, "R14: \"options\" must be an object of strings and whole numbers");
		return;
	}
	for (void *at = json_object_iter(options); at != NULL; at = json_object_iter_next(options, at)) {
		const char *key = json_object_iter_key(at);
		const json_t *value = json_object_iter_value(at);
		char number[32];
		const char *text = json_string_value(value);
		if (json_is_integer(value)) {
			snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
			text = number;
		}
		if (!mt__option_key_ok(key, strlen(key)) || text == NULL || !mt__option_value_ok(text, strlen(text)))
			refuse(r,
			       "R14: option \"%s\": a key of a-z, 0-9 and _, and a string without commas or a whole "
			       "number are needed",
			       key);
		else if (mt__options_set(&r->backend->options, key, strlen(key), text, strlen(text)) != MT_OK)
			r->out_of_memory = 1;
	}
}

static void read_role(struct reading *r, const json_t *entry) {
	const char *role = get_string(r, entry, "role", 0);
	if (role == NULL || strcmp(role, "accelerator") == 0)
		return;
	if (strcmp(role, "reference") == 0)
		r->backend->is_reference = 1;
	else
		refuse(r, "R14: role \"%s\"; there are reference and accelerator", role);
}

/* ---- the library ---- */

static void check_library_trust(struct reading *r, char *path) {
	struct stat st;
	char why[512];
	if (stat(path, &st) != 0) {
		refuse(r, "R15: library %s: %s", path, strerror(errno));
		return;
	}
	if (!S_ISREG(st.st_mode)) {
		refuse(r, "R15: library %s is not a regular file", path);
		return;
	}
	if (mt__distrust(path, &st, r->source, why, sizeof why) != NULL) {
		refuse(r, "%s", why);
		return;
	}
	char *slash = strrchr(path, '/');
	*slash = '\0';
	const char *folder = path[0] != '\0' ? path : "/";
	if (stat(folder, &st) == 0 && mt__distrust(folder, &st, r->source, why, sizeof why) != NULL)
		refuse(r, "%s", why);
	*slash = '/';
}

/* Absolute, or below the manifest's folder when every link is followed: never what a linker would search for. */
static void resolve_library(struct reading *r, const char *library) {
	char *joined = library[0] == '/' ? mt__strdup(library) : mt__format("%s/%s", r->folder, library);
	char *path = joined != NULL ? realpath(joined, NULL) : NULL;
	size_t length = strlen(r->folder);
	if (joined == NULL)
		r->out_of_memory = 1;
	else if (path == NULL)
		refuse(r, "R15: library %s: %s", joined, strerror(errno));
	else if (library[0] != '/' && strcmp(r->folder, "/") != 0 &&
	         (strncmp(path, r->folder, length) != 0 || path[length] != '/'))
		refuse(r, "R15: library %s leaves the manifest's folder: it is %s", library, path);
	else
		check_library_trust(r, path);
	if (path != NULL && !r->failed) {
		r->backend->path = mt__strdup(path);
		if (r->backend->path == NULL)
			r->out_of_memory = 1;
	}
	free(path);
	mt__free(joined);
}

/* ---- entries ---- */

static void read_name(struct reading *r, const json_t *entry) {
	const char *name = get_string(r, entry, "name", 1);
	if (name != NULL && (!mt__is_name(name, strlen(name)) || strcmp(name, "auto") == 0)) {
		refuse(r, "R14: name \"%.40s\" must match [a-z][a-z0-9_]{0,31} and not be auto", name);
		return;
	}
	char *copy = name != NULL ? mt__strdup(name) : NULL;
	r->out_of_memory |= name != NULL && copy == NULL;
	if (copy != NULL) {
		mt__free(r->backend->name);
		r->backend->name = copy;
	}
}

static char *copy_or_empty(const char *text) {
	return mt__strdup(text != NULL ? text : "");
}

static void read_fields(struct reading *r, json_t *entry) {
	struct mt__backend *b = r->backend;
	if (!json_is_object(entry)) {
		refuse(r, "R14: an entry of \"backends\" must be an object");
		b->library = copy_or_empty(NULL);
		b->description = copy_or_empty(NULL);
		return;
	}
	read_name(r, entry);
	const char *library = get_string(r, entry, "library", 1);
	b->library = copy_or_empty(library);
	b->description = copy_or_empty(get_string(r, entry, "description", 0));
	check_keys(r, entry);
	json_int_t abi = get_integer(r, entry, "abi", -1, 0, INT32_MAX);
	if (json_object_get(entry, "abi") == NULL)
		refuse(r, "R14: \"abi\" is missing");
	else if (abi != (json_int_t)MT_ABI_MAJOR)
		refuse(r, "R2: made for ABI major %lld, this libmt has %u", (long long)abi, MT_ABI_MAJOR);
	b->priority = (int32_t)get_integer(r, entry, "priority", 0, -MAX_PRIORITY, MAX_PRIORITY);
	read_role(r, entry);
	read_options(r, entry);
	if (!r->failed && library != NULL)
		resolve_library(r, library);
}

static mt_status add_backend(struct mt__registry *registry, json_t *entry, struct reading reading,
                             const char *manifest) {
	struct mt__backend *grown =
		mt__registry_grow(registry->backends, registry->n_backends, &registry->backend_capacity, sizeof *grown);
	if (grown == NULL)
		return mt__fail_memory("discovery", sizeof *grown);
	registry->backends = grown;
	struct mt__backend *b = &grown[registry->n_backends++];
	*b = (struct mt__backend){.name = mt__strdup("?"), .manifest = mt__strdup(manifest)};
	if (b->name == NULL || b->manifest == NULL)
		return mt__fail_memory("discovery", strlen(manifest));
	reading.backend = b;
	read_fields(&reading, entry);
	if (b->library == NULL || b->description == NULL || reading.out_of_memory)
		return mt__fail_memory("discovery", sizeof *b);
	if (reading.failed)
		mt__log(MT_LOG_WARN, MT_LOG_LOADER, "%s: backend %s skipped: %s", manifest, b->name,
		        b->reason != NULL ? b->reason : "out of memory");
	else
		mt__log(MT_LOG_INFO, MT_LOG_LOADER, "%s: backend %s in %s", manifest, b->name, b->path);
	return MT_OK;
}

/* ---- files ---- */

/* "1.0" and the like; 0 where it is none. */
static int parse_version(const char *text, int *major, int *minor) {
	int end = -1;
	return strspn(text, "0123456789.") == strlen(text) && strlen(text) < 12 &&
	       sscanf(text, "%d.%d%n", major, minor, &end) == 2 && text[end] == '\0';
}

/* The array of backends; NULL where the document is not a manifest, with the reason. */
static json_t *check_document(json_t *document, int *minor, char *why, size_t size) {
	const char *version = json_string_value(json_object_get(document, "manifest_version"));
	json_t *backends = json_object_get(document, "backends");
	int major = 0;
	if (!json_is_object(document))
		snprintf(why, size, "R14: a manifest is a JSON object");
	else if (version == NULL || !parse_version(version, &major, minor))
		snprintf(why, size, "R14: \"manifest_version\" must be a string such as \"1.0\"");
	else if (major != KNOWN_MAJOR)
		snprintf(why, size, "R14: manifest_version %.11s is unknown; this libmt reads %d.x", version, KNOWN_MAJOR);
	else if (!json_is_array(backends))
		snprintf(why, size, "R14: \"backends\" must be an array");
	else {
		for (void *at = json_object_iter(document); at != NULL; at = json_object_iter_next(document, at)) {
			const char *key = json_object_iter_key(at);
			if (*minor > KNOWN_MINOR || strcmp(key, "manifest_version") == 0 || strcmp(key, "backends") == 0)
				continue;
			snprintf(why, size, "R14: unknown key \"%.80s\"; there are manifest_version and backends", key);
			return NULL;
		}
		return backends;
	}
	return NULL;
}

static ssize_t read_all(int fd, char *text, size_t room) {
	size_t length = 0;
	while (length < room) {
		ssize_t n = read(fd, text + length, room - length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	return (ssize_t)length;
}

/* The whole file in text, which has room for MAX_BYTES + 1; −1 with the reason where it can't be taken. */
static ssize_t read_file(const char *path, enum mt__source source, char *text, char *why, size_t size) {
	struct stat st;
	ssize_t length = -1;
	/* not blocking: a FIFO must not hold discovery up before it is known to be one */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) != 0)
		snprintf(why, size, "%s", strerror(errno));
	else if (!S_ISREG(st.st_mode))
		snprintf(why, size, "R14: not a regular file");
	else if (mt__distrust(path, &st, source, why, size) == NULL) {
		length = read_all(fd, text, MAX_BYTES + 1);
		if (length < 0)
			snprintf(why, size, "%s", strerror(errno));
		if (length > MAX_BYTES) {
			snprintf(why, size, "R14: more than %d bytes", MAX_BYTES);
			length = -1;
		}
	}
	if (fd >= 0)
		close(fd);
	return length;
}

/* The folder of a manifest, resolved; NULL where it may not be used, with the reason ("" is out of memory). */
static char *folder_of(const char *path, enum mt__source source, char *why, size_t size) {
	char *copy = mt__strdup(path);
	if (copy == NULL)
		return NULL;
	char *slash = strrchr(copy, '/');
	if (slash != NULL)
		slash[slash == copy] = '\0';
	char *folder = realpath(slash != NULL ? copy : ".", NULL);
	mt__free(copy);
	struct stat st;
	if (folder == NULL || stat(folder, &st) != 0)
		snprintf(why, size, "%s", strerror(errno));
	else if (mt__distrust(folder, &st, source, why, size) == NULL)
		return folder;
	free(folder);
	return NULL;
}

/* The document; NULL with the reason ("" is out of memory). */
static json_t *parse(const char *path, enum mt__source source, char *why, size_t size) {
	char *text = mt__alloc(MAX_BYTES + 1);
	json_t *document = NULL;
	json_error_t error;
	if (text == NULL)
		return NULL;
	ssize_t length = read_file(path, source, text, why, size);
	if (length >= 0) {
		document = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES, &error);
		if (document == NULL)
			snprintf(why, size, "R14: line %d, column %d: %s", error.line, error.column, error.text);
	}
	mt__free(text);
	return document;
}

mt_status mt__manifest_read(struct mt__registry *registry, const char *path, enum mt__source source) {
	char why[1024] = "";
	struct reading reading = {.source = source};
	struct mt__manifest *grown =
		mt__registry_grow(registry->manifests, registry->n_manifests, &registry->manifest_capacity, sizeof *grown);
	char *copy = mt__strdup(path);
	if (grown != NULL)
		registry->manifests = grown;
	if (grown == NULL || copy == NULL) {
		mt__free(copy);
		return mt__fail_memory("discovery", sizeof *grown);
	}
	struct mt__manifest *manifest = &grown[registry->n_manifests++];
	*manifest = (struct mt__manifest){.path = copy, .source = source};

	mt_status status = MT_OK;
	char *folder = folder_of(path, source, why, sizeof why);
	json_t *document = folder != NULL ? parse(path, source, why, sizeof why) : NULL;
	json_t *backends = document != NULL ? check_document(document, &reading.minor, why, sizeof why) : NULL;
	reading.folder = folder;
	manifest->entries = (int)json_array_size(backends);
	if (backends == NULL && why[0] == '\0') {
		status = mt__fail_memory("discovery", MAX_BYTES);
	} else if (backends == NULL) {
		make_printable(why);
		manifest->skipped = 1;
		manifest->reason = mt__strdup(why);
		mt__log(MT_LOG_WARN, MT_LOG_LOADER, "%s: skipped: %s", path, why);
	}
	for (size_t i = 0; i < json_array_size(backends) && status == MT_OK; i++)
		status = add_backend(registry, json_array_get(backends, i), reading, path);
	json_decref(document);
	free(folder);
	return status;
}
