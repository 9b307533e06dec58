/* Non-temporal stores: whole cache lines go to memory without being read first and without driving other data out of
 * the caches.  They pay where the arrays of a call are too large to be found in a cache by whoever reads them next;
 * below that they cost, since the result must come back from memory. */
#ifndef MT_OMP_STREAM_H
#define MT_OMP_STREAM_H

#include <string.h>

#include "vector.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* Bytes written from which outputs are streamed (docs/performance/elementwise.md: measured). */
#define MT__OMP_STREAM_BYTES (16 << 20)

/* One cache line; dst aligned to 64 bytes. */
MT_INLINE void stream_line(char *dst, const char *src) {
#if defined(MT_ISA_AVX512)
	_mm512_stream_si512((void *)dst, _mm512_loadu_si512(src));
#elif defined(MT_ISA_AVX2)
	_mm256_stream_si256((__m256i *)dst, _mm256_loadu_si256((const __m256i *)src));
	_mm256_stream_si256((__m256i *)(dst + 32), _mm256_loadu_si256((const __m256i *)(src + 32)));
#elif defined(__SSE2__)
	for (int i = 0; i < 64; i += 16)
		_mm_stream_si128((__m128i *)(dst + i), _mm_loadu_si128((const __m128i *)(src + i)));
#else
	memcpy(dst, src, 64);
#endif
}

/* Bytes up to dst's next cache line. */
MT_INLINE int64_t stream_head(const char *dst, int64_t bytes) {
	int64_t head = (int64_t)(-(uintptr_t)dst & 63);
	return mt__omp_min(head, bytes);
}

/* memcpy past the caches; stream_end must follow before others read dst. */
MT_INLINE void stream_copy(char *dst, const char *src, int64_t bytes) {
	int64_t i = stream_head(dst, bytes);
	memcpy(dst, src, (size_t)i);
	for (; i + 64 <= bytes; i += 64)
		stream_line(dst + i, src + i);
	memcpy(dst + i, src + i, (size_t)(bytes - i));
}

MT_INLINE void stream_end(void) {
#if defined(__SSE2__)
	_mm_sfence();
#endif
}

#endif
