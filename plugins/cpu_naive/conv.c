/* Convolution and its gradients: direct sums over the taps that fall inside x. */
#include <string.h>

#include "element.h"
#include "spatial.h"

/* The arrays of one call: x and weight stand for their gradients where those are computed. */
struct conv {
	struct spatial x, weight, out;
	struct window window;
	int64_t co_per_group, ci_per_group;
};

static struct conv conv_of(const mt_array *x, const mt_array *weight, const mt_array *out,
                           const struct mt_conv_params *p) {
	struct conv c = {
		spatial_of(x), spatial_of(weight), spatial_of(out), window_of(x->rank, p->stride, p->pad, p->dilation), 0, 0};
	c.co_per_group = c.weight.shape[0] / p->groups;
	c.ci_per_group = c.weight.shape[1];
	return c;
}

/* The taps of dim d that output o reads inside x, and the outputs whose tap k lies inside x. */
static struct range taps(const struct conv *c, int d, int64_t o) {
	return range_inside(o * c->window.stride[d] - c->window.pad[d], c->window.dilation[d], c->weight.shape[2 + d],
	                    c->x.shape[2 + d]);
}

static struct range outputs(const struct conv *c, int d, int64_t k) {
	return range_inside(k * c->window.dilation[d] - c->window.pad[d], c->window.stride[d], c->out.shape[2 + d],
	                    c->x.shape[2 + d]);
}

static int64_t source(const struct conv *c, int d, int64_t o, int64_t k) {
	return o * c->window.stride[d] + k * c->window.dilation[d] - c->window.pad[d];
}

typedef void conv_kernel(const struct conv *c, const struct mt_conv_args *args);
typedef void conv_grad_input_kernel(const struct conv *c, const struct mt_conv_grad_input_args *args, double *sum);
typedef void conv_grad_weight_kernel(const struct conv *c, const struct mt_conv_grad_weight_args *args);

#define TEMPLATE "conv_loops.inc"
#include "each_float.inc"
#undef TEMPLATE

int32_t mt__naive_conv(mt_queue *queue, const struct mt_conv_args *args) {
	(void)queue;
	static conv_kernel *const kernel_of[] = {
		[MT_F32] = conv_f32, [MT_F64] = conv_f64, [MT_F16] = conv_f16, [MT_BF16] = conv_bf16};
	struct conv c = conv_of(args->x, args->weight, args->out, &args->p);
	kernel_of[args->out->dtype](&c, args);
	return MT_OK;
}

int32_t mt__naive_conv_grad_input(mt_queue *queue, const struct mt_conv_grad_input_args *args) {
	static conv_grad_input_kernel *const kernel_of[] = {[MT_F32] = conv_grad_input_f32,
	                                                    [MT_F64] = conv_grad_input_f64,
	                                                    [MT_F16] = conv_grad_input_f16,
	                                                    [MT_BF16] = conv_grad_input_bf16};
	struct conv c = conv_of(args->gx, args->weight, args->gout, &args->p);
	const int64_t *s = c.x.shape;
	double *sum = mt__naive_scratch(queue, (uint64_t)(s[1] * s[2] * s[3] * s[4]), sizeof *sum);
	if (!sum)
		return MT_E_MEMORY;
	kernel_of[args->gx->dtype](&c, args, sum);
	return MT_OK;
}

int32_t mt__naive_conv_grad_weight(mt_queue *queue, const struct mt_conv_grad_weight_args *args) {
	(void)queue;
	static conv_grad_weight_kernel *const kernel_of[] = {[MT_F32] = conv_grad_weight_f32,
	                                                     [MT_F64] = conv_grad_weight_f64,
	                                                     [MT_F16] = conv_grad_weight_f16,
	                                                     [MT_BF16] = conv_grad_weight_bf16};
	struct conv c = conv_of(args->x, args->gweight, args->gout, &args->p);
	kernel_of[args->gweight->dtype](&c, args);
	return MT_OK;
}
