/* Prints docs/ops.md from the op lists, the plugins' capability tables and the .def files of this folder. */
#include <stdio.h>
#include <string.h>

#include "mt/plugin.h"

/* ---- which plugins have a native kernel --------------------------------------------------------------------------- */

static const struct mt_capability naive[] = {
#include "plugins/cpu_naive/capabilities.def"
};
static const struct mt_capability omp[] = {
#include "plugins/cpu_omp/capabilities.def"
};
static const struct mt_capability cuda[] = {
#include "plugins/cuda/capabilities.def"
};

static const struct plugin {
	const char *name;
	const struct mt_capability *rows;
	size_t n;
} plugins[] = {
	{"naive", naive, sizeof naive / sizeof *naive},
	{"omp", omp, sizeof omp / sizeof *omp},
	{"cuda", cuda, sizeof cuda / sizeof *cuda},
};

static int has(const struct plugin *p, int32_t kernel, int32_t op) {
	for (size_t i = 0; i < p->n; i++)
		if (p->rows[i].kernel == kernel && (op == 0 || p->rows[i].op == 0 || p->rows[i].op == op))
			return 1;
	return 0;
}

/* "map: naive, omp, cuda" */
static void print_native(int32_t kernel, int32_t op) {
	static const char *const names[] = {
#define MT_KERNEL(id, NAME, name, group, must) [id] = #name,
#include "mt/kernels.def"
#undef MT_KERNEL
	};
	const char *separator = ": ";
	printf("%s", names[kernel]);
	for (size_t i = 0; i < sizeof plugins / sizeof *plugins; i++)
		if (has(&plugins[i], kernel, op)) {
			printf("%s%s", separator, plugins[i].name);
			separator = ", ";
		}
}

/* ---- rows --------------------------------------------------------------------------------------------------------- */

/* A table's cell: | is its border, and < might begin a tag. */
static void print_cell(const char *text) {
	for (; *text != '\0'; text++)
		switch (*text) {
		case '|':
			printf("\\|");
			break;
		case '<':
			printf("&lt;");
			break;
		default:
			putchar(*text);
		}
	printf(" | ");
}

static void print_row(const char *function, int32_t kernel, int32_t op, const char *composed, const char *formula,
                      const char *shapes, const char *dtypes, const char *gradient) {
	printf("| `%s` | ", function);
	print_cell(formula);
	print_cell(shapes);
	print_cell(dtypes);
	print_cell(gradient);
	if (kernel != 0)
		print_native(kernel, op);
	else
		printf("of %s", composed);
	printf(" |\n");
}

static void print_section(const char *title, const char *text) {
	printf("\n## %s\n\n%s%s", title, text, text[0] != '\0' ? "\n\n" : "");
	printf("| op | formula | shapes | dtypes | gradient | kernel |\n| --- | --- | --- | --- | --- | --- |\n");
}

/* An op of a list: its function is mt_NAME, but for those whose C name says more. */
static void print_listed(int32_t kernel, int32_t id, const char *name, const char *shapes, const char *dtypes,
                         const char *result, const char *formula, const char *gradient) {
	static const struct {
		int32_t kernel, id;
		const char *function;
	} renamed[] = {{MT_K_ZIP, MT_ZIP_MAX, "mt_maximum"},
	               {MT_K_ZIP, MT_ZIP_MIN, "mt_minimum"},
	               {MT_K_ZIP, MT_ZIP_MOD, "mt_remainder"},
	               {MT_K_ZIP, MT_ZIP_FLOOR_DIV, "mt_floor_divide"},
	               {MT_K_REDUCE, MT_REDUCE_SUMSQ, "mt_reduce(MT_REDUCE_SUMSQ)"}};
	char function[64], types[64];
	size_t length = strlen(name);
	if (kernel == MT_K_ZIP && length > 5 && strcmp(&name[length - 5], "_grad") == 0)
		return; /* part of a gradient, no function of its own */
	snprintf(function, sizeof function, "mt_%s", name);
	for (size_t i = 0; i < sizeof renamed / sizeof *renamed; i++)
		if (renamed[i].kernel == kernel && renamed[i].id == id)
			snprintf(function, sizeof function, "%s", renamed[i].function);
	snprintf(types, sizeof types, "%s%s", dtypes, strcmp(result, "BOOL") == 0 ? " -> bool" : "");
	for (char *c = types; *c != '\0'; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
	print_row(function, kernel, id, "", formula, shapes, types, gradient != NULL ? gradient : "none");
}

static void print_maps(void) {
	static const char *const gradients[MT_MAP_END_] = {
#define MAP_GRADIENT(NAME, text) [MT_MAP_##NAME] = text,
#define ZIP_GRADIENT(NAME, text)
#define REDUCE_GRADIENT(NAME, text)
#include "gradients.def"
#undef MAP_GRADIENT
#undef ZIP_GRADIENT
#undef REDUCE_GRADIENT
	};
#define MT_MAP(id, NAME, name, dtypes, result, formula)                                                                \
	print_listed(MT_K_MAP, id, #name, "any", #dtypes, #result, formula, gradients[id]);
#include "mt/map_ops.def"
#undef MT_MAP
}

static void print_zips(void) {
	static const char *const gradients[MT_ZIP_END_] = {
#define MAP_GRADIENT(NAME, text)
#define ZIP_GRADIENT(NAME, text) [MT_ZIP_##NAME] = text,
#define REDUCE_GRADIENT(NAME, text)
#include "gradients.def"
#undef MAP_GRADIENT
#undef ZIP_GRADIENT
#undef REDUCE_GRADIENT
	};
#define MT_ZIP(id, NAME, name, dtypes, result, formula)                                                                \
	print_listed(MT_K_ZIP, id, #name, "broadcast", #dtypes, #result, formula, gradients[id]);
#include "mt/zip_ops.def"
#undef MT_ZIP
}

static void print_reductions(void) {
	static const char *const gradients[MT_REDUCE_END_] = {
#define MAP_GRADIENT(NAME, text)
#define ZIP_GRADIENT(NAME, text)
#define REDUCE_GRADIENT(NAME, text) [MT_REDUCE_##NAME] = text,
#include "gradients.def"
#undef MAP_GRADIENT
#undef ZIP_GRADIENT
#undef REDUCE_GRADIENT
	};
#define MT_REDUCE(id, NAME, name, dtypes, result, formula)                                                             \
	print_listed(MT_K_REDUCE, id, #name, "any axes", #dtypes, #result, formula, gradients[id]);
#include "mt/reduce_ops.def"
#undef MT_REDUCE
}

int main(void) {
	printf("# Ops\n\n"
	       "Made by `make ops-doc` from the op lists, the plugins' capability tables and docs/reference: not edited by "
	       "hand.\n\n"
	       "dtypes: float is f16, bf16, f32, f64; number is float and i32, i64, u8; all is number and bool. g is the\n"
	       "upstream gradient, y the result. \"kernel\" names the kernel and the plugins that have one of their own "
	       "for the op;\n"
	       "\"of …\" an op made of others, on every device. What a plugin lacks is composed or falls back "
	       "(docs/backends.md).\n"
	       "Every gradient is made of ops and can be differentiated again (docs/autograd.md).\n");
#define SECTION(title, text) print_section(title, text);
#define LIST(which) LIST_##which
#define LIST_MAP print_maps();
#define LIST_ZIP print_zips();
#define LIST_REDUCE print_reductions();
#define OP(function, kernel, id, composed, formula, shapes, dtypes, gradient)                                          \
	print_row(function, kernel, id, composed, formula, shapes, dtypes, gradient);
#include "ops.def"
	return 0;
}
