/* Walking a module tree: parameters, buffers, modes, counts. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "mt/autograd.h"
#include "nn/module.h"

const mt_module *mt__next_module(const mt_module *m, const mt_module *root) {
	if (m->n_children > 0)
		return m->children[0];
	while (m != root) {
		const mt_module *parent = m->parent;
		for (int i = 0; i + 1 < parent->n_children; i++)
			if (parent->children[i] == m)
				return parent->children[i + 1];
		m = parent;
	}
	return NULL;
}

static mt_status visit_kind(const mt_module *m, int32_t kind, char *name, size_t prefix, mt_state_fn visit,
                            void *context) {
	for (int i = 0; i < m->n_state; i++) {
		if (m->state[i].kind != kind)
			continue;
		snprintf(name + prefix, MT__NAME_BYTES, "%s", m->state[i].name);
		mt_status status = visit(name, m->state[i].tensor, kind, context);
		if (status != MT_OK)
			return status;
	}
	return MT_OK;
}

mt_status mt_module_visit(const mt_module *module, mt_state_fn visit, void *context) {
	if (module == NULL || visit == NULL)
		return mt__fail_arg_null("module_visit", module == NULL ? "module" : "visit");
	char name[MT__PATH_BYTES + MT__NAME_BYTES + 1];
	for (const mt_module *m = module; m != NULL; m = mt__next_module(m, module)) {
		mt__module_path(m, module, name, MT__PATH_BYTES);
		size_t prefix = strlen(name);
		if (prefix > 0)
			name[prefix++] = '.';
		mt_status status = visit_kind(m, MT_STATE_PARAMETER, name, prefix, visit, context);
		if (status == MT_OK)
			status = visit_kind(m, MT_STATE_BUFFER, name, prefix, visit, context);
		if (status != MT_OK)
			return status;
	}
	return MT_OK;
}

mt_status mt_module_train(mt_module *module, int on) {
	if (module == NULL)
		return mt__fail_arg_null("module_train", "module");
	for (const mt_module *m = module; m != NULL; m = mt__next_module(m, module))
		((mt_module *)m)->training = on != 0; /* module's tree, which the caller gave us to write */
	return MT_OK;
}

int mt_module_training(const mt_module *module) {
	return module ? module->training : 0;
}

/* ---- parameters, each tensor once ------------------------------------------------------------------------------- */

/* Whether state entry i of m comes earlier in the walk from root under another name. */
static int seen_before(const mt_module *root, const mt_module *m, int entry) {
	const mt_tensor *t = m->state[entry].tensor;
	for (const mt_module *at = root; at != NULL; at = mt__next_module(at, root)) {
		int n = at == m ? entry : at->n_state;
		for (int i = 0; i < n; i++)
			if (at->state[i].tensor == t && at->state[i].kind == MT_STATE_PARAMETER)
				return 1;
		if (at == m)
			return 0;
	}
	return 0;
}

int64_t mt_module_parameters(const mt_module *module, mt_tensor **out, int64_t capacity) {
	int64_t n = 0;
	for (const mt_module *m = module; m != NULL; m = mt__next_module(m, module))
		for (int i = 0; i < m->n_state; i++) {
			if (m->state[i].kind != MT_STATE_PARAMETER || seen_before(module, m, i))
				continue;
			if (out != NULL && n < capacity)
				out[n] = m->state[i].tensor;
			n++;
		}
	return n;
}

int64_t mt_module_parameter_count(const mt_module *module) {
	int64_t elements = 0;
	for (const mt_module *m = module; m != NULL; m = mt__next_module(m, module))
		for (int i = 0; i < m->n_state; i++)
			if (m->state[i].kind == MT_STATE_PARAMETER && !seen_before(module, m, i))
				elements += mt_tensor_numel(m->state[i].tensor);
	return elements;
}

mt_status mt_module_zero_grad(mt_module *module) {
	if (module == NULL)
		return mt__fail_arg_null("module_zero_grad", "module");
	for (const mt_module *m = module; m != NULL; m = mt__next_module(m, module))
		for (int i = 0; i < m->n_state; i++) {
			mt_status status = mt_zero_grad(m->state[i].tensor);
			if (status != MT_OK)
				return status;
		}
	return MT_OK;
}
