/* Images in, images out: blocks with one image in each vector lane. */
#include "conv_lanes.h"

#include "transpose.h"

#include <string.h>

/* Dims from `d` on are one contiguous run in a, whose extent this is; the run starts at dim *d. */
static int64_t contiguous_run(const struct mt__five_dims *a, int *d) {
	int64_t run = 1;
	int first = 5;
	while (first > 1 && (a->shape[first - 1] == 1 || a->stride[first - 1] == run))
		run *= a->shape[--first];
	*d = first;
	return run;
}

static void load_strided(float *to, const float *from, int64_t image_stride, int images, int64_t stride, int64_t n) {
	for (int64_t p = 0; p < n; p++)
		for (int i = 0; i < VL; i++)
			to[p * VL + i] = i < images ? from[i * image_stride + p * stride] : 0;
}

static void store_strided(float *to, const float *from, int64_t image_stride, int images, int64_t stride, int64_t n) {
	for (int64_t p = 0; p < n; p++)
		for (int i = 0; i < images; i++)
			to[i * image_stride + p * stride] = from[p * VL + i];
}

static void load_run_of_images(float *to, const float *from, int64_t image_stride, int images, int64_t n) {
	if (images == VL)
		transpose_in(to, VL, from, image_stride, VL, n);
	else
		transpose_in(to, VL, from, image_stride, images, n);
}

static void store_run_of_images(float *to, const float *from, int64_t image_stride, int images, int64_t n) {
	if (images == VL)
		transpose_out(to, image_stride, from, VL, VL, n);
	else
		transpose_out(to, image_stride, from, VL, images, n);
}

void mt__lanes_load(const struct mt__lanes *l, float *block, const struct mt__five_dims *a, int64_t first, int images) {
	const float *from = (const float *)a->data + first * a->stride[0];
	int d;
	int64_t run = contiguous_run(a, &d), x = l->extent[2];
	if (l->width == x && d <= 1) {
		load_run_of_images(block, from, a->stride[0], images, run);
		return;
	}
	bool plain = x == 1 || a->stride[4] == 1;
	for (int64_t c = 0; c < l->channels; c++)
		for (int64_t z = 0; z < l->extent[0]; z++)
			for (int64_t y = 0; y < l->extent[1]; y++, block += mt__lanes_row(l)) {
				const float *row = from + c * a->stride[1] + z * a->stride[2] + y * a->stride[3];
				memset(block, 0, (size_t)(l->left * VL) * sizeof(float));
				if (plain)
					load_run_of_images(block + l->left * VL, row, a->stride[0], images, x);
				else
					load_strided(block + l->left * VL, row, a->stride[0], images, a->stride[4], x);
				int64_t right = l->left + x;
				memset(block + right * VL, 0, (size_t)((l->width - right) * VL) * sizeof(float));
			}
}

void mt__lanes_store(const struct mt__lanes *l, const float *block, const struct mt__five_dims *a, int64_t first,
                     int images) {
	float *to = (float *)a->data + first * a->stride[0];
	int d;
	int64_t run = contiguous_run(a, &d), x = l->extent[2];
	if (d <= 1) {
		store_run_of_images(to, block, a->stride[0], images, run);
		return;
	}
	for (int64_t c = 0; c < l->channels; c++)
		for (int64_t z = 0; z < l->extent[0]; z++)
			for (int64_t y = 0; y < l->extent[1]; y++, block += mt__lanes_row(l)) {
				float *row = to + c * a->stride[1] + z * a->stride[2] + y * a->stride[3];
				if (x == 1 || a->stride[4] == 1)
					store_run_of_images(row, block, a->stride[0], images, x);
				else
					store_strided(row, block, a->stride[0], images, a->stride[4], x);
			}
}
