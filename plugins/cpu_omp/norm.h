/* What layer_norm.c and batch_norm.c share: vectors of parameters and statistics in the compute type or any other. */
#ifndef MT_OMP_NORM_H
#define MT_OMP_NORM_H

#include "reduce.h"
#include "stage.h"

/* Element i of a vector of float or double (statistics are never low precision; parameters may be: mt__vector_run). */
static inline double mt__vector_get(const mt_array *v, int64_t i) {
	const void *p = mt__omp_data(v);
	int64_t at = i * v->stride[0];
	if (v->dtype == MT_F64)
		return ((const double *)p)[at];
	if (v->dtype == MT_F32)
		return (double)((const float *)p)[at];
	float f;
	mt__omp_load_run(&f, v->dtype, false, (const uint16_t *)p + at, 1, 1);
	return (double)f;
}

static inline void mt__vector_put(const mt_array *v, int64_t i, double value) {
	void *p = mt__omp_data(v);
	int64_t at = i * v->stride[0];
	if (v->dtype == MT_F64) {
		((double *)p)[at] = value;
	} else if (v->dtype == MT_F32) {
		((float *)p)[at] = (float)value;
	} else {
		float f = (float)value;
		mt__omp_store_run(v->dtype, false, (uint16_t *)p + at, 1, &f, 1);
	}
}

/* v as a contiguous run of its compute type: its own memory where it is one, else brought into buffer. */
static inline const void *mt__vector_run(const mt_array *v, void *buffer, int64_t n) {
	if (v->stride[0] == 1 && mt__omp_compute_dtype(v->dtype) == v->dtype)
		return mt__omp_data(v);
	mt__omp_load_run(buffer, v->dtype, false, mt__omp_data(v), v->stride[0], n);
	return buffer;
}

#endif
