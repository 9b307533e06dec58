/* Arrays of a case: guarded, poisoned, in every layout, with their values in double beside them. */
#ifndef CONFORMANCE_ARRAY_H
#define CONFORMANCE_ARRAY_H

#include "host.h"

enum kc_layout {
	KC_CONTIGUOUS,
	KC_TRANSPOSED, /* the strides of the reversed dims */
	KC_STEPPED,    /* every second element in each dim */
	KC_NEGATIVE,   /* every stride negative */
	KC_PADDED,     /* rows longer than the shape says */
	KC_LAYOUTS,
	KC_BROADCAST = KC_LAYOUTS /* stride 0 on the first dim of extent > 1: inputs only */
};

extern const char *const kc_layout_names[];

enum kc_role { KC_IN, KC_OUT, KC_INOUT };

struct kc_array {
	struct kc_array *next;
	enum kc_role role;
	mt_array array;       /* what the kernel gets */
	int64_t numel;
	double *values;       /* row-major; as stored, so already rounded to the dtype */
	unsigned char *image; /* the whole buffer as it was uploaded */
	unsigned char *owned; /* one byte a buffer byte: 1 where an element lies */
	uint64_t bytes;
};

/* An array of the case with room around it; outputs are poisoned.  Freed by kc_reset. */
struct kc_array *kc_new(struct kc_host *h, enum kc_role role, int32_t dtype, int rank, const int64_t *shape,
                        enum kc_layout layout);

/* Sets element e (row-major) before kc_upload. */
void kc_set(struct kc_array *a, int64_t e, double value);

/* Fills with random values: floats in [low, high), integers in [low, high]; bool 0 or 1. */
void kc_fill(struct kc_host *h, struct kc_array *a, double low, double high);

/* kc_new + kc_fill. */
struct kc_array *kc_input(struct kc_host *h, int32_t dtype, int rank, const int64_t *shape, enum kc_layout layout,
                          double low, double high);

/* Uploads all arrays, calls the kernel, synchronises, downloads them, and checks: status OK, inputs unchanged, not one
 * byte outside the outputs' elements touched.  Output values are then in .values.  1 when all held. */
int kc_run(struct kc_host *h, int32_t kernel, const void *args);

/* The same, for a call that must be refused with status and leave every array as it was. */
int kc_run_refused(struct kc_host *h, int32_t kernel, const void *args, int32_t status);

/* Frees the case's arrays. */
void kc_reset(struct kc_host *h);

/* value rounded to dtype and back, as a store does (integers wrap, bool is != 0). */
double kc_round(int32_t dtype, long double value);

int kc_dtype_size(int32_t dtype);
const char *kc_dtype_name(int32_t dtype);
int kc_is_float(int32_t dtype);
double kc_unit(int32_t dtype); /* unit roundoff: 2^-24 for f32; 0 for integers */
double kc_largest(int32_t dtype);
double kc_tiny(int32_t dtype); /* smallest normal */

#endif
