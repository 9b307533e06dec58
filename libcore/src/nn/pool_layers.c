/* MaxPool1d to 3d, AvgPool1d to 3d, AdaptiveAvgPool1d to 3d. */
#include <inttypes.h>

#include "nn/extents.h"
#include "ops/pool.h"

/* ---- max and average -------------------------------------------------------------------------------------------- */

typedef mt_tensor *(*pool_op)(mt_tensor *, mt_pool_options);

struct pool_layer {
	int spatial;
	pool_op op;
	mt_pool_options options;
};

static mt_tensor *pool_forward(mt_module *m, mt_tensor *x, void *context) {
	(void)m;
	const struct pool_layer *l = context;
	return l->op(x, l->options);
}

/* One number where all are equal, as a PyTorch user would have written it; else a tuple. */
static void add_extents(struct mt__description *t, const char *before, int n, const int *values) {
	for (int i = 1; i < n; i++)
		if (values[i] != values[0]) {
			mt__describe_extents(t, before, n, values);
			return;
		}
	mt__describe_add(t->text, t->size, &t->at, "%s%d", before, values[0]);
}

static int max_describe(void *context, char *out, size_t size) {
	const struct pool_layer *l = context;
	struct mt__description t = {out, size, 0};
	add_extents(&t, "kernel_size=", l->spatial, l->options.kernel);
	add_extents(&t, ", stride=", l->spatial, l->options.stride);
	add_extents(&t, ", padding=", l->spatial, l->options.padding);
	add_extents(&t, ", dilation=", l->spatial, l->options.dilation);
	mt__describe_add(out, size, &t.at, ", ceil_mode=%s", l->options.ceil_mode ? "True" : "False");
	return t.at;
}

/* PyTorch keeps the extents of AvgPool1d alone as tuples. */
static int avg_describe(void *context, char *out, size_t size) {
	const struct pool_layer *l = context;
	void (*add)(struct mt__description *, const char *, int, const int *) =
		l->spatial == 1 ? mt__describe_extents : add_extents;
	struct mt__description t = {out, size, 0};
	add(&t, "kernel_size=", l->spatial, l->options.kernel);
	add(&t, ", stride=", l->spatial, l->options.stride);
	add(&t, ", padding=", l->spatial, l->options.padding);
	return t.at;
}

struct pool_kind {
	const char *op;
	mt_module_class kind;
	pool_op forward;
};

static mt_module *pool(const struct pool_kind *k, int32_t kind, int spatial, mt_pool_options options) {
	struct pool_layer l = {spatial, k->forward, options};
	struct mt_pool_params p;
	if (mt__pool_params(k->op, kind, &options, spatial, &p) != MT_OK)
		return NULL;
	for (int i = 0; i < spatial; i++) {
		l.options.stride[i] = p.stride[i];
		l.options.dilation[i] = p.dilation[i];
	}
	return mt__module_with(&k->kind, &l, sizeof l);
}

static mt_module *max_pool(int spatial, mt_pool_options options) {
	static const struct pool_kind kinds[] = {
		{"nn_max_pool1d", {"MaxPool1d", pool_forward, max_describe, mt__free}, mt_max_pool1d},
		{"nn_max_pool2d", {"MaxPool2d", pool_forward, max_describe, mt__free}, mt_max_pool2d},
		{"nn_max_pool3d", {"MaxPool3d", pool_forward, max_describe, mt__free}, mt_max_pool3d}};
	return pool(&kinds[spatial - 1], MT_POOL_MAX, spatial, options);
}

static mt_module *avg_pool(int spatial, mt_pool_options options) {
	static const struct pool_kind kinds[] = {
		{"nn_avg_pool1d", {"AvgPool1d", pool_forward, avg_describe, mt__free}, mt_avg_pool1d},
		{"nn_avg_pool2d", {"AvgPool2d", pool_forward, avg_describe, mt__free}, mt_avg_pool2d},
		{"nn_avg_pool3d", {"AvgPool3d", pool_forward, avg_describe, mt__free}, mt_avg_pool3d}};
	return pool(&kinds[spatial - 1], MT_POOL_AVG, spatial, options);
}

int mt__is_max_pool(const mt_module *m) {
	return m->kind->forward == pool_forward && m->kind->describe == max_describe;
}

mt_module *mt_nn_max_pool1d(mt_pool_options options) {
	return max_pool(1, options);
}

mt_module *mt_nn_max_pool2d(mt_pool_options options) {
	return max_pool(2, options);
}

mt_module *mt_nn_max_pool3d(mt_pool_options options) {
	return max_pool(3, options);
}

mt_module *mt_nn_avg_pool1d(mt_pool_options options) {
	return avg_pool(1, options);
}

mt_module *mt_nn_avg_pool2d(mt_pool_options options) {
	return avg_pool(2, options);
}

mt_module *mt_nn_avg_pool3d(mt_pool_options options) {
	return avg_pool(3, options);
}

/* ---- adaptive --------------------------------------------------------------------------------------------------- */

struct adaptive_layer {
	int n;
	int64_t size[MT_MAX_SPATIAL];
};

static mt_tensor *adaptive_forward(mt_module *m, mt_tensor *x, void *context) {
	(void)m;
	const struct adaptive_layer *l = context;
	return mt_adaptive_avg_pool(x, l->n, l->size);
}

static int adaptive_describe(void *context, char *out, size_t size) {
	const struct adaptive_layer *l = context;
	int at = 0;
	mt__describe_add(out, size, &at, "output_size=");
	if (l->n == 1)
		mt__describe_add(out, size, &at, "%" PRId64, l->size[0]);
	else
		mt__describe_tuple(out, size, &at, l->n, l->size);
	return at;
}

mt_module *mt_nn_adaptive_avg_pool(int n, const int64_t *size) {
	static const mt_module_class kinds[] = {{"AdaptiveAvgPool1d", adaptive_forward, adaptive_describe, mt__free},
	                                        {"AdaptiveAvgPool2d", adaptive_forward, adaptive_describe, mt__free},
	                                        {"AdaptiveAvgPool3d", adaptive_forward, adaptive_describe, mt__free}};
	struct adaptive_layer l = {.n = n};
	if (mt__adaptive_size("nn_adaptive_avg_pool", n, size) != MT_OK)
		return NULL;
	for (int i = 0; i < n; i++)
		l.size[i] = size[i];
	return mt__module_with(&kinds[n - 1], &l, sizeof l);
}
