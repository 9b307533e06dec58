/* A plugin's device driven through the ABI alone: no libmt in between. */
#ifndef CONFORMANCE_HOST_H
#define CONFORMANCE_HOST_H

#include "mt/plugin.h"

enum { CF_MAX_OPTIONS = 32 };

/* What the user asked to be tested. */
struct cf_target {
	const char *name; /* "omp", or the path as it was given */
	const char *path;
	int32_t ordinal;
	int plain_scratch;
	int told_late;
	/* cf_host_call: the kernel returned success, synchronize did not */ /* scratch memory is neither dirtied nor guarded: for benchmarks */
	struct mt_option options[CF_MAX_OPTIONS];
	int n_options;
	int n_given; /* of the options, those before this one are the manifest's */
};

struct cf_host {
	char label[64]; /* "threads=2"; "" for the options as given */
	struct mt_plugin_api plugin;
	mt_plugin_device *device;
	const struct mt_device_api *api;
	mt_queue *queue;
	struct cf_scratch *scratch;
	int host_memory; /* the CPU can look at buffers */
	int plain_scratch;
	int told_late; /* cf_host_call: the kernel returned success, synchronize did not */
};

/* The host's table as a plugin gets it.  In tests of negotiation a copy is changed. */
extern const struct mt_host_api cf_host_api;

/* The plugin's entry; NULL with the reason in cf_error. */
mt_plugin_entry_fn cf_entry(const char *path);
/* Loads the plugin and calls its entry.  1, or 0 with the reason in cf_error(). */
int cf_load(const char *path, struct mt_plugin_api *plugin);

/* Loads the plugin and opens the target's device, threads (NULL: as the options say) taking the place of the option of
 * that name, with one queue.  1, or 0 with the reason in cf_error(). */
int cf_host_open(struct cf_host *h, const struct cf_target *target, const char *threads);
void cf_host_close(struct cf_host *h);

/* A queue of its own on an open device; NULL with the reason. */
int cf_queue_create(struct cf_host *h, mt_queue **queue, struct cf_scratch **scratch);
void cf_queue_destroy(struct cf_host *h, mt_queue *queue, struct cf_scratch *scratch);

/* From here on kernels get no scratch memory (1), or get it again (0). */
void cf_deny_scratch(int deny);
int cf_scratch_is_denied(void);

/* What the last kernel did with its scratch memory that it must not: asked twice for it, wrote past its end (where the CPU can
 * look).  NULL: nothing. */
const char *cf_scratch_misuse(const struct cf_host *h);

/* What the plugin last said through set_error on this thread; "" where nothing. */
const char *cf_error(void);
void cf_error_clear(void);

/* Whether the capability table has this kernel, op and primary dtype (to: for copy, else 0). */
int cf_claims(const struct mt_device_api *api, int32_t kernel, int32_t op, int32_t dtype, int32_t to);

/* Calls the kernel with args (its args struct) on the host's queue and synchronises; the status that came first. */
int32_t cf_host_call(struct cf_host *h, int32_t kernel, const void *args);

/* Whether the table has a function for the kernel. */
int cf_has_kernel(const struct mt_kernel_table *table, int32_t kernel);

#endif
