/* Layers under test. */
#include "modules.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nn/module.h"

void module_to_f64(mt_module *m) {
	for (const mt_module *at = m; at != NULL; at = mt__next_module(at, m))
		for (int i = 0; i < at->n_state; i++) {
			struct mt__state *s = &at->state[i];
			if (mt_tensor_dtype(s->tensor) != MT_F32)
				continue;
			mt_scope *scope = mt_scope_begin();
			mt_tensor *wide = mt_retain(mt_clone(mt_cast(mt_detach(s->tensor), MT_F64)));
			mt_scope_end(scope);
			if (s->kind == MT_STATE_PARAMETER)
				mt_requires_grad_(wide, 1);
			mt_release(s->tensor);
			s->tensor = wide;
		}
}

static mt_tensor *from_function(int rank, const int64_t *shape, double (*f)(double), double scale, double start,
                                double step) {
	int64_t n = 1;
	for (int d = 0; d < rank; d++)
		n *= shape[d];
	double *values = malloc((size_t)n * sizeof *values + 1);
	for (int64_t i = 0; i < n; i++)
		values[i] = scale * f(start + step * (double)i);
	mt_tensor *t = mt_from_data(rank, shape, MT_F64, values);
	free(values);
	return t;
}

mt_tensor *wave(int rank, const int64_t *shape, double phase) {
	return from_function(rank, shape, cos, 1, 0.3 + phase, 0.9);
}

enum { MAX_PARAMETERS = 64 };

void fill_parameters(mt_module *m) {
	mt_tensor *parameters[MAX_PARAMETERS];
	int64_t n = mt_module_parameters(m, parameters, MAX_PARAMETERS);
	int was = mt_grad_enable(0);
	for (int64_t k = 0; k < n; k++) {
		mt_tensor *p = parameters[k];
		MT_CHECK(mt_copy_(p, from_function(mt_tensor_rank(p), mt_tensor_shape(p), sin, 0.5, 1 + (double)k, 0.7)) !=
		         NULL);
	}
	mt_grad_enable(was);
}

struct under_test {
	mt_module *m;
	mt_gradcheck_fn fn;
	int n_inputs;
};

static mt_tensor *inputs_alone(mt_tensor *const *in, int n, void *context) {
	const struct under_test *u = context;
	(void)n;
	return u->fn(in, u->n_inputs, u->m);
}

void check_module_gradients(mt_module *m, mt_gradcheck_fn fn, mt_tensor *const *inputs, int n, int twice) {
	mt_tensor *all[MAX_PARAMETERS];
	for (int i = 0; i < n; i++)
		all[i] = inputs[i];
	int64_t total = n + mt_module_parameters(m, all + n, MAX_PARAMETERS - n);
	struct under_test u = {m, fn, n};
	const struct mt_gradcheck_options options = {.seed = 7, .atol = 2e-8};
	MT_REQUIRE(total <= MAX_PARAMETERS);
	mt_status status = mt_gradcheck(inputs_alone, all, (int)total, &u, &options);
	MT_CHECK_MSG(status == MT_OK, "%s", mt_error_take(NULL));
	if (!twice)
		return;
	status = mt_gradgradcheck(inputs_alone, all, (int)total, &u, &options);
	MT_CHECK_MSG(status == MT_OK, "%s", mt_error_take(NULL));
}

void check_printed(const mt_module *m, const char *expected, const char *file, int line) {
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	if (!mt_test_check(m != NULL && f != NULL, file, line, "no module: %s", mt_error_take(NULL)))
		return;
	mt_status status = mt_module_print(m, f);
	fclose(f);
	mt_test_check_int(status, MT_OK, file, line, "mt_module_print");
	mt_test_check_str(text, expected, file, line, "printed");
	free(text);
}

static mt_status compare_one(const char *name, mt_tensor *t, int32_t kind, void *context) {
	(void)kind;
	mt_tensor *loaded = mt_module_get(context, name);
	size_t bytes = (size_t)mt_tensor_numel(t) * mt_dtype_size(mt_tensor_dtype(t));
	char *a = calloc(1, bytes), *b = calloc(1, bytes);
	MT_CHECK(loaded != NULL && mt_tensor_dtype(loaded) == mt_tensor_dtype(t));
	MT_CHECK(mt_to_host(t, a, bytes) == MT_OK && mt_to_host(loaded, b, bytes) == MT_OK);
	MT_CHECK_MSG(memcmp(a, b, bytes) == 0, "%s differs", name);
	free(a);
	free(b);
	return MT_OK;
}

void check_saved(mt_module *m, mt_module *other) {
	char path[] = "/tmp/mt_state_XXXXXX";
	int fd = mkstemp(path);
	if (!MT_CHECK(m != NULL && other != NULL && fd >= 0))
		return;
	close(fd);
	MT_CHECK_INT(mt_save_state(m, path), MT_OK);
	MT_CHECK_INT(mt_load_state(other, path), MT_OK);
	MT_CHECK_STR(mt_error_take(NULL), "");
	MT_CHECK_INT(mt_module_visit(m, compare_one, other), MT_OK);
	unlink(path);
	mt_module_free(m);
	mt_module_free(other);
}
