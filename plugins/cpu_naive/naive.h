/* The reference plugin: every kernel of the ABI as plain loops, the executable specification that other backends are
 * compared with.  Correct and readable first.
 *
 * Layout
 *     plugin.c        entry, device, memory, queue
 *     capabilities.c  what it can do, and the kernel table
 *     element.h       reading and writing one element of any dtype
 *     lines.h         walking strided arrays
 *     the rest        kernels, one file a family; NAME_lines.inc is a template compiled once per dtype (each_*.inc)
 *
 * Arithmetic: floats of every dtype compute and accumulate in double, and round once, to nearest even, on store;
 * integers compute in 64 bits, wrap, and keep the low bits on store.  Sums run in row-major order of what is summed.
 * A number given by value is converted to the dtype first (f32 for f16 and bf16). */
#ifndef MT_NAIVE_H
#define MT_NAIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mt/plugin.h"

struct mt_plugin_device {
	struct mt_device_api api;
};

struct mt_queue {
	mt_host_queue *host;
};

/* Records the message for the host and returns status. */
int32_t mt__naive_fail(int32_t status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Scratch of this call: one call a kernel.  NULL when out of memory, with the error recorded: return MT_E_MEMORY. */
void *mt__naive_scratch(mt_queue *queue, uint64_t count, uint64_t size);

/* "f32"; "dtype 99" where there is no such. */
const char *mt__naive_dtype_name(int32_t dtype);

/* y = f(x) for a float op of map_ops.def (map.c), and an activation (activations.def). */
double mt__naive_map_float(int32_t op, double x, double p, double q);
double mt__naive_activate(int32_t activation, double x);

/* MT_E_ARG where some element of index lies outside [low, high); what names the kernel (gather.c). */
int32_t mt__naive_check_index(const char *what, const mt_array *index, int64_t low, int64_t high);

extern const struct mt_kernel_table mt__naive_kernels;
extern const struct mt_capability mt__naive_capabilities[];
extern const uint64_t mt__naive_n_capabilities;

#define MT_KERNEL(id, NAME, name, group, must)                                                                         \
	int32_t mt__naive_##name(mt_queue *queue, const struct mt_##name##_args *args);
#include "mt/kernels.def"
#undef MT_KERNEL

#endif
