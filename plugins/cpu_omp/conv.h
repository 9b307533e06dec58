/* Convolution and its gradients.  conv.c brings every case to three spatial dims and picks the first method that fits:
 *
 *     conv_depthwise*  groups of one channel in and one out, 3×3 and 5×5, steps 1 and 2: vectors along x, all taps in
 *                      registers.  f32.
 *     conv_lanes*      one image in each vector lane, [c][z][y][x][VL]: full speed for any number of channels, kernel,
 *                      stride, dilation and groups, where there are images enough and a block of them, and the
 *                      weights, fit the second-level cache.  f32.  Where output channels (for the input gradient: input
 *                      channels) fill vectors to 7/8 at least, only forward and input gradient, and only for blocks of
 *                      half the cache: the next but one is faster then.  Batches of less than two blocks have lanes half as
 *                      wide, where that loses no speed, and all three ops then.
 *     conv_direct      by the definition, row by row: where a group has few output channels, or there is little work.
 *                      f32 and f64.
 *     conv_channels*   output (input) channels in the vector lanes, from half a vector on, images read in place pixel by
 *                      pixel: any kernel, stride and dilation, 1×1 too.  f32.
 *     conv_gemm        implicit matrix product: the microkernels of gemm.c, panels packed straight from the images (or, for
 *                      the input gradient, added back to them), never a whole im2col.  f32 and f64: what is left.
 *
 * f16 and bf16 are converted to f32 arrays first and rounded once at the end. */
#ifndef MT_OMP_CONV_H
#define MT_OMP_CONV_H

#include "five_dims.h"

struct mt__conv {
	struct mt__five_dims x, weight, out; /* out: the result, or its gradient */
	void *bias;                          /* or its gradient, or NULL */
	int64_t bias_stride;
	int64_t images, in_channels, out_channels; /* channels of one group */
	int64_t groups;
	int64_t in[3], kernel[3], extent[3]; /* extent: of out */
	int64_t step[3], pad[3], dilation[3];
	int32_t dtype; /* f32 or f64 */
	int32_t activation;
};

static inline int64_t mt__conv_taps(const struct mt__conv *c) {
	return c->kernel[0] * c->kernel[1] * c->kernel[2];
}

static inline int64_t mt__conv_in_plane(const struct mt__conv *c) {
	return c->in[0] * c->in[1] * c->in[2];
}

static inline int64_t mt__conv_out_plane(const struct mt__conv *c) {
	return c->extent[0] * c->extent[1] * c->extent[2];
}

/* Where position o finds tap k in dim d; outside [0, in) it finds nothing. */
static inline int64_t mt__conv_source(const struct mt__conv *c, int d, int64_t o, int64_t k) {
	return o * c->step[d] + k * c->dilation[d] - c->pad[d];
}

enum mt__conv_op { MT__CONV_FORWARD, MT__CONV_GRAD_INPUT, MT__CONV_GRAD_WEIGHT };

static inline double mt__conv_work(const struct mt__conv *c) {
	return (double)c->images * (double)(c->groups * c->out_channels * c->in_channels) * (double)mt__conv_taps(c) *
	       (double)mt__conv_out_plane(c);
}

/* A method: how much scratch it needs (0: none), and the work, which runs its own parallel region of at most `threads`. */
struct mt__conv_method {
	uint64_t (*scratch_bytes)(const struct mt__conv *conv, enum mt__conv_op op, int threads);
	void (*run)(const struct mt__conv *conv, enum mt__conv_op op, void *scratch, int threads);
};

#define mt__conv_lanes_method MT_ISA_NAME(mt__conv_lanes_method)
#define mt__conv_channels_method MT_ISA_NAME(mt__conv_channels_method)
#define mt__conv_depthwise_method MT_ISA_NAME(mt__conv_depthwise_method)
#define mt__conv_direct_method MT_ISA_NAME(mt__conv_direct_method)
#define mt__conv_gemm_method MT_ISA_NAME(mt__conv_gemm_method)
#define mt__conv_lanes_fit MT_ISA_NAME(mt__conv_lanes_fit)
#define mt__conv_channels_fit MT_ISA_NAME(mt__conv_channels_fit)
#define mt__conv_channels_full MT_ISA_NAME(mt__conv_channels_full)
#define mt__conv_depthwise_fit MT_ISA_NAME(mt__conv_depthwise_fit)
#define mt__conv_direct_fit MT_ISA_NAME(mt__conv_direct_fit)
#define mt__conv_grad_bias MT_ISA_NAME(mt__conv_grad_bias)

extern const struct mt__conv_method mt__conv_lanes_method, mt__conv_channels_method, mt__conv_direct_method,
	mt__conv_depthwise_method, mt__conv_gemm_method;

/* Whether the lanes are full enough, and a block of images and the weights small enough. */
bool mt__conv_lanes_fit(const struct mt__conv *conv);

/* Whether there are channels and positions enough for op; whether they leave hardly a lane empty. */
bool mt__conv_channels_fit(const struct mt__conv *conv, enum mt__conv_op op);
bool mt__conv_channels_full(const struct mt__conv *conv, enum mt__conv_op op);

/* Whether the kernel is one of the depthwise method's. */
bool mt__conv_depthwise_fit(const struct mt__conv *conv);

/* Whether a matrix product would not pay. */
bool mt__conv_direct_fit(const struct mt__conv *conv);

/* gbias from gout (conv->bias and conv->out). */
void mt__conv_grad_bias(const struct mt__conv *conv, int threads);

#endif
