/* A plugin that stands before another one and spoils what it does, in one way at a time.
 *
 *     MT_FAULT_PLUGIN=path of the other   MT_FAULT=name of a fault, or unset: then nothing is spoiled
 *
 * faults.def lists the faults.  What kernels read is spoiled in a copy of their arguments, what they write through the
 * device's own upload and download, so the other may be any plugin. */
#ifndef FAULT_H
#define FAULT_H

#include "mt/plugin.h"

enum { FAULT_MAX_ARRAYS = 9 };

/* Room for the arguments of any kernel. */
union fault_args {
	uint64_t room[64];
#define MT_KERNEL(id, NAME, name, group, must) struct mt_##name##_args name;
#include "mt/kernels.def"
#undef MT_KERNEL
};

/* A kernel call on its way to the other plugin. */
struct fault_call {
	mt_queue *queue;
	int32_t kernel, op;
	union fault_args args;
	mt_array arrays[FAULT_MAX_ARRAYS]; /* copies, to which args point */
	int n_arrays;
	unsigned char *before; /* the primary output's buffer before the call, where a fault asked for it */
};

struct fault {
	const char *name;
	int32_t kernel, op, dtype;                /* whose calls are spoiled; 0: any */
	void (*prepare)(struct fault_call *c);    /* before the call; or NULL */
	void (*spoil)(struct fault_call *c);      /* after it; or NULL */
	int32_t (*instead)(struct fault_call *c); /* in its place; or NULL */
};

/* The chosen fault; NULL: none. */
extern const struct fault *fault_chosen;
extern const struct mt_device_api *fault_device;
extern const struct mt_host_api *fault_host;

/* Whether this word is what MT_FAULT says: for faults of the plugin's frame. */
int fault_is(const char *name);

/* Calls the other's kernel. */
int32_t fault_forward(struct fault_call *c);
/* The host's scratch memory of this queue. */
void *fault_scratch(mt_queue *queue, uint64_t bytes);
/* Whether the queue is of the first device that was opened. */
int fault_is_first_device(const mt_queue *queue);

/* ---- the call's arrays ---- */

/* Copies them, so that a fault may change how the kernel sees them. */
void fault_copy_arrays(struct fault_call *c);

/* The array of this name in operands.def; NULL where the call has none. */
mt_array *fault_array(struct fault_call *c, const char *field);
/* The first that is written; the first that is only read. */
mt_array *fault_output(struct fault_call *c);
mt_array *fault_input(struct fault_call *c);

int64_t fault_numel(const mt_array *a);
/* Where element e lies in its buffer. */
uint64_t fault_position(const mt_array *a, int64_t e);
int fault_size(const mt_array *a);

/* Bytes of an array's buffer.  fault_get: to be freed. */
unsigned char *fault_get(struct fault_call *c, const mt_array *a);
void fault_put(struct fault_call *c, const mt_array *a, const unsigned char *bytes);

/* One element as a number (f32, f64, integers, bool; f16 and bf16 as their bits). */
double fault_read(const mt_array *a, const unsigned char *bytes, int64_t e);
void fault_write(const mt_array *a, unsigned char *bytes, int64_t e, double value);

#endif
