/* The graph for people: as text, and as DOT for Graphviz. */
#include <stdio.h>

#include "autograd/graph.h"
#include "base/error.h"
#include "tensor/shape.h"

static void print_type(FILE *out, const mt_graph_entry *entry) {
	char shape[MT__SHAPE_TEXT];
	fprintf(out, "%s %s", mt_dtype_name(entry->dtype), mt__shape_text(shape, entry->rank, entry->shape));
}

static mt_status print(const char *op, mt_tensor *t, FILE *out, mt_graph_fn visit) {
	if (out == NULL)
		return mt__fail_arg_null(op, "out");
	mt_status status = mt__graph_walk(op, t, visit, out);
	return status == MT_OK && ferror(out) ? mt__fail(MT_E_IO, "%s: cannot write", op) : status;
}

/* ---- text --------------------------------------------------------------------------------------------------------- */

/* As a C string. */
static void print_quoted(FILE *out, const char *name) {
	putc('"', out);
	for (const char *p = name; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			fprintf(out, "\\%c", *p);
		else if (*p == '\n')
			fputs("\\n", out);
		else if ((unsigned char)*p < ' ' || *p == 0x7F)
			fprintf(out, "\\%03o", (unsigned char)*p);
		else
			putc(*p, out);
	}
	putc('"', out);
}

static mt_status print_line(const mt_graph_entry *entry, void *file) {
	FILE *out = file;
	fprintf(out, "%%%lld = ", (long long)entry->id);
	if (entry->op[0] == '\0') {
		fputs("leaf", out);
	} else {
		fprintf(out, "%s(", entry->op);
		for (int i = 0; i < entry->n_inputs; i++)
			fprintf(out, i == 0 ? "%%%lld" : ", %%%lld", (long long)entry->inputs[i]);
		putc(')', out);
	}
	fputs("  ", out);
	print_type(out, entry);
	if (entry->name[0] != '\0') {
		fputs("  ", out);
		print_quoted(out, entry->name);
	}
	putc('\n', out);
	return MT_OK;
}

mt_status mt_graph_text(mt_tensor *t, FILE *out) {
	return print("graph_text", t, out, print_line);
}

/* ---- DOT ---------------------------------------------------------------------------------------------------------- */

/* Inside a quoted label: Graphviz reads escapes and HTML entities there. */
static void print_label(FILE *out, const char *text) {
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			fprintf(out, "\\%c", *p);
		else if (*p == '&')
			fputs("&amp;", out);
		else if (*p == '\n')
			fputs("\\n", out);
		else if ((unsigned char)*p < ' ' || *p == 0x7F)
			putc('?', out);
		else
			putc(*p, out);
	}
}

static mt_status print_statement(const mt_graph_entry *entry, void *file) {
	FILE *out = file;
	if (entry->id == 0)
		fputs("digraph mt {\n", out);
	fprintf(out, "\tn%lld [label=\"", (long long)entry->id);
	if (entry->name[0] != '\0') {
		print_label(out, entry->name);
		fputs("\\n", out);
	}
	if (entry->op[0] != '\0')
		fprintf(out, "%s\\n", entry->op);
	print_type(out, entry);
	fputs(entry->op[0] == '\0' ? "\", shape=box];\n" : "\"];\n", out);
	for (int i = 0; i < entry->n_inputs; i++)
		fprintf(out, "\tn%lld -> n%lld;\n", (long long)entry->inputs[i], (long long)entry->id);
	return MT_OK;
}

mt_status mt_graph_dot(mt_tensor *t, FILE *out) {
	mt_status status = print("graph_dot", t, out, print_statement);
	if (status == MT_OK && fputs("}\n", out) == EOF)
		return mt__fail(MT_E_IO, "graph_dot: cannot write");
	return status;
}
