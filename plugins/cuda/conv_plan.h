/* Convolution and its gradients as one product of matrices, none of which is ever stored but the result:
 *     y[m, n] = Σ_k a[m, k] · b[n, k]      in each group
 *
 *                  m                n                     k                       a        b      y
 *     forward      output channel   (image, output)       (input channel, tap)    weight   x      out
 *     grad_input   input channel    (image, input)        (output channel, tap)   weight   gout   gx
 *     grad_weight  output channel   (input channel, tap)  (image, output)         gout     x      gweight
 *
 * Every array has three spatial dims here; missing ones come first, with extent 1.  n = (e0, e1, e2, e3) in row-major
 * order and k = (f0, f1, f2, f3), so that b is read at e0 · b_n + f0 · b_k and, in space, at
 *     i_d = e_d · n_step_d + f_d · k_step_d + start_d;   b is 0 where an i_d is outside [0, b_limit_d).
 *
 * With a stride, grad_input is one such product for each phase, the inputs s = e · stride + phase: those of a phase meet
 * the same taps, every step-th from a first one, and what they read are neighbours.
 *
 * Plain C: which kernel, tile, split and index width are chosen here, and tested without a GPU. */
#ifndef MT_CUDA_CONV_PLAN_H
#define MT_CUDA_CONV_PLAN_H

#include "mt/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __CUDACC__
#define MT_CUDA_BOTH __host__ __device__
#else
#define MT_CUDA_BOTH
#endif

/* ---- one convolution ---- */

enum mt_cuda_conv_pass { MT_CUDA_CONV_FORWARD, MT_CUDA_CONV_GRAD_INPUT, MT_CUDA_CONV_GRAD_WEIGHT };

/* x, weight and out stand for their gradients where those are computed.  Strides: [images, channels, space…] of x and
 * out, [output channels, input channels, taps…] of weight. */
struct mt_cuda_conv_geometry {
	int64_t images, groups;
	int64_t in_channels, out_channels; /* of a group */
	int64_t in[3], kernel[3], out[3];
	int64_t stride[3], pad[3], dilation[3];
	int64_t x_stride[5], weight_stride[5], out_stride[5];
};

void mt__cuda_conv_geometry(struct mt_cuda_conv_geometry *g, const mt_array *x, const mt_array *weight,
                            const mt_array *out, const struct mt_conv_params *p);

/* Multiplications that the definition asks for, those outside x too. */
double mt__cuda_conv_products(const struct mt_cuda_conv_geometry *g);

/* ---- as a product ---- */

/* One spatial dim of grad_input's phases. */
struct mt_cuda_conv_phases {
	int64_t count;                       /* phases 0 … count − 1 */
	int64_t stride, pad, dilation, taps; /* of the convolution */
	int64_t step;                        /* from a tap that a phase meets to the next: stride / gcd(stride, dilation) */
	int64_t extent;                      /* inputs */
	int64_t a_tap, y_input;              /* strides of a along taps, of y along inputs */
};

/* In one phase: taps first + f · step for f in [0, count); start as above. */
struct mt_cuda_conv_taps {
	int64_t first, count, start;
};

static inline MT_CUDA_BOTH struct mt_cuda_conv_taps mt__cuda_conv_taps(const struct mt_cuda_conv_phases *p,
                                                                       int64_t phase) {
	int64_t at = phase + p->pad, rest = at % p->stride, change = p->dilation % p->stride, most = p->step;
	struct mt_cuda_conv_taps t = {0, 0, 0};
	if (most > p->taps)
		most = p->taps;
	for (; t.first < most && rest != 0;
	     t.first++) { /* output o meets tap t at input s: o · stride = s + pad − t · dilation */
		rest -= change;
		rest += rest < 0 ? p->stride : 0;
	}
	if (t.first < most) {
		t.count = (p->taps - t.first - 1) / p->step + 1;
		t.start = (at - t.first * p->dilation) / p->stride;
	}
	return t;
}

struct mt_cuda_conv_product {
	int64_t m, n, k; /* k: the most that a phase has */
	int64_t n_extent[4], k_extent[4];
	int64_t b_limit[3], n_step[3], k_step[3], start[3];
	/* strides, in elements */
	int64_t a_first, a_m, a_k[4];
	int64_t b_n, b_k, b_space[3];
	int64_t y_m, y_n[4];
	int64_t groups, a_group, b_group, y_group;
	int64_t phases;
	struct mt_cuda_conv_phases phase[3]; /* where phases > 1; what is above is that of phase 0 */
	int ones;                            /* n's last element is one more, for which b is 1: y is Σ_k a */
	int channels_inside;                 /* k runs through f1, f2, f3, f0: f0 is innermost */
};

/* ones: whether grad_weight gets the column whose y is the bias's gradient. */
void mt__cuda_conv_product(struct mt_cuda_conv_product *p, enum mt_cuda_conv_pass pass,
                           const struct mt_cuda_conv_geometry *g, int ones);

/* The bias's gradient alone: one column. */
void mt__cuda_conv_product_of_bias(struct mt_cuda_conv_product *p, const struct mt_cuda_conv_geometry *g);

/* ---- how the product is computed ---- */

/* TILE(NAME, m, n, blocks): what a block computes at once, and how many blocks keep a large GPU busy.  A constant, so
 * that sums are split alike on every GPU. */
#define MT_CUDA_CONV_TILES(TILE)                                                                                       \
	TILE(LARGE, 128, 128, 264)                                                                                         \
	TILE(MEDIUM, 64, 64, 528)                                                                                          \
	TILE(WIDE, 16, 128, 1056)                                                                                          \
	TILE(SMALL, 16, 32, 2112)                                                                                          \
	TILE(TENSOR, 128, 128, 264)

enum mt_cuda_conv_tile {
#define TILE(NAME, m, n, blocks) MT_CUDA_CONV_##NAME,
	MT_CUDA_CONV_TILES(TILE)
#undef TILE
};

enum {
	MT_CUDA_CONV_LEAST_SPLIT = 128,    /* k of a part, at least: less is not worth adding up */
	MT_CUDA_CONV_MOST_SPLIT = 1 << 16, /* … and at most: an f32 sum in order loses digits with its length */
	MT_CUDA_CONV_DEPTH = 32            /* parts are multiples of every kernel's depth */
};

struct mt_cuda_conv_plan {
	enum mt_cuda_conv_tile tile;
	int narrow;  /* offsets, coordinates and tiles fit in 32 bits */
	int along_k; /* neighbouring threads read b along k, not along n */
	int four;    /* y's columns 4i … 4i + 3 are neighbours at an address that is a multiple of their size */
	int parted;  /* sums go to scratch memory and from there to y: there are several parts, or the caller asks for it */
	int64_t m_tiles, n_tiles, splits, split; /* split: k of a part */
	int64_t tiles;                           /* of all groups, phases and parts */
	int64_t row;                             /* elements from one m of a part's sums to the next */
	uint64_t scratch;                        /* bytes of all parts' sums; 0 where not parted */
};

/* dtype: of the arrays; tensor: whether the device multiplies matrices of that dtype; parted: sums are wanted in scratch
 * memory; y: address of y's first element. */
void mt__cuda_conv_plan(struct mt_cuda_conv_plan *plan, const struct mt_cuda_conv_product *p, int32_t dtype, int tensor,
                        int parted, const void *y);

/* ---- cuDNN ---- */

/* Products from which cuDNN pays.  Its call costs the host some 10 µs more than a launch, and below this the kernels here
 * need about as little: 2^27 products are 9 µs at 15 · 10^12 a second, half of what an H100 does in f32. */
#define MT_CUDA_CONV_LIBRARY_PRODUCTS 134217728.0

/* Channels of a group from which cuDNN's tiles (64 and more wide) are not mostly empty; with groups they count together. */
enum { MT_CUDA_CONV_LIBRARY_CHANNELS = 16 };

enum mt_cuda_conv_layout {
	MT_CUDA_CONV_OTHER_LAYOUT,
	MT_CUDA_CONV_CHANNELS_FIRST, /* all three arrays dense, [images, channels, space…] and [out, in, taps…] */
	MT_CUDA_CONV_CHANNELS_LAST   /* … [images, space…, channels] and [out, taps…, in] */
};

enum mt_cuda_conv_layout mt__cuda_conv_layout(const struct mt_cuda_conv_geometry *g);

/* Why cuDNN cannot be asked for this convolution; NULL where it can. */
const char *mt__cuda_conv_inexpressible(const struct mt_cuda_conv_geometry *g);

/* Whether it is large enough that asking cuDNN pays. */
int mt__cuda_conv_library_pays(const struct mt_cuda_conv_geometry *g);

#ifdef __cplusplus
}
#endif

#endif
