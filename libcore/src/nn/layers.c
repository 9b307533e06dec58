/* Linear. */
#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "nn/weight.h"

struct linear {
	int64_t in, out;
	int bias;
};

static mt_tensor *linear_forward(mt_module *m, mt_tensor *x, void *context) {
	(void)context;
	return mt_linear(x, mt__weight_of(m), mt__bias_of(m));
}

static int linear_describe(void *context, char *text, size_t size) {
	const struct linear *l = context;
	return snprintf(text, size, "%" PRId64 ", %" PRId64 ", bias=%s", l->in, l->out, l->bias ? "True" : "False");
}

static const mt_module_class linear_class = {"Linear", linear_forward, linear_describe, mt__free};

mt_module *mt_nn_linear(int64_t in, int64_t out, int bias) {
	if (in < 1 || out < 1) {
		mt__fail(MT_E_ARG, "nn_linear: in and out must be at least 1, got %" PRId64 " and %" PRId64, in, out);
		return NULL;
	}
	const struct linear options = {in, out, bias != 0};
	const int64_t shape[] = {out, in};
	return mt__with_weight(mt__module_with(&linear_class, &options, sizeof options), 2, shape, in, bias ? out : 0);
}
