/* mt-info: where libmt looks for backends, what it found, and why something is missing. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "mt/backend.h"

static int as_json;

static const struct cli_option options[] = {
	{"json", CLI_FLAG, &as_json, NULL, "print what was found as a JSON document", 0, 0, NULL},
	{0},
};

static const struct cli cli = {
	"mt-info",
	"Show where mt looks for backends, which it found, and why others cannot be used.",
	options,
	"Environment: MT_MANIFEST_PATH, MT_ADD_MANIFEST_PATH, MT_BACKENDS_DISABLE, MT_BACKEND; MT_LOG=debug,loader tells\n"
	"each step of the search.  The exit status is 0 where some backend has a device, else 1.\n",
};

/* ---- reading the document ---- */

static const char *text(const json_t *object, const char *key) {
	const char *value = json_string_value(json_object_get(object, key));
	return value != NULL ? value : "";
}

static int is(const json_t *object, const char *key, const char *value) {
	return strcmp(text(object, key), value) == 0;
}

/* ---- printing ---- */

static void print_bytes(json_int_t bytes) {
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
	double value = (double)bytes;
	int unit = 0;
	while (value >= 1024 && unit < 4) {
		value /= 1024;
		unit++;
	}
	printf(unit > 0 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

static void print_place(const json_t *place) {
	static const struct {
		const char *source, *words;
	} sources[] = {{"user", "of this user"}, {"system", "of this system"}, {"libmt", "beside libmt"}};
	const char *from = text(place, "source");
	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
		if (strcmp(from, sources[i].source) == 0)
			from = sources[i].words;
	printf("  %s (%s): %s", text(place, "path"), from,
	       is(place, "state", "absent") ? "not there" : text(place, "state"));
	printf("%s%s\n", text(place, "reason")[0] != '\0' ? ": " : "", text(place, "reason"));
}

static void print_manifest(const json_t *manifest) {
	json_int_t n = json_integer_value(json_object_get(manifest, "backends"));
	if (is(manifest, "state", "skipped"))
		printf("  %s: skipped: %s\n", text(manifest, "path"), text(manifest, "reason"));
	else
		printf("  %s: %" JSON_INTEGER_FORMAT " backend%s\n", text(manifest, "path"), n, n == 1 ? "" : "s");
}

static void print_device(const json_t *device) {
	const json_t *features = json_object_get(device, "features");
	if (text(device, "reason")[0] != '\0') {
		printf("    device %s: cannot be described: %s\n", text(device, "device"), text(device, "reason"));
		return;
	}
	printf("    device %s: %s", text(device, "device"), text(device, "name"));
	json_int_t bytes = json_integer_value(json_object_get(device, "memory_bytes"));
	if (bytes > 0) {
		printf(", ");
		print_bytes(bytes);
		printf("%s", json_is_true(json_object_get(device, "host_memory")) ? " of host memory" : " of its own");
	}
	printf("\n");
	for (size_t i = 0; i < json_array_size(features); i++)
		printf("%s%s", i == 0 ? "      features: " : " ", json_string_value(json_array_get(features, i)));
	if (json_array_size(features) > 0)
		printf("\n");
}

static void print_options(json_t *given) {
	int n = 0;
	for (void *at = json_object_iter(given); at != NULL; at = json_object_iter_next(given, at))
		printf("%s%s=%s", n++ == 0 ? "    options: " : ",", json_object_iter_key(at),
		       json_string_value(json_object_iter_value(at)));
	if (n > 0)
		printf("\n");
}

static void print_backend(const json_t *backend) {
	const json_t *devices = json_object_get(backend, "devices");
	const char *reason = text(backend, "reason");
	printf("  %s: %s", text(backend, "name"),
	       is(backend, "state", "no-device") ? "not usable" : text(backend, "state"));
	printf("%s%s\n", reason[0] != '\0' ? ": " : "", reason);
	if (text(backend, "description")[0] != '\0')
		printf("    %s\n", text(backend, "description"));
	printf("    library: %s\n", text(backend, "library"));
	printf("    manifest: %s (priority %" JSON_INTEGER_FORMAT "%s)\n", text(backend, "manifest"),
	       json_integer_value(json_object_get(backend, "priority")),
	       is(backend, "role", "reference") ? ", the reference" : "");
	if (text(backend, "version")[0] != '\0')
		printf("    plugin: %s %s, ABI %s\n", text(backend, "plugin"), text(backend, "version"), text(backend, "abi"));
	print_options(json_object_get(backend, "options"));
	for (size_t i = 0; i < json_array_size(devices); i++)
		print_device(json_array_get(devices, i));
}

/* The usable backend that "auto" tries first; NULL when there is none. */
static const json_t *first_choice(const json_t *backends) {
	const json_t *found = NULL;
	for (size_t i = 0; i < json_array_size(backends); i++) {
		const json_t *b = json_array_get(backends, i);
		if (is(b, "state", "usable") && (found == NULL || json_integer_value(json_object_get(b, "priority")) >
		                                                      json_integer_value(json_object_get(found, "priority"))))
			found = b;
	}
	return found;
}

static void print_list(const json_t *root, const char *key, const char *title, void (*print)(const json_t *)) {
	const json_t *list = json_object_get(root, key);
	printf("\n%s\n", title);
	for (size_t i = 0; i < json_array_size(list); i++)
		print(json_array_get(list, i));
	if (json_array_size(list) == 0)
		printf("  none\n");
}

static void print_choice(const json_t *choice) {
	const char *asked = getenv("MT_BACKEND");
	if (asked != NULL && asked[0] != '\0' && strcmp(asked, "auto") != 0)
		printf("\nPrograms use %s, as MT_BACKEND says.\n", asked);
	else if (choice != NULL)
		printf("\nPrograms use %s where they are not told otherwise: MT_BACKEND=NAME chooses.\n", text(choice, "name"));
	else
		printf("\nNo backend has a device here.\n");
}

static int print_all(const char *document) {
	json_error_t error;
	json_t *root = json_loads(document, 0, &error);
	if (root == NULL)
		return cli_fail(&cli, 1, "libmt's document cannot be read: %s", error.text);
	const json_t *choice = first_choice(json_object_get(root, "backends"));
	int status = choice == NULL;
	if (as_json) {
		printf("%s\n", document);
	} else {
		printf("mt %s, plugin ABI %s\n", text(root, "version"), text(root, "abi"));
		print_list(root, "search_path", "Search path", print_place);
		print_list(root, "manifests", "Manifests", print_manifest);
		print_list(root, "backends", "Backends", print_backend);
		print_choice(choice);
	}
	json_decref(root);
	return status;
}

int main(int argc, char **argv) {
	int status = cli_parse(&cli, argc, argv);
	if (status >= 0)
		return status;
	char *document = mt_backends_json();
	if (document == NULL)
		return cli_fail(&cli, 1, "%s", mt_error_take(NULL));
	status = print_all(document);
	mt_free(document);
	if (fflush(stdout) != 0)
		return cli_fail(&cli, 1, "the output cannot be written");
	return status;
}
