/* Modules as text: the tree and the summary table. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "mt/autograd.h"
#include "nn/module.h"
#include "tensor/shape.h"

static void describe(const mt_module *m, char *text, size_t size) {
	text[0] = '\0';
	if (m->kind->describe != NULL && m->kind->describe(m->context, text, size) < 0)
		text[0] = '\0';
}

static void print_count(const mt_module *m, FILE *out) {
	int64_t n = mt_module_parameter_count(m);
	if (n > 0)
		fprintf(out, "  %" PRId64 " parameter%s", n, n == 1 ? "" : "s");
	fputc('\n', out);
}

static void print_opening(const mt_module *m, FILE *out) {
	char text[MT__TEXT_BYTES];
	describe(m, text, sizeof text);
	fprintf(out, "%s(%s", m->kind->name, text);
	if (m->n_children > 0)
		fputc('\n', out);
}

static void print_closing(const mt_module *m, int indent, FILE *out) {
	if (m->n_children > 0)
		fprintf(out, "%*s", indent, "");
	fputc(')', out);
	print_count(m, out);
}

static int is_last_child(const mt_module *m) {
	return m->parent->children[m->parent->n_children - 1] == m;
}

static void print_tree(const mt_module *root, FILE *out) {
	int indent = 0;
	for (const mt_module *m = root; m != NULL; m = mt__next_module(m, root)) {
		if (m != root)
			fprintf(out, "%*s(%s): ", indent, "", m->name);
		print_opening(m, out);
		if (m->n_children > 0) {
			indent += 2;
			continue;
		}
		print_closing(m, indent, out);
		for (const mt_module *last = m; last != root && is_last_child(last); last = last->parent) {
			indent -= 2;
			print_closing(last->parent, indent, out);
		}
	}
}

mt_status mt_module_print(const mt_module *module, FILE *out) {
	if (module == NULL || out == NULL)
		return mt__fail_arg_null("module_print", module == NULL ? "module" : "out");
	print_tree(module, out);
	return ferror(out) ? mt__fail(MT_E_IO, "module_print: cannot write") : MT_OK;
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

struct row {
	const mt_module *module;
	char output[MT__SHAPE_TEXT];
};

struct table {
	struct row *rows;
	int n;
};

static int count_modules(const mt_module *root) {
	int n = 0;
	for (const mt_module *m = root; m != NULL; m = mt__next_module(m, root))
		n++;
	return n;
}

static void fill_rows(const mt_module *root, struct table *t) {
	for (const mt_module *m = root; m != NULL; m = mt__next_module(m, root)) {
		struct row *row = &t->rows[t->n++];
		row->module = m;
		snprintf(row->output, sizeof row->output, "-");
	}
}

static void note_output(const mt_module *m, mt_tensor *y, void *context) {
	struct table *t = context;
	for (int i = 0; i < t->n; i++)
		if (t->rows[i].module == m)
			mt__shape_text(t->rows[i].output, mt_tensor_rank(y), mt_tensor_shape(y));
}

/* One forward outside the graph, in evaluation mode: no random numbers are drawn, and no module's mode is changed
 * after. */
static mt_status trace_shapes(mt_module *module, mt_tensor *x, struct table *t) {
	const struct mt__forward_trace trace = {note_output, t};
	mt_scope *scope = mt_scope_begin();
	if (scope == NULL)
		return MT_E_MEMORY;
	int *modes = mt__alloc((size_t)t->n * sizeof *modes);
	if (modes == NULL) {
		mt_scope_end(scope);
		return mt__fail_memory("module_summary", (size_t)t->n * sizeof *modes);
	}
	for (int i = 0; i < t->n; i++)
		modes[i] = t->rows[i].module->training;
	mt_module_train(module, 0);
	int was = mt_grad_enable(0);
	mt__forward_trace(&trace);
	mt_tensor *y = mt_forward(module, x);
	mt__forward_trace(NULL);
	mt_grad_enable(was);
	for (int i = 0; i < t->n; i++)
		((mt_module *)t->rows[i].module)->training = modes[i];
	mt__free(modes);
	mt_scope_end(scope);
	return y != NULL ? MT_OK : mt_error_peek();
}

static int wider(int width, const char *text) {
	int length = (int)strlen(text);
	return length > width ? length : width;
}

static void print_table(const mt_module *module, const struct table *t, int shapes, FILE *out) {
	int path_width = 6, class_width = 5, shape_width = 12;
	char path[MT__PATH_BYTES];
	for (int i = 0; i < t->n; i++) {
		mt__module_path(t->rows[i].module, module, path, sizeof path);
		path_width = wider(path_width, path);
		class_width = wider(class_width, t->rows[i].module->kind->name);
		shape_width = wider(shape_width, t->rows[i].output);
	}
	if (!shapes)
		shape_width = 0;
	fprintf(out, "%-*s  %-*s  %-*s%s%12s\n", path_width, "module", class_width, "class", shape_width,
	        shapes ? "output shape" : "", shapes ? "  " : "", "parameters");
	for (int i = 0; i < t->n; i++) {
		const mt_module *m = t->rows[i].module;
		mt__module_path(m, module, path, sizeof path);
		fprintf(out, "%-*s  %-*s  %-*s%s%12" PRId64 "\n", path_width, path[0] ? path : ".", class_width, m->kind->name,
		        shape_width, shapes ? t->rows[i].output : "", shapes ? "  " : "", mt_module_parameter_count(m));
	}
	fprintf(out, "total: %" PRId64 " parameters in %d module%s\n", mt_module_parameter_count(module), t->n,
	        t->n == 1 ? "" : "s");
}

mt_status mt_module_summary(mt_module *module, mt_tensor *x, FILE *out) {
	if (module == NULL || out == NULL || x == NULL)
		return mt__fail_arg_null("module_summary", module == NULL ? "module" : x == NULL ? "x" : "out");
	struct table t = {0};
	int n = count_modules(module);
	t.rows = mt__calloc((size_t)n, sizeof *t.rows);
	if (t.rows == NULL)
		return mt__fail_memory("module_summary", (size_t)n * sizeof *t.rows);
	fill_rows(module, &t);
	int shapes = !mt_tensor_is_none(x);
	mt_status status = shapes ? trace_shapes(module, x, &t) : MT_OK;
	if (status == MT_OK)
		print_table(module, &t, shapes, out);
	if (status == MT_OK && ferror(out))
		status = mt__fail(MT_E_IO, "module_summary: cannot write");
	mt__free(t.rows);
	return status;
}
