/* A tour of tensors: creation, views, dtypes, scopes, printing, errors, a gradient.  Prints what it does. */
#include <mt/mt.h>
#include <stdio.h>

static void show(const char *what, mt_tensor *t) {
	printf("%s =\n", what);
	if (mt_tensor_print(t, stdout) != MT_OK)
		printf("  failed: %s\n", mt_error_take(NULL));
	printf("\n");
}

/* A function that returns a tensor: what it makes on the way is released by its own scope. */
static mt_tensor *normalised(mt_tensor *x) {
	mt_scope *scope = mt_scope_begin();
	mt_tensor *centred = mt_sub(x, mt_mean(x, MT_ALL_AXES, 0));
	mt_tensor *deviation = mt_sqrt(mt_mean(mt_square(centred), MT_ALL_AXES, 0));
	return mt_scope_end_keep(scope, mt_div(centred, deviation));
}

int main(void) {
	mt_device *device = mt_device_current();
	if (device == NULL) {
		fprintf(stderr, "tensors: %s\n", mt_error_take(NULL));
		return 1;
	}
	printf("on %s\n\n", mt_device_name(device));
	mt_scope *scope = mt_scope_begin();

	/* Creation. */
	mt_tensor *a = mt_reshape(mt_arange(mt_i(0), mt_i(12), mt_i(1), MT_F32), MT_SHAPE(3, 4));
	show("a", a);
	show("bf16", mt_full(MT_SHAPE(2), MT_BF16, mt_f(0.1)));

	/* Views share memory: writing one writes the other. */
	mt_tensor *corner = mt_slice(mt_slice(a, 0, 0, 2, 1), 1, MT_END, MT_END, -2);
	show("a[0:2, ::-2]", corner);
	mt_fill_(corner, mt_i(0));
	show("a, after that part was set to 0", a);

	/* Broadcasting and promotion: i64 [3, 1] with f32 [3, 4]. */
	mt_tensor *column = mt_unsqueeze(mt_arange(mt_i(10), mt_i(40), mt_i(10), MT_I64), 1);
	show("a + column", mt_add(a, column));
	show("normalised(a)", normalised(a));

	/* The same seed gives the same numbers on every backend. */
	mt_seed(1);
	show("a permutation", mt_randperm(8));

	/* A gradient through views. */
	mt_tensor *x = mt_requires_grad_(mt_ones(MT_SHAPE(2, 3), MT_F64), 1);
	mt_backward(mt_sum(mt_square(mt_index(mt_transpose(x, 0, 1), 0, -1)), MT_ALL_AXES, 0));
	show("d sum(x[:, -1]^2) / dx", mt_grad(x));

	/* A chain is checked once, at its end; the message is the first cause's. */
	mt_tensor *wrong = mt_relu(mt_transpose(mt_reshape(a, MT_SHAPE(5, 2)), 0, 1));
	if (wrong == NULL)
		printf("as expected: %s\n", mt_error_take(NULL));

	mt_scope_end(scope);
	printf("%lld tensors live\n", (long long)mt_live_tensors());
	return 0;
}
