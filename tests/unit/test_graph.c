/* Looking at graphs: the walk, the text and the DOT form. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends.h"

static mt_tensor *leaf(mt_tensor *t) {
	return mt_requires_grad_(t, 1);
}

/* What print writes; the caller frees it. */
static char *printed(mt_status (*print)(mt_tensor *, FILE *), mt_tensor *t) {
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	MT_CHECK_INT(print(t, out), MT_OK);
	fclose(out);
	return text;
}

static void check_printed(mt_status (*print)(mt_tensor *, FILE *), mt_tensor *t, const char *want) {
	char *have = printed(print, t);
	MT_CHECK_STR(have, want);
	free(have);
}

/* ---- exact output ------------------------------------------------------------------------------------------------- */

/* Σ tanh(x wᵀ + b) · x[:, :2], whose intermediates are gone; x and b have names. */
static mt_tensor *example(void) {
	mt_tensor *x = leaf(mt_ones(MT_SHAPE(4, 3), MT_F32)), *w = leaf(mt_ones(MT_SHAPE(2, 3), MT_F32));
	mt_tensor *b = leaf(mt_zeros(MT_SHAPE(2), MT_F32));
	mt_tensor_set_name(x, "x");
	mt_tensor_set_name(b, "layer.bias");
	mt_scope *scope = mt_scope_begin();
	mt_tensor *h = mt_tanh(mt_linear(x, w, b));
	mt_tensor *y = mt_sum(mt_mul(h, mt_slice(x, 1, 0, 2, 1)), MT_ALL_AXES, 0);
	mt_tensor_set_name(y, "loss");
	return mt_scope_end_keep(scope, y);
}

static void output_on_device(void) {
	mt_tensor *y = example();
	static const char text[] = "%0 = sum(%1)  f32 []  \"loss\"\n"
							   "%1 = mul(%2, %4)  f32 [4, 2]\n"
							   "%2 = tanh(%3)  f32 [4, 2]\n"
							   "%3 = linear(%5, %6, %7)  f32 [4, 2]\n"
							   "%4 = slice(%5)  f32 [4, 2]\n"
							   "%5 = leaf  f32 [4, 3]  \"x\"\n"
							   "%6 = leaf  f32 [2, 3]\n"
							   "%7 = leaf  f32 [2]  \"layer.bias\"\n";
	row("text");
	check_printed(mt_graph_text, y, text);
	row("dot");
	check_printed(mt_graph_dot, y,
	              "digraph mt {\n"
	              "\tn0 [label=\"loss\\nsum\\nf32 []\"];\n"
	              "\tn1 -> n0;\n"
	              "\tn1 [label=\"mul\\nf32 [4, 2]\"];\n"
	              "\tn2 -> n1;\n"
	              "\tn4 -> n1;\n"
	              "\tn2 [label=\"tanh\\nf32 [4, 2]\"];\n"
	              "\tn3 -> n2;\n"
	              "\tn3 [label=\"linear\\nf32 [4, 2]\"];\n"
	              "\tn5 -> n3;\n"
	              "\tn6 -> n3;\n"
	              "\tn7 -> n3;\n"
	              "\tn4 [label=\"slice\\nf32 [4, 2]\"];\n"
	              "\tn5 -> n4;\n"
	              "\tn5 [label=\"x\\nf32 [4, 3]\", shape=box];\n"
	              "\tn6 [label=\"f32 [2, 3]\", shape=box];\n"
	              "\tn7 [label=\"layer.bias\\nf32 [2]\", shape=box];\n"
	              "}\n");
	row("the same after a backward");
	MT_CHECK_INT(mt_backward(y), MT_OK);
	check_printed(mt_graph_text, y, text);
}

static void output(void) {
	each_backend(output_on_device);
}

static void shapes(void) {
	mt_tensor *x = leaf(mt_ones(MT_SHAPE(2), MT_F64));
	row("a leaf alone");
	check_printed(mt_graph_text, x, "%0 = leaf  f64 [2]\n");
	check_printed(mt_graph_dot, x, "digraph mt {\n\tn0 [label=\"f64 [2]\", shape=box];\n}\n");
	row("one tensor twice, and constants left out");
	mt_tensor *y = mt_mul(mt_add(x, x), mt_ones(MT_SHAPE(3, 1), MT_F64));
	check_printed(mt_graph_text, y,
	              "%0 = mul(%1)  f64 [3, 2]\n"
	              "%1 = add(%2, %2)  f64 [2]\n"
	              "%2 = leaf  f64 [2]\n");
	row("written in place: both results are there, the tensor stands for the new one");
	mt_tensor *z = mt_exp(x), *n = mt_neg(z);
	mt_tensor_set_name(z, "z");
	MT_CHECK(mt_mul_scalar_(z, mt_i(2)) == z);
	check_printed(mt_graph_text, mt_add(z, n),
	              "%0 = add(%1, %2)  f64 [2]\n"
	              "%1 = mul(%3)  f64 [2]  \"z\"\n"
	              "%2 = neg(%3)  f64 [2]\n"
	              "%3 = exp(%4)  f64 [2]\n"
	              "%4 = leaf  f64 [2]\n");
	row("overwritten: the node keeps its shape");
	mt_tensor *a = mt_exp(mt_cast(x, MT_F32)), *of_a = mt_sum(a, MT_ALL_AXES, 0);
	MT_CHECK(mt_fill_(a, mt_i(0)) == a && mt_tensor_is_leaf(a));
	check_printed(mt_graph_text, of_a,
	              "%0 = sum(%1)  f32 []\n"
	              "%1 = exp(%2)  f32 [2]\n"
	              "%2 = cast(%3)  f32 [2]\n"
	              "%3 = leaf  f64 [2]\n");
	row("copied over");
	mt_tensor *c = mt_zeros(MT_SHAPE(3, 2), MT_F64);
	MT_CHECK(mt_copy_(c, mt_square(x)) == c);
	check_printed(mt_graph_text, c,
	              "%0 = copy_(%1)  f64 [3, 2]\n"
	              "%1 = square(%2)  f64 [2]\n"
	              "%2 = leaf  f64 [2]\n");
	row("a gradient's graph");
	mt_tensor *s = mt_exp(x), *u = mt_ones(MT_SHAPE(2), MT_F64), *g;
	MT_CHECK_INT(mt_gradients(&s, 1, &u, &x, 1, (mt_gradients_options){.create_graph = 1}, &g), MT_OK);
	check_printed(mt_graph_text, g,
	              "%0 = mul(%1)  f64 [2]\n"
	              "%1 = exp(%2)  f64 [2]\n"
	              "%2 = leaf  f64 [2]\n");
}

static void names(void) {
	mt_tensor *x = leaf(mt_ones(MT_SHAPE0, MT_F32)), *y = mt_neg(x);
	mt_tensor_set_name(x, "a \"b\" \\N\n&lt; \x01 \xC3\xA4");
	check_printed(mt_graph_text, y,
	              "%0 = neg(%1)  f32 []\n"
	              "%1 = leaf  f32 []  \"a \\\"b\\\" \\\\N\\n&lt; \\001 \xC3\xA4\"\n");
	check_printed(mt_graph_dot, y,
	              "digraph mt {\n"
	              "\tn0 [label=\"neg\\nf32 []\"];\n"
	              "\tn1 -> n0;\n"
	              "\tn1 [label=\"a \\\"b\\\" \\\\N\\n&amp;lt; ? \xC3\xA4\\nf32 []\", shape=box];\n"
	              "}\n");
}

/* ---- the walk ----------------------------------------------------------------------------------------------------- */

enum { MOST = 300 };

struct seen {
	int64_t n, edges, leaves;
	int64_t users[MOST]; /* of each entry, so far */
	mt_tensor *released; /* by the first visit */
	mt_tensor *used;     /* a backward through it, by each visit */
	int64_t stop;        /* the visit that ends the walk; negative: none */
};

static mt_status look(const mt_graph_entry *entry, void *context) {
	struct seen *seen = context;
	MT_CHECK_INT(entry->id, seen->n);
	MT_CHECK_MSG(entry->id == 0 || seen->users[entry->id] > 0, "entry %lld before those that use it",
	             (long long)entry->id);
	for (int i = 0; i < entry->n_inputs; i++) {
		MT_CHECK_MSG(entry->inputs[i] > entry->id && entry->inputs[i] < MOST, "%lld has the input %lld",
		             (long long)entry->id, (long long)entry->inputs[i]);
		seen->users[entry->inputs[i]]++;
	}
	seen->edges += entry->n_inputs;
	seen->leaves += entry->op[0] == '\0';
	seen->n++;
	if (seen->released != NULL)
		mt_release(seen->released);
	seen->released = NULL;
	if (seen->used != NULL)
		MT_CHECK_INT(mt_backward_from(seen->used, MT_NONE, 1), MT_OK);
	return seen->n - 1 == seen->stop ? MT_E_UNSUPPORTED : MT_OK;
}

/* A graph in which each op uses two earlier ones. */
static mt_tensor *braid(int n_ops, mt_tensor **last) {
	mt_tensor *all[MOST] = {0};
	uint64_t state = 1;
	for (int i = 0; i < n_ops + 3; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		int a = (int)(state >> 40) % (i > 4 ? 4 : i + 1), b = (int)(state >> 50) % (i > 9 ? 9 : i + 1);
		all[i] = i < 3 ? leaf(mt_ones(MT_SHAPE0, MT_F64))
		               : mt_mul(mt_sub(all[i - 1], all[i - 1 - a % i]), all[i - 1 - b % i]);
	}
	*last = all[n_ops + 2];
	return *last;
}

static void walk_on_device(void) {
	struct seen seen = {.stop = -1};
	mt_tensor *y;
	row("topological");
	MT_CHECK_INT(mt_graph_walk(braid(100, &y), look, &seen), MT_OK);
	MT_CHECK_MSG(seen.n > 100 && seen.edges > 200 && seen.leaves >= 2, "%lld entries, %lld edges, %lld leaves",
	             (long long)seen.n, (long long)seen.edges, (long long)seen.leaves);
	int64_t all = seen.n;
	row("each stop");
	for (int64_t stop = 0; stop < 3; stop++) {
		seen = (struct seen){.stop = stop};
		MT_CHECK_INT(mt_graph_walk(y, look, &seen), MT_E_UNSUPPORTED);
		MT_CHECK_INT(seen.n, stop + 1);
	}
	row("a visitor that uses the graph");
	seen = (struct seen){.stop = -1, .used = y};
	MT_CHECK_INT(mt_graph_walk(y, look, &seen), MT_OK);
	MT_CHECK_INT(seen.n, all);
	row("a visitor that releases it");
	mt_scope *scope = mt_scope_begin();
	mt_tensor *gone = mt_retain(mt_exp(mt_neg(leaf(mt_ones(MT_SHAPE0, MT_F32)))));
	mt_scope_end(scope);
	seen = (struct seen){.stop = -1, .released = gone};
	MT_CHECK_INT(mt_graph_walk(gone, look, &seen), MT_OK);
	MT_CHECK_INT(seen.n, 3);
}

static void walk(void) {
	int64_t before = mt_live_tensors();
	each_backend(walk_on_device);
	MT_CHECK_INT(mt_live_tensors(), before);
}

static mt_status count(const mt_graph_entry *entry, void *context) {
	int64_t *n = context;
	MT_CHECK_INT(entry->id, *n);
	++*n;
	return MT_OK;
}

static void depth(void) {
	mt_scope *scope = mt_scope_begin();
	mt_tensor *y = mt_retain(mt_neg(leaf(mt_ones(MT_SHAPE0, MT_F32))));
	for (int i = 1; i < 100000; i++) {
		mt_scope *inner = mt_scope_begin();
		mt_tensor *next = mt_retain(mt_neg(y));
		mt_release(y);
		y = next;
		mt_scope_end(inner);
	}
	int64_t n = 0;
	MT_CHECK_INT(mt_graph_walk(y, count, &n), MT_OK);
	MT_CHECK_INT(n, 100001);
	mt_release(y);
	mt_scope_end(scope);
}

/* ---- errors ------------------------------------------------------------------------------------------------------- */

static void errors(void) {
	mt_tensor *x = leaf(mt_ones(MT_SHAPE(2), MT_F32)), *constant = mt_ones(MT_SHAPE(2), MT_F32), *y = mt_neg(x);
	int64_t n = 0;
	MT_CHECK_INT(mt_graph_walk(constant, count, &n), MT_E_STATE);
	CHECK_ERROR(MT_E_STATE, "graph_walk: f32[2] has no graph: no input requires a gradient");
	MT_CHECK_INT(mt_graph_walk(NULL, count, &n), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "graph_walk: t is NULL");
	MT_CHECK_INT(mt_graph_walk(MT_NONE, count, &n), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "graph_walk: t is MT_NONE");
	MT_CHECK_INT(mt_graph_walk(y, NULL, &n), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "graph_walk: visit is NULL");
	MT_CHECK_INT(n, 0);
	MT_CHECK_INT(mt_graph_text(y, NULL), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "graph_text: out is NULL");
	MT_CHECK_INT(mt_graph_dot(y, NULL), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "graph_dot: out is NULL");
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	MT_CHECK_INT(mt_graph_dot(constant, out), MT_E_STATE);
	CHECK_ERROR(MT_E_STATE, "graph_dot: f32[2] has no graph");
	MT_CHECK_INT(mt_graph_text(NULL, out), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "graph_text: t is NULL");
	fclose(out);
	MT_CHECK_STR(text, "");
	free(text);
	FILE *closed = fopen("/dev/null", "r");
	MT_REQUIRE(closed != NULL);
	MT_CHECK_INT(mt_graph_text(y, closed), MT_E_IO);
	CHECK_ERROR(MT_E_IO, "graph_text: cannot write");
	MT_CHECK_INT(mt_graph_dot(y, closed), MT_E_IO);
	CHECK_ERROR(MT_E_IO, "graph_dot: cannot write");
	fclose(closed);
}

/* Allocations fail from the n-th on, once. */
static int64_t allocations_left = INT64_MAX;

static int refuse(void) {
	return allocations_left-- == 0;
}

static void *failing_alloc(size_t bytes) {
	return refuse() ? NULL : malloc(bytes);
}

static void *failing_realloc(void *p, size_t bytes) {
	return refuse() ? NULL : realloc(p, bytes);
}

static void out_of_memory(void) {
	mt_tensor *y;
	braid(20, &y);
	for (int64_t n = 0, done = 0; !done && MT_CHECK(n < 100); n++) {
		int64_t visited = 0;
		row("allocation %lld fails", (long long)n);
		allocations_left = n;
		mt_status status = mt_graph_walk(y, count, &visited);
		done = allocations_left >= 0;
		allocations_left = INT64_MAX;
		MT_CHECK_INT(status, done ? MT_OK : MT_E_MEMORY);
		MT_CHECK(done || visited == 0);
		if (!done)
			CHECK_ERROR(MT_E_MEMORY, "graph_walk: out of memory");
		else
			MT_CHECK(n >= 6 && visited > 20);
	}
}

static const mt_test_case cases[] = {
	{"output", output},
	{"shapes", shapes},
	{"names", names},
	{"walk", walk},
	{"depth", depth},
	{"errors", errors},
	{"out_of_memory", out_of_memory},
	{0},
};
static const mt_test_suite suites[] = {{"graph", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	mt_set_allocator(failing_alloc, failing_realloc, free);
	return mt_test_main(argc, argv, suites);
}
