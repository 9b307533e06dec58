/* One kernel call of a case, made several times: over two poisons on the first host, and once on each further host. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "dtype.h"
#include "run.h"

/* All ones is a NaN in every float dtype: what reads an output that it should only write shows it. */
enum { POISON_FIRST = 0xFF, POISON_SECOND = 0x5A };

static const char *role_words(const struct cf_array *a) {
	return a->role == CF_IN ? "an input" : "an output";
}

static void poison(struct cf_array *a, int byte) {
	for (uint64_t i = 0; i < a->bytes && a->role == CF_OUT; i++)
		if (a->owned[i])
			a->image[i] = (unsigned char)byte;
}

/* Gives every array a buffer on host i, makes it the one that args mean, and uploads it. */
static int place(struct cf_run *r, int i, int byte) {
	struct cf_host *h = &r->hosts[i];
	for (struct cf_array *a = r->arrays; a != NULL; a = a->next) {
		if (a->base[i] == NULL && h->api->alloc(h->device, a->bytes, &a->base[i]) != MT_OK) {
			a->base[i] = NULL;
			cf_fail(r, "alloc of %llu bytes failed: %s", (unsigned long long)a->bytes, cf_error());
			return 0;
		}
		a->array.base = a->base[i];
		poison(a, byte);
		if (h->api->upload(h->queue, a->array.base, 0, a->image, a->bytes) != MT_OK) {
			cf_fail(r, "upload failed: %s", cf_error());
			return 0;
		}
	}
	return 1;
}

static int download(struct cf_run *r, int i, struct cf_array *a, unsigned char *to) {
	struct cf_host *h = &r->hosts[i];
	if (h->api->download(h->queue, a->base[i], 0, to, a->bytes) == MT_OK)
		return 1;
	cf_fail(r, "download failed: %s", cf_error());
	return 0;
}

/* The element nearest to byte i of the buffer: where in the array a stray write was. */
static void fail_touched(struct cf_run *r, const struct cf_array *a, uint64_t i) {
	uint64_t first = 0, last = a->bytes;
	while (first < a->bytes && !a->owned[first])
		first++;
	while (last > first && !a->owned[last - 1])
		last--;
	if (a->role == CF_IN && a->owned[i])
		cf_fail(r, "an input was written: byte %llu of its buffer", (unsigned long long)i);
	else if (i < first)
		cf_fail(r, "%s was written %llu bytes before its start", role_words(a), (unsigned long long)(first - i));
	else if (i >= last)
		cf_fail(r, "%s was written %llu bytes past its end", role_words(a), (unsigned long long)(i - last + 1));
	else
		cf_fail(r, "%s was written in a gap between its elements, %llu bytes from its start", role_words(a),
		        (unsigned long long)(i - first));
}

/* Whether nothing but what may be written was: now against what was uploaded. */
static int untouched(struct cf_run *r, const struct cf_array *a, const unsigned char *now, int may_write) {
	if (memcmp(now, a->image, a->bytes) == 0)
		return 1;
	for (uint64_t i = 0; i < a->bytes; i++)
		if (now[i] != a->image[i] && !(may_write && a->role != CF_IN && a->owned[i])) {
			fail_touched(r, a, i);
			return 0;
		}
	return 1;
}

/* After a refusal: with a reason, and not one byte changed, but what outputs hold where they may have been written. */
static int refused_cleanly(struct cf_run *r, int i, int may_write) {
	if (cf_error()[0] == '\0') {
		cf_fail(r, "the call was refused without a reason");
		return 0;
	}
	for (struct cf_array *a = r->arrays; a != NULL; a = a->next)
		if (!download(r, i, a, a->first) || !untouched(r, a, a->first, may_write))
			return 0;
	return 1;
}

static const char *status_name(int32_t status) {
	switch (status) {
#define MT_STATUS(id, NAME, text)                                                                                      \
	case id:                                                                                                           \
		return "MT_" #NAME;
#include "mt/statuses.def"
#undef MT_STATUS
	default:
		return "an unknown status";
	}
}

static int32_t call_on(struct cf_run *r, int i, int32_t kernel, const void *args) {
	r->result.calls++;
	int32_t status = cf_host_call(&r->hosts[i], kernel, args);
	const char *misuse = cf_scratch_misuse(&r->hosts[i]);
	if (misuse != NULL)
		cf_fail(r, "%s", misuse);
	return status;
}

/* A call without scratch memory says so and may leave anything behind. */
static int is_denied(struct cf_run *r, int32_t status) {
	if (!cf_scratch_is_denied() || status != MT_E_MEMORY)
		return 0;
	if (cf_error()[0] == '\0')
		cf_fail(r, "MT_E_MEMORY is returned without a reason");
	else
		r->result.outcome = CF_REFUSED;
	return 1;
}

/* The call that is compared with the reference. */
static int first_call(struct cf_run *r, int32_t kernel, const void *args) {
	int32_t status = place(r, 0, POISON_FIRST) ? call_on(r, 0, kernel, args) : MT_E_MEMORY;
	if (r->result.outcome == CF_FAILED)
		return 0;
	if (status == MT_E_UNSUPPORTED) {
		char reason[512];
		snprintf(reason, sizeof reason, "%s", cf_error());
		if (refused_cleanly(r, 0, 0)) {
			r->result.outcome = CF_REFUSED;
			snprintf(r->result.words, sizeof r->result.words, "%s", reason);
		}
		return 0;
	}
	if (is_denied(r, status))
		return 0;
	if (status != MT_OK) {
		cf_fail(r, "the call returned %s: %s", status_name(status), cf_error());
		return 0;
	}
	for (struct cf_array *a = r->arrays; a != NULL; a = a->next) {
		if (!download(r, 0, a, a->first) || !untouched(r, a, a->first, 1))
			return 0;
		if (a->role != CF_IN)
			cf_decode(a, a->first);
	}
	return 1;
}

static int both_nan(int32_t dtype, const unsigned char *a, const unsigned char *b) {
	return cf_is_float(dtype) && isnan(cf_fetch_float(dtype, a)) && isnan(cf_fetch_float(dtype, b));
}

/* Whether every byte of size is that. */
static int is_all(const unsigned char *p, int byte, int size) {
	for (int i = 0; i < size; i++)
		if (p[i] != byte)
			return 0;
	return 1;
}

/* The bits of a later call against those of the first.  One NaN is as good as another. */
static int same_bits(struct cf_run *r, const struct cf_array *a, const unsigned char *now, const char *label) {
	int size = cf_dtype_size(a->array.dtype);
	if (memcmp(now, a->first, a->bytes) == 0)
		return 1; /* nothing was left unwritten either: the poisons differ */
	for (int64_t e = 0; e < a->numel; e++) {
		uint64_t at = cf_position(&a->array, e);
		if (memcmp(now + at, a->first + at, (size_t)size) == 0 || both_nan(a->array.dtype, now + at, a->first + at))
			continue;
		if (a->role == CF_OUT && is_all(now + at, POISON_SECOND, size) && is_all(a->first + at, POISON_FIRST, size))
			cf_fail(r, "element %lld of an output was not written", (long long)e);
		else
			cf_fail(r, "element %lld of an output has other bits %s", (long long)e, label);
		return 0;
	}
	return 1;
}

static int later_call(struct cf_run *r, int i, int32_t kernel, const void *args, const char *label) {
	int32_t status = place(r, i, POISON_SECOND) ? call_on(r, i, kernel, args) : MT_E_MEMORY;
	if (r->result.outcome == CF_FAILED)
		return 0;
	if (status != MT_OK) {
		cf_fail(r, "the call returned %s %s: %s", status_name(status), label, cf_error());
		return 0;
	}
	int ok = 1;
	for (struct cf_array *a = r->arrays; a != NULL && ok; a = a->next) {
		unsigned char *now = malloc(a->bytes);
		ok = now != NULL && download(r, i, a, now) && untouched(r, a, now, 1) &&
		     (a->role == CF_IN || same_bits(r, a, now, label));
		free(now);
	}
	return ok;
}

int cf_call(struct cf_run *r, int32_t kernel, const void *args) {
	if (r->result.outcome == CF_FAILED)
		return 0;
	int ok = first_call(r, kernel, args);
	r->executed |= ok;
	if (ok && later_call(r, 0, kernel, args, "when the call is made again"))
		for (int i = 1; i < r->n_hosts; i++) {
			char label[96];
			snprintf(label, sizeof label, "with %s", r->hosts[i].label);
			if (!later_call(r, i, kernel, args, label))
				break;
		}
	for (struct cf_array *a = r->arrays; a != NULL; a = a->next)
		a->array.base = a->base[0];
	return ok;
}

int cf_call_refused(struct cf_run *r, int32_t kernel, const void *args, int32_t expected) {
	if (r->result.outcome == CF_FAILED || !place(r, 0, POISON_FIRST))
		return 0;
	int32_t status = call_on(r, 0, kernel, args);
	r->executed = r->checked = 1;
	if (status != expected) {
		cf_fail(r, "the call returned %s where %s is due", status_name(status), status_name(expected));
		return 0;
	}
	return refused_cleanly(r, 0, r->hosts[0].told_late);
}
