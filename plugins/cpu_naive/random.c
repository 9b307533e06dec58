/* uniform, normal, bernoulli: mt/philox.h along the row-major order of out. */
#include <math.h>

#include "element.h"
#include "lines.h"
#include "mt/philox.h"

static uint64_t first_block(const mt_philox_pos *pos) {
	return pos->device_offset ? (uint64_t)get_integer(pos->device_offset, 0) : pos->offset;
}

/* The words of element e's block; a block serves 4 elements of 32-bit draws, 2 of 64-bit draws. */
static void words_of(const mt_philox_pos *pos, uint64_t first, uint64_t e, uint64_t per_block, uint32_t w[4]) {
	mt_philox_block(pos->seed, first + e / per_block, w);
}

/* Value of the element whose draws lie in block words w at place `lane`. */
typedef double draw(const void *parameters, const uint32_t w[4], int lane);

static void fill_random(const mt_array *out, const mt_philox_pos *pos, uint64_t per_block, draw *value,
                        const void *parameters) {
	struct lines l;
	lines_begin(&l, out->rank, out->shape);
	lines_add(&l, out->stride);
	uint64_t first = first_block(pos), e = 0;
	uint32_t w[4] = {0};
	do
		for (int64_t j = 0; j < l.length; j++, e++) {
			if (e % per_block == 0)
				words_of(pos, first, e, per_block, w);
			put(out, l.at[0] + j * l.step[0], value(parameters, w, (int)(e % per_block)));
		}
	while (lines_next(&l));
}

/* ---- uniform ---- */

static double uniform_f32(const void *range, const uint32_t w[4], int lane) {
	return (double)mt_uniform_f32(w[lane], *(const mt_uniform_f32_range *)range);
}

static double uniform_f16(const void *range, const uint32_t w[4], int lane) {
	return (double)mt_uniform_f16(w[lane], *(const mt_uniform_f32_range *)range);
}

static double uniform_bf16(const void *range, const uint32_t w[4], int lane) {
	return (double)mt_uniform_bf16(w[lane], *(const mt_uniform_f32_range *)range);
}

static double uniform_f64(const void *range, const uint32_t w[4], int lane) {
	return mt_uniform_f64(mt_philox_u64(w, lane), *(const mt_uniform_f64_range *)range);
}

static float f16_rounded(double x) {
	return mt_f16_to_f32(mt_f64_to_f16(x));
}

static float bf16_rounded(double x) {
	return mt_bf16_to_f32(mt_f64_to_bf16(x));
}

int32_t mt__naive_uniform(mt_queue *queue, const struct mt_uniform_args *args) {
	(void)queue;
	double low = args->low, high = args->high;
	mt_uniform_f64_range wide = mt_uniform_range_f64(low, high);
	mt_uniform_f32_range range;
	switch (args->out->dtype) {
	case MT_F64:
		fill_random(args->out, &args->pos, 2, uniform_f64, &wide);
		return MT_OK;
	case MT_F32:
		range = mt_uniform_range_f32((float)low, (float)high);
		fill_random(args->out, &args->pos, 4, uniform_f32, &range);
		return MT_OK;
	case MT_F16:
		range = mt_uniform_range_f16(f16_rounded(low), f16_rounded(high));
		fill_random(args->out, &args->pos, 4, uniform_f16, &range);
		return MT_OK;
	default:
		range = mt_uniform_range_bf16(bf16_rounded(low), bf16_rounded(high));
		fill_random(args->out, &args->pos, 4, uniform_bf16, &range);
		return MT_OK;
	}
}

/* ---- normal ---- */

static double normal_f32(const void *parameters, const uint32_t w[4], int lane) {
	const struct mt_normal_args *args = parameters;
	float z[2];
	mt_normal_pair_f32(w[lane & 2], w[(lane & 2) + 1], &z[0], &z[1]);
	return (double)fmaf((float)args->std, z[lane & 1], (float)args->mean);
}

static double normal_f64(const void *parameters, const uint32_t w[4], int lane) {
	const struct mt_normal_args *args = parameters;
	double z[2];
	mt_normal_pair_f64(mt_philox_u64(w, 0), mt_philox_u64(w, 1), &z[0], &z[1]);
	return fma(args->std, z[lane], args->mean);
}

int32_t mt__naive_normal(mt_queue *queue, const struct mt_normal_args *args) {
	(void)queue;
	if (args->out->dtype == MT_F64)
		fill_random(args->out, &args->pos, 2, normal_f64, args);
	else
		fill_random(args->out, &args->pos, 4, normal_f32, args);
	return MT_OK;
}

/* ---- bernoulli ---- */

static double bernoulli(const void *threshold, const uint32_t w[4], int lane) {
	return mt_bernoulli_bit(w[lane], *(const uint64_t *)threshold);
}

int32_t mt__naive_bernoulli(mt_queue *queue, const struct mt_bernoulli_args *args) {
	(void)queue;
	uint64_t threshold = mt_bernoulli_threshold(args->p);
	fill_random(args->out, &args->pos, 4, bernoulli, &threshold);
	return MT_OK;
}
