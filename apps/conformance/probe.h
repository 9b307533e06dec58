/* What a plugin says of itself: asked in a child process, sent to the parent as plain data. */
#ifndef CONFORMANCE_PROBE_H
#define CONFORMANCE_PROBE_H

#include "host.h"

enum { CF_MAX_OPS = 256 };

struct cf_probe {
	char plugin[64], version[64], device[128], features[256];
	uint32_t abi_minor, flags;
	int32_t devices;
	int32_t thread_hosts; /* option threads works on a device with host memory: cases run with 1, 2 and 3 */
	uint32_t claims[MT_K_END_][CF_MAX_OPS]; /* dtypes; [0]: rows that speak of every op */
	uint32_t copies[MT_DTYPE_END_];         /* into which dtypes */
};

/* Opens the target and fills the probe.  1, or 0 with the reason in cf_error. */
int cf_probe_run(struct cf_probe *probe, const struct cf_target *target);

int cf_probe_claims(const struct cf_probe *probe, int32_t kernel, int32_t op, int32_t dtype, int32_t to);

/* Opens the hosts that cases run on: with 1, 2 and 3 threads where the device has host memory and option threads, which
 * the user did not give; else one.  Returns how many; 0 with the reason in cf_error. */
int cf_open_hosts(struct cf_host *hosts, const struct cf_target *target);

#endif
