/* Residual: a module and its input's shortcut (He et al. 2016). */
#include "base/error.h"
#include "nn/build.h"

static mt_tensor *residual_forward(mt_module *m, mt_tensor *x, void *context) {
	(void)context;
	mt_tensor *y = mt_forward(m->children[0], x);
	return y == NULL ? NULL : mt_add(x, y);
}

static const mt_module_class residual_class = {"Residual", residual_forward, NULL, NULL};

mt_module *mt_nn_residual(mt_module *module) {
	if (module == NULL) {
		mt__fail_arg_null("nn_residual", "module");
		return NULL;
	}
	mt_module *m = mt_module_new(&residual_class, NULL);
	if (m == NULL) {
		mt_module_free(module); /* ours although we failed */
		return NULL;
	}
	if (mt_module_add_child(m, "module", module) == MT_OK)
		return m;
	mt_module_free(m);
	return NULL;
}
