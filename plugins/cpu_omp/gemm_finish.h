/* What f32 kernels that gather their sums in a buffer have in common: tiles spread evenly, and sums to c. */
#ifndef MT_OMP_GEMM_FINISH_H
#define MT_OMP_GEMM_FINISH_H

#include "activate.h"
#include "gemm.h"
#include "vector.h"

/* n rows or columns spread evenly over tiles of at most `most`: the first `longer` have one more than `each`. */
struct tiles {
	int64_t count, each, longer;
};

static inline struct tiles spread(int64_t n, int64_t most) {
	const int64_t count = mt__omp_ceil_div(n, most);
	return (struct tiles){count, n / count, n % count};
}

static inline int64_t begin_of(const struct tiles *t, int64_t tile) {
	return tile * t->each + mt__omp_min(tile, t->longer);
}

/* n ≤ VL_F32 elements, stride apart. */
MT_INLINE vec_f32 load_apart(const float *x, int64_t stride, int n) {
	if (stride == 1)
		return vec_f32_load(x, n);
	vec_f32 v = {0};
	for (int l = 0; l < n; l++)
		v[l] = x[l * stride];
	return v;
}

/* c[i, j + x] = act(alpha · sums[x] + beta · c[i, j + x] + bias) for x < n; sums may be overwritten. */
MT_INLINE void finish_row(const struct mt__omp_gemm *g, int64_t i, int64_t j, int64_t n, float *sums) {
	const float alpha = (float)g->alpha, beta = (float)g->beta, *bias = g->bias;
	const int64_t bias_stride = g->bias_of_rows ? 0 : g->bias_stride;
	float *c = (float *)g->c + i * g->c_rs + j * g->c_cs;
	float *to = g->c_cs == 1 && g->activation <= MT_ACT_RELU ? c : sums;
	if (bias)
		bias += (g->bias_of_rows ? i : j) * g->bias_stride;
	for (int64_t x = 0; x < n; x += VL_F32) {
		const int width = (int)mt__omp_min(VL_F32, n - x);
		vec_f32 v = alpha * vec_f32_load(sums + x, width);
		if (beta != 0)
			v += beta * load_apart(c + x * g->c_cs, g->c_cs, width);
		if (bias)
			v += load_apart(bias + x * bias_stride, bias_stride, width);
		vec_f32_store(to + x, width, g->activation == MT_ACT_RELU ? vec_f32_relu(v) : v);
	}
	if (to == c)
		return;
	if (g->activation > MT_ACT_RELU)
		mt__omp_activate(g->activation, MT_F32, sums, 1, n, n);
	for (int64_t x = 0; x < n; x++)
		c[x * g->c_cs] = sums[x];
}

#endif
