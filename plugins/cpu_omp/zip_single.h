/* zip of two 0-d floats: one operation, for which the way of large arrays would be all there is to pay. */
#ifndef MT_OMP_ZIP_SINGLE_H
#define MT_OMP_ZIP_SINGLE_H

#include "omp.h"

/* Whether it was one of those, and is done: the four operations of arithmetic, exact and so the same bits as elsewhere. */
static inline bool mt__omp_zip_single(const struct mt_zip_args *args) {
	const mt_array *a = args->a, *b = args->b;
	if (args->out->rank != 0 || a == NULL || b == NULL || a->dtype != MT_F32)
		return false;
	float x = *(const float *)mt__omp_data(a), y = *(const float *)mt__omp_data(b), *out = mt__omp_data(args->out);
	switch (args->op) {
	case MT_ZIP_ADD:
		*out = x + y;
		return true;
	case MT_ZIP_SUB:
		*out = x - y;
		return true;
	case MT_ZIP_MUL:
		*out = x * y;
		return true;
	case MT_ZIP_DIV:
		*out = x / y;
		return true;
	default:
		return false;
	}
}

#endif
