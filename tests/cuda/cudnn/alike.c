/* Convolutions that differ in one thing at a time, each with its gradients and all in one process, so that what is kept of
 * one must not serve another; prints sums of squares of out, gx and gweight, which differ with any of these:
 *     alike DEVICE */
#include <stdio.h>
#include <stdlib.h>

#include <mt/mt.h>

struct geometry {
	mt_dtype dtype;
	int64_t images, in, out, h, w, kernel_h, kernel_w; /* in: of a group */
	mt_conv_options options;
};

/* Most have the same extents of out: 3 × 3. */
static const struct geometry geometries[] = {
	{MT_F32, 2, 4, 4, 11, 11, 3, 3, {.stride = {3, 3}}},
	{MT_F32, 2, 4, 4, 11, 11, 3, 3, {.stride = {3, 3}, .dilation = {2, 1}}},
	{MT_F32, 2, 4, 4, 11, 11, 3, 3, {.stride = {3, 3}, .dilation = {1, 2}}},
	{MT_F32, 2, 4, 4, 11, 11, 4, 3, {.stride = {3, 3}}},
	{MT_F32, 2, 4, 4, 11, 11, 3, 4, {.stride = {3, 3}}},
	{MT_F32, 2, 4, 4, 11, 11, 3, 3, {.stride = {4, 3}}},
	{MT_F32, 2, 4, 4, 11, 11, 3, 3, {.stride = {3, 4}}},
	{MT_F32, 2, 4, 4, 10, 11, 4, 3, {.stride = {3, 3}, .padding = {1, 0}}},
	{MT_F32, 2, 4, 4, 10, 11, 4, 3, {.stride = {3, 3}}},
	{MT_F32, 2, 4, 4, 12, 11, 3, 3, {.stride = {3, 3}}},
	{MT_F32, 2, 4, 4, 11, 12, 3, 3, {.stride = {3, 3}}},
	{MT_F32, 2, 2, 4, 11, 11, 3, 3, {.stride = {3, 3}, .groups = 2}},
	{MT_F32, 2, 1, 4, 11, 11, 3, 3, {.stride = {3, 3}, .groups = 4}},
	{MT_F32, 2, 4, 2, 11, 11, 3, 3, {.stride = {3, 3}}},
	{MT_F32, 2, 2, 4, 11, 11, 3, 3, {.stride = {3, 3}}},
	{MT_F32, 3, 4, 4, 11, 11, 3, 3, {.stride = {3, 3}}},
	{MT_F64, 2, 4, 4, 11, 11, 3, 3, {.stride = {3, 3}}},
	{MT_F16, 2, 4, 4, 11, 11, 3, 3, {.stride = {3, 3}}},
	{MT_BF16, 2, 4, 4, 11, 11, 3, 3, {.stride = {3, 3}}},
};

/* sin 0, sin ½, sin 1, … */
static mt_tensor *waves(const int64_t shape[4], mt_dtype dtype) {
	double count = (double)(shape[0] * shape[1] * shape[2] * shape[3]);
	mt_tensor *steps = mt_arange(mt_f(0), mt_f(count / 2), mt_f(0.5), MT_F64);
	return mt_requires_grad_(mt_cast(mt_reshape(mt_sin(steps), 4, shape), dtype), 1);
}

static mt_tensor *square_sum(mt_tensor *t) {
	mt_tensor *wide = mt_cast(t, MT_F64);
	return mt_sum(mt_mul(wide, wide), MT_ALL_AXES, 0);
}

static mt_status convolve(const struct geometry *g, double sums[3]) {
	int64_t groups = g->options.groups > 0 ? g->options.groups : 1;
	const int64_t shape[] = {g->images, groups * g->in, g->h, g->w};
	const int64_t kernel[] = {g->out, g->in, g->kernel_h, g->kernel_w};
	mt_tensor *x = waves(shape, g->dtype), *weight = waves(kernel, g->dtype);
	mt_tensor *squares = square_sum(mt_conv2d(x, weight, MT_NONE, g->options));
	mt_status status = mt_item(squares, &sums[0]);
	if (status == MT_OK)
		status = mt_backward(squares);
	if (status == MT_OK)
		status = mt_item(square_sum(mt_grad(x)), &sums[1]);
	return status == MT_OK ? mt_item(square_sum(mt_grad(weight)), &sums[2]) : status;
}

int main(int argc, char **argv) {
	mt_device *device = argc == 2 ? mt_device_open(argv[1]) : NULL;
	mt_status status = device ? mt_device_use(device) : MT_E_ARG;
	for (int again = 0; again < 2; again++)
		for (size_t i = 0; i < sizeof geometries / sizeof *geometries && status == MT_OK; i++) {
			double sums[3];
			mt_scope *scope = mt_scope_begin();
			status = convolve(&geometries[i], sums);
			if (status == MT_OK)
				printf("%zu: %.3g %.3g %.3g\n", i, sums[0], sums[1], sums[2]);
			mt_scope_end(scope);
		}
	if (status == MT_OK)
		return 0;
	fprintf(stderr, "alike: %s\n", mt_error_take(NULL));
	return 1;
}
