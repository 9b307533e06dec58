#include "stage.h"

#include <string.h>

#include "convert.h"
#include "stream.h"
#include "transpose.h"

/* dst[r · dst_ld + c] = src[c · src_ld + r], n × n elements in n registers: log2 n rounds in which rows i and i + n/2 are
 * interleaved to rows 2 i and 2 i + 1. */
#define TRANSPOSE_TILE(name, T, N, ROUNDS, BYTES, LOW, HIGH)                                                           \
	typedef T name##_row __attribute__((vector_size(BYTES)));                                                          \
	typedef T name##_row_mem __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));                       \
	static void name(T *dst, int64_t dst_ld, const T *src, int64_t src_ld) {                                           \
		name##_row x[N], y[N];                                                                                         \
		MT_UNROLL                                                                                                      \
		for (int i = 0; i < N; i++)                                                                                    \
			x[i] = *(const name##_row_mem *)(src + i * src_ld);                                                        \
		MT_UNROLL                                                                                                      \
		for (int round = 0; round < ROUNDS; round++) {                                                                 \
			MT_UNROLL                                                                                                  \
			for (int i = 0; i < N / 2; i++) {                                                                          \
				y[2 * i] = __builtin_shufflevector(x[i], x[i + N / 2], LOW);                                           \
				y[2 * i + 1] = __builtin_shufflevector(x[i], x[i + N / 2], HIGH);                                      \
			}                                                                                                          \
			MT_UNROLL                                                                                                  \
			for (int i = 0; i < N; i++)                                                                                \
				x[i] = y[i];                                                                                           \
		}                                                                                                              \
		MT_UNROLL                                                                                                      \
		for (int i = 0; i < N; i++)                                                                                    \
			*(name##_row_mem *)(dst + i * dst_ld) = x[i];                                                              \
	}

#define LIST(...) __VA_ARGS__
TRANSPOSE_TILE(tile_1, uint8_t, 16, 4, 16, LIST(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
               LIST(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31))
TRANSPOSE_TILE(tile_2, uint16_t, 8, 3, 16, LIST(0, 8, 1, 9, 2, 10, 3, 11), LIST(4, 12, 5, 13, 6, 14, 7, 15))
TRANSPOSE_TILE(tile_8, uint64_t, 4, 2, 32, LIST(0, 4, 1, 5), LIST(2, 6, 3, 7))
#if !defined(MT_ISA_AVX2) && !defined(MT_ISA_AVX512)
TRANSPOSE_TILE(tile_4, uint32_t, 4, 2, 16, LIST(0, 4, 1, 5), LIST(2, 6, 3, 7))
#endif
#undef LIST

#if defined(MT_ISA_AVX2) || defined(MT_ISA_AVX512)

/* Floats are only moved: their bits stay. */
static void tile_4(uint32_t *dst, int64_t dst_ld, const uint32_t *src, int64_t src_ld) {
	vec_f32 x[VL_F32];
	MT_UNROLL
	for (int i = 0; i < VL_F32; i++)
		x[i] = *(const vec_f32_mem *)(src + i * src_ld);
	transpose_vectors(x);
	MT_UNROLL
	for (int i = 0; i < VL_F32; i++)
		*(vec_f32_mem *)(dst + i * dst_ld) = x[i];
}
#endif

#define T uint8_t
#define TILE 16
#define NAME(f) f##_1
#include "stage_size.inc"
#undef T
#undef TILE
#undef NAME
#define T uint16_t
#define TILE 8
#define NAME(f) f##_2
#include "stage_size.inc"
#undef T
#undef TILE
#undef NAME
#define T uint32_t
#define TILE VL_F32
#define NAME(f) f##_4
#include "stage_size.inc"
#undef T
#undef TILE
#undef NAME
#define T uint64_t
#define TILE 4
#define NAME(f) f##_8
#include "stage_size.inc"
#undef T
#undef TILE
#undef NAME

static void gather(void *dst, int size, const void *src, int64_t stride, int64_t n) {
	if (stride == 1) {
		memcpy(dst, src, (size_t)(n * size));
		return;
	}
	switch (size) {
	case 1:
		gather_1(dst, src, stride, n);
		return;
	case 2:
		gather_2(dst, src, stride, n);
		return;
	case 4:
		gather_4(dst, src, stride, n);
		return;
	default:
		gather_8(dst, src, stride, n);
	}
}

static void scatter(void *dst, int size, int64_t stride, const void *src, int64_t n) {
	if (stride == 1) {
		memcpy(dst, src, (size_t)(n * size));
		return;
	}
	switch (size) {
	case 1:
		scatter_1(dst, stride, src, n);
		return;
	case 2:
		scatter_2(dst, stride, src, n);
		return;
	case 4:
		scatter_4(dst, stride, src, n);
		return;
	default:
		scatter_8(dst, stride, src, n);
	}
}

enum { LOW_CHUNK = 512, BLOCK_MAX = 2048 };

/* Hardware converts contiguous runs; strided ones pass through a contiguous one. */
static void load_low(float *dst, int32_t dtype, const uint16_t *src, int64_t stride, int64_t n) {
	uint16_t chunk[LOW_CHUNK];
	for (int64_t i = 0; i < n; i += LOW_CHUNK) {
		int64_t m = mt__omp_min(n - i, LOW_CHUNK);
		const uint16_t *from = src + i * stride;
		if (stride != 1) {
			gather_2(chunk, from, stride, m);
			from = chunk;
		}
		if (dtype == MT_F16)
			convert_f16_to_f32(dst + i, from, 1, m);
		else
			convert_bf16_to_f32(dst + i, from, 1, m);
	}
}

static void store_low(int32_t dtype, uint16_t *dst, int64_t stride, const float *src, int64_t n) {
	uint16_t chunk[LOW_CHUNK];
	for (int64_t i = 0; i < n; i += LOW_CHUNK) {
		int64_t m = mt__omp_min(n - i, LOW_CHUNK);
		uint16_t *to = stride == 1 ? dst + i : chunk;
		if (dtype == MT_F16)
			convert_f32_to_f16(to, 1, src + i, m);
		else
			convert_f32_to_bf16(to, 1, src + i, m);
		if (stride != 1)
			scatter_2(dst + i * stride, stride, chunk, m);
	}
}

static bool is_low(int32_t dtype) {
	return dtype == MT_F16 || dtype == MT_BF16;
}

void mt__omp_load_run(void *dst, int32_t dtype, bool raw, const void *src, int64_t stride, int64_t n) {
	if (!raw && is_low(dtype))
		load_low(dst, dtype, src, stride, n);
	else
		gather(dst, mt__omp_dtype_size(dtype), src, stride, n);
}

void mt__omp_store_run(int32_t dtype, bool raw, void *dst, int64_t stride, const void *src, int64_t n) {
	if (!raw && is_low(dtype))
		store_low(dtype, dst, stride, src, n);
	else
		scatter(dst, mt__omp_dtype_size(dtype), stride, src, n);
}

/* Each line is rounded in registers and leaves at once, so that stores spread over the work. */
void mt__omp_stream_low(int32_t dtype, uint16_t *dst, const float *src, int64_t n) {
	enum { LINE = 32 };
	_Alignas(64) uint16_t line[LINE];
	int64_t i = (int64_t)((uintptr_t)dst % 2) != 0 ? n : stream_head((const char *)dst, 2 * n) / 2;
	store_low(dtype, dst, 1, src, i);
	if (dtype == MT_F16)
		for (; i + LINE <= n; i += LINE) {
			convert_f32_to_f16(line, 1, src + i, LINE);
			stream_line((char *)(dst + i), (const char *)line);
		}
	else
		for (; i + LINE <= n; i += LINE) {
			convert_f32_to_bf16(line, 1, src + i, LINE);
			stream_line((char *)(dst + i), (const char *)line);
		}
	store_low(dtype, dst + i, 1, src + i, n - i);
}

/* Whether a block is better moved column by column: columns are the longer runs, or rows share cache lines. */
static bool by_columns(int64_t row_stride, int64_t column_stride, int64_t rows, int64_t columns) {
	int64_t r = row_stride < 0 ? -row_stride : row_stride, c = column_stride < 0 ? -column_stride : column_stride;
	return rows > 1 && (columns < rows || r < c);
}

void mt__omp_load_block(void *dst, int64_t ld, int32_t dtype, bool raw, const void *src, int64_t rs, int64_t cs,
                        int64_t rows, int64_t columns) {
	int size = mt__omp_dtype_size(dtype), to = raw ? size : mt__omp_compute_size(dtype);
	if (by_columns(rs, cs, rows, columns) && (size == to || rows * columns <= BLOCK_MAX)) {
		uint16_t low[BLOCK_MAX];
		if (size != to) {
			gather_columns_2(low, columns, src, rs, cs, rows, columns);
			for (int64_t r = 0; r < rows; r++)
				load_low((float *)dst + r * ld, dtype, low + r * columns, 1, columns);
			return;
		}
		switch (size) {
		case 1:
			gather_columns_1(dst, ld, src, rs, cs, rows, columns);
			return;
		case 2:
			gather_columns_2(dst, ld, src, rs, cs, rows, columns);
			return;
		case 4:
			gather_columns_4(dst, ld, src, rs, cs, rows, columns);
			return;
		default:
			gather_columns_8(dst, ld, src, rs, cs, rows, columns);
			return;
		}
	}
	for (int64_t r = 0; r < rows; r++)
		mt__omp_load_run((char *)dst + r * ld * to, dtype, raw, (const char *)src + r * rs * size, cs, columns);
}

void mt__omp_store_block(int32_t dtype, bool raw, void *dst, int64_t rs, int64_t cs, const void *src, int64_t ld,
                         int64_t rows, int64_t columns) {
	int size = mt__omp_dtype_size(dtype), from = raw ? size : mt__omp_compute_size(dtype);
	if (by_columns(rs, cs, rows, columns) && (size == from || rows * columns <= BLOCK_MAX)) {
		uint16_t low[BLOCK_MAX];
		if (size != from) {
			for (int64_t r = 0; r < rows; r++)
				store_low(dtype, low + r * columns, 1, (const float *)src + r * ld, columns);
			scatter_columns_2(dst, rs, cs, low, columns, rows, columns);
			return;
		}
		switch (size) {
		case 1:
			scatter_columns_1(dst, rs, cs, src, ld, rows, columns);
			return;
		case 2:
			scatter_columns_2(dst, rs, cs, src, ld, rows, columns);
			return;
		case 4:
			scatter_columns_4(dst, rs, cs, src, ld, rows, columns);
			return;
		default:
			scatter_columns_8(dst, rs, cs, src, ld, rows, columns);
			return;
		}
	}
	for (int64_t r = 0; r < rows; r++)
		mt__omp_store_run(dtype, raw, (char *)dst + r * rs * size, cs, (const char *)src + r * ld * from, columns);
}

void mt__omp_fill_run(void *dst, const void *value, int size, int64_t n) {
	switch (size) {
	case 1:
		fill_1(dst, *(const uint8_t *)value, n);
		return;
	case 2:
		fill_2(dst, *(const uint16_t *)value, n);
		return;
	case 4:
		fill_4(dst, *(const uint32_t *)value, n);
		return;
	default:
		fill_8(dst, *(const uint64_t *)value, n);
	}
}
