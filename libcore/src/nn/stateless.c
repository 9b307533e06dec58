/* Layers without parameters, and Sequential. */
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "nn/build.h"

/* ---- shape, softmax, dropout ------------------------------------------------------------------------------------ */

struct dims {
	int first, last;
};

static mt_tensor *flatten_forward(mt_module *m, mt_tensor *x, void *context) {
	(void)m;
	const struct dims *d = context;
	return mt_flatten(x, d->first, d->last);
}

static int flatten_describe(void *context, char *text, size_t size) {
	const struct dims *d = context;
	return snprintf(text, size, "start_dim=%d, end_dim=%d", d->first, d->last);
}

static const mt_module_class flatten_class = {"Flatten", flatten_forward, flatten_describe, mt__free};

mt_module *mt_nn_flatten(int start_dim, int end_dim) {
	const struct dims options = {start_dim, end_dim};
	return mt__module_with(&flatten_class, &options, sizeof options);
}

static mt_tensor *log_softmax_forward(mt_module *m, mt_tensor *x, void *context) {
	(void)m;
	return mt_log_softmax(x, ((const struct dims *)context)->first);
}

static int log_softmax_describe(void *context, char *text, size_t size) {
	return snprintf(text, size, "dim=%d", ((const struct dims *)context)->first);
}

static const mt_module_class log_softmax_class = {"LogSoftmax", log_softmax_forward, log_softmax_describe, mt__free};

mt_module *mt_nn_log_softmax(int axis) {
	const struct dims options = {axis, axis};
	return mt__module_with(&log_softmax_class, &options, sizeof options);
}

static mt_tensor *dropout_forward(mt_module *m, mt_tensor *x, void *context) {
	return mt_dropout(x, *(const double *)context, m->training);
}

static int dropout_describe(void *context, char *text, size_t size) {
	return snprintf(text, size, "p=%g", *(const double *)context);
}

static const mt_module_class dropout_class = {"Dropout", dropout_forward, dropout_describe, mt__free};

mt_module *mt_nn_dropout(double p) {
	if (!(p >= 0 && p <= 1)) {
		mt__fail(MT_E_ARG, "nn_dropout: p is %g; a probability from 0 to 1 is needed", p);
		return NULL;
	}
	return mt__module_with(&dropout_class, &p, sizeof p);
}

/* ---- Sequential ------------------------------------------------------------------------------------------------- */

/* max(relu(a), relu(b)) = relu(max(a, b)), gradients included: the same bits from fewer elements, and fewer to keep. */
static int pool_goes_first(const mt_module *m, int i) {
	return i + 1 < m->n_children && mt__is_relu(m->children[i]) && mt__is_max_pool(m->children[i + 1]) &&
	       !mt__forward_is_traced();
}

/* What a layer makes lives until the next layer has used it, or as long as the graph keeps it: *held is x where x is a
 * layer's result, else NULL. */
static mt_tensor *layer_forward(mt_module *layer, mt_tensor *x, mt_tensor **held) {
	mt_scope *scope = mt_scope_begin();
	x = scope != NULL ? mt_retain(mt_forward(layer, x)) : NULL;
	mt_scope_end(scope);
	mt_release(*held);
	*held = x;
	return x;
}

static mt_tensor *sequential_forward(mt_module *m, mt_tensor *x, void *context) {
	(void)context;
	mt_tensor *held = NULL;
	for (int i = 0; i < m->n_children && x != NULL; i++) {
		int exchanged = pool_goes_first(m, i);
		x = layer_forward(m->children[i + exchanged], x, &held);
		if (exchanged && x != NULL)
			x = layer_forward(m->children[i++], x, &held);
	}
	return held != NULL ? mt_autorelease(held) : x;
}

static const mt_module_class sequential_class = {"Sequential", sequential_forward, NULL, NULL};

mt_module *mt_nn_sequential(int n, mt_module *const *modules) {
	if (n < 0 || (n > 0 && modules == NULL)) {
		mt__fail(n < 0 ? MT_E_ARG : MT_E_NULL, "nn_sequential: %s", n < 0 ? "n is negative" : "modules is NULL");
		return NULL;
	}
	mt_module *m = mt_module_new(&sequential_class, NULL);
	int ok = m != NULL;
	for (int i = 0; i < n; i++) {
		char name[16];
		snprintf(name, sizeof name, "%d", i);
		if (ok)
			ok = mt_module_add_child(m, name, modules[i]) == MT_OK;
		else
			mt_module_free(modules[i]); /* ours although we failed */
	}
	if (ok)
		return m;
	mt_module_free(m);
	return NULL;
}
