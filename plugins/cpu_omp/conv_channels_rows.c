/* Rows with zeros around them, and panels of channels. */
#include "conv_channels.h"

#include "transpose.h"

#include <string.h>

struct mt__rows mt__rows_of(const struct mt__five_dims *a, int64_t channels, int64_t low, int64_t high) {
	struct mt__rows r = {.channels = channels, .cut = 1};
	memcpy(r.extent, a->shape + 2, sizeof r.extent);
	if (r.extent[0] > 1)
		r.cut = 0;
	high = mt__omp_max(high, r.extent[2] - 1);
	r.left = -mt__omp_min(low, 0);
	r.width = r.left + high + 1;
	r.in_place = r.width == r.extent[2];
	r.channels_last = a->stride[1] == 1 && a->stride[4] != 1;
	return r;
}

/* The copy's strides; channels lie an odd number of cache lines apart, so that they spread over the cache's sets. */
static void copy_strides(const struct mt__rows *r, int64_t n, int64_t stride[4]) {
	int64_t rows = r->cut == 0 ? r->extent[1] : n;
	if (r->channels_last) {
		stride[0] = 1;
		stride[3] = r->channels;
	} else {
		int64_t lines = mt__omp_ceil_div((r->cut == 0 ? n : r->extent[0]) * rows * r->width, 16);
		stride[0] = (lines | 1) * 16;
		stride[3] = 1;
	}
	stride[2] = r->width * stride[3];
	stride[1] = rows * stride[2];
}

uint64_t mt__rows_bytes(const struct mt__rows *r, int64_t n) {
	int64_t stride[4];
	if (r->in_place)
		return 0;
	copy_strides(r, n, stride);
	int64_t planes = r->cut == 0 ? n : r->extent[0];
	int64_t n_floats = r->channels_last ? planes * stride[1] : r->channels * stride[0];
	return mt__omp_align64((uint64_t)(n_floats + VL) * sizeof(float));
}

/* Writes whole vectors: up to VL elements behind the row, too.  `next`: how much further on the row is that is copied some
 * time after this one. */
static void copy_row(float *to, const float *from, int64_t step, int64_t left, int64_t n, int64_t width, int64_t next) {
	if (step == 1) {
		for (int64_t i = 0; i < width; i += VL) {
			int begin = (int)mt__omp_max(0, mt__omp_min(VL, left - i));
			int end = (int)mt__omp_max(begin, mt__omp_min(VL, left + n - i));
			__builtin_prefetch(from + i - left + next);
			vec_f32_store(to + i, VL, vec_f32_window(from + i - left, begin, end));
		}
		return;
	}
	for (int64_t i = 0; i < width; i++)
		to[i] = i < left || i >= left + n ? 0 : from[(i - left) * step];
}

/* Channels [0, n) of all pixels of a row. */
static void copy_pixels(const struct mt__rows *r, float *to, const float *from, int64_t step, int64_t n) {
	for (int64_t i = 0; i < r->width; i++, to += r->channels) {
		int64_t at = i - r->left;
		if (at >= 0 && at < r->extent[2])
			memcpy(to, from + at * step, (size_t)n * sizeof(float));
		else
			memset(to, 0, (size_t)n * sizeof(float));
	}
}

struct mt__strip mt__rows_strip(const struct mt__rows *r, const struct mt__five_dims *a, int64_t image, int64_t first,
                                int64_t begin, int64_t end, float *space) {
	struct mt__strip s = {.copy = space, .begin = begin, .end = end};
	s.from = (const float *)a->data + image * a->stride[0] + first * a->stride[1] + begin * a->stride[2 + r->cut];
	s.data = s.from;
	if (r->in_place) {
		memcpy(s.stride, a->stride + 1, sizeof s.stride);
	} else {
		copy_strides(r, end - begin, s.stride);
		s.data = space + r->left * s.stride[3];
	}
	return s;
}

void mt__rows_fill(const struct mt__rows *r, const struct mt__five_dims *a, const struct mt__strip *s, int64_t begin,
                   int64_t end) {
	int64_t n = s->end - s->begin, planes = r->cut == 0 ? n : r->extent[0], rows = r->cut == 0 ? r->extent[1] : n;
	if (r->in_place)
		return;
	for (int64_t c = begin; c < (r->channels_last ? begin + 1 : end); c++)
		for (int64_t z = 0; z < planes; z++)
			for (int64_t y = 0; y < rows; y++) {
				float *to = s->copy + c * s->stride[0] + z * s->stride[1] + y * s->stride[2];
				const float *row = s->from + c * a->stride[1] + z * a->stride[2] + y * a->stride[3];
				if (r->channels_last)
					copy_pixels(r, to, row, a->stride[4], end - begin);
				else
					copy_row(to, row, a->stride[4], r->left, r->extent[2], r->width, a->stride[1]);
			}
}

void mt__panel_in(float *panel, const float *from, int64_t stride, int64_t step, int64_t channels, int64_t positions) {
	if (step == 1) {
		for (int i = 0; i < PANEL; i += VL) {
			int rows = (int)mt__omp_max(0, mt__omp_min(VL, channels - i));
			if (rows == VL)
				transpose_in(panel + i, PANEL, from + i * stride, stride, VL, positions);
			else
				transpose_in(panel + i, PANEL, from + i * stride, stride, rows, positions);
		}
		return;
	}
	for (int64_t p = 0; p < positions; p++, panel += PANEL, from += step) {
		if (stride == 1)
			memcpy(panel, from, (size_t)channels * sizeof(float));
		else
			for (int64_t i = 0; i < channels; i++)
				panel[i] = from[i * stride];
		memset(panel + channels, 0, (size_t)(PANEL - channels) * sizeof(float));
	}
}

void mt__panel_out(const float *panel, float *to, int64_t stride, int64_t step, int64_t channels, int64_t positions) {
	if (step == 1) {
		for (int i = 0; i < channels; i += VL) {
			int rows = (int)mt__omp_min(VL, channels - i);
			if (rows == VL)
				transpose_out(to + i * stride, stride, panel + i, PANEL, VL, positions);
			else
				transpose_out(to + i * stride, stride, panel + i, PANEL, rows, positions);
		}
		return;
	}
	for (int64_t p = 0; p < positions; p++, panel += PANEL, to += step)
		if (stride == 1)
			memcpy(to, panel, (size_t)channels * sizeof(float));
		else
			for (int64_t i = 0; i < channels; i++)
				to[i * stride] = panel[i];
}

#if defined(MT_ISA_AVX512) || defined(MT_ISA_AVX2)
static void stream_vector(float *to, vec_f32 x) {
#if defined(MT_ISA_AVX512)
	_mm512_stream_ps(to, (__m512)x);
#else
	_mm256_stream_ps(to, (__m256)x);
#endif
}

bool mt__panel_stream(const float *panel, float *to, int64_t stride, int64_t channels, int64_t positions) {
	if ((uintptr_t)to % MT_VECTOR_BYTES || stride % VL || positions % VL || channels % VL)
		return false;
	for (int64_t i = 0; i < channels; i += VL)
		for (int64_t p = 0; p < positions; p += VL) {
			vec_f32 x[VL];
			MT_UNROLL
			for (int k = 0; k < VL; k++)
				x[k] = vec_f32_load(panel + (p + k) * PANEL + i, VL);
			transpose_vectors(x);
			MT_UNROLL
			for (int k = 0; k < VL; k++)
				stream_vector(to + (i + k) * stride + p, x[k]);
		}
	_mm_sfence();
	return true;
}
#else
bool mt__panel_stream(const float *panel, float *to, int64_t stride, int64_t channels, int64_t positions) {
	(void)panel, (void)to, (void)stride, (void)channels, (void)positions;
	return false;
}
#endif
