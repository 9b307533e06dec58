/* Panels: dst[p · ld + i] = element (i, p) of the source, i < width ≤ ld, p < n; zero for i from width to ld.
 * ld is a multiple of the vector length.  src points to element (0, 0); strides are in elements. */
#ifndef MT_OMP_GEMM_PACK_H
#define MT_OMP_GEMM_PACK_H

#include "convert.h"
#include "transpose.h"

#include <string.h>

static void pack_f32_from_f32(float *dst, int64_t ld, int64_t width, int64_t n, const float *src, int64_t i_stride,
                              int64_t p_stride) {
	if (p_stride == 1) {
		for (int64_t i = 0; i < ld; i += VL_F32) {
			int rows = (int)mt__omp_max(0, mt__omp_min(VL_F32, width - i));
			if (rows == VL_F32)
				transpose_in(dst + i, ld, src + i * i_stride, i_stride, VL_F32, n);
			else
				transpose_in(dst + i, ld, src + i * i_stride, i_stride, rows, n);
		}
	} else if (i_stride == 1) {
		for (int64_t p = 0; p < n; p++)
			for (int64_t i = 0; i < ld; i += VL_F32) {
				int columns = (int)mt__omp_max(0, mt__omp_min(VL_F32, width - i));
				*(vec_f32_mem *)(dst + p * ld + i) = vec_f32_load(src + p * p_stride + i, columns);
			}
	} else {
		for (int64_t p = 0; p < n; p++)
			for (int64_t i = 0; i < ld; i++)
				dst[p * ld + i] = i < width ? src[p * p_stride + i * i_stride] : 0;
	}
}

static void pack_f32_from_low(float *dst, int64_t ld, int64_t width, int64_t n, int32_t dtype, const uint16_t *src,
                              int64_t i_stride, int64_t p_stride) {
	if (i_stride == 1) {
		for (int64_t p = 0; p < n; p++) {
			load_run(dst + p * ld, dtype, src + p * p_stride, 1, width);
			memset(dst + p * ld + width, 0, (size_t)(ld - width) * sizeof(float));
		}
		return;
	}
	if (p_stride == 1) {
		enum { LENGTH = 128 };
		float rows[VL_F32 * LENGTH];
		for (int64_t i = 0; i < ld; i += VL_F32)
			for (int64_t p = 0; p < n; p += LENGTH) {
				int64_t length = mt__omp_min(LENGTH, n - p);
				int count = (int)mt__omp_max(0, mt__omp_min(VL_F32, width - i));
				for (int64_t r = 0; r < count; r++)
					load_run(rows + r * LENGTH, dtype, src + (i + r) * i_stride + p, 1, length);
				transpose_in(dst + p * ld + i, ld, rows, LENGTH, count, length);
			}
		return;
	}
	float run[256];
	for (int64_t i = 0; i < ld; i++)
		for (int64_t p0 = 0; p0 < n; p0 += 256) {
			int64_t length = mt__omp_min(256, n - p0);
			if (i < width)
				load_run(run, dtype, src + i * i_stride + p0 * p_stride, p_stride, length);
			for (int64_t p = 0; p < length; p++)
				dst[(p0 + p) * ld + i] = i < width ? run[p] : 0;
		}
}

/* How far ahead of a copy its source is asked for, in rows: rows are apart, so the hardware does not foresee them. */
#define PACK_AHEAD 8

/* Neighbouring panels at once, so that rows of the source are read in long pieces: panel q begins at dst + q · ld · n and
 * holds begin[q] to begin[q + 1]. */
static void copy_panels_f32(float *dst, int64_t ld, int panels, const int64_t *begin, int64_t n, const float *src,
                            int64_t p_stride) {
	for (int64_t p = 0; p < n; p++, src += p_stride) {
		for (int64_t i = begin[0]; i < begin[panels]; i += 16)
			__builtin_prefetch(src + PACK_AHEAD * p_stride + i);
		for (int q = 0; q < panels; q++) {
			int64_t width = begin[q + 1] - begin[q];
			float *to = dst + (q * n + p) * ld;
			for (int64_t i = 0; i < ld; i += VL_F32) {
				int columns = (int)mt__omp_max(0, mt__omp_min(VL_F32, width - i));
				vec_f32_store(to + i, VL_F32, vec_f32_load(src + begin[q] + i, columns));
			}
		}
	}
}

static void pack_f32(float *dst, int64_t ld, int64_t width, int64_t n, int32_t dtype, const void *src, int64_t i_stride,
                     int64_t p_stride) {
	if (dtype == MT_F32)
		pack_f32_from_f32(dst, ld, width, n, src, i_stride, p_stride);
	else
		pack_f32_from_low(dst, ld, width, n, dtype, src, i_stride, p_stride);
}

static void pack_f64(double *dst, int64_t ld, int64_t width, int64_t n, int32_t dtype, const void *src,
                     int64_t i_stride, int64_t p_stride) {
	const double *x = src;
	(void)dtype;
	for (int64_t p = 0; p < n; p++)
		for (int64_t i = 0; i < ld; i++)
			dst[p * ld + i] = i < width ? x[p * p_stride + i * i_stride] : 0;
}

static void copy_panels_f64(double *dst, int64_t ld, int panels, const int64_t *begin, int64_t n, const double *src,
                            int64_t p_stride) {
	for (int64_t p = 0; p < n; p++, src += p_stride) {
		for (int64_t i = begin[0]; i < begin[panels]; i += 8)
			__builtin_prefetch(src + PACK_AHEAD * p_stride + i);
		for (int q = 0; q < panels; q++) {
			int64_t width = begin[q + 1] - begin[q];
			double *to = dst + (q * n + p) * ld;
			for (int64_t i = 0; i < ld; i += VL_F64) {
				int columns = (int)mt__omp_max(0, mt__omp_min(VL_F64, width - i));
				vec_f64_store(to + i, VL_F64, vec_f64_load(src + begin[q] + i, columns));
			}
		}
	}
}

#endif
