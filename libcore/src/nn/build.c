/* What constructors of layers share. */
#include "nn/build.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

mt_module *mt__module_with(const mt_module_class *kind, const void *options, size_t size) {
	void *context = mt__alloc(size);
	if (context == NULL) {
		mt__fail_memory(kind->name, size);
		return NULL;
	}
	memcpy(context, options, size);
	return mt_module_new(kind, context);
}

mt_module *mt__with_weight(mt_module *m, int rank, const int64_t *shape, int64_t fan_in, int64_t outputs) {
	mt_scope *scope = m != NULL ? mt_scope_begin() : NULL;
	if (scope == NULL) {
		mt_module_free(m);
		return NULL;
	}
	double bound = fan_in > 0 ? 1.0 / sqrt((double)fan_in) : 0;
	mt_status status = mt__add_uniform_parameter(m, "weight", mt_empty(rank, shape, MT_F32), bound);
	if (status == MT_OK && outputs > 0)
		status = mt__add_uniform_parameter(m, "bias", mt_empty(1, &outputs, MT_F32), bound);
	mt_scope_end(scope);
	if (status == MT_OK)
		return m;
	mt_module_free(m);
	return NULL;
}

mt_status mt__module_failure(void) {
	mt_status status = mt_error_peek();
	return status != MT_OK ? status : MT_E_INTERNAL;
}

mt_status mt__add_constant(mt_module *m, int32_t kind, const char *name, int rank, const int64_t *shape, double value) {
	mt_scope *scope = mt_scope_begin();
	if (scope == NULL)
		return mt__module_failure();
	mt_tensor *t = mt_full(rank, shape, MT_F32, mt_f(value));
	mt_status status = t == NULL                    ? mt__module_failure()
	                   : kind == MT_STATE_PARAMETER ? mt_module_add_parameter(m, name, t)
	                                                : mt_module_add_buffer(m, name, t);
	mt_scope_end(scope);
	return status;
}

mt_status mt__add_uniform(mt_module *m, const char *name, int rank, const int64_t *shape, double bound) {
	mt_scope *scope = mt_scope_begin();
	if (scope == NULL)
		return mt__module_failure();
	mt_status status = mt__add_uniform_parameter(m, name, mt_empty(rank, shape, MT_F32), bound);
	mt_scope_end(scope);
	return status;
}

mt_tensor *mt__module_own(const mt_module *m, const char *name) {
	for (int i = 0; i < m->n_state; i++)
		if (strcmp(m->state[i].name, name) == 0)
			return m->state[i].tensor;
	return MT_NONE;
}

void mt__text_tuple(struct mt_text *text, const char *before, int n, const int *values) {
	mt__text_add(text, "%s(", before);
	for (int i = 0; i < n; i++)
		mt__text_add(text, "%s%d", i > 0 ? ", " : "", values[i]);
	mt__text_add(text, n == 1 ? ",)" : ")");
}

int mt__describe_text(struct mt_text *from, char *text, size_t size) {
	int n = from->failed ? -1 : snprintf(text, size, "%s", from->length > 0 ? from->data : "");
	mt__text_free(from);
	return n;
}
