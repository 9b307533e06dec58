/* Convolves ones with halves and adds a bias of 3, each element 4 · 3 · 3 · ½ + 3, as often as it is told, and prints for
 * each call the element in the middle, or the error:
 *     convolve DEVICE f32|f16 CALLS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mt/mt.h>

static mt_status convolve(mt_dtype dtype, double *out) {
	const int64_t shape[] = {1, 4, 6, 6}, kernel[] = {4, 4, 3, 3}, bias[] = {4}, middle[] = {0, 2, 1, 2};
	mt_tensor *x = mt_ones(4, shape, dtype), *w = mt_full(4, kernel, dtype, mt_f(0.5));
	mt_tensor *y = mt_conv2d(x, w, mt_full(1, bias, dtype, mt_f(3)), (mt_conv_options){0});
	return y ? mt_get(y, middle, out) : mt_error_peek();
}

int main(int argc, char **argv) {
	if (argc != 4)
		return 2;
	mt_dtype dtype = strcmp(argv[2], "f16") == 0 ? MT_F16 : MT_F32;
	mt_device *device = mt_device_open(argv[1]);
	if (!device || mt_device_use(device) != MT_OK) {
		fprintf(stderr, "convolve: %s\n", mt_error_take(NULL));
		return 1;
	}
	for (int i = 0; i < atoi(argv[3]); i++) {
		double value;
		mt_scope *scope = mt_scope_begin();
		if (convolve(dtype, &value) == MT_OK)
			printf("%g\n", value);
		else
			printf("%s\n", mt_error_take(NULL));
		mt_scope_end(scope);
	}
	return 0;
}
