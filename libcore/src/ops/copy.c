/* Copies: contiguous, clone, cast, to_device; and what overwrites a tensor: copy_, fill_, zero_. */
#include <string.h>

#include "base/alloc.h"
#include "ops/ops.h"

/* ---- contiguous, clone -------------------------------------------------------------------------------------------- */

static mt_status identity_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	(void)node;
	gx[0] = gout;
	return MT_OK;
}

static const struct mt_grad_rule contiguous_rule = {"contiguous", identity_backward};
static const struct mt_grad_rule clone_rule = {"clone", identity_backward};

/* y, with rule's node where x is in the graph. */
static mt_tensor *recorded(const struct mt_grad_rule *rule, mt_tensor *x, mt_tensor *y) {
	if (y == NULL || !mt__wants_grad(&x, 1) || !mt__is_float(y->dtype))
		return y;
	return mt__record(rule, y, &x, 1) != NULL ? y : NULL;
}

mt_tensor *mt_contiguous(mt_tensor *x) {
	if (!mt__check_tensor("contiguous", "x", x))
		return NULL;
	if (mt_tensor_is_contiguous(x))
		return x;
	return recorded(&contiguous_rule, x, mt__tensor_packed("contiguous", x, x->dtype));
}

mt_tensor *mt_clone(mt_tensor *x) {
	if (!mt__check_tensor("clone", "x", x))
		return NULL;
	return recorded(&clone_rule, x, mt__tensor_packed("clone", x, x->dtype));
}

/* ---- cast --------------------------------------------------------------------------------------------------------- */

/* What x was, for gradients that have to become like it. */
struct like_x {
	mt_dtype dtype;
	int rank;
	int64_t shape[MT_MAX_RANK];
	mt_device *device;
};

static void keep(mt_tensor *y, const mt_tensor *x) {
	if (y == NULL || y->node == NULL)
		return;
	struct like_x *like = mt__attrs(y->node);
	like->dtype = x->dtype;
	like->rank = x->rank;
	memcpy(like->shape, x->shape, sizeof like->shape);
	like->device = x->storage->device;
}

static mt_status like_x_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx) {
	const struct like_x *x = mt__attrs(node);
	mt_tensor *g = mt__unbroadcast(gout, x->rank, x->shape);
	gx[0] = mt_to_device(mt_cast(g, x->dtype), x->device);
	return gx[0] != NULL ? MT_OK : mt_error_peek();
}

static const struct mt_grad_rule cast_rule = {"cast", like_x_backward};

mt_tensor *mt_cast(mt_tensor *x, mt_dtype dtype) {
	if (!mt__check_tensor("cast", "x", x))
		return NULL;
	if (x->dtype == dtype)
		return x;
	mt_tensor *y = recorded(&cast_rule, x, mt__tensor_packed("cast", x, dtype));
	keep(y, x);
	return y;
}

/* ---- across devices ----------------------------------------------------------------------------------------------- */

static mt_status through_host(mt_tensor *y, mt_tensor *x) {
	size_t bytes = (size_t)x->numel * mt_dtype_size(x->dtype);
	void *host = mt__alloc(bytes);
	if (host == NULL)
		return mt__fail_memory("to_device", bytes);
	mt_status status = mt__tensor_download(x, host);
	if (status == MT_OK)
		status = mt__tensor_upload(y, host);
	mt__free(host);
	return status;
}

/* y = x, both contiguous where their memory is read or written as the host's. */
static mt_status transfer(mt_tensor *y, mt_tensor *x) {
	if (mt_device_has_host_memory(mt__device_of(y))) {
		void *to = mt_data(y);
		return to != NULL ? mt__tensor_download(x, to) : mt_error_peek();
	}
	if (!mt_device_has_host_memory(mt__device_of(x)))
		return through_host(y, x);
	mt_tensor *packed = mt_tensor_is_contiguous(x) ? x : mt__tensor_packed("to_device", x, x->dtype);
	void *from = packed != NULL ? mt_data(packed) : NULL;
	return from != NULL ? mt__tensor_upload(y, from) : mt_error_peek();
}

/* x's data on device, without a graph. */
static mt_tensor *transferred(mt_tensor *x, mt_device *device) {
	mt_tensor *y = mt__tensor_new("to_device", device, x->rank, x->shape, x->dtype);
	if (y == NULL || y->numel == 0)
		return y;
	return transfer(y, x) == MT_OK ? y : NULL;
}

static const struct mt_grad_rule to_device_rule = {"to_device", like_x_backward};

mt_tensor *mt_to_device(mt_tensor *x, mt_device *device) {
	if (!mt__check_tensor("to_device", "x", x))
		return NULL;
	if (device == NULL) {
		mt__fail_arg_null("to_device", "device");
		return NULL;
	}
	if (mt__device_of(x) == device)
		return x;
	mt_tensor *y = recorded(&to_device_rule, x, transferred(x, device));
	keep(y, x);
	return y;
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

/* Whether op may give a another history: it is overwritten by what may be part of the graph (source) or not. */
static int replaceable(const char *op, mt_tensor *a, int source) {
	if (mt__check_writable(op, a) != MT_OK)
		return 0;
	return !(source || (a->node != NULL && mt_grad_enabled())) || mt__check_recordable(op, a) == MT_OK;
}

static void forget_history(mt_tensor *a) {
	if (a->node != NULL && mt_grad_enabled())
		mt__leave_node(a);
}

/* a[…] = src[…]. */
static mt_status overwrite(mt_tensor *a, mt_tensor *src) {
	if (a->numel == 0 || mt__same_array(a, src))
		return MT_OK;
	if (mt__device_of(src) != mt__device_of(a))
		src = transferred(src, mt__device_of(a));
	else if (mt__may_overlap(a, src))
		src = mt__tensor_packed("copy_", src, src->dtype);
	return src != NULL ? mt__copy_into(a, src) : mt_error_peek();
}

static const struct mt_grad_rule copy_rule = {"copy_", like_x_backward};

/* From now on a is a copy of src in the graph, too.  The node is made for an alias, which must not outlive this call: an
 * op in place refuses a tensor whose storage others share. */
static mt_tensor *replace_history(mt_tensor *a, mt_tensor *src) {
	mt_scope *scope = mt_scope_begin();
	mt_tensor *copy = scope != NULL ? mt__tensor_alias(a, a->rank, a->shape, a->stride, a->offset) : NULL;
	int made = copy != NULL && mt__record(&copy_rule, copy, &src, 1) != NULL;
	if (made) {
		keep(copy, src);
		mt__take_node(a, copy);
	}
	mt_scope_end(scope);
	return made ? a : NULL;
}

mt_tensor *mt_copy_(mt_tensor *a, mt_tensor *src) {
	char ta[MT__SHAPE_TEXT], ts[MT__SHAPE_TEXT];
	if (!mt__check_tensor("copy_", "a", a) || !mt__check_tensor("copy_", "src", src))
		return NULL;
	if (!mt__expands_to(src, a))
		return mt__fail_null(MT_E_SHAPE, "copy_: %s does not expand to %s", mt__tensor_text(ts, src),
		                     mt__tensor_text(ta, a));
	int recorded = mt__wants_grad(&src, 1) && mt__is_float(a->dtype);
	if (!replaceable("copy_", a, recorded))
		return NULL;
	if (a == src)
		return a;
	if (overwrite(a, src) != MT_OK)
		return NULL;
	if (recorded)
		return replace_history(a, src);
	forget_history(a);
	return a;
}

static mt_tensor *fill(const char *op, mt_tensor *a, mt_scalar value) {
	if (!mt__check_tensor(op, "a", a))
		return NULL;
	if (value.tag != MT_SCALAR_I64 && value.tag != MT_SCALAR_F64)
		return mt__fail_null(MT_E_ARG, "%s: value is no scalar (tag %d): make it with mt_i or mt_f", op,
		                     (int)value.tag);
	if (!replaceable(op, a, 0) || mt__fill(a, value) != MT_OK)
		return NULL;
	forget_history(a);
	return a;
}

mt_tensor *mt_fill_(mt_tensor *a, mt_scalar value) {
	return fill("fill_", a, value);
}

mt_tensor *mt_zero_(mt_tensor *a) {
	return fill("zero_", a, mt_i(0));
}
