/* conv, conv_grad_input, conv_grad_weight: arguments to geometry, choice of the method, f16 and bf16. */
#include "conv.h"

#include "convert.h"
#include "parallel.h"

static struct mt__conv describe(const mt_array *x, const mt_array *weight, const mt_array *out, const mt_array *bias,
                                const struct mt_conv_params *p) {
	struct mt__conv c = {
		.x = mt__five_dims(x), .weight = mt__five_dims(weight), .out = mt__five_dims(out), .dtype = x->dtype};
	if (bias) {
		c.bias = mt__omp_data(bias);
		c.bias_stride = bias->stride[0];
	}
	c.groups = p->groups;
	c.images = c.x.shape[0];
	c.in_channels = c.weight.shape[1];
	c.out_channels = c.weight.shape[0] / c.groups;
	int missing = 5 - x->rank;
	for (int d = 0; d < 3; d++) {
		c.in[d] = c.x.shape[d + 2];
		c.kernel[d] = c.weight.shape[d + 2];
		c.extent[d] = c.out.shape[d + 2];
		c.step[d] = d < missing ? 1 : p->stride[d - missing];
		c.pad[d] = d < missing ? 0 : p->pad[d - missing];
		c.dilation[d] = d < missing ? 1 : p->dilation[d - missing];
	}
	return c;
}

/* ---- f16 and bf16 through f32 ---- */

static int64_t count(const struct mt__five_dims *a) {
	return a->shape[0] * a->shape[1] * a->shape[2] * a->shape[3] * a->shape[4];
}

/* An array as runs of elements that lie one after another in both, of which pieces are converted at a time. */
struct conversion {
	const struct mt__five_dims *low, *wide; /* wide: contiguous, f32 */
	int32_t dtype;
	bool to_wide;
	int outer;           /* dims that count the runs */
	int64_t run, pieces; /* elements; pieces of a run */
};

enum { PIECE = 4096 };

static void convert_piece(const void *context, int64_t i, int thread) {
	const struct conversion *v = context;
	const struct mt__five_dims *low = v->low;
	int64_t run = i / v->pieces, first = i % v->pieces * PIECE, n = mt__omp_min(PIECE, v->run - first);
	float *wide = (float *)v->wide->data + run * v->run + first;
	int64_t at = first * low->stride[4];
	(void)thread;
	for (int d = v->outer - 1; d >= 0; d--) {
		at += run % low->shape[d] * low->stride[d];
		run /= low->shape[d];
	}
	uint16_t *data = (uint16_t *)low->data + at;
	if (v->to_wide)
		load_run(wide, v->dtype, data, low->stride[4], n);
	else
		store_run(v->dtype, data, low->stride[4], wide, n);
}

static void convert_array(int32_t dtype, const struct mt__five_dims *low, const struct mt__five_dims *wide,
                          bool to_wide, int threads) {
	struct conversion v = {low, wide, dtype, to_wide, 4, low->shape[4], 0};
	while (v.outer > 0 && (low->shape[v.outer - 1] == 1 || (low->stride[4] == 1 && low->stride[v.outer - 1] == v.run)))
		v.run *= low->shape[--v.outer];
	v.pieces = mt__omp_ceil_div(v.run, PIECE);
	mt__omp_each(threads, count(low) / mt__omp_max(v.run, 1) * v.pieces, convert_piece, &v);
}

static void make_contiguous(struct mt__five_dims *a) {
	int64_t step = 1;
	for (int d = 4; d >= 0; d--) {
		a->stride[d] = step;
		step *= a->shape[d];
	}
}

/* What is computed in place of c: contiguous arrays of f32, without addresses yet. */
static struct mt__conv f32_twin(const struct mt__conv *c) {
	struct mt__conv wide = *c;
	wide.dtype = MT_F32;
	wide.bias_stride = 1;
	make_contiguous(&wide.x);
	make_contiguous(&wide.weight);
	make_contiguous(&wide.out);
	return wide;
}

static void *take_floats(char **space, int64_t n) {
	return mt__omp_take(space, mt__omp_align64((uint64_t)n * sizeof(float)));
}

static uint64_t twins_bytes(const struct mt__conv *c) {
	uint64_t bytes = 0;
	const struct mt__five_dims *all[] = {&c->x, &c->weight, &c->out};
	for (int i = 0; i < 3; i++)
		bytes += mt__omp_align64((uint64_t)count(all[i]) * sizeof(float));
	return bytes + mt__omp_align64((uint64_t)(c->groups * c->out_channels) * sizeof(float));
}

static void run_low(const struct mt__conv *c, enum mt__conv_op op, const struct mt__conv_method *method, char *space,
                    int threads) {
	struct mt__conv wide = f32_twin(c);
	int64_t channels = c->groups * c->out_channels;
	wide.x.data = take_floats(&space, count(&c->x));
	wide.weight.data = take_floats(&space, count(&c->weight));
	wide.out.data = take_floats(&space, count(&c->out));
	void *bias = take_floats(&space, channels);
	if (c->bias)
		wide.bias = bias;

	if (op != MT__CONV_GRAD_INPUT)
		convert_array(c->dtype, &c->x, &wide.x, true, threads);
	if (op != MT__CONV_GRAD_WEIGHT)
		convert_array(c->dtype, &c->weight, &wide.weight, true, threads);
	if (op != MT__CONV_FORWARD)
		convert_array(c->dtype, &c->out, &wide.out, true, threads);
	if (c->bias && op == MT__CONV_FORWARD)
		load_run(wide.bias, c->dtype, c->bias, c->bias_stride, channels);

	method->run(&wide, op, space, threads);

	if (op == MT__CONV_FORWARD)
		convert_array(c->dtype, &c->out, &wide.out, false, threads);
	if (op == MT__CONV_GRAD_INPUT)
		convert_array(c->dtype, &c->x, &wide.x, false, threads);
	if (op == MT__CONV_GRAD_WEIGHT)
		convert_array(c->dtype, &c->weight, &wide.weight, false, threads);
	if (c->bias && op == MT__CONV_GRAD_WEIGHT)
		store_run(c->dtype, c->bias, c->bias_stride, wide.bias, channels);
}

/* ---- the kernels ---- */

/* A batch that fills less than two blocks makes twice as many of lanes half as wide: two threads then share it by images, as
 * pooling and maps do, and each finds in its own cache what it wrote there in the layer before.  Only where half the
 * width loses no speed; by the shape alone, as the width tells how a weight gradient is summed. */
#if defined(MT_ISA_AVX512) && defined(MT_HAVE_AVX2)
extern const struct mt__conv_method mt__conv_lanes_method_avx2;

static bool lanes_are_narrow(const struct mt__conv *c) {
	return c->images < 2 * VL_F32 && mt__omp_is_double_pumped();
}

static const struct mt__conv_method *lanes_method(const struct mt__conv *c) {
	return lanes_are_narrow(c) ? &mt__conv_lanes_method_avx2 : &mt__conv_lanes_method;
}
#else
static bool lanes_are_narrow(const struct mt__conv *c) {
	(void)c;
	return false;
}

static const struct mt__conv_method *lanes_method(const struct mt__conv *c) {
	(void)c;
	return &mt__conv_lanes_method;
}
#endif

/* Both fit: images in the lanes, or output channels?  Lanes that are full beat lanes that are not.  Channels use the caches
 * better, and sum weight gradients at once, but all threads read all images for them; small blocks of images need no
 * preparation. */
static bool lanes_win(const struct mt__conv *c, enum mt__conv_op op) {
	double block = (double)(c->groups * c->in_channels) * (double)mt__conv_in_plane(c) +
	               (double)(c->groups * c->out_channels) * (double)mt__conv_out_plane(c);
	if (!mt__conv_channels_full(c, op))
		return true;
	return (op != MT__CONV_GRAD_WEIGHT || lanes_are_narrow(c)) && block * MT_VECTOR_BYTES <= MT__OMP_L2_BYTES / 2;
}

/* The table at the head of conv.h. */
static const struct mt__conv_method *choose(const struct mt__conv *c, enum mt__conv_op op) {
	bool work = mt__conv_work(c) > 0, channels = mt__conv_channels_fit(c, op);
	if (work && mt__conv_depthwise_fit(c))
		return &mt__conv_depthwise_method;
	if (work && mt__conv_lanes_fit(c) && (!channels || lanes_win(c, op)))
		return lanes_method(c);
	if (mt__conv_direct_fit(c))
		return &mt__conv_direct_method;
	return channels ? &mt__conv_channels_method : &mt__conv_gemm_method;
}

static int32_t run(mt_queue *queue, const struct mt__conv *c, enum mt__conv_op op) {
	bool low = c->dtype == MT_F16 || c->dtype == MT_BF16;
	struct mt__conv computed = low ? f32_twin(c) : *c;
	const struct mt__conv_method *method = choose(&computed, op);
	int threads = mt__omp_threads(queue, mt__conv_work(c) / 8);
	uint64_t bytes = method->scratch_bytes(&computed, op, threads) + (low ? twins_bytes(c) : 0);
	void *scratch = bytes ? mt__omp_scratch(queue, bytes) : NULL;
	if (bytes && !scratch)
		return mt__omp_no_scratch(bytes);
	if (low)
		run_low(c, op, method, scratch, threads);
	else
		method->run(c, op, scratch, threads);
	return MT_OK;
}

int32_t MT_ISA_NAME(mt__omp_conv)(mt_queue *queue, const struct mt_conv_args *args) {
	struct mt__conv c = describe(args->x, args->weight, args->out, args->bias, &args->p);
	c.activation = args->activation;
	return run(queue, &c, MT__CONV_FORWARD);
}

int32_t MT_ISA_NAME(mt__omp_conv_grad_input)(mt_queue *queue, const struct mt_conv_grad_input_args *args) {
	struct mt__conv c = describe(args->gx, args->weight, args->gout, NULL, &args->p);
	return run(queue, &c, MT__CONV_GRAD_INPUT);
}

int32_t MT_ISA_NAME(mt__omp_conv_grad_weight)(mt_queue *queue, const struct mt_conv_grad_weight_args *args) {
	struct mt__conv c = describe(args->x, args->gweight, args->gout, args->gbias, &args->p);
	return run(queue, &c, MT__CONV_GRAD_WEIGHT);
}
