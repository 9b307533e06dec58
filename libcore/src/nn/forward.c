/* mt_forward: calls a module, and says which module a failure came from. */
#include <stdio.h>

#include "base/error.h"
#include "nn/module.h"

static _Thread_local const struct mt__forward_trace *trace;
enum { MAX_DEPTH = 1000 }; /* of nested calls: a module that calls itself ends here, not in the stack's end */

static _Thread_local int depth;  /* of nested mt_forward calls */
static _Thread_local int blamed; /* the innermost module that failed has put its path into the message */

void mt__forward_trace(const struct mt__forward_trace *t) {
	trace = t;
}

int mt__forward_is_traced(void) {
	return trace != NULL;
}

/* Puts "features.0 (Conv2d): " before the message in the error slot. */
static void blame(const mt_module *m) {
	char path[MT__PATH_BYTES];
	mt__module_path(m, NULL, path, sizeof path);
	mt_status status = MT_OK;
	char cause[1024];
	snprintf(cause, sizeof cause, "%s", mt_error_take(&status));
	if (status == MT_OK) {
		status = MT_E_NULL;
		snprintf(cause, sizeof cause, "forward returned NULL without an error");
	}
	if (path[0] != '\0')
		mt__fail(status, "%s (%s): %s", path, m->kind->name, cause);
	else
		mt__fail(status, "%s: %s", m->kind->name, cause);
	blamed = 1;
}

mt_tensor *mt_forward(mt_module *module, mt_tensor *x) {
	if (module == NULL || x == NULL) {
		mt__fail_arg_null("forward", module == NULL ? "module" : "x");
		return NULL;
	}
	if (depth == MAX_DEPTH) {
		mt__fail(MT_E_STATE, "forward: modules call each other more than %d deep", MAX_DEPTH);
		return NULL;
	}
	depth++;
	mt_tensor *y = module->kind->forward(module, x, module->context);
	depth--;
	if (y == NULL && !blamed)
		blame(module);
	if (y != NULL && trace != NULL)
		trace->output(module, y, trace->context);
	if (y != NULL || depth == 0)
		blamed = 0;
	return y;
}
