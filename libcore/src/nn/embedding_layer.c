/* Embedding: a table of rows as a layer. */
#include <inttypes.h>

#include "base/error.h"
#include "mt/autograd.h"
#include "nn/build.h"

struct embedding {
	int64_t n, dim, padding_idx;
};

static mt_tensor *embedding_forward(mt_module *m, mt_tensor *x, void *context) {
	return mt_embedding(mt__module_own(m, "weight"), x, ((const struct embedding *)context)->padding_idx);
}

static int embedding_describe(void *context, char *text, size_t size) {
	const struct embedding *e = context;
	int at = 0;
	mt__describe_add(text, size, &at, "%" PRId64 ", %" PRId64, e->n, e->dim);
	if (e->padding_idx >= 0)
		mt__describe_add(text, size, &at, ", padding_idx=%" PRId64, e->padding_idx);
	return at;
}

static const mt_module_class embedding_class = {"Embedding", embedding_forward, embedding_describe, mt__free};

static mt_status add_weight(mt_module *m, const struct embedding *e) {
	mt_scope *scope = mt_scope_begin();
	if (scope == NULL)
		return mt__module_failure();
	int was = mt_grad_enable(0);
	mt_tensor *weight = mt_init_normal(mt_empty(MT_SHAPE(e->n, e->dim), MT_F32), 0, 1);
	mt_tensor *done = weight;
	if (weight != NULL && e->padding_idx >= 0)
		done = mt_zero_(mt_index(weight, 0, e->padding_idx));
	mt_grad_enable(was);
	mt_status status = done != NULL ? mt_module_add_parameter(m, "weight", weight) : mt__module_failure();
	mt_scope_end(scope);
	return status;
}

mt_module *mt_nn_embedding(int64_t n, int64_t dim, int64_t padding_idx) {
	const struct embedding e = {n, dim, padding_idx};
	if (n < 1 || dim < 1) {
		mt__fail(MT_E_ARG, "nn_embedding: n and dim must be at least 1, got %" PRId64 " and %" PRId64, n, dim);
		return NULL;
	}
	if (padding_idx < -1 || padding_idx >= n) {
		mt__fail(MT_E_ARG, "nn_embedding: padding_idx is -1 (none) or below %" PRId64 ", got %" PRId64, n, padding_idx);
		return NULL;
	}
	mt_module *m = mt__module_with(&embedding_class, &e, sizeof e);
	if (m == NULL || add_weight(m, &e) == MT_OK)
		return m;
	mt_module_free(m);
	return NULL;
}
