/* A plugin's device driven through the ABI alone: no libmt in between. */
#ifndef CONFORMANCE_HOST_H
#define CONFORMANCE_HOST_H

#include "mt/plugin.h"

struct kc_array;

struct kc_host {
	const char *label; /* "omp threads=2" */
	struct mt_plugin_api plugin;
	mt_plugin_device *device;
	const struct mt_device_api *api;
	mt_queue *queue;
	void *scratch;
	uint64_t scratch_bytes;
	struct kc_array *arrays; /* of the running case, newest first */
	uint64_t digest;         /* of every output byte so far: equal for equal bits */
	uint64_t random;         /* state of the case's generator */
	int64_t calls;           /* kernels run */
};

/* Loads the plugin at path and opens device 0 with option threads (NULL: none).  1, or 0 with the reason in kc_error(). */
int kc_open(struct kc_host *h, const char *label, const char *path, const char *threads);
void kc_close(struct kc_host *h);

/* What the plugin last said through set_error. */
const char *kc_error(void);
void kc_error_clear(void);

/* Whether the capability table has this kernel, op and primary dtype (copy: into dtype to; else to is 0). */
int kc_has(const struct kc_host *h, int32_t kernel, int32_t op, int32_t dtype, int32_t to);

/* Calls the kernel with args (its args struct) and synchronises; the status that came first. */
int32_t kc_call(struct kc_host *h, int32_t kernel, const void *args);

/* Random numbers of the case: [0, 1), and integers in [low, high]. */
double kc_uniform(struct kc_host *h);
int64_t kc_integer(struct kc_host *h, int64_t low, int64_t high);

#endif
