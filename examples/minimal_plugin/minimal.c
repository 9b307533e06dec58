/* The six kernels that every backend must have, in f32, as plain loops: copy this file to begin a plugin.
 *
 *     cc -std=c11 -O2 -fPIC -shared -fvisibility=hidden $(pkg-config --cflags mt) minimal.c -o mt_minimal.so -lm
 *     mt-conformance ./mt_minimal.so           # is it right?
 *     MT_ADD_MANIFEST_PATH=$PWD mt-info        # minimal.json, the manifest, lies beside it
 *     MT_BACKEND=minimal train_mnist --train 2000
 *
 * What is not claimed in its capability table, libmt composes of other ops or runs on the reference plugin.  Rules:
 * docs/plugin-abi.md.  What each kernel computes: mt/plugin.h. */
#define MT_BUILDING_PLUGIN
#include "mt/plugin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The tables' signatures bring more than plain loops need. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static const struct mt_host_api *host_api;

static int32_t fail(int32_t status, const char *text) {
	host_api->set_error(status, text);
	return status;
}

/* ---- walking arrays ----------------------------------------------------------------------------------------------- */

/* Steps index to the next element in row-major order; 0 after the last. */
static int next(const mt_array *a, int64_t *index) {
	for (int32_t d = a->rank; d-- > 0;) {
		if (++index[d] < a->shape[d])
			return 1;
		index[d] = 0;
	}
	return 0;
}

/* Where an element lies, in elements from the first.  Strides may be 0 or negative (R8). */
static int64_t offset(const mt_array *a, const int64_t *index) {
	int64_t sum = 0;
	for (int32_t d = 0; d < a->rank; d++)
		sum += index[d] * a->stride[d];
	return sum;
}

static void *at(const mt_array *a, const int64_t *index, int64_t size) {
	return (char *)a->base + a->byte_offset + offset(a, index) * size;
}

static float *f32(const mt_array *a, const int64_t *index) {
	return at(a, index, sizeof(float));
}

static float number(const mt_scalar *s) {
	return s->tag == MT_SCALAR_I64 ? (float)s->v.i : (float)s->v.f;
}

/* ---- kernels.  No output is empty, and shapes are checked by the host. -------------------------------------------- */

static int32_t copy(mt_queue *queue, const struct mt_copy_args *args) {
	int64_t index[MT_MAX_RANK] = {0};
	do
		*f32(args->out, index) = *f32(args->x, index);
	while (next(args->out, index));
	return MT_OK;
}

static int32_t fill(mt_queue *queue, const struct mt_fill_args *args) {
	int64_t index[MT_MAX_RANK] = {0};
	do
		*f32(args->out, index) = number(&args->value);
	while (next(args->out, index));
	return MT_OK;
}

static float map_one(int32_t op, float x) {
	return op == MT_MAP_NEG       ? -x
	       : op == MT_MAP_EXP     ? expf(x)
	       : op == MT_MAP_LOG     ? logf(x)
	       : op == MT_MAP_SIGMOID ? (float)(1 / (1 + exp(-(double)x)))
	                              : (x <= 0 ? 0 : x); /* relu: NaN passes through */
}

static int32_t map(mt_queue *queue, const struct mt_map_args *args) {
	int64_t index[MT_MAX_RANK] = {0};
	do
		*f32(args->out, index) = map_one(args->op, *f32(args->x, index));
	while (next(args->out, index));
	return MT_OK;
}

static float zip_one(int32_t op, float a, float b) {
	return op == MT_ZIP_ADD   ? a + b
	       : op == MT_ZIP_SUB ? a - b
	       : op == MT_ZIP_MUL ? a * b
	       : op == MT_ZIP_LT  ? a < b
	                          : a == b;
}

/* Either of a and b may be a scalar by value; comparisons give bool, which is one byte, 0 or 1. */
static int32_t zip(mt_queue *queue, const struct mt_zip_args *args) {
	int64_t index[MT_MAX_RANK] = {0};
	float scalar = args->a == NULL || args->b == NULL ? number(&args->scalar) : 0;
	do {
		float a = args->a != NULL ? *f32(args->a, index) : scalar;
		float b = args->b != NULL ? *f32(args->b, index) : scalar;
		float y = zip_one(args->op, a, b);
		if (args->out->dtype == MT_BOOL)
			*(uint8_t *)at(args->out, index, 1) = y != 0;
		else
			*f32(args->out, index) = y;
	} while (next(args->out, index));
	return MT_OK;
}

/* Each element of out is the sum of the part of x that has its index on the axes that stay. */
static int32_t reduce(mt_queue *queue, const struct mt_reduce_args *args) {
	int64_t index[MT_MAX_RANK] = {0};
	mt_array part = *args->x;
	int empty = 0;
	for (int32_t d = 0; d < part.rank; d++) {
		if (((args->axes >> d) & 1) == 0)
			part.shape[d] = 1;
		empty |= part.shape[d] == 0;
	}
	do {
		int64_t inner[MT_MAX_RANK] = {0};
		double sum = 0;
		part.byte_offset = args->x->byte_offset + (uint64_t)(offset(args->x, index) * (int64_t)sizeof(float));
		if (!empty)
			do
				sum += (double)*f32(&part, inner);
			while (next(&part, inner));
		*f32(args->out, index) = (float)sum;
	} while (next(args->out, index));
	return MT_OK;
}

/* out = act(alpha · a @ b + beta · out + bias), over any batch dims; index is out's: […, i, j]. */
static int32_t matmul(mt_queue *queue, const struct mt_matmul_args *args) {
	int64_t index[MT_MAX_RANK] = {0};
	int32_t row = args->out->rank - 2, column = args->out->rank - 1;
	int64_t inner = args->a->shape[column];
	if (args->activation != MT_ACT_NONE) /* said before any output is touched (R7); libmt then goes another way */
		return fail(MT_E_UNSUPPORTED, "no activations here");
	do {
		int64_t left[MT_MAX_RANK], right[MT_MAX_RANK];
		double sum = 0;
		memcpy(left, index, sizeof left);
		memcpy(right, index, sizeof right);
		for (int64_t k = 0; k < inner; k++) {
			left[column] = right[row] = k;
			sum += (double)*f32(args->a, left) * (double)*f32(args->b, right);
		}
		float *out = f32(args->out, index); /* with beta 0 not read */
		sum = args->alpha * sum + (args->beta != 0 ? args->beta * (double)*out : 0);
		*out = (float)(sum + (args->bias != NULL ? (double)*f32(args->bias, &index[column]) : 0));
	} while (next(args->out, index));
	return MT_OK;
}

static const struct mt_kernel_table kernels = {
	.struct_size = sizeof kernels,
	.copy = copy,
	.fill = fill,
	.map = map,
	.zip = zip,
	.reduce = reduce,
	.matmul = matmul,
};

/* Only what is true (R7): libmt calls nothing that is not listed here. */
#define F32 MT_DTYPE_BIT(MT_F32)
static const struct mt_capability capabilities[] = {
	{MT_K_COPY, 0, F32, F32},
	{MT_K_FILL, 0, F32, 0},
	{MT_K_MAP, MT_MAP_NEG, F32, 0},
	{MT_K_MAP, MT_MAP_EXP, F32, 0},
	{MT_K_MAP, MT_MAP_LOG, F32, 0},
	{MT_K_MAP, MT_MAP_SIGMOID, F32, 0},
	{MT_K_MAP, MT_MAP_RELU, F32, 0},
	{MT_K_ZIP, MT_ZIP_ADD, F32, 0},
	{MT_K_ZIP, MT_ZIP_SUB, F32, 0},
	{MT_K_ZIP, MT_ZIP_MUL, F32, 0},
	{MT_K_ZIP, MT_ZIP_LT, F32, 0},
	{MT_K_ZIP, MT_ZIP_EQ, F32, 0},
	{MT_K_REDUCE, MT_REDUCE_SUM, F32, 0},
	{MT_K_MATMUL, 0, F32, 0},
};

/* ---- memory and the queue: the host's memory, and everything is done when its function returns -------------------- */

enum { ALIGNMENT = 64 };
static int32_t device_alloc(mt_plugin_device *device, uint64_t bytes, void **out) {
	uint64_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	*out = rounded < bytes || rounded > PTRDIFF_MAX ? NULL : aligned_alloc(ALIGNMENT, rounded);
	return *out != NULL ? MT_OK : fail(MT_E_MEMORY, "out of memory");
}

static int32_t device_free(mt_plugin_device *device, void *base) {
	free(base);
	return MT_OK;
}

static int32_t memory_info(mt_plugin_device *device, struct mt_memory_info *out) {
	out->free_bytes = out->total_bytes = 0; /* not known */
	return MT_OK;
}

static int32_t queue_create(mt_plugin_device *device, mt_host_queue *host, mt_queue **out) {
	*out = (mt_queue *)host; /* all there is to remember: kernels that need memory give it to host_api->scratch */
	return MT_OK;
}

static void queue_destroy(mt_queue *queue) {
}

static int32_t copy_device(mt_queue *queue, void *dst, uint64_t dst_offset, const void *src, uint64_t src_offset,
                           uint64_t bytes) {
	memcpy((char *)dst + dst_offset, (const char *)src + src_offset, bytes);
	return MT_OK;
}

static int32_t upload(mt_queue *queue, void *base, uint64_t byte_offset, const void *src, uint64_t bytes) {
	return copy_device(queue, base, byte_offset, src, 0, bytes);
}

static int32_t download(mt_queue *queue, const void *base, uint64_t byte_offset, void *dst, uint64_t bytes) {
	return copy_device(queue, dst, 0, base, byte_offset, bytes);
}

static int32_t synchronize(mt_queue *queue) {
	return MT_OK;
}

static const struct mt_device_api device_api = {
	.struct_size = sizeof device_api,
	.alloc = device_alloc,
	.free = device_free,
	.memory_info = memory_info,
	.queue_create = queue_create,
	.queue_destroy = queue_destroy,
	.upload = upload,
	.download = download,
	.copy_device = copy_device,
	.synchronize = synchronize,
	.kernels = &kernels,
	.capabilities = capabilities,
	.n_capabilities = sizeof capabilities / sizeof *capabilities,
};

/* ---- devices: one, without options -------------------------------------------------------------------------------- */

static int32_t device_count(int32_t *out) {
	*out = 1;
	return MT_OK;
}

static int32_t check_ordinal(int32_t ordinal) {
	return ordinal == 0 ? MT_OK : fail(MT_E_ARG, "there is no such device; minimal has device 0 alone");
}

/* Every field is filled; nothing is known of what stood there. */
static int32_t device_info(int32_t ordinal, struct mt_device_info *out) {
	if (check_ordinal(ordinal) != MT_OK)
		return MT_E_ARG;
	snprintf(out->name, sizeof out->name, "one thread of the CPU");
	out->features[0] = '\0';
	out->memory_bytes = 0; /* not known */
	out->flags = MT_DEVICE_HOST_MEMORY;
	out->alignment = ALIGNMENT;
	if (out->struct_size < sizeof *out) /* a host of ABI 0.1 (R3) */
		return MT_OK;
	out->memory_kind = MT_MEMORY_HOST; /* the kernels take any address that the CPU can read and write (R9) */
	out->memory_ordinal = 0;
	return MT_OK;
}

static int32_t device_open(int32_t ordinal, const struct mt_option *options, uint64_t n_options,
                           mt_plugin_device **device, const struct mt_device_api **api) {
	char text[160];
	if (check_ordinal(ordinal) != MT_OK)
		return MT_E_ARG;
	if (n_options != 0) {
		snprintf(text, sizeof text, "unknown option '%.100s'; minimal has none", options[0].key);
		return fail(MT_E_ARG, text);
	}
	*device = (mt_plugin_device *)(uintptr_t)&device_api; /* nothing to remember: any address will do */
	*api = &device_api;
	return MT_OK;
}

static void device_close(mt_plugin_device *device) {
}

/* ---- the entry: the one exported symbol (R1, R2) ------------------------------------------------------------------ */

int32_t mt_plugin_entry_v1(const struct mt_host_api *host, const struct mt_plugin_request *request,
                           struct mt_plugin_api *api) {
	static const struct mt_plugin_api filled = {
		.struct_size = sizeof filled,
		.abi_major = MT_ABI_MAJOR,
		.abi_minor = MT_ABI_MINOR,
		.name = "minimal",
		.version = "1.0",
		.description = "Six kernels in f32, as plain loops",
		.device_count = device_count,
		.device_info = device_info,
		.device_open = device_open,
		.device_close = device_close,
	};
	host_api = host;
	if (host->abi_major != MT_ABI_MAJOR || api->struct_size < sizeof filled || request->kind != MT_KIND_DEVICE)
		return fail(MT_E_PLUGIN, "made for another version of the ABI, or asked for another kind of plugin");
	*api = filled;
	return MT_OK;
}
