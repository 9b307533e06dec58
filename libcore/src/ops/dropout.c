/* Dropout (Srivastava et al. 2014), scaled so that the mean stays. */
#include "base/rng.h"
#include "mt/philox.h"
#include "ops/ops.h"

/* 1 with probability keep, in x's shape, dtype and device. */
static mt_tensor *draw_mask(const mt_tensor *x, double keep) {
	mt_tensor *mask = mt__tensor_new("dropout", mt__device_of(x), x->rank, x->shape, x->dtype);
	if (mask == NULL || mask->numel == 0)
		return mask;
	mt_array am = mt__array(mask);
	struct mt_bernoulli_args args = {.struct_size = sizeof args,
	                                 .out = &am,
	                                 .p = keep,
	                                 .pos = mt__rng_take(mt_bernoulli_blocks((uint64_t)mask->numel))};
	return mt__dispatch(mt__device_of(x), MT_K_BERNOULLI, 0, &args) == MT_OK ? mask : NULL;
}

/* At p = 1 nothing is left to scale: all zeros. */
static mt_tensor *scaled_mask(const mt_tensor *x, double p) {
	if (p == 1)
		return mt__full("dropout", mt__device_of(x), x->rank, x->shape, x->dtype, mt_i(0));
	mt_tensor *mask = draw_mask(x, 1 - p);
	if (mask != NULL && mt__zip_scalar_into(MT_ZIP_MUL, mask, mt_f(1 / (1 - p)), mask) != MT_OK)
		return NULL;
	return mask;
}

mt_tensor *mt_dropout(mt_tensor *x, double p, int training) {
	if (!mt__check_tensor("dropout", "x", x))
		return NULL;
	if (!(p >= 0 && p <= 1))
		return mt__fail_null(MT_E_ARG, "dropout: p is %g; a probability from 0 to 1 is needed", p);
	if (!training || p == 0)
		return x;
	if ((x = mt_cast(x, mt__to_float(x->dtype))) == NULL)
		return NULL;
	return mt_mul(x, scaled_mask(x, p));
}
