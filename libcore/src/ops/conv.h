/* Convolution as a product of three arrays: x, weight and out, one geometry for all. */
#ifndef MT_OPS_CONV_H
#define MT_OPS_CONV_H

#include "ops/ops.h"

enum mt__conv_part { MT__CONV_X, MT__CONV_WEIGHT, MT__CONV_OUT, MT__CONV_PARTS };

/* Which extents belong together.  shape[part]: x [N, Ci, S…], weight [Co, Ci/groups, K…], out [N, Co, O…]. */
struct mt__conv {
	struct mt_conv_params p;
	int32_t rank; /* of all three */
	int64_t shape[MT__CONV_PARTS][MT_MAX_SPATIAL + 2];
};

/* options as the kernels take them, checked; low padding under another mode than EXPLICIT is 0 here.  Where several
 * things are wrong, the first field in the struct's order is named. */
mt_status mt__conv_params(const char *op, const mt_conv_options *options, int spatial, struct mt_conv_params *p);
mt_status mt__conv_transpose_params(const char *op, const mt_conv_transpose_options *options, int spatial,
                                    struct mt_conv_params *p);

/* Checks x, weight and bias against each other and options. */
mt_status mt__conv_of(const char *op, const mt_tensor *x, const mt_tensor *w, const mt_tensor *bias,
                      const mt_conv_options *options, int spatial, struct mt__conv *c);
/* The same for transposed convolution: its x is the geometry's out, its result the geometry's x. */
mt_status mt__conv_transpose_of(const char *op, const mt_tensor *x, const mt_tensor *w, const mt_tensor *bias,
                                const mt_conv_transpose_options *options, int spatial, struct mt__conv *c);

/* Tensors of an op converted to the float dtype that they promote to, MT_NONE left alone; 0 on failure. */
int mt__conv_convert(mt_tensor **in, int n);

/* One part from the two others, recorded; parts[part] is not read.  With ⟨·,·⟩ the sum of products over all elements,
 * ⟨parts[OUT], conv(parts[X], parts[WEIGHT])⟩ is linear in each part, and the result is its derivative with respect to
 * part.  bias (or MT_NONE) is added along dim 1 of the result: not for WEIGHT.  All of one float dtype. */
mt_tensor *mt__conv_part(const struct mt_grad_rule *rule, enum mt__conv_part part, mt_tensor *const *parts,
                         mt_tensor *bias, const struct mt__conv *c);

/* The gradient of every op that is recorded by mt__conv_part. */
mt_status mt__conv_backward(struct mt_node *node, mt_tensor *gout, mt_tensor **gx);

#endif
