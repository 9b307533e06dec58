/* Moving strided elements to and from contiguous buffers of the type a kernel computes in: f16 and bf16 become float,
 * every other dtype stays what it is. */
#ifndef MT_OMP_STAGE_H
#define MT_OMP_STAGE_H

#include "isa.h"

#define mt__omp_load_run MT_ISA_NAME(mt__omp_load_run)
#define mt__omp_store_run MT_ISA_NAME(mt__omp_store_run)
#define mt__omp_stream_low MT_ISA_NAME(mt__omp_stream_low)
#define mt__omp_load_block MT_ISA_NAME(mt__omp_load_block)
#define mt__omp_store_block MT_ISA_NAME(mt__omp_store_block)
#define mt__omp_fill_run MT_ISA_NAME(mt__omp_fill_run)

/* What a kernel computes dtype in. */
static inline int32_t mt__omp_compute_dtype(int32_t dtype) {
	return dtype == MT_F16 || dtype == MT_BF16 ? MT_F32 : dtype;
}

static inline int mt__omp_compute_size(int32_t dtype) {
	return mt__omp_dtype_size(mt__omp_compute_dtype(dtype));
}

/* dst[i] = src[i · stride], i < n.  dst is of dtype's compute type; raw: of dtype itself (nothing is converted). */
void mt__omp_load_run(void *dst, int32_t dtype, bool raw, const void *src, int64_t stride, int64_t n);

/* dst[i · stride] = src[i], i < n. */
void mt__omp_store_run(int32_t dtype, bool raw, void *dst, int64_t stride, const void *src, int64_t n);

/* The same for contiguous f16 or bf16, whole cache lines past the caches (stream.h). */
void mt__omp_stream_low(int32_t dtype, uint16_t *dst, const float *src, int64_t n);

/* dst[r · ld + c] = src[r · row_stride + c · column_stride]; at most 16 rows' cache lines are open at a time where the
 * rows lie closer together than the columns. */
void mt__omp_load_block(void *dst, int64_t ld, int32_t dtype, bool raw, const void *src, int64_t row_stride,
                        int64_t column_stride, int64_t rows, int64_t columns);

/* dst[r · row_stride + c · column_stride] = src[r · ld + c]. */
void mt__omp_store_block(int32_t dtype, bool raw, void *dst, int64_t row_stride, int64_t column_stride, const void *src,
                         int64_t ld, int64_t rows, int64_t columns);

/* dst[i] = value, i < n, for elements of size bytes. */
void mt__omp_fill_run(void *dst, const void *value, int size, int64_t n);

#endif
