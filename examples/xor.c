/* Learns exclusive or with two small layers: model, loss, optimiser, loop, saved weights.
 *
 *     cc xor.c $(pkg-config --cflags --libs mt) && ./a.out            MT_BACKEND=omp ./a.out */
#include <stdio.h>
#include <stdlib.h>

#include <mt/mt.h>

static int fail(void) {
	fprintf(stderr, "xor: %s\n", mt_error_take(NULL));
	return EXIT_FAILURE;
}

int main(void) {
	static const float inputs[] = {0, 0, 0, 1, 1, 0, 1, 1}, targets[] = {0, 1, 1, 0};
	mt_tensor *parameters[4];
	double value = 0;

	mt_seed(1);
	mt_module *layers[4];
	layers[0] = mt_nn_linear(2, 8, 1); /* one after another: the seed then decides every weight */
	layers[1] = mt_nn_tanh();
	layers[2] = mt_nn_linear(8, 1, 1);
	layers[3] = mt_nn_sigmoid();
	mt_module *net = mt_nn_sequential(4, layers);
	int64_t n = mt_module_parameters(net, parameters, 4);
	mt_optim *optim = mt_optim_adam(parameters, n, 0.05, (mt_adam_options){0});
	mt_tensor *x = mt_from_data(MT_SHAPE(4, 2), MT_F32, inputs);
	mt_tensor *y = mt_from_data(MT_SHAPE(4, 1), MT_F32, targets);
	if (net == NULL || optim == NULL || x == NULL || y == NULL)
		return fail();
	mt_module_print(net, stdout);

	for (int step = 1; step <= 500; step++) {
		mt_scope *scope = mt_scope_begin(); /* ends the step's tensors */
		mt_tensor *loss = mt_bce_loss(mt_forward(net, x), y, MT_REDUCTION_MEAN);
		mt_optim_zero_grad(optim);
		if (mt_backward(loss) != MT_OK || mt_optim_step(optim) != MT_OK)
			return fail();
		if (step % 100 == 0 && mt_item(loss, &value) == MT_OK)
			printf("step %d loss %.4f\n", step, value);
		mt_scope_end(scope);
	}

	int right = 0;
	mt_tensor *p = mt_forward(net, x);
	for (int64_t i = 0; i < 4; i++) {
		if (mt_get(p, (int64_t[]){i, 0}, &value) != MT_OK)
			return fail();
		printf("%g xor %g: %.3f\n", (double)inputs[2 * i], (double)inputs[2 * i + 1], value);
		right += (value > 0.5) == (targets[i] > 0.5f);
	}
	mt_optim_free(optim);
	mt_module_free(net);
	return right == 4 ? EXIT_SUCCESS : EXIT_FAILURE;
}
