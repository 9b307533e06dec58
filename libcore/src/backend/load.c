/* Loading a library and negotiating with its entry (R1 to R4, R18). */
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "backend/call.h"
#include "backend/registry.h"
#include "base/log.h"

/* What major 0 needs of a plugin's table (R4): everything up to device_close. */
#define PLUGIN_API_NEEDED (offsetof(struct mt_plugin_api, device_close) + sizeof(void (*)(mt_plugin_device *)))

enum { MOST_DEVICES = 1024, MOST_MINOR = 0xffff, GUARD_BYTES = 1024, GUARD = 0xA5 };

/* Every library that was tried, good or refused; kept for the process's life, as the libraries are. */
static struct mt__plugin *plugins;

/* ---- the table ---- */

static char *wrong_text(const char *field, const char *value) {
	if (value == NULL || value[0] == '\0')
		return mt__format("R2: the plugin table has no %s", field);
	return NULL;
}

/* Why the table that an entry filled cannot be used; NULL when it can.  *refused tells, for the text may be NULL when
 * memory is short. */
static char *check_table(const struct mt_plugin_api *api, size_t given, int *refused) {
	char *reason = NULL;
	*refused = 1;
	if (api->struct_size < PLUGIN_API_NEEDED)
		return mt__format("R4: plugin table of %u bytes, at least %zu are needed", api->struct_size, PLUGIN_API_NEEDED);
	if (api->struct_size > given)
		return mt__format("R3: the plugin says it filled %u bytes of a table of %zu", api->struct_size, given);
	if (api->abi_major != MT_ABI_MAJOR)
		return mt__format("R2: built for ABI major %u, this libmt has %u", api->abi_major, MT_ABI_MAJOR);
	if (api->abi_minor > MOST_MINOR)
		return mt__format("R2: ABI minor %u is no version", api->abi_minor);
	if (api->device_count == NULL || api->device_info == NULL || api->device_open == NULL || api->device_close == NULL)
		return mt__format("R2: the plugin table lacks %s", api->device_count == NULL  ? "device_count"
		                                                   : api->device_info == NULL ? "device_info"
		                                                   : api->device_open == NULL ? "device_open"
		                                                                              : "device_close");
	*refused = api->name == NULL || api->version == NULL || api->description == NULL || api->name[0] == '\0' ||
	           api->version[0] == '\0' || api->description[0] == '\0';
	if (*refused)
		reason = wrong_text("name", api->name);
	if (*refused && reason == NULL)
		reason = wrong_text("version", api->version);
	if (*refused && reason == NULL)
		reason = wrong_text("description", api->description);
	return reason;
}

static char *failed_entry(int32_t result, const struct mt__call *call) {
	char text[MT__CALL_TEXT];
	mt__call_message(call, text, sizeof text);
	if (text[0] == '\0')
		return mt__format("R6: the entry failed with status %d (%s) and no message", result, mt_status_name(result));
	return mt__format("R2: the entry refused: %s (%s)", text, mt_status_name(mt__call_status(result)));
}

/* Calls the entry.  The table has a guard behind it, so that a plugin that fills more than it was given is caught. */
static char *negotiate(mt_plugin_entry_fn entry, struct mt__plugin *plugin, int *refused) {
	struct {
		struct mt_plugin_api api;
		unsigned char guard[GUARD_BYTES];
	} table;
	struct mt_plugin_request request = {
		.struct_size = sizeof request, .kind = MT_KIND_DEVICE, .kind_version = MT_ABI_MINOR};
	struct mt__call call;
	memset(&table.api, 0, sizeof table.api);
	memset(table.guard, GUARD, sizeof table.guard);
	table.api.struct_size = sizeof table.api;

	mt__call_begin(&call);
	int32_t result = entry(&mt__host_api, &request, &table.api);
	mt__call_end(&call);

	*refused = 1;
	for (size_t i = 0; i < sizeof table.guard; i++)
		if (table.guard[i] != GUARD)
			return mt__format("R3: the plugin wrote past the table of %zu bytes it was given", sizeof table.api);
	if (result != MT_OK)
		return failed_entry(result, &call);
	char *reason = check_table(&table.api, sizeof table.api, refused);
	if (!*refused) {
		memcpy(&plugin->api, &table.api, table.api.struct_size);
		plugin->minor = table.api.abi_minor < MT_ABI_MINOR ? table.api.abi_minor : MT_ABI_MINOR;
	}
	return reason;
}

/* ---- the library ---- */

static char *open_library(struct mt__plugin *plugin, int *refused) {
	*refused = 1;
	if (!mt__library_is_whole(plugin->path))
		return mt__format("R18: the library cannot be loaded: %s is cut short", plugin->path);
	void *handle = dlopen(plugin->path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (handle == NULL) {
		const char *error = dlerror();
		return mt__format("R18: the library cannot be loaded: %s", error != NULL ? error : "no reason given");
	}
	/* POSIX has dlsym give functions as data pointers; copying the bits is how C lets us take one */
	mt_plugin_entry_fn entry = NULL;
	void *symbol = dlsym(handle, MT_PLUGIN_ENTRY);
	if (symbol == NULL)
		return mt__format("R1: %s exports no %s", plugin->path, MT_PLUGIN_ENTRY);
	memcpy(&entry, &symbol, sizeof entry);
	return negotiate(entry, plugin, refused);
}

/* The plugin in a library, loaded at first use; NULL when out of memory. */
static struct mt__plugin *load_library(const char *path) {
	for (struct mt__plugin *p = plugins; p != NULL; p = p->next)
		if (strcmp(p->path, path) == 0)
			return p;
	struct mt__plugin *plugin = mt__calloc(1, sizeof *plugin);
	if (plugin == NULL || (plugin->path = mt__strdup(path)) == NULL) {
		mt__free(plugin);
		return NULL;
	}
	plugin->generation = mt__fork_generation;
	plugin->next = plugins;
	plugins = plugin;
	plugin->reason = open_library(plugin, &plugin->refused);
	if (plugin->refused)
		mt__log(MT_LOG_WARN, MT_LOG_LOADER, "%s: refused: %s", path,
		        plugin->reason != NULL ? plugin->reason : "out of memory");
	else
		mt__log(MT_LOG_INFO, MT_LOG_LOADER, "%s: loaded %s %s, ABI %u.%u", path, plugin->api.name, plugin->api.version,
		        plugin->api.abi_major, plugin->api.abi_minor);
	return plugin;
}

/* ---- the backend ---- */

static int count_devices(struct mt__backend *b) {
	struct mt__call call;
	char text[MT__CALL_TEXT];
	int32_t count = 0;
	mt__call_begin(&call);
	int32_t result = b->plugin->api.device_count(&count);
	mt__call_end(&call);
	mt__call_message(&call, text, sizeof text);
	const char *words = text[0] != '\0' ? text : "the plugin gave no reason";
	if (result != MT_OK) {
		b->reason = mt__format("counting devices failed: %s (%s)", words, mt_status_name(mt__call_status(result)));
		return MT__BACKEND_UNUSABLE;
	}
	if (count < 0 || count > MOST_DEVICES) {
		b->reason = mt__format("R2: device_count gave %d", count);
		return MT__BACKEND_UNUSABLE;
	}
	if (count == 0) {
		b->reason = mt__format("no device: %s", words);
		return MT__BACKEND_NO_DEVICE;
	}
	b->devices = count;
	return MT__BACKEND_USABLE;
}

void mt__backend_load(struct mt__backend *b) {
	if (b->state != MT__BACKEND_CANDIDATE)
		return;
	struct mt__plugin *plugin = load_library(b->path);
	if (plugin == NULL)
		return; /* out of memory: it stays a candidate, for another try */
	b->plugin = plugin;
	if (plugin->refused) {
		b->reason = plugin->reason != NULL ? mt__strdup(plugin->reason) : NULL;
		b->state = MT__BACKEND_UNUSABLE;
	} else if (plugin->generation != mt__fork_generation) {
		b->reason = mt__format("%s was loaded before this process was forked", b->path);
		b->state = MT__BACKEND_UNUSABLE;
	} else {
		b->state = count_devices(b);
	}
	if (b->state != MT__BACKEND_USABLE)
		mt__log(MT_LOG_INFO, MT_LOG_LOADER, "backend %s: %s", b->name, b->reason != NULL ? b->reason : "");
}
