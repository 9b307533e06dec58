#include "array.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mt_test.h"

enum { GUARD = 256, POISON = 0xA5 };

const char *const kc_layout_names[] = {"contiguous", "transposed", "stepped", "negative", "padded", "broadcast"};

struct dtype_row {
	const char *name;
	int size, mantissa; /* bits with the hidden one; 0: not a float */
	int max_exponent, min_exponent;
};

static const struct dtype_row dtypes[] = {
	[MT_F32] = {"f32", 4, 24, 128, -125},    [MT_F64] = {"f64", 8, 53, 1024, -1021}, [MT_F16] = {"f16", 2, 11, 16, -13},
	[MT_BF16] = {"bf16", 2, 8, 128, -125},   [MT_I32] = {"i32", 4, 0, 0, 0},         [MT_I64] = {"i64", 8, 0, 0, 0},
	[MT_U8] = {"u8", 1, 0, 0, 0},            [MT_BOOL] = {"bool", 1, 0, 0, 0},
};

int kc_dtype_size(int32_t dtype) {
	return dtypes[dtype].size;
}

const char *kc_dtype_name(int32_t dtype) {
	return dtypes[dtype].name;
}

int kc_is_float(int32_t dtype) {
	return dtypes[dtype].mantissa != 0;
}

double kc_unit(int32_t dtype) {
	return kc_is_float(dtype) ? ldexp(1.0, -dtypes[dtype].mantissa) : 0.0;
}

double kc_largest(int32_t dtype) {
	const struct dtype_row *d = &dtypes[dtype];
	return ldexp(2.0 - ldexp(1.0, 1 - d->mantissa), d->max_exponent - 1);
}

double kc_tiny(int32_t dtype) {
	return kc_is_float(dtype) ? ldexp(1.0, dtypes[dtype].min_exponent - 1) : 0.0;
}

/* To nearest even with this many mantissa bits, gradual underflow, overflow to infinity. */
static double round_float(const struct dtype_row *d, long double value) {
	if (isnan(value) || isinf(value) || value == 0)
		return (double)value;
	int exponent;
	frexpl(value, &exponent);
	if (exponent < d->min_exponent)
		exponent = d->min_exponent;
	long double unit = ldexpl(1.0L, exponent - d->mantissa);
	long double rounded = rintl(value / unit) * unit;
	if (fabsl(rounded) >= ldexpl(1.0L, d->max_exponent))
		return value < 0 ? -INFINITY : INFINITY;
	return (double)rounded;
}

/* An integer of up to 64 bits and sign, modulo 2^64. */
static uint64_t to_bits(long double value) {
	return value < 0 ? (uint64_t)0 - (uint64_t)-value : (uint64_t)value;
}

double kc_round(int32_t dtype, long double value) {
	switch (dtype) {
	case MT_BOOL:
		return value != 0;
	case MT_U8:
		return (double)(to_bits(value) & 0xff);
	case MT_I32:
		return (double)(int32_t)(uint32_t)to_bits(value);
	case MT_I64:
		return (double)(int64_t)to_bits(value);
	default:
		return round_float(&dtypes[dtype], value);
	}
}

/* The bits of a value that the dtype holds exactly; f16 and bf16 by this file's own arithmetic. */
static uint16_t low_bits(const struct dtype_row *d, double value) {
	int bits = d->mantissa - 1, bias = d->max_exponent - 1;
	uint16_t sign = signbit(value) ? 0x8000 : 0;
	uint16_t infinite = (uint16_t)(((1u << (15 - bits)) - 1) << bits);
	if (isnan(value))
		return (uint16_t)(sign | infinite | (1u << (bits - 1)));
	if (isinf(value))
		return sign | infinite;
	double size = fabs(value);
	if (size < ldexp(1.0, 1 - bias))
		return (uint16_t)(sign | (uint16_t)ldexp(size, bias - 1 + bits));
	int exponent;
	double fraction = frexp(size, &exponent);
	uint16_t mantissa = (uint16_t)(ldexp(fraction, bits + 1) - ldexp(1.0, bits));
	return (uint16_t)(sign | (uint16_t)((exponent - 1 + bias) << bits) | mantissa);
}

static double low_value(const struct dtype_row *d, uint16_t word) {
	int bits = d->mantissa - 1, bias = d->max_exponent - 1, top = (1 << (15 - bits)) - 1;
	int exponent = (word & 0x7fff) >> bits, mantissa = word & ((1 << bits) - 1);
	double sign = (word & 0x8000) ? -1.0 : 1.0;
	if (exponent == top)
		return mantissa != 0 ? NAN : sign * INFINITY;
	if (exponent == 0)
		return sign * ldexp(mantissa, 1 - bias - bits);
	return sign * ldexp(mantissa + (1 << bits), exponent - bias - bits);
}

static void store(int32_t dtype, unsigned char *p, double value) {
	float f = (float)value;
	int32_t i;
	int64_t l;
	uint16_t w;
	switch (dtype) {
	case MT_F32:
		memcpy(p, &f, sizeof f);
		break;
	case MT_F64:
		memcpy(p, &value, sizeof value);
		break;
	case MT_I32:
		i = (int32_t)value;
		memcpy(p, &i, sizeof i);
		break;
	case MT_I64:
		l = (int64_t)value;
		memcpy(p, &l, sizeof l);
		break;
	case MT_U8:
	case MT_BOOL:
		*p = (unsigned char)value;
		break;
	default:
		w = low_bits(&dtypes[dtype], value);
		memcpy(p, &w, sizeof w);
	}
}

static double fetch(int32_t dtype, const unsigned char *p) {
	float f;
	double d;
	int32_t i;
	int64_t l;
	uint16_t w;
	switch (dtype) {
	case MT_F32:
		memcpy(&f, p, sizeof f);
		return f;
	case MT_F64:
		memcpy(&d, p, sizeof d);
		return d;
	case MT_I32:
		memcpy(&i, p, sizeof i);
		return i;
	case MT_I64:
		memcpy(&l, p, sizeof l);
		return (double)l;
	case MT_U8:
	case MT_BOOL:
		return *p;
	default:
		memcpy(&w, p, sizeof w);
		return low_value(&dtypes[dtype], w);
	}
}

/* Where element e lies in the buffer. */
static uint64_t position(const mt_array *a, int64_t e) {
	int64_t offset = 0;
	for (int d = a->rank - 1; d >= 0; d--) {
		offset += e % a->shape[d] * a->stride[d];
		e /= a->shape[d];
	}
	return a->byte_offset + (uint64_t)(offset * dtypes[a->dtype].size);
}

static int broadcast_dim(const mt_array *a) {
	for (int d = 0; d < a->rank; d++)
		if (a->shape[d] > 1)
			return d;
	return -1;
}

/* Fills strides; returns the elements the layout spans; *first is element 0's place in it. */
static int64_t lay_out(mt_array *a, enum kc_layout layout, int64_t *first) {
	int64_t step = layout == KC_STEPPED ? 2 : 1, span = 1;
	*first = 0;
	for (int i = 0; i < a->rank; i++) {
		int d = layout == KC_TRANSPOSED ? i : a->rank - 1 - i;
		int64_t extent = a->shape[d] > 0 ? a->shape[d] : 1;
		a->stride[d] = span * step;
		span *= extent * step + (layout == KC_PADDED ? 3 : 0);
		if (layout == KC_NEGATIVE) {
			*first += (extent - 1) * a->stride[d];
			a->stride[d] = -a->stride[d];
		}
	}
	if (layout == KC_BROADCAST && broadcast_dim(a) >= 0)
		a->stride[broadcast_dim(a)] = 0;
	return span;
}

static void *check_memory(void *p) {
	if (p == NULL)
		abort(); /* a test without memory proves nothing */
	return p;
}

struct kc_array *kc_new(struct kc_host *h, enum kc_role role, int32_t dtype, int rank, const int64_t *shape,
                        enum kc_layout layout) {
	struct kc_array *a = check_memory(calloc(1, sizeof *a));
	int64_t first;
	int size = dtypes[dtype].size;
	a->role = role;
	a->array.dtype = dtype;
	a->array.rank = rank;
	a->numel = 1;
	for (int d = 0; d < rank; d++) {
		a->array.shape[d] = shape[d];
		a->numel *= shape[d];
	}
	int64_t span = lay_out(&a->array, layout, &first);
	a->bytes = (uint64_t)(span * size) + 2 * GUARD;
	a->array.byte_offset = (uint64_t)(first * size) + GUARD;
	a->array.buffer_bytes = a->bytes;
	a->values = check_memory(calloc((size_t)a->numel + 1, sizeof *a->values));
	a->image = check_memory(malloc(a->bytes));
	a->owned = check_memory(calloc(a->bytes, 1));
	memset(a->image, POISON, a->bytes);
	for (int64_t e = 0; e < a->numel; e++)
		memset(a->owned + position(&a->array, e), 1, (size_t)size);
	if (h->api->alloc(h->device, a->bytes, &a->array.base) != MT_OK)
		abort();
	a->next = h->arrays;
	h->arrays = a;
	return a;
}

void kc_set(struct kc_array *a, int64_t e, double value) {
	a->values[e] = kc_round(a->array.dtype, value);
	store(a->array.dtype, a->image + position(&a->array, e), a->values[e]);
}

void kc_fill(struct kc_host *h, struct kc_array *a, double low, double high) {
	for (int64_t e = 0; e < a->numel; e++) {
		double u = kc_uniform(h);
		if (a->array.dtype == MT_BOOL)
			kc_set(a, e, u < 0.5);
		else if (kc_is_float(a->array.dtype))
			kc_set(a, e, low + u * (high - low));
		else
			kc_set(a, e, floor(low + u * (high - low + 1)));
	}
	for (int64_t e = 0; e < a->numel; e++) /* elements that share a place hold what was stored last */
		a->values[e] = fetch(a->array.dtype, a->image + position(&a->array, e));
}

struct kc_array *kc_input(struct kc_host *h, int32_t dtype, int rank, const int64_t *shape, enum kc_layout layout,
                          double low, double high) {
	struct kc_array *a = kc_new(h, KC_IN, dtype, rank, shape, layout);
	kc_fill(h, a, low, high);
	return a;
}

static void digest(struct kc_host *h, const unsigned char *p, int size) {
	for (int i = 0; i < size; i++)
		h->digest = (h->digest ^ p[i]) * 0x100000001b3u;
}

/* Downloads a and looks for bytes that should not have changed; then takes the values over. */
static int check_array(struct kc_host *h, struct kc_array *a, int may_write) {
	unsigned char *now = check_memory(malloc(a->bytes));
	int ok = 1;
	if (h->api->download(h->queue, a->array.base, 0, now, a->bytes) != MT_OK)
		ok = MT_CHECK_MSG(0, "%s: download failed: %s", h->label, kc_error());
	for (uint64_t i = 0; ok && i < a->bytes; i++)
		if (now[i] != a->image[i] && !(may_write && a->owned[i]))
			ok = MT_CHECK_MSG(0, "%s: byte %lld of %s array (element 0 at %llu of %llu) was changed", h->label,
			                  (long long)i, a->role == KC_IN ? "an input" : "an output",
			                  (unsigned long long)a->array.byte_offset, (unsigned long long)a->bytes);
	for (int64_t e = 0; e < a->numel && may_write; e++) {
		const unsigned char *p = now + position(&a->array, e);
		a->values[e] = fetch(a->array.dtype, p);
		digest(h, p, dtypes[a->array.dtype].size);
	}
	free(now);
	return ok;
}

static void upload_all(struct kc_host *h) {
	for (struct kc_array *a = h->arrays; a != NULL; a = a->next)
		if (h->api->upload(h->queue, a->array.base, 0, a->image, a->bytes) != MT_OK)
			abort();
}

int kc_run(struct kc_host *h, int32_t kernel, const void *args) {
	upload_all(h);
	int32_t status = kc_call(h, kernel, args);
	int ok = MT_CHECK_MSG(status == MT_OK, "%s: kernel %d returned %d (%s)", h->label, (int)kernel, (int)status, kc_error());
	for (struct kc_array *a = h->arrays; a != NULL; a = a->next)
		ok &= check_array(h, a, a->role != KC_IN);
	return ok;
}

int kc_run_refused(struct kc_host *h, int32_t kernel, const void *args, int32_t expected) {
	upload_all(h);
	int32_t status = kc_call(h, kernel, args);
	int ok = MT_CHECK_MSG(status == expected, "%s: kernel %d returned %d, expected %d", h->label, (int)kernel,
	                      (int)status, (int)expected);
	ok &= MT_CHECK_MSG(kc_error()[0] != '\0', "%s: kernel %d refused without a reason", h->label, (int)kernel);
	for (struct kc_array *a = h->arrays; a != NULL; a = a->next)
		ok &= check_array(h, a, 0);
	return ok;
}

void kc_reset(struct kc_host *h) {
	while (h->arrays != NULL) {
		struct kc_array *a = h->arrays;
		h->arrays = a->next;
		h->api->free(h->device, a->array.base);
		free(a->values);
		free(a->image);
		free(a->owned);
		free(a);
	}
}
