/* The activation at the end of a matrix product or convolution: exactly the map kernel's. */
#ifndef MT_OMP_ACTIVATE_H
#define MT_OMP_ACTIVATE_H

#include "isa.h"

/* x = act(x) for rows × columns elements of dtype, rows `stride` elements apart, on the calling thread. */
static inline void mt__omp_activate(int32_t activation, int32_t dtype, void *x, int64_t rows, int64_t columns,
                                    int64_t stride) {
	static const int32_t map_of[MT_ACT_END_] = {
		[MT_ACT_RELU] = MT_MAP_RELU,
		[MT_ACT_SIGMOID] = MT_MAP_SIGMOID,
		[MT_ACT_TANH] = MT_MAP_TANH,
		[MT_ACT_GELU] = MT_MAP_GELU,
	};
	if (activation == MT_ACT_NONE || rows == 0 || columns == 0)
		return;
	mt_queue alone = {.threads = 1};
	mt_array array = {.base = x, .dtype = dtype, .rank = 2, .shape = {rows, columns}, .stride = {stride, 1}};
	array.buffer_bytes = (uint64_t)((rows - 1) * stride + columns) * (uint64_t)mt__omp_dtype_size(dtype);
	struct mt_map_args args = {.struct_size = sizeof args, .op = map_of[activation], .x = &array, .out = &array};
	/* The map kernel neither needs scratch nor fails for floats in host memory. */
	(void)MT_ISA_NAME(mt__omp_map)(&alone, &args);
}

#endif
