/* Arrays of a case: guarded, poisoned, in every layout, with their values in double beside them. */
#ifndef CONFORMANCE_ARRAY_H
#define CONFORMANCE_ARRAY_H

#include "case.h"

/* One case being run on one opened device (host.h).  Families hand it through and use its random numbers. */
struct cf_run;

struct cf_random *cf_numbers(struct cf_run *r);

enum cf_role { CF_IN, CF_OUT, CF_INOUT };

struct cf_array {
	struct cf_array *next;
	enum cf_role role;
	mt_array array; /* what the kernel gets */
	int64_t numel;
	double *values;       /* row-major; as stored, so already rounded to the dtype.  i64 beyond 2^53: .integers */
	int64_t *integers;    /* the same for integer dtypes, exact; NULL for floats and bool */
	unsigned char *image; /* the whole buffer as it was uploaded */
	unsigned char *owned; /* one byte a buffer byte: 1 where an element lies */
	uint64_t bytes;
	void *base[3]; /* on each host; array.base is that of the host at work, so args must point to .array itself */
	unsigned char *first; /* the buffer after the first call */
};

/* An array of the case with guard bytes around it and in every gap; outputs are poisoned.  Freed when the case ends. */
struct cf_array *cf_new(struct cf_run *r, enum cf_role role, int32_t dtype, int rank, const int64_t *shape,
                        int32_t layout);

/* Sets element e (row-major), before the call; cf_set_integer for an integer dtype, exact.  Outputs are poisoned all the
 * same: what must be read is CF_INOUT. */
void cf_set(struct cf_array *a, int64_t e, double value);
void cf_set_integer(struct cf_array *a, int64_t e, int64_t value);

/* Fills with random values: floats in [low, high), integers in [low, high]; bool 0 or 1. */
void cf_fill(struct cf_run *r, struct cf_array *a, double low, double high);
/* Fills as data says: CF_RANDOM as cf_fill; CF_SPECIAL the specials of the dtype (a NaN only where nan ≠ 0) among such
 * values; CF_TIES few values of [low, high]; CF_WIDE all magnitudes of the dtype, both signs. */
void cf_fill_data(struct cf_run *r, struct cf_array *a, int32_t data, double low, double high, int nan);

/* cf_new + cf_fill, in the case's input layout (broadcast kept). */
struct cf_array *cf_input(struct cf_run *r, int32_t dtype, int rank, const int64_t *shape, int32_t layout, double low,
                          double high);

/* Uploads all arrays, calls the kernel with args, synchronises, downloads them, and records a failure unless: status OK,
 * inputs unchanged bit for bit, not one byte outside the outputs' elements touched, every output element written (it is
 * run again over another poison where that is to be told), and a second call over the same inputs gives the same bits.
 * MT_E_UNSUPPORTED with nothing touched and a reason given is recorded as "refused".  1 when the outputs can be compared:
 * their values are then in .values. */
int cf_call(struct cf_run *r, int32_t kernel, const void *args);

/* For a call that must be refused with status, with a reason, and leave every array as it was; one that is refused only
 * at synchronize, when it has run, may have written its outputs. */
int cf_call_refused(struct cf_run *r, int32_t kernel, const void *args, int32_t status);

/* ---- dtypes ------------------------------------------------------------------------------------------------------- */

/* value rounded to dtype and back, as a store does (to nearest even; integers wrap, bool is != 0). */
double cf_round(int32_t dtype, long double value);
int cf_dtype_size(int32_t dtype);
const char *cf_dtype_name(int32_t dtype);
int cf_is_float(int32_t dtype);
double cf_unit(int32_t dtype);    /* unit roundoff: 2^-24 for f32; 0 for integers */
double cf_largest(int32_t dtype); /* finite */
double cf_tiny(int32_t dtype);    /* smallest normal; 0 for integers */
int64_t cf_lowest_integer(int32_t dtype);
int64_t cf_highest_integer(int32_t dtype);
/* The dtype of the statistics beside dtype: f32 for f16 and bf16, else dtype. */
int32_t cf_side_dtype(int32_t dtype);

/* ---- shapes ------------------------------------------------------------------------------------------------------- */

int64_t cf_numel(int rank, const int64_t *shape);
/* Row-major index <-> position. */
void cf_unravel(int64_t e, int rank, const int64_t *shape, int64_t *index);
int64_t cf_ravel(int rank, const int64_t *shape, const int64_t *index);
/* Position of element e moved to place j along axis. */
int64_t cf_along(int64_t e, int rank, const int64_t *shape, int axis, int64_t j);

#endif
