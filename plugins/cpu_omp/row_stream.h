/* Rows of results stored past the caches: where an array is larger than they are, a line that will be overwritten whole
 * is then not read first: results of MT__OMP_STREAM_BYTES and more.  stream_end ends a kernel's share. */
#ifndef MT_OMP_ROW_STREAM_H
#define MT_OMP_ROW_STREAM_H

#include <string.h>

#include "stream.h"

/* p is aligned to MT_VECTOR_BYTES. */
MT_INLINE void vec_f32_stream(float *p, vec_f32 x) {
#if defined(MT_ISA_AVX512)
	_mm512_stream_ps(p, (__m512)x);
#elif defined(MT_ISA_AVX2)
	_mm256_stream_ps(p, (__m256)x);
#elif defined(__SSE2__)
	_mm_stream_ps(p, (__m128)x);
#else
	*(vec_f32 *)p = x;
#endif
}

/* Floats before p's next cache line, n at most. */
MT_INLINE int64_t row_stream_head(const float *p, int64_t n) {
	return stream_head((const char *)p, n * (int64_t)sizeof *p) / (int64_t)sizeof *p;
}

/* out[j] = (x[j] − first) · scale + add, j < n; far: stored past the caches. */
MT_INLINE void row_affine(float *out, const float *x, float first, float scale, float add, int64_t n, bool far) {
	int64_t j = 0, head = far ? row_stream_head(out, n) : 0;
	for (; j < head; j++)
		out[j] = (x[j] - first) * scale + add;
	for (; j + VL_F32 <= n; j += VL_F32) {
		vec_f32 y = (vec_f32_load(x + j, VL_F32) - first) * scale + add;
		if (far)
			vec_f32_stream(out + j, y);
		else
			vec_f32_store(out + j, VL_F32, y);
	}
	for (; j < n; j++)
		out[j] = (x[j] - first) * scale + add;
}

/* out[j] = x[j] · scale[j], j < n; n floats at ahead are asked for, unless that is NULL. */
MT_INLINE void row_products(float *out, const float *x, const float *scale, int64_t n, bool far, const float *ahead) {
	int64_t j = 0, head = far ? row_stream_head(out, n) : 0;
	for (; j < head; j++)
		out[j] = x[j] * scale[j];
	for (; j + VL_F32 <= n; j += VL_F32) {
		vec_f32 y = vec_f32_load(x + j, VL_F32) * vec_f32_load(scale + j, VL_F32);
		if (far && ahead)
			__builtin_prefetch(ahead + j, 0, 2);
		if (far)
			vec_f32_stream(out + j, y);
		else
			vec_f32_store(out + j, VL_F32, y);
	}
	for (; j < n; j++)
		out[j] = x[j] * scale[j];
}

/* out[j] = x[j], j < n, past the caches. */
static inline void row_stream_copy(float *out, const float *x, int64_t n) {
	int64_t j = 0, head = row_stream_head(out, n);
	memcpy(out, x, (size_t)head * 4);
	for (j = head; j + VL_F32 <= n; j += VL_F32)
		vec_f32_stream(out + j, vec_f32_load(x + j, VL_F32));
	memcpy(out + j, x + j, (size_t)(n - j) * 4);
}

#endif
