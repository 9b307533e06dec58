/* Layers that normalise: BatchNorm1d, 2d, 3d, LayerNorm, GroupNorm, RMSNorm. */
#include <inttypes.h>

#include "base/error.h"
#include "mt/autograd.h"
#include "nn/build.h"
#include "tensor/shape.h"

static const char *truth(int value) {
	return value ? "True" : "False";
}

static int take_eps(const char *op, mt_nn_norm_options *options) {
	if (options->eps == 0)
		options->eps = 1e-5;
	if (options->eps > 0)
		return 1;
	mt__fail(MT_E_ARG, "%s: eps is %g; it must be above 0, or 0 for 1e-5", op, options->eps);
	return 0;
}

/* weight 1 and bias 0, as far as options has them.  m, or NULL with m freed. */
static mt_module *with_affine(mt_module *m, int n, const int64_t *shape, const mt_nn_norm_options *options) {
	if (m == NULL || options->no_affine)
		return m;
	mt_status status = mt__add_constant(m, MT_STATE_PARAMETER, "weight", n, shape, 1);
	if (status == MT_OK && !options->no_bias)
		status = mt__add_constant(m, MT_STATE_PARAMETER, "bias", n, shape, 0);
	if (status == MT_OK)
		return m;
	mt_module_free(m);
	return NULL;
}

/* ---- BatchNorm --------------------------------------------------------------------------------------------------- */

struct batch_norm {
	int64_t features;
	int low, high; /* ranks of x */
	mt_nn_norm_options options;
};

static mt_status count_batch(mt_module *m) {
	int was = mt_grad_enable(0);
	mt_tensor *counted = mt_add_scalar_(mt__module_own(m, "num_batches_tracked"), mt_i(1));
	mt_grad_enable(was);
	return counted != NULL ? MT_OK : mt__module_failure();
}

static mt_tensor *batch_norm_forward(mt_module *m, mt_tensor *x, void *context) {
	const struct batch_norm *b = context;
	const mt_batch_norm_options options = {b->options.eps, b->options.momentum, m->training || b->options.no_running};
	char text[MT__SHAPE_TEXT];
	int rank = mt_tensor_rank(x);
	if (rank < b->low || rank > b->high) {
		const char *expected = b->high == 3 ? "[N, C] or [N, C, L]" : b->high == 4 ? "[N, C, H, W]" : "[N, C, D, H, W]";
		mt__fail(MT_E_SHAPE, "batch_norm: x is %s; %s is needed", mt__shape_text(text, rank, mt_tensor_shape(x)),
		         expected);
		return NULL;
	}
	mt_tensor *y = mt_batch_norm(x, mt__module_own(m, "weight"), mt__module_own(m, "bias"),
	                             mt__module_own(m, "running_mean"), mt__module_own(m, "running_var"), options);
	if (y == NULL || !m->training || b->options.no_running)
		return y;
	return count_batch(m) == MT_OK ? y : NULL;
}

static int batch_norm_describe(void *context, char *text, size_t size) {
	const struct batch_norm *b = context;
	const mt_nn_norm_options *o = &b->options;
	int at = 0;
	mt__describe_add(text, size, &at, "%" PRId64 ", eps=%g, momentum=%g, affine=%s, track_running_stats=%s",
	                 b->features, o->eps, o->momentum == -1 ? 0 : o->momentum, truth(!o->no_affine),
	                 truth(!o->no_running));
	return at;
}

static const mt_module_class batch_norm_classes[] = {
	{"BatchNorm1d", batch_norm_forward, batch_norm_describe, mt__free},
	{"BatchNorm2d", batch_norm_forward, batch_norm_describe, mt__free},
	{"BatchNorm3d", batch_norm_forward, batch_norm_describe, mt__free},
};

static mt_status add_running(mt_module *m, int64_t features) {
	mt_status status = mt__add_constant(m, MT_STATE_BUFFER, "running_mean", 1, &features, 0);
	if (status == MT_OK)
		status = mt__add_constant(m, MT_STATE_BUFFER, "running_var", 1, &features, 1);
	mt_scope *scope = status == MT_OK ? mt_scope_begin() : NULL;
	if (scope == NULL)
		return mt__module_failure();
	mt_tensor *count = mt_zeros(MT_SHAPE0, MT_I64);
	status = count != NULL ? mt_module_add_buffer(m, "num_batches_tracked", count) : mt__module_failure();
	mt_scope_end(scope);
	return status;
}

static mt_module *batch_norm(int spatial, int64_t features, mt_nn_norm_options options) {
	const mt_module_class *kind = &batch_norm_classes[spatial - 1];
	struct batch_norm b = {features, spatial == 1 ? 2 : spatial + 2, spatial + 2, options};
	if (features < 1) {
		mt__fail(MT_E_ARG, "%s: features must be at least 1, got %" PRId64, kind->name, features);
		return NULL;
	}
	if (!take_eps(kind->name, &b.options))
		return NULL;
	if (b.options.momentum == 0)
		b.options.momentum = 0.1;
	if (b.options.momentum != -1 && !(b.options.momentum >= 0 && b.options.momentum <= 1)) {
		mt__fail(MT_E_ARG, "%s: momentum is %g; 0 to 1 is needed (0: 0.1, -1: 0 itself)", kind->name,
		         b.options.momentum);
		return NULL;
	}
	mt_module *m = with_affine(mt__module_with(kind, &b, sizeof b), 1, &features, &options);
	if (m == NULL || options.no_running || add_running(m, features) == MT_OK)
		return m;
	mt_module_free(m);
	return NULL;
}

mt_module *mt_nn_batch_norm1d(int64_t features, mt_nn_norm_options options) {
	return batch_norm(1, features, options);
}

mt_module *mt_nn_batch_norm2d(int64_t features, mt_nn_norm_options options) {
	return batch_norm(2, features, options);
}

mt_module *mt_nn_batch_norm3d(int64_t features, mt_nn_norm_options options) {
	return batch_norm(3, features, options);
}

/* ---- LayerNorm, RMSNorm ------------------------------------------------------------------------------------------ */

struct shaped_norm {
	int n;
	int64_t shape[MT_MAX_RANK];
	mt_nn_norm_options options;
};

/* Without weight the op would take any last dims. */
static int fits(const struct shaped_norm *s, const char *op, const mt_tensor *x) {
	int rank = mt_tensor_rank(x), same = rank >= s->n;
	for (int d = 0; d < s->n && same; d++)
		same = mt_tensor_size(x, rank - s->n + d) == s->shape[d];
	if (same)
		return 1;
	char have[MT__SHAPE_TEXT], want[MT__SHAPE_TEXT];
	mt__fail(MT_E_SHAPE, "%s: x is %s; its last dims must be %s", op, mt__shape_text(have, rank, mt_tensor_shape(x)),
	         mt__shape_text(want, s->n, s->shape));
	return 0;
}

static mt_tensor *layer_norm_forward(mt_module *m, mt_tensor *x, void *context) {
	const struct shaped_norm *s = context;
	if (!fits(s, "layer_norm", x))
		return NULL;
	return mt_layer_norm(x, s->n, mt__module_own(m, "weight"), mt__module_own(m, "bias"), s->options.eps);
}

static mt_tensor *rms_norm_forward(mt_module *m, mt_tensor *x, void *context) {
	const struct shaped_norm *s = context;
	return fits(s, "rms_norm", x) ? mt_rms_norm(x, s->n, mt__module_own(m, "weight"), s->options.eps) : NULL;
}

static int shaped_describe(void *context, char *text, size_t size) {
	const struct shaped_norm *s = context;
	int at = 0;
	mt__describe_add(text, size, &at, "(");
	for (int d = 0; d < s->n; d++)
		mt__describe_add(text, size, &at, "%s%" PRId64, d > 0 ? ", " : "", s->shape[d]);
	mt__describe_add(text, size, &at, s->n == 1 ? ",)" : ")");
	mt__describe_add(text, size, &at, ", eps=%g, elementwise_affine=%s", s->options.eps, truth(!s->options.no_affine));
	return at;
}

static const mt_module_class layer_norm_class = {"LayerNorm", layer_norm_forward, shaped_describe, mt__free};
static const mt_module_class rms_norm_class = {"RMSNorm", rms_norm_forward, shaped_describe, mt__free};

static mt_module *shaped_norm(const mt_module_class *kind, int n, const int64_t *shape, mt_nn_norm_options options) {
	struct shaped_norm s = {.n = n};
	if (n < 1 || n > MT_MAX_RANK) {
		mt__fail(MT_E_ARG, "%s: n must be 1 to %d, got %d", kind->name, MT_MAX_RANK, n);
		return NULL;
	}
	if (shape == NULL) {
		mt__fail_arg_null(kind->name, "shape");
		return NULL;
	}
	for (int d = 0; d < n; d++) {
		s.shape[d] = shape[d];
		if (shape[d] < 1) {
			mt__fail(MT_E_ARG, "%s: the extents must be at least 1, got %" PRId64, kind->name, shape[d]);
			return NULL;
		}
	}
	if (!take_eps(kind->name, &options))
		return NULL;
	s.options = options;
	return with_affine(mt__module_with(kind, &s, sizeof s), n, shape, &options);
}

mt_module *mt_nn_layer_norm(int n, const int64_t *shape, mt_nn_norm_options options) {
	return shaped_norm(&layer_norm_class, n, shape, options);
}

mt_module *mt_nn_rms_norm(int n, const int64_t *shape, mt_nn_norm_options options) {
	options.no_bias = 1; /* it has none */
	return shaped_norm(&rms_norm_class, n, shape, options);
}

/* ---- GroupNorm --------------------------------------------------------------------------------------------------- */

struct group_norm {
	int64_t groups, channels;
	mt_nn_norm_options options;
};

static mt_tensor *group_norm_forward(mt_module *m, mt_tensor *x, void *context) {
	const struct group_norm *g = context;
	char text[MT__SHAPE_TEXT];
	if (mt_tensor_rank(x) < 2 || mt_tensor_size(x, 1) != g->channels) {
		mt__fail(MT_E_SHAPE, "group_norm: x is %s; [N, %" PRId64 ", …] is needed",
		         mt__shape_text(text, mt_tensor_rank(x), mt_tensor_shape(x)), g->channels);
		return NULL;
	}
	return mt_group_norm(x, g->groups, mt__module_own(m, "weight"), mt__module_own(m, "bias"), g->options.eps);
}

static int group_norm_describe(void *context, char *text, size_t size) {
	const struct group_norm *g = context;
	int at = 0;
	mt__describe_add(text, size, &at, "%" PRId64 ", %" PRId64 ", eps=%g, affine=%s", g->groups, g->channels,
	                 g->options.eps, truth(!g->options.no_affine));
	return at;
}

static const mt_module_class group_norm_class = {"GroupNorm", group_norm_forward, group_norm_describe, mt__free};

mt_module *mt_nn_group_norm(int64_t groups, int64_t channels, mt_nn_norm_options options) {
	if (groups < 1 || channels < 1 || channels % groups != 0) {
		mt__fail(MT_E_ARG, "GroupNorm: channels must be a positive multiple of groups, got %" PRId64 " and %" PRId64,
		         channels, groups);
		return NULL;
	}
	if (!take_eps("GroupNorm", &options))
		return NULL;
	const struct group_norm g = {groups, channels, options};
	return with_affine(mt__module_with(&group_norm_class, &g, sizeof g), 1, &channels, &options);
}
