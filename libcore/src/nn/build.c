/* What constructors of layers share. */
#include "nn/build.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

mt_module *mt__module_with(const mt_module_class *kind, const void *context, size_t size) {
	void *copy = mt__alloc(size);
	if (copy == NULL) {
		mt__fail_memory(kind->name, size);
		return NULL;
	}
	memcpy(copy, context, size);
	return mt_module_new(kind, copy);
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

void mt__describe_add(char *text, size_t size, int *at, const char *format, ...) {
	va_list args;
	va_start(args, format);
	size_t used = (size_t)*at < size ? (size_t)*at : size;
	int n = vsnprintf(text + used, size - used, format, args);
	va_end(args);
	*at += n > 0 ? n : 0;
}

void mt__describe_tuple(char *text, size_t size, int *at, int n, const int64_t *values) {
	mt__describe_add(text, size, at, "(");
	for (int i = 0; i < n; i++)
		mt__describe_add(text, size, at, "%s%" PRId64, i > 0 ? ", " : "", values[i]);
	mt__describe_add(text, size, at, n == 1 ? ",)" : ")");
}
