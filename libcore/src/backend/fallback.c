/* Running an op on the reference plugin where the device itself cannot: never silently. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "backend/device_impl.h"
#include "base/error.h"
#include "base/log.h"

/* ---- policy ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_int policy = MT_FALLBACK_WARN;

static void read_policy(void) {
	const char *value = mt__getenv("MT_FALLBACK");
	if (value != NULL && strcmp(value, "error") == 0)
		policy = MT_FALLBACK_ERROR;
	else if (value != NULL && strcmp(value, "allow") == 0)
		policy = MT_FALLBACK_ALLOW;
}

int mt__fallback_policy(void) {
	pthread_once(&once, read_policy);
	return policy;
}

mt_status mt_set_fallback(int32_t new_policy) {
	pthread_once(&once, read_policy);
	if (new_policy < MT_FALLBACK_ERROR || new_policy > MT_FALLBACK_ALLOW)
		return mt__fail(MT_E_ARG,
		                "mt_set_fallback: %d is no policy; there are MT_FALLBACK_ERROR, MT_FALLBACK_WARN and "
		                "MT_FALLBACK_ALLOW",
		                new_policy);
	policy = new_policy;
	return MT_OK;
}

/* ---- on host memory ---- */

/* Runs the kernel on the reference's queue and waits for it. */
static mt_status run_reference(mt_device *reference, mt_device *shown, enum mt_kernel_id kernel, int32_t op,
                               const void *args) {
	char message[MT__CALL_TEXT], what[128];
	mt__lock_take(&reference->lock);
	mt__call_begin(&reference->call);
	int32_t result = mt__run_kernel(&reference->kernels, reference->queue, kernel, args);
	if (result == MT_OK && (reference->info.flags & MT_DEVICE_ASYNC) != 0)
		result = reference->api.synchronize(reference->queue);
	mt__call_end(&reference->call);
	if (result != MT_OK)
		mt__call_message(&reference->call, message, sizeof message);
	mt__lock_give(&reference->lock);
	if (result == MT_OK)
		return MT_OK;
	snprintf(what, sizeof what, "%s: on %s, in place of %s", mt__kernel_op_name(kernel, op), reference->backend->name,
	         shown->backend->name);
	return mt__fail_plugin(what, result, message);
}

/* ---- through host copies ---- */

/* A buffer of the device, as much of it as the operands use, and its copy in the reference's memory. */
struct region {
	const void *base;
	uint64_t begin, end;
	int reads, writes;
	void *host;
	uint64_t capacity;
};

union any_args {
#define MT_KERNEL(id, NAME, name, group, must) struct mt_##name##_args name;
#include "mt/kernels.def"
#undef MT_KERNEL
};

/* The arguments of the reference's call: the same, with the operands moved into host copies. */
struct copied {
	union any_args args;
	mt_array arrays[MT__MAX_OPERANDS];
	struct region regions[MT__MAX_OPERANDS];
	uint32_t region_of[MT__MAX_OPERANDS];
	uint32_t n_regions;
};

/* Operands in one buffer share one region: they may be the same array, or lie between each other. */
static void add_operand(struct copied *c, uint32_t i, const mt_array *array, uint32_t role) {
	uint32_t at = 0;
	uint64_t begin, end;
	mt__array_span(array, &begin, &end);
	while (at < c->n_regions && c->regions[at].base != array->base)
		at++;
	struct region *r = &c->regions[at];
	int fresh = at == c->n_regions;
	c->n_regions += (uint32_t)fresh;
	if (fresh)
		*r = (struct region){.base = array->base, .begin = begin, .end = end};
	r->begin = begin < r->begin ? begin : r->begin;
	r->end = end > r->end ? end : r->end;
	/* what is written with gaps, or beside something else, must be read first to be written back whole */
	int dense = end - begin == mt__array_elements(array) * mt__dtype_bytes(array->dtype);
	r->reads |= (role & MT__ROLE_READS) != 0 || !dense || !fresh;
	r->writes |= (role & MT__ROLE_WRITES) != 0;
	c->region_of[i] = at;
}

static void point_to_host(struct copied *c, const struct mt__kernel *k, uint32_t i, const mt_array *array) {
	const struct region *r = &c->regions[c->region_of[i]];
	c->arrays[i] = *array;
	c->arrays[i].base = r->host;
	c->arrays[i].byte_offset = array->byte_offset - r->begin;
	c->arrays[i].buffer_bytes = r->end - r->begin;
	const mt_array *moved = &c->arrays[i];
	memcpy((char *)&c->args + k->operands[i].offset, &moved, sizeof moved);
}

/* A scalar that lies on the device (R12) becomes one by value. */
static mt_status fetch_scalar(mt_device *d, const mt_array **array, void *value, int is_integer) {
	union {
		double f;
		int64_t i;
	} got;
	if (*array == NULL)
		return MT_OK;
	mt_status status = mt__download(d, (*array)->base, (*array)->byte_offset, &got, sizeof got);
	if (status == MT_OK && is_integer)
		memcpy(value, &got.i, sizeof got.i);
	else if (status == MT_OK) {
		double f = (*array)->dtype == MT_I64 ? (double)got.i : got.f;
		memcpy(value, &f, sizeof f);
	}
	*array = NULL;
	return status;
}

static mt_status fetch_scalars(mt_device *d, enum mt_kernel_id kernel, union any_args *args) {
	mt_status status;
	switch (kernel) {
	case MT_K_SGD:
		return fetch_scalar(d, &args->sgd.lr.device, &args->sgd.lr.value, 0);
	case MT_K_ADAM:
		status = fetch_scalar(d, &args->adam.lr.device, &args->adam.lr.value, 0);
		return status != MT_OK ? status : fetch_scalar(d, &args->adam.step.device, &args->adam.step.value, 0);
	case MT_K_UNIFORM:
		return fetch_scalar(d, &args->uniform.pos.device_offset, &args->uniform.pos.offset, 1);
	case MT_K_NORMAL:
		return fetch_scalar(d, &args->normal.pos.device_offset, &args->normal.pos.offset, 1);
	case MT_K_BERNOULLI:
		return fetch_scalar(d, &args->bernoulli.pos.device_offset, &args->bernoulli.pos.offset, 1);
	default:
		return MT_OK;
	}
}

static mt_status fetch_regions(mt_device *d, mt_device *reference, struct copied *c) {
	mt_status status = MT_OK;
	for (struct region *r = c->regions; r < c->regions + c->n_regions; r++) {
		uint64_t bytes = r->end - r->begin;
		status = mt__buffer_alloc(reference, bytes > 0 ? bytes : 1, &r->host, &r->capacity);
		if (status == MT_OK && r->reads && bytes > 0)
			status = mt__download(d, r->base, r->begin, r->host, bytes);
		if (status != MT_OK)
			break;
	}
	return status;
}

static mt_status return_regions(mt_device *d, const struct copied *c) {
	mt_status status = MT_OK;
	for (uint32_t i = 0; i < c->n_regions && status == MT_OK; i++) {
		const struct region *r = &c->regions[i];
		if (r->writes && r->end > r->begin)
			status = mt__upload(d, (void *)r->base, r->begin, r->host, r->end - r->begin);
	}
	return status;
}

static mt_status run_copied(mt_device *d, mt_device *reference, enum mt_kernel_id kernel, int32_t op,
                            const void *args) {
	const struct mt__kernel *k = &mt__kernels[kernel];
	struct copied c;
	memset(&c, 0, sizeof c);
	memcpy(&c.args, args, k->args_size);
	for (uint32_t i = 0; i < k->n_operands; i++) {
		const mt_array *array = mt__operand(k, args, i);
		if (array != NULL)
			add_operand(&c, i, array, k->operands[i].role);
	}
	mt_status status = fetch_scalars(d, kernel, &c.args);
	if (status == MT_OK)
		status = fetch_regions(d, reference, &c);
	for (uint32_t i = 0; i < k->n_operands && status == MT_OK; i++) {
		const mt_array *array = mt__operand(k, args, i);
		if (array != NULL)
			point_to_host(&c, k, i, array);
	}
	if (status == MT_OK)
		status = run_reference(reference, d, kernel, op, &c.args);
	if (status == MT_OK)
		status = return_regions(d, &c);
	for (uint32_t i = 0; i < c.n_regions; i++)
		mt__buffer_free(reference, c.regions[i].host, c.regions[i].capacity);
	return status;
}

/* ---- the decision ---- */

static uint64_t operand_bytes(enum mt_kernel_id kernel, const void *args) {
	const struct mt__kernel *k = &mt__kernels[kernel];
	uint64_t bytes = 0;
	for (uint32_t i = 0; i < k->n_operands; i++) {
		const mt_array *array = mt__operand(k, args, i);
		if (array != NULL)
			bytes += mt__array_elements(array) * mt__dtype_bytes(array->dtype);
	}
	return bytes;
}

static mt_status refuse(const mt_device *d, const char *op, const char *cannot, const char *why) {
	return mt__fail(MT_E_UNSUPPORTED, "%s: %s %s; %s", op, d->backend->name, cannot, why);
}

mt_status mt__fallback(mt_device *d, enum mt_kernel_id kernel, int32_t op, void *args, const char *reason) {
	const char *name = mt__kernel_op_name(kernel, op);
	char cannot[MT__CALL_TEXT + 64], why[1100];
	if (reason[0] != '\0')
		snprintf(cannot, sizeof cannot, "cannot run it: %s", reason);
	else if (kernel == MT_K_COPY)
		snprintf(cannot, sizeof cannot, "has no kernel for it from %s to %s",
		         mt__dtype_word(((const struct mt_copy_args *)args)->x->dtype),
		         mt__dtype_word(((const struct mt_copy_args *)args)->out->dtype));
	else
		snprintf(cannot, sizeof cannot, "has no kernel for it in %s",
		         mt__dtype_word(mt__primary_dtype(&mt__kernels[kernel], args)));

	int now = mt__fallback_policy();
	if (d->backend->is_reference)
		return mt__fail(MT_E_UNSUPPORTED, "%s: %s %s", name, d->backend->name, cannot);
	if (now == MT_FALLBACK_ERROR)
		return refuse(d, name, cannot, "MT_FALLBACK=error forbids to run it elsewhere");
	mt_device *reference = mt__reference_device(why, sizeof why);
	if (reference == NULL)
		return refuse(d, name, cannot, why);
	if (!mt__claims(reference, kernel, op, args)) {
		snprintf(why, sizeof why, "nor does the reference, %s, have one", reference->backend->name);
		return refuse(d, name, cannot, why);
	}

	unsigned long long bit = 1ull << (op & (MT__MAX_OPS - 1));
	if (now == MT_FALLBACK_WARN && (atomic_fetch_or(&d->warned[kernel], bit) & bit) == 0)
		mt__log(MT_LOG_WARN, MT_LOG_DISPATCH,
		        "%s: %s %s; it runs on %s (MT_FALLBACK=error forbids that, allow is "
		        "quiet)",
		        name, d->backend->name, cannot, reference->backend->name);

	uint64_t start = mt__now();
	int in_place = (d->info.flags & reference->info.flags & MT_DEVICE_HOST_MEMORY) != 0;
	mt_status status = MT_OK;
	if (in_place && (d->info.flags & MT_DEVICE_ASYNC) != 0)
		status = mt_device_synchronize(d);
	if (status == MT_OK)
		status = in_place ? run_reference(reference, d, kernel, op, args) : run_copied(d, reference, kernel, op, args);
	if (status != MT_OK)
		return status;
	atomic_fetch_add(&d->fallback, 1);
	atomic_fetch_add(&d->fallback_bytes, operand_bytes(kernel, args));
	if (mt__instrumented) {
		mt__lock_take(&d->lock);
		mt__profile_add(d, kernel, op, args, mt__now() - start, 1);
		mt__lock_give(&d->lock);
	}
	return MT_OK;
}
