/* Devices: what they say, what they refuse, several at once (R6, R11). */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "structure.h"

enum { MEMORY_KIND_SINCE = 2 }; /* the ABI's minor */

static void count(struct cf_structure_run *r) {
	int32_t first = -1, second = -1;
	cf_expect(r, r->host->plugin.device_count(&first) == MT_OK && first >= 1, "device_count: %d: %s", (int)first,
	          cf_error());
	cf_expect(r, r->host->plugin.device_count(&second) == MT_OK && second == first,
	          "asked again device_count says %d instead of %d", (int)second, (int)first);
}

static int ends(const char *text, size_t size) {
	return memchr(text, 0, size) != NULL;
}

static void info(struct cf_structure_run *r) {
	int32_t n = 0;
	r->host->plugin.device_count(&n);
	for (int32_t i = 0; i < n; i++) {
		struct mt_device_info d;
		memset(&d, 0xA5, sizeof d);
		d.struct_size = sizeof d;
		d.reserved = 0;
		if (!cf_expect(r, r->host->plugin.device_info(i, &d) == MT_OK, "device_info of %d: %s", (int)i, cf_error()))
			return;
		cf_expect(r, ends(d.name, sizeof d.name) && ends(d.features, sizeof d.features),
		          "device %d: a text without an end", (int)i);
		cf_expect(r, d.name[0] != '\0', "device %d has no name", (int)i);
		cf_expect(r, d.alignment >= 64 && (d.alignment & (d.alignment - 1)) == 0,
		          "R9: device %d aligns to %u: a power of two from 64 on is due", (int)i, d.alignment);
		cf_expect(r,
		          (d.flags & ~(uint32_t)(MT_DEVICE_HOST_MEMORY | MT_DEVICE_ASYNC)) == 0 ||
		              r->host->plugin.abi_minor > MT_ABI_MINOR,
		          "device %d has unknown flags: %#x", (int)i, d.flags);
		if (r->host->plugin.abi_minor < MEMORY_KIND_SINCE)
			continue;
		cf_expect(r, d.memory_kind >= 0 && d.memory_ordinal >= 0, "R9: device %d has memory kind %d, ordinal %d",
		          (int)i, (int)d.memory_kind, (int)d.memory_ordinal);
		cf_expect(r, d.memory_kind != MT_MEMORY_HOST || (d.flags & MT_DEVICE_HOST_MEMORY) != 0,
		          "R9: device %d has the host's memory as kind, without the flag MT_DEVICE_HOST_MEMORY", (int)i);
	}
}

/* A host of the first minor hands over a shorter struct: what lies behind it is not the plugin's (R3). */
static void info_of_old_host(struct cf_structure_run *r) {
	struct mt_device_info d;
	memset(&d, 0xA5, sizeof d);
	d.struct_size = offsetof(struct mt_device_info, memory_kind);
	d.reserved = 0;
	cf_expect(r, r->host->plugin.device_info(r->target->ordinal, &d) == MT_OK, "device_info: %s", cf_error());
	const unsigned char *behind = (const unsigned char *)&d.memory_kind;
	for (size_t i = 0; i < sizeof d - offsetof(struct mt_device_info, memory_kind); i++)
		if (!cf_expect(r, behind[i] == 0xA5, "R3: device_info writes past the size it is given"))
			return;
	cf_expect(r, d.alignment >= 64, "R9: it aligns to %u", d.alignment);
}

static void refuses_ordinals(struct cf_structure_run *r) {
	int32_t n = 0;
	r->host->plugin.device_count(&n);
	const int32_t ordinals[] = {n, n + 1000, -1, INT32_MIN, INT32_MAX};
	for (int i = 0; i < 5; i++) {
		struct mt_device_info d = {.struct_size = sizeof d};
		mt_plugin_device *device = NULL;
		const struct mt_device_api *api = NULL;
		cf_error_clear();
		cf_expect(r, r->host->plugin.device_open(ordinals[i], NULL, 0, &device, &api) != MT_OK,
		          "device %d can be opened", (int)ordinals[i]);
		cf_expect(r, cf_error()[0] != '\0', "device %d is refused without a reason", (int)ordinals[i]);
		cf_expect(r, r->host->plugin.device_info(ordinals[i], &d) != MT_OK, "device %d can be described",
		          (int)ordinals[i]);
	}
}

static void refuses_options(struct cf_structure_run *r) {
	static const struct mt_option wrong[] = {{"nonsense", "1"}, {"", ""}, {"Threads", "2"}};
	for (int i = 0; i < 3; i++) {
		mt_plugin_device *device = NULL;
		const struct mt_device_api *api = NULL;
		cf_error_clear();
		int32_t status = r->host->plugin.device_open(r->target->ordinal, &wrong[i], 1, &device, &api);
		cf_expect(r, status == MT_E_ARG, "option '%s' gives status %d, not MT_E_ARG", wrong[i].key, (int)status);
		cf_expect(r, strstr(cf_error(), wrong[i].key) != NULL && cf_error()[0] != '\0',
		          "option '%s' is refused without its name: %s", wrong[i].key, cf_error());
	}
}

/* Where there is an option threads: what is not a positive number is refused. */
static void refuses_values(struct cf_structure_run *r) {
	static const char *const values[] = {"", "0", "-1", "many", "1x", "99999999999999999999"};
	struct cf_host h;
	if (!cf_host_open(&h, r->target, "1")) {
		cf_skip(r, "there is no option threads");
		return;
	}
	cf_host_close(&h);
	for (int i = 0; i < 6; i++) {
		const struct mt_option option = {"threads", values[i]};
		mt_plugin_device *device = NULL;
		const struct mt_device_api *api = NULL;
		cf_error_clear();
		int32_t status = r->host->plugin.device_open(r->target->ordinal, &option, 1, &device, &api);
		cf_expect(r, status == MT_E_ARG, "threads=%s gives status %d, not MT_E_ARG", values[i], (int)status);
		cf_expect(r, cf_error()[0] != '\0', "threads=%s is refused without a reason", values[i]);
	}
}

/* ---- work that shows whether a device is its own ---- */

enum { N = 3000, ROUNDS = 100 };

static mt_array vector(void *base, int64_t stride) {
	return (mt_array){.base = base,
	                  .buffer_bytes = 2 * N * sizeof(float),
	                  .dtype = MT_F32,
	                  .rank = 1,
	                  .shape = {N},
	                  .stride = {stride}};
}

/* Fills a, copies it into every second element of b, and reads b back; "" or what went wrong. */
static void work(struct cf_host *h, float value, char *words, size_t size) {
	void *a = NULL, *b = NULL;
	float back[2 * N];
	int ok = h->api->alloc(h->device, sizeof back, &a) == MT_OK && h->api->alloc(h->device, sizeof back, &b) == MT_OK;
	for (int round = 0; ok && round < ROUNDS; round++) {
		const mt_array x = vector(a, 1), out = vector(b, 2);
		const struct mt_fill_args fill = {
			.struct_size = sizeof fill, .out = &x, .value = {MT_SCALAR_F64, 0, {.f = (double)value + round}}};
		const struct mt_copy_args copy = {.struct_size = sizeof copy, .x = &x, .out = &out};
		ok = cf_host_call(h, MT_K_FILL, &fill) == MT_OK && cf_host_call(h, MT_K_COPY, &copy) == MT_OK &&
		     h->api->download(h->queue, b, 0, back, sizeof back) == MT_OK;
		for (int i = 0; ok && i < N; i++)
			ok = back[2 * i] == value + (float)round;
	}
	if (!ok)
		snprintf(words, size, "fill and copy went wrong: %s", cf_error());
	if (a != NULL)
		h->api->free(h->device, a);
	if (b != NULL)
		h->api->free(h->device, b);
}

static void open_twice(struct cf_structure_run *r) {
	struct cf_host second;
	char words[256] = "";
	if (!cf_expect(r, cf_host_open(&second, r->target, NULL), "R11: the device cannot be opened twice: %s", cf_error()))
		return;
	work(r->host, 1, words, sizeof words);
	work(&second, 2, words, sizeof words);
	cf_host_close(&second);
	work(r->host, 3, words, sizeof words); /* closing the other has not closed this */
	cf_expect(r, words[0] == '\0', "%s", words);
}

struct thread_work {
	struct cf_host host;
	float value;
	char words[256];
};

static void *thread_main(void *context) {
	struct thread_work *w = context;
	work(&w->host, w->value, w->words, sizeof w->words);
	return NULL;
}

static void two_threads(struct cf_structure_run *r) {
	static struct thread_work works[2];
	pthread_t threads[2];
	int opened = 0, started = 0;
	for (; opened < 2; opened++) {
		works[opened] = (struct thread_work){.value = 1000.0f * (float)opened};
		if (!cf_expect(r, cf_host_open(&works[opened].host, r->target, NULL), "%s", cf_error()))
			break;
	}
	while (opened == 2 && started < 2 && pthread_create(&threads[started], NULL, thread_main, &works[started]) == 0)
		started++;
	for (int i = 0; i < started; i++) {
		pthread_join(threads[i], NULL);
		cf_expect(r, works[i].words[0] == '\0', "R11: in two threads at once: %s", works[i].words);
	}
	for (int i = 0; i < opened; i++)
		cf_host_close(&works[i].host);
}

static void open_often(struct cf_structure_run *r) {
	for (int i = 0; i < 20; i++) {
		struct cf_host h;
		char words[256] = "";
		if (!cf_expect(r, cf_host_open(&h, r->target, NULL), "the %d. time: %s", i + 1, cf_error()))
			return;
		if (i == 19)
			work(&h, 5, words, sizeof words);
		cf_expect(r, words[0] == '\0', "%s", words);
		cf_host_close(&h);
	}
}

const struct cf_structure cf_device_checks[] = {
	{"devices", "count", 1, count},
	{"devices", "info", 1, info},
	{"devices", "info_of_old_host", 1, info_of_old_host},
	{"devices", "refuses_ordinals", 1, refuses_ordinals},
	{"devices", "refuses_options", 1, refuses_options},
	{"devices", "refuses_values", 1, refuses_values},
	{"devices", "open_twice", 1, open_twice},
	{"devices", "open_often", 1, open_often},
	{"devices", "two_threads", 1, two_threads},
	{NULL, NULL, 0, NULL},
};
