/* The module tree: making, freeing, adding, finding. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "mt/autograd.h"
#include "nn/module.h"
#include "tensor/tensor.h"

mt_module *mt_module_new(const mt_module_class *kind, void *context) {
	if (kind == NULL || kind->name == NULL || kind->forward == NULL) {
		if (kind != NULL && kind->release != NULL)
			kind->release(context);
		mt__fail(kind == NULL ? MT_E_NULL : MT_E_ARG, "module_new: the class %s",
		         kind == NULL ? "is NULL" : "has no name or no forward");
		return NULL;
	}
	mt_module *m = mt__calloc(1, sizeof *m);
	if (m == NULL) {
		if (kind->release != NULL)
			kind->release(context);
		mt__fail_memory(kind->name, sizeof *m);
		return NULL;
	}
	m->kind = kind;
	m->context = context;
	m->training = 1;
	return m;
}

/* The next module to free below m: the deepest first child.  Freeing walks up through parents, so depth costs no stack.
 * */
static mt_module *first_leaf(mt_module *m) {
	while (m->n_children > 0)
		m = m->children[m->n_children - 1];
	return m;
}

static void free_one(mt_module *m) {
	for (int i = m->n_state - 1; i >= 0; i--)
		mt_release(m->state[i].tensor);
	if (m->kind->release != NULL)
		m->kind->release(m->context);
	mt__free(m->state);
	mt__free(m->children);
	mt__free(m);
}

void mt_module_free(mt_module *module) {
	if (module == NULL)
		return;
	if (module->parent != NULL) {
		mt__fail(MT_E_STATE, "module_free: '%s' is part of another module, which frees it", module->name);
		return;
	}
	for (mt_module *m = first_leaf(module);;) {
		mt_module *parent = m->parent;
		free_one(m);
		if (parent == NULL)
			return;
		parent->n_children--;
		m = first_leaf(parent);
	}
}

void *mt_module_context(const mt_module *module) {
	return module ? module->context : NULL;
}

const char *mt_module_class_name(const mt_module *module) {
	return module ? module->kind->name : "";
}

const char *mt_module_name(const mt_module *module) {
	return module ? module->name : "";
}

int mt_module_n_children(const mt_module *module) {
	return module ? module->n_children : 0;
}

mt_module *mt_module_child_at(const mt_module *module, int i) {
	return module && i >= 0 && i < module->n_children ? module->children[i] : NULL;
}

/* ---- adding ----------------------------------------------------------------------------------------------------- */

static struct mt__state *find_state(const mt_module *m, const char *name, size_t length) {
	for (int i = 0; i < m->n_state; i++)
		if (strlen(m->state[i].name) == length && memcmp(m->state[i].name, name, length) == 0)
			return &m->state[i];
	return NULL;
}

static mt_module *find_child(const mt_module *m, const char *name, size_t length) {
	for (int i = 0; i < m->n_children; i++)
		if (strlen(m->children[i]->name) == length && memcmp(m->children[i]->name, name, length) == 0)
			return m->children[i];
	return NULL;
}

static mt_status check_name(const mt_module *m, const char *op, const char *name) {
	if (m == NULL)
		return mt__fail_arg_null(op, "module");
	if (name == NULL)
		return mt__fail_arg_null(op, "name");
	size_t length = strlen(name);
	if (length == 0 || length >= MT__NAME_BYTES || strchr(name, '.') != NULL)
		return mt__fail(MT_E_ARG, "%s: the name '%.80s' must have 1 to %d bytes and no dot", op, name,
		                MT__NAME_BYTES - 1);
	if (find_state(m, name, length) != NULL || find_child(m, name, length) != NULL)
		return mt__fail(MT_E_ARG, "%s: %s has a '%s' already", op, m->kind->name, name);
	return MT_OK;
}

/* Room for one more entry: arrays grow at powers of two. */
static mt_status grow(void **array, int n, size_t size) {
	if (n != 0 && (n & (n - 1)) != 0)
		return MT_OK;
	size_t bytes = (n == 0 ? 1 : 2 * (size_t)n) * size;
	void *larger = mt__realloc(*array, bytes);
	if (larger == NULL)
		return mt__fail_memory("module", bytes);
	*array = larger;
	return MT_OK;
}

static mt_status add_state(mt_module *m, const char *op, const char *name, mt_tensor *t, int32_t kind) {
	mt_status status = check_name(m, op, name);
	if (status != MT_OK)
		return status;
	if (!mt__check_tensor(op, name, t))
		return mt_error_peek() ? mt_error_peek() : MT_E_NULL;
	if (kind == MT_STATE_PARAMETER && mt_requires_grad_(t, 1) == NULL)
		return mt_error_peek() ? mt_error_peek() : MT_E_STATE;
	if (mt_tensor_name(t)[0] == '\0' && (status = mt_tensor_set_name(t, name)) != MT_OK)
		return status;
	void *array = m->state;
	status = grow(&array, m->n_state, sizeof *m->state);
	if (status != MT_OK)
		return status;
	m->state = array;
	struct mt__state *s = &m->state[m->n_state++];
	memset(s, 0, sizeof *s);
	memcpy(s->name, name, strlen(name));
	s->kind = kind;
	s->tensor = mt_retain(t);
	return MT_OK;
}

mt_status mt_module_add_parameter(mt_module *module, const char *name, mt_tensor *t) {
	return add_state(module, "module_add_parameter", name, t, MT_STATE_PARAMETER);
}

mt_status mt_module_add_buffer(mt_module *module, const char *name, mt_tensor *t) {
	return add_state(module, "module_add_buffer", name, t, MT_STATE_BUFFER);
}

static int is_root_of(const mt_module *candidate, const mt_module *m) {
	while (m->parent != NULL)
		m = m->parent;
	return m == candidate;
}

mt_status mt_module_add_child(mt_module *module, const char *name, mt_module *child) {
	static const char op[] = "module_add_child";
	if (child == NULL)
		return mt__fail_arg_null(op, name ? name : "child");
	if (child->parent != NULL)
		return mt__fail(MT_E_STATE, "%s: '%s' is part of another module already", op, child->name);
	if (module != NULL && is_root_of(child, module))
		return mt__fail(MT_E_STATE, "%s: a module cannot be part of itself", op);
	mt_status status = check_name(module, op, name);
	if (status == MT_OK) {
		void *array = module->children;
		status = grow(&array, module->n_children, sizeof(mt_module *));
		module->children = array;
	}
	if (status != MT_OK) {
		mt_module_free(child);
		return status;
	}
	memcpy(child->name, name, strlen(name) + 1);
	child->parent = module;
	module->children[module->n_children++] = child;
	return MT_OK;
}

/* ---- finding ---------------------------------------------------------------------------------------------------- */

static mt_status fail_unknown(const char *op, const mt_module *m, const char *path) {
	struct mt_text names = {0};
	for (int i = 0; i < m->n_state; i++)
		mt__text_add(&names, "%s%s", names.length ? ", " : "", m->state[i].name);
	for (int i = 0; i < m->n_children; i++)
		mt__text_add(&names, "%s%s", names.length ? ", " : "", m->children[i]->name);
	char where[MT__PATH_BYTES];
	mt__module_path(m, NULL, where, sizeof where);
	mt_status status = mt__fail(MT_E_ARG, "%s: there is no '%.200s'; %s%s%s has: %s", op, path, m->kind->name,
	                            where[0] ? " " : "", where, names.length ? names.data : "nothing");
	mt__text_free(&names);
	return status;
}

/* Follows path from m through children as far as whole names lead; *rest is what is left of it. */
static mt_module *descend(mt_module *m, const char *path, const char **rest) {
	while (*path != '\0') {
		size_t length = strcspn(path, ".");
		mt_module *child = find_child(m, path, length);
		if (child == NULL)
			break;
		m = child;
		path += length + (path[length] == '.');
	}
	*rest = path;
	return m;
}

mt_module *mt_module_child(mt_module *module, const char *path) {
	if (module == NULL || path == NULL) {
		mt__fail_arg_null("module_child", module == NULL ? "module" : "path");
		return NULL;
	}
	const char *rest;
	mt_module *m = descend(module, path, &rest);
	if (*rest == '\0')
		return m;
	fail_unknown("module_child", m, path);
	return NULL;
}

mt_tensor *mt_module_get(mt_module *module, const char *name) {
	if (module == NULL || name == NULL) {
		mt__fail_arg_null("module_get", module == NULL ? "module" : "name");
		return NULL;
	}
	const char *rest;
	mt_module *m = descend(module, name, &rest);
	struct mt__state *s = *rest ? find_state(m, rest, strlen(rest)) : NULL;
	if (s != NULL)
		return s->tensor;
	fail_unknown("module_get", m, name);
	return NULL;
}

void mt__module_path(const mt_module *m, const mt_module *root, char *path, size_t size) {
	size_t at = size - 1; /* written from the end: names are met from the leaf up */
	path[at] = '\0';
	for (; m != root && m->parent != NULL; m = m->parent) {
		size_t length = strlen(m->name);
		if (length + 1 > at)
			break;
		if (path[at] != '\0')
			path[--at] = '.';
		at -= length;
		memcpy(path + at, m->name, length);
	}
	memmove(path, path + at, size - at);
}
