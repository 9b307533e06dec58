/* Backends and devices: what there is, why something is missing, opening one by name.
 *
 * A backend is a plugin named by a manifest; a device is one of its units, opened with options.  Device strings read
 *     NAME[:ORDINAL][:KEY=VALUE[,KEY=VALUE…]]        "omp"   "omp:threads=4"   "cuda:1"   "auto"
 * Opening the same backend, ordinal and options again gives the same device.  Devices live until the process ends.
 * Environment: docs/environment.md. */
#ifndef MT_BACKEND_H
#define MT_BACKEND_H

#include <stdio.h>

#include "mt/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mt_device mt_device;

/* Opens a device.  "auto" is MT_BACKEND where set, else the manifests' highest priority that has a device.
 * Borrowed.  NULL on an unknown name, option or missing device; the message lists what there is and why the rest is
 * missing. */
MT_API mt_device *mt_device_open(const char *name);

/* The thread's current device, where new tensors go: what mt_device_use last set, else the process default, which is
 * "auto", opened at first use and then fixed.  Borrowed; NULL when no backend can be had. */
MT_API mt_device *mt_device_current(void);

/* Sets the thread's current device.  NULL: MT_E_NULL. */
MT_API mt_status mt_device_use(mt_device *device);

MT_API const char *mt_device_name(const mt_device *device);    /* "omp:threads=2": opens the same device again */
MT_API const char *mt_device_backend(const mt_device *device); /* "omp" */
MT_API int mt_device_has_host_memory(const mt_device *device);

/* Describes the device; info->struct_size is set by this call.  */
MT_API mt_status mt_device_describe(const mt_device *device, struct mt_device_info *info);

/* Waits for all work given to the device and delivers what went wrong. */
MT_API mt_status mt_device_synchronize(mt_device *device);

/* Bytes in live buffers and in the allocator's cache; either pointer may be NULL. */
MT_API mt_status mt_device_memory(mt_device *device, uint64_t *in_use, uint64_t *cached);

/* The most bytes in live buffers and the kernels' scratch at one time, since the device was opened or the last reset;
 * most may be NULL.  reset: begins anew from what is in use now. */
MT_API mt_status mt_device_memory_peak(mt_device *device, uint64_t *most, int reset);

/* Gives the allocator's cached buffers back to the plugin. */
MT_API mt_status mt_device_trim(mt_device *device);

/* Whether the device's own kernel takes this op (0: none) on a primary operand of this dtype. */
MT_API int mt_device_supports(const mt_device *device, int32_t kernel, int32_t op, int32_t dtype);

/* What happens when a device lacks a kernel and the op has no composed form there. */
enum mt_fallback_policy { MT_FALLBACK_ERROR = 0, MT_FALLBACK_WARN = 1, MT_FALLBACK_ALLOW = 2 };

/* Sets the policy for the process; the start value is MT_FALLBACK from the environment, else warn (once per op). */
MT_API mt_status mt_set_fallback(int32_t policy);

struct mt_dispatch_counts {
	uint64_t native, fallback; /* kernels run: the devices' own, and the reference's in their place */
	uint64_t fallback_bytes;   /* of the operands of those */
};

/* Counts since the process began, over all devices. */
MT_API mt_status mt_dispatch_counts(struct mt_dispatch_counts *out);

/* Switches the per-op profile on or off (start value: MT_PROFILE=1), and prints its table. */
MT_API mt_status mt_profile_enable(int on);
MT_API mt_status mt_profile_print(FILE *out);

/* What the profile has added up for a device. */
struct mt_profile_totals {
	uint64_t calls, fallbacks; /* kernels run; those of them that the reference ran */
	uint64_t nanoseconds;      /* in kernels */
	double flops;              /* of matrix products and convolutions, two a multiply-add */
};

/* All that device ran since the process began, while the profile was on: what two calls differ by is what was run in
 * between.  Each kernel is waited for while the profile is on, so that on an asynchronous device its time includes the
 * launch; a fallback's time includes its copies.  The rest of a span of time went into everything around the kernels.
 * MT_E_NULL, MT_E_FORKED; *out is zeroed then. */
MT_API mt_status mt_profile_totals(mt_device *device, struct mt_profile_totals *out);

/* What discovery found, as a JSON document (format: docs/backends.md): search path, manifests with skip reasons, backends with
 * library, version, ABI, devices, features, or the reason that they cannot be used.  Loads every backend.
 * The caller frees it with mt_free. */
MT_API char *mt_backends_json(void);

/* Frees what a function of this library told the caller to free. */
MT_API void mt_free(void *p);

#ifdef __cplusplus
}
#endif

#endif
