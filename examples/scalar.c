/* Scalar automatic differentiation: numbers are 0-d tensors, operators are ops.  Shows a small expression, its graph, its
 * gradient with the central difference beside it, and its second derivatives.
 *
 *     cc scalar.c $(pkg-config --cflags --libs mt) && ./a.out
 *     ./a.out dot | dot -Tsvg >graph.svg */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mt/mt.h>

enum { N = 2 };

static const char *const names[N] = {"a", "b"};

static int fail(void) {
	fprintf(stderr, "scalar: %s\n", mt_error_take(NULL));
	return EXIT_FAILURE;
}

static mt_tensor *number(double value, const char *name) {
	mt_tensor *t = mt_requires_grad_(mt_scalar_tensor(mt_f(value), MT_F64), 1);
	return mt_tensor_set_name(t, name) == MT_OK ? t : NULL;
}

/* f(a, b) = ln(a b + eᵃ) / b */
static mt_tensor *expression(mt_tensor *a, mt_tensor *b) {
	return mt_div(mt_log(mt_add(mt_mul(a, b), mt_exp(a))), b);
}

/* The same in plain C, for the central difference. */
static double plain(const double *x, int n, void *context) {
	(void)n, (void)context;
	return log(x[0] * x[1] + exp(x[0])) / x[1];
}

static int print_gradient(const double *at, mt_tensor *const *first) {
	printf("\n     gradient       central difference\n");
	for (int i = 0; i < N; i++) {
		double exact, difference;
		if (mt_item(first[i], &exact) != MT_OK || mt_central_difference(plain, at, N, i, 0, NULL, &difference) != MT_OK)
			return 0;
		printf("%s  %11.8f  %11.8f\n", names[i], exact, difference);
		if (!(fabs(exact - difference) < 1e-8))
			return 0;
	}
	return 1;
}

/* Each first derivative is an expression again. */
static int print_hessian(mt_tensor *const *x, mt_tensor *const *first) {
	printf("\nsecond derivatives\n");
	for (int i = 0; i < N; i++) {
		mt_tensor *second[N];
		double value;
		if (mt_gradients(&first[i], 1, NULL, x, N, (mt_gradients_options){.retain_graph = 1}, second) != MT_OK)
			return 0;
		printf("%s", names[i]);
		for (int j = 0; j < N; j++) {
			if (mt_item(second[j], &value) != MT_OK)
				return 0;
			printf("  %11.8f", value);
		}
		printf("\n");
	}
	return 1;
}

int main(int argc, char **argv) {
	const double at[N] = {1.5, 2};
	mt_tensor *x[N] = {number(at[0], names[0]), number(at[1], names[1])}, *first[N];
	mt_tensor *f = expression(x[0], x[1]);
	double value;
	if (mt_tensor_set_name(f, "f") != MT_OK || mt_item(f, &value) != MT_OK)
		return fail();
	if (argc > 1 && strcmp(argv[1], "dot") == 0)
		return mt_graph_dot(f, stdout) == MT_OK ? EXIT_SUCCESS : fail();

	printf("f(a, b) = ln(a b + e^a) / b = %.8f at a = %g, b = %g\n\n", value, at[0], at[1]);
	if (mt_graph_text(f, stdout) != MT_OK ||
	    mt_gradients(&f, 1, NULL, x, N, (mt_gradients_options){.create_graph = 1}, first) != MT_OK)
		return fail();
	return print_gradient(at, first) && print_hessian(x, first) ? EXIT_SUCCESS : fail();
}
