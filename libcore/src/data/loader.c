/* Mini-batches: a shuffled order, gathered and converted on the host, straight into a tensor's memory where the device
 * shares it. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/stream.h"
#include "mt/data.h"
#include "mt/tensor.h"

struct mt_loader {
	const uint8_t *images, *labels;
	int64_t height, width;
	mt_loader_options options; /* count filled in */
	int64_t next;              /* position in order of the next batch */
	uint32_t *order;           /* the epoch's permutation of 0 … count − 1 */
	float value[256];          /* x for each pixel: exact whatever the compiler vectorises, and one load */
	float *x;                  /* staging, for devices without host memory; NULL until needed */
	int64_t *y;
};

static mt_status check_arrays(const char *op, const mt_host_array *images, const mt_host_array *labels) {
	if (images == NULL || labels == NULL)
		return mt__fail_arg_null(op, images == NULL ? "images" : "labels");
	if (images->dtype != MT_U8 || labels->dtype != MT_U8)
		return mt__fail(MT_E_DTYPE, "%s: images and labels must be u8, got %s and %s", op, mt_dtype_name(images->dtype),
		                mt_dtype_name(labels->dtype));
	if (images->rank != 3 || labels->rank != 1 || images->shape[0] != labels->shape[0])
		return mt__fail(MT_E_SHAPE,
		                "%s: images [n, h, w] and labels [n] with one n are needed, got rank %d with n = %" PRId64
		                " and rank %d with n = %" PRId64,
		                op, (int)images->rank, images->shape[0], (int)labels->rank, labels->shape[0]);
	if (images->shape[0] > INT32_MAX)
		return mt__fail(MT_E_ARG, "%s: more than 2^31 images", op);
	return MT_OK;
}

static mt_status check_options(const char *op, const mt_loader_options *o, int64_t n) {
	if (o->batch < 1)
		return mt__fail(MT_E_ARG, "%s: batch must be at least 1, got %" PRId64, op, o->batch);
	if (o->first < 0 || o->count < 0 || o->first > n || o->count > n - o->first)
		return mt__fail(MT_E_ARG, "%s: %" PRId64 " images from %" PRId64 " on are asked for, there are %" PRId64, op,
		                o->count, o->first, n);
	if (!(o->std >= 0) || isinf(o->std) || !isfinite(o->mean))
		return mt__fail(MT_E_ARG, "%s: mean must be finite, std finite and not negative", op);
	return MT_OK;
}

mt_loader *mt_loader_new(const mt_host_array *images, const mt_host_array *labels, mt_loader_options options) {
	static const char op[] = "loader_new";
	if (check_arrays(op, images, labels) != MT_OK || check_options(op, &options, images->shape[0]) != MT_OK)
		return NULL;
	if (options.count == 0)
		options.count = images->shape[0] - options.first;
	if (options.batch > options.count)
		options.batch = options.count > 0 && !options.drop_last ? options.count : options.batch;
	mt_loader *l = mt__calloc(1, sizeof *l);
	uint32_t *order = mt__calloc((size_t)options.count + 1, sizeof *order);
	if (l == NULL || order == NULL) {
		mt__free(l);
		mt__free(order);
		mt__fail_memory(op, (size_t)options.count * sizeof *order);
		return NULL;
	}
	l->images = images->data;
	l->labels = labels->data;
	l->height = images->shape[1];
	l->width = images->shape[2];
	l->options = options;
	l->order = order;
	for (int v = 0; v < 256; v++)
		l->value[v] = options.std == 0 ? (float)v : (float)((v / 255.0 - options.mean) / options.std);
	mt_loader_start(l, 0);
	return l;
}

void mt_loader_free(mt_loader *loader) {
	if (loader == NULL)
		return;
	mt__free(loader->x);
	mt__free(loader->y);
	mt__free(loader->order);
	mt__free(loader);
}

int64_t mt_loader_batches(const mt_loader *loader) {
	if (loader == NULL)
		return 0;
	const mt_loader_options *o = &loader->options;
	return o->count / o->batch + (!o->drop_last && o->count % o->batch != 0);
}

/* Fisher-Yates, from the end. */
static void shuffle(uint64_t seed, int64_t epoch, uint32_t n, uint32_t *order) {
	struct mt__stream s = mt__stream_open(seed, MT__STREAM_SHUFFLE, (uint64_t)epoch);
	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	for (uint32_t i = n; i > 1; i--) {
		uint32_t j = mt__stream_below(&s, i), kept = order[i - 1];
		order[i - 1] = order[j];
		order[j] = kept;
	}
}

mt_status mt_epoch_order(uint64_t seed, int64_t epoch, int64_t n, uint32_t *order) {
	if (order == NULL && n > 0)
		return mt__fail_arg_null("epoch_order", "order");
	if (epoch < 0 || n < 0 || n > INT32_MAX)
		return mt__fail(MT_E_ARG, "epoch_order: epoch ≥ 0 and 0 ≤ n < 2^31 are needed, got %" PRId64 " and %" PRId64,
		                epoch, n);
	shuffle(seed, epoch, (uint32_t)n, order);
	return MT_OK;
}

mt_status mt_loader_start(mt_loader *loader, int64_t epoch) {
	if (loader == NULL)
		return mt__fail_arg_null("loader_start", "loader");
	if (epoch < 0)
		return mt__fail(MT_E_ARG, "loader_start: epoch must not be negative, got %" PRId64, epoch);
	uint32_t n = (uint32_t)loader->options.count;
	if (loader->options.shuffle)
		shuffle(loader->options.seed, epoch, n, loader->order);
	else
		for (uint32_t i = 0; i < n; i++)
			loader->order[i] = i;
	loader->next = 0;
	return MT_OK;
}

mt_status mt_loader_seek(mt_loader *loader, int64_t epoch, int64_t batch) {
	mt_status status = mt_loader_start(loader, epoch);
	if (status != MT_OK)
		return status;
	int64_t batches = mt_loader_batches(loader);
	if (batch < 0 || batch > batches)
		return mt__fail(MT_E_ARG, "loader_seek: batch %" PRId64 " is out of range, an epoch has %" PRId64, batch,
		                batches);
	int64_t at = batch * loader->options.batch;
	loader->next = at < loader->options.count ? at : loader->options.count;
	return MT_OK;
}

/* Images are taken from all over a large array: asked for two ahead, they are there when their turn comes.  (A macro: of
 * a function that does nothing else GCC drops the calls.) */
#if defined(__GNUC__)
#define PREFETCH(p) __builtin_prefetch(p)
#else
#define PREFETCH(p) (void)(p)
#endif

static void gather(const mt_loader *l, int64_t from, int64_t n, float *x, int64_t *y) {
	int64_t pixels = l->height * l->width;
	const float *value = l->value;
	for (int64_t i = 0; i < n; i++) {
		int64_t image = l->options.first + l->order[from + i];
		const uint8_t *src = l->images + image * pixels;
		if (from + i + 2 < l->options.count) {
			const uint8_t *later = l->images + (l->options.first + l->order[from + i + 2]) * pixels;
			for (int64_t p = 0; p < pixels; p += 64)
				PREFETCH(later + p);
		}
		for (int64_t p = 0; p < pixels; p++)
			x[i * pixels + p] = value[src[p]];
		y[i] = l->labels[image];
	}
}

/* Staging memory for one batch. */
static mt_status stage(mt_loader *l) {
	size_t n = (size_t)l->options.batch, pixels = (size_t)(l->height * l->width);
	if (l->x == NULL)
		l->x = mt__calloc(n * pixels + 1, sizeof *l->x);
	if (l->y == NULL)
		l->y = mt__calloc(n, sizeof *l->y);
	return l->x && l->y ? MT_OK : mt__fail_memory("loader_next", n * pixels * sizeof *l->x);
}

static mt_status fill(mt_loader *l, int64_t n, mt_tensor *x, mt_tensor *y) {
	int64_t bytes = n * l->height * l->width * (int64_t)sizeof(float);
	mt_status status;
	if (bytes > 0 && mt_device_has_host_memory(mt_tensor_device(x))) {
		float *px = mt_data(x);
		int64_t *py = mt_data(y);
		if (px == NULL || py == NULL)
			return mt_error_peek();
		gather(l, l->next, n, px, py);
		return MT_OK;
	}
	status = stage(l);
	if (status != MT_OK)
		return status;
	gather(l, l->next, n, l->x, l->y);
	status = mt_from_host(x, l->x, (size_t)bytes);
	return status == MT_OK ? mt_from_host(y, l->y, (size_t)n * sizeof *l->y) : status;
}

int mt_loader_next(mt_loader *loader, mt_tensor **x, mt_tensor **y) {
	static const char op[] = "loader_next";
	if (loader == NULL || x == NULL || y == NULL) {
		mt__fail_arg_null(op, loader == NULL ? "loader" : x == NULL ? "x" : "y");
		return -1;
	}
	const mt_loader_options *o = &loader->options;
	int64_t left = o->count - loader->next;
	int64_t n = left < o->batch ? left : o->batch;
	*x = *y = MT_NONE;
	if (n == 0 || (o->drop_last && n < o->batch))
		return 0;
	*x = mt_empty(MT_SHAPE(n, 1, loader->height, loader->width), MT_F32);
	*y = mt_empty(MT_SHAPE(n), MT_I64);
	if (*x == NULL || *y == NULL || fill(loader, n, *x, *y) != MT_OK) {
		*x = *y = NULL;
		return -1;
	}
	loader->next += n;
	return 1;
}
