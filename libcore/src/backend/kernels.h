/* What libmt knows about kernels from the .def lists: names, operands, and which (kernel, op, dtype) a device claims. */
#ifndef MT_BACKEND_KERNELS_H
#define MT_BACKEND_KERNELS_H

#include <stddef.h>

#include "mt/plugin.h"
#include "mt/status.h"

#define MT__MAX_OPERANDS 8
#define MT__MAX_OPS 64 /* op ids of one kernel lie below */

enum mt__role {
	MT__ROLE_IN = 1,
	MT__ROLE_OUT = 2,
	MT__ROLE_INOUT = 3,
	MT__ROLE_OPT_IN = 5,
	MT__ROLE_OPT_OUT = 6,
	MT__ROLE_OPT_INOUT = 7
};
#define MT__ROLE_READS 1
#define MT__ROLE_WRITES 2

struct mt__kernel {
	const char *name;
	int must;
	uint32_t args_size; /* of its args struct */
	uint32_t ops;       /* op ids are 1 … ops − 1; 1: the kernel has none, and op is 0 */
	uint32_t n_operands;
	struct {
		uint16_t offset; /* in the args struct */
		uint16_t role;   /* enum mt__role */
	} operands[MT__MAX_OPERANDS];
};

/* By enum mt_kernel_id; ops and operands are there once mt__kernels_init ran (before any device is opened). */
extern struct mt__kernel mt__kernels[MT_K_END_];
void mt__kernels_init(void);

/* The array of operand i; NULL where it was left out. */
static inline const mt_array *mt__operand(const struct mt__kernel *kernel, const void *args, uint32_t i) {
	return *(const mt_array *const *)((const char *)args + kernel->operands[i].offset);
}

/* The dtype that the capability table is asked about. */
static inline int32_t mt__primary_dtype(const struct mt__kernel *kernel, const void *args) {
	const mt_array *primary = mt__operand(kernel, args, 0);
	/* zip with a scalar in a's place */
	if (primary == NULL)
		primary = mt__operand(kernel, args, 1);
	return primary->dtype;
}

/* The dtypes that the ABI lets an op take as primary operand (map_ops.def and so on). */
uint32_t mt__op_dtypes(enum mt_kernel_id kernel, int32_t op);

uint64_t mt__array_elements(const mt_array *array);
uint64_t mt__dtype_bytes(int32_t dtype);
const char *mt__dtype_word(int32_t dtype); /* "f32" */

/* The bytes of buffer that an array's elements lie in: [*begin, *end) counted from base. */
void mt__array_span(const mt_array *array, uint64_t *begin, uint64_t *end);

/* ---- capability.c ---- */

/* A capability table compiled for look-up: masks of dtypes. */
struct mt__support {
	uint32_t dtypes[MT_K_END_][MT__MAX_OPS]; /* by kernel and op (0: every op), of the primary operand */
	uint32_t copy_to[32];                    /* copy: by dtype of x, the dtypes of out */
};

/* Compiles the rows of a plugin, checking them against its kernels (R7).  MT_OK, or MT_E_PLUGIN with the reason in why.
 */
mt_status mt__support_compile(struct mt__support *out, const struct mt_capability *rows, uint64_t n,
                              const struct mt_kernel_table *kernels, char *why, size_t size);

#endif
