/* The entry and what is negotiated through it (R1, R2, R4, R13). */
#include <fenv.h>
#include <locale.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "elf_symbols.h"
#include "structure.h"

static const struct mt_plugin_request device_request = {
	.struct_size = sizeof device_request, .kind = MT_KIND_DEVICE, .kind_version = 1};

/* A host that differs in one thing; a plugin keeps the pointer, so it must stay. */
static struct mt_host_api *new_host(void) {
	static struct mt_host_api hosts[8];
	static int n;
	struct mt_host_api *h = &hosts[n++ % 8];
	*h = cf_host_api;
	return h;
}

/* ---- R13: loading does not change the process ---- */

struct process {
	struct sigaction handlers[32];
	char locale[256];
	int rounding;
	cpu_set_t cpus;
	double half_of_smallest;
	long written; /* to stdout */
};

static void look(struct process *p) {
	volatile double smallest = 0x1p-1022;
	memset(p, 0, sizeof *p);
	for (int i = 1; i < 32; i++)
		sigaction(i, NULL, &p->handlers[i]);
	snprintf(p->locale, sizeof p->locale, "%s", setlocale(LC_ALL, NULL));
	p->rounding = fegetround();
	sched_getaffinity(0, sizeof p->cpus, &p->cpus);
	p->half_of_smallest = smallest / 2;
}

static int same_handlers(const struct process *a, const struct process *b, int *which) {
	for (int i = 1; i < 32; i++)
		if (a->handlers[i].sa_handler != b->handlers[i].sa_handler) {
			*which = i;
			return 0;
		}
	return 1;
}

static void leaves_process_alone(struct cf_structure_run *r) {
	struct process before, after;
	struct mt_plugin_api plugin;
	FILE *out = tmpfile();
	int saved = dup(STDOUT_FILENO), signal_number = 0;
	if (out != NULL)
		dup2(fileno(out), STDOUT_FILENO);
	look(&before);
	int loaded = cf_load(r->target->path, &plugin);
	look(&after);
	long written = 0;
	if (out != NULL) {
		fflush(stdout);
		written = (long)lseek(fileno(out), 0, SEEK_END);
		fclose(out);
	}
	dup2(saved, STDOUT_FILENO);
	close(saved);
	cf_expect(r, loaded, "%s", cf_error());
	cf_expect(r, same_handlers(&before, &after, &signal_number), "loading it changed what signal %d does",
	          signal_number);
	cf_expect(r, strcmp(before.locale, after.locale) == 0, "loading it changed the locale to %s", after.locale);
	cf_expect(r, before.rounding == after.rounding, "loading it changed the rounding mode");
	cf_expect(r, before.half_of_smallest == after.half_of_smallest, "loading it makes subnormals flush to zero");
	cf_expect(r, CPU_EQUAL(&before.cpus, &after.cpus), "loading it changed the CPU affinity");
	cf_expect(r, written == 0, "loading it wrote %ld bytes to stdout", written);
}

/* ---- R1 ---- */

static void one_symbol(struct cf_structure_run *r) {
	char names[512];
	int n = cf_exported_symbols(r->target->path, names, sizeof names);
	if (n < 0)
		cf_skip(r, "%s", names);
	else
		cf_expect(r, n == 1 && strcmp(names, MT_PLUGIN_ENTRY) == 0, "R1: it exports %d symbols: %.300s", n, names);
}

/* ---- R2 ---- */

static int is_text(const char *text) {
	return text != NULL && text[0] != '\0';
}

static void fills_table(struct cf_structure_run *r) {
	struct mt_plugin_api api = {.struct_size = sizeof api};
	mt_plugin_entry_fn entry = cf_entry(r->target->path);
	if (!cf_expect(r, entry != NULL, "%s", cf_error()))
		return;
	int32_t status = entry(new_host(), &device_request, &api);
	cf_expect(r, status == MT_OK, "the entry returns %d: %s", (int)status, cf_error());
	cf_expect(r, api.struct_size >= offsetof(struct mt_plugin_api, device_close) + sizeof api.device_close,
	          "R4: struct_size %u does not hold device_close", api.struct_size);
	cf_expect(r, api.struct_size <= sizeof api, "struct_size %u is more than the %zu that the host offers",
	          api.struct_size, sizeof api);
	cf_expect(r, api.abi_major == MT_ABI_MAJOR, "abi_major is %u, not %u", api.abi_major, MT_ABI_MAJOR);
	cf_expect(r, is_text(api.name) && is_text(api.version) && is_text(api.description),
	          "name, version and description must be there");
	cf_expect(
		r, api.device_count != NULL && api.device_info != NULL && api.device_open != NULL && api.device_close != NULL,
		"a function of the plugin's table is NULL");
}

/* A host that takes less than the plugin has: it fills that much or refuses, and touches nothing beyond. */
static void small_table(struct cf_structure_run *r) {
	mt_plugin_entry_fn entry = cf_entry(r->target->path);
	if (!cf_expect(r, entry != NULL, "%s", cf_error()))
		return;
	for (uint32_t size = sizeof(uint32_t) * 4; size < sizeof(struct mt_plugin_api); size += 8) {
		unsigned char room[sizeof(struct mt_plugin_api) + 64];
		struct mt_plugin_api *api = (struct mt_plugin_api *)(void *)room;
		memset(room, 0xA5, sizeof room);
		memset(room, 0, size);
		memcpy(room, &size, sizeof size);
		int32_t status = entry(new_host(), &device_request, api);
		size_t touched = sizeof room;
		while (touched > size && room[touched - 1] == 0xA5)
			touched--;
		cf_expect(r, touched == size, "R2: with room for %u bytes it wrote byte %zu", size, touched - 1);
		uint32_t filled;
		memcpy(&filled, room, sizeof filled);
		cf_expect(r, status != MT_OK || filled <= size, "R2: with room for %u bytes it says that it filled %u", size,
		          filled);
	}
}

/* reason: a host of another major may have set_error elsewhere, so none can be asked for there. */
static void refuses(struct cf_structure_run *r, const struct mt_host_api *host, const struct mt_plugin_request *request,
                    const char *what, int reason) {
	struct mt_plugin_api api = {.struct_size = sizeof api};
	mt_plugin_entry_fn entry = cf_entry(r->target->path);
	if (!cf_expect(r, entry != NULL, "%s", cf_error()))
		return;
	cf_error_clear();
	int32_t status = entry(host, request, &api);
	cf_expect(r, status != MT_OK, "R2: the entry takes %s", what);
	cf_expect(r, !reason || cf_error()[0] != '\0', "the entry refuses %s without a reason", what);
}

/* After a refusal the plugin still works. */
static void still_loads(struct cf_structure_run *r) {
	struct mt_plugin_api api;
	cf_expect(r, cf_load(r->target->path, &api), "after that it does not load any more: %s", cf_error());
}

static void refuses_other_major(struct cf_structure_run *r) {
	const uint32_t majors[] = {MT_ABI_MAJOR + 1, MT_ABI_MAJOR + 7, UINT32_MAX};
	for (int i = 0; i < 3; i++) {
		struct mt_host_api *host = new_host();
		char what[64];
		host->abi_major = majors[i];
		snprintf(what, sizeof what, "a host of ABI major %u", majors[i]);
		refuses(r, host, &device_request, what, 0);
	}
	still_loads(r);
}

static void refuses_other_kind(struct cf_structure_run *r) {
	const uint32_t kinds[] = {0, 4711, UINT32_MAX};
	for (int i = 0; i < 3; i++) {
		struct mt_plugin_request request = device_request;
		char what[64];
		request.kind = kinds[i];
		snprintf(what, sizeof what, "a request for a plugin of kind %u", kinds[i]);
		refuses(r, new_host(), &request, what, 1);
	}
	still_loads(r);
}

/* ---- negotiation ---- */

static void loads_with(struct cf_structure_run *r, const struct mt_host_api *host, const char *what) {
	struct mt_plugin_api api = {.struct_size = sizeof api};
	mt_plugin_entry_fn entry = cf_entry(r->target->path);
	int32_t count = -1;
	if (!cf_expect(r, entry != NULL, "%s", cf_error()))
		return;
	int32_t status = entry(host, &device_request, &api);
	if (cf_expect(r, status == MT_OK, "%s is refused: %s", what, cf_error()))
		cf_expect(r, api.device_count(&count) == MT_OK && count >= 1, "with %s it has no device: %s", what, cf_error());
}

static void newer_host(struct cf_structure_run *r) {
	static struct {
		struct mt_host_api api;
		void *more[8];
	} host;
	host.api = cf_host_api;
	host.api.struct_size = sizeof host;
	host.api.abi_minor = MT_ABI_MINOR + 5;
	loads_with(r, &host.api, "a host of a newer minor with a longer table");
}

static void newer_request(struct cf_structure_run *r) {
	struct {
		struct mt_plugin_request request;
		uint64_t more[8];
	} q = {.request = {.struct_size = sizeof q, .kind = MT_KIND_DEVICE, .kind_version = 1}};
	struct mt_plugin_api api = {.struct_size = sizeof api};
	mt_plugin_entry_fn entry = cf_entry(r->target->path);
	if (cf_expect(r, entry != NULL, "%s", cf_error()))
		cf_expect(r, entry(new_host(), &q.request, &api) == MT_OK, "a longer request is refused: %s", cf_error());
}

static void entry_again(struct cf_structure_run *r) {
	struct mt_plugin_api a, b;
	cf_expect(r, cf_load(r->target->path, &a), "%s", cf_error());
	cf_expect(r, cf_load(r->target->path, &b), "the second time: %s", cf_error());
	cf_expect(r, memcmp(&a, &b, sizeof a) == 0, "the entry gives another table when it is called again");
}

const struct cf_structure cf_entry_checks[] = {
	{"entry", "leaves_process_alone", 0, leaves_process_alone},
	{"entry", "one_symbol", 0, one_symbol},
	{"entry", "fills_table", 0, fills_table},
	{"entry", "small_table", 0, small_table},
	{"entry", "refuses_other_major", 0, refuses_other_major},
	{"entry", "refuses_other_kind", 0, refuses_other_kind},
	{"negotiation", "newer_host", 0, newer_host},
	{"negotiation", "newer_request", 0, newer_request},
	{"negotiation", "entry_again", 0, entry_again},
	{NULL, NULL, 0, NULL},
};
