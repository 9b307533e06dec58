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

/* Runs shorter than a vector. */
static void load_short_run(float *to, const float *from, int64_t image_stride, int images, int n) {
	vec_f32 x[VL];
	for (int i = 0; i < VL; i++)
		x[i] = i < images ? vec_f32_load(from + i * image_stride, n) : (vec_f32){0};
	transpose_vectors(x);
	for (int p = 0; p < n; p++)
		vec_f32_store(to + p * VL, VL, x[p]);
}

static void store_short_run(float *to, const float *from, int64_t image_stride, int images, int n) {
	vec_f32 x[VL];
	for (int p = 0; p < VL; p++)
		x[p] = p < n ? vec_f32_load(from + p * VL, VL) : (vec_f32){0};
	transpose_vectors(x);
	for (int i = 0; i < images; i++)
		vec_f32_store(to + i * image_stride, n, x[i]);
}

static void load_run_of_images(float *to, const float *from, int64_t image_stride, int images, int64_t n) {
	if (n < VL)
		load_short_run(to, from, image_stride, images, (int)n);
	else if (images == VL)
		transpose_in(to, VL, from, image_stride, VL, n);
	else
		transpose_in(to, VL, from, image_stride, images, n);
}

static void store_run_of_images(float *to, const float *from, int64_t image_stride, int images, int64_t n) {
	if (n < VL)
		store_short_run(to, from, image_stride, images, (int)n);
	else if (images == VL)
		transpose_out(to, image_stride, from, VL, VL, n);
	else
		transpose_out(to, image_stride, from, VL, images, n);
}

/* The array has its images side by side, as the block has them: positions `stride` apart are copied. */
static void load_lanes(float *to, const float *from, int images, int64_t stride, int64_t n) {
	for (int64_t p = 0; p < n; p++)
		vec_f32_store(to + p * VL, VL, vec_f32_load(from + p * stride, images));
}

static void store_lanes(float *to, const float *from, int images, int64_t stride, int64_t n) {
	for (int64_t p = 0; p < n; p++)
		vec_f32_store(to + p * stride, images, vec_f32_load(from + p * VL, VL));
}

/* A row of positions `stride` apart. */
static void load_row(float *to, const float *from, const struct mt__five_dims *a, int images) {
	int64_t n = a->shape[4], stride = a->stride[4], image_stride = a->stride[0];
	if (image_stride == 1)
		load_lanes(to, from, images, stride, n);
	else if (n == 1 || stride == 1)
		load_run_of_images(to, from, image_stride, images, n);
	else
		load_strided(to, from, image_stride, images, stride, n);
}

static void store_row(float *to, const float *from, const struct mt__five_dims *a, int images) {
	int64_t n = a->shape[4], stride = a->stride[4], image_stride = a->stride[0];
	if (image_stride == 1)
		store_lanes(to, from, images, stride, n);
	else if (n == 1 || stride == 1)
		store_run_of_images(to, from, image_stride, images, n);
	else
		store_strided(to, from, image_stride, images, stride, n);
}

bool mt__lanes_is_block(const struct mt__lanes *l, const struct mt__five_dims *a, int images) {
	int64_t step = VL;
	if (images != VL || a->shape[0] > VL || l->width != l->extent[2] || (a->shape[0] > 1 && a->stride[0] != 1))
		return false;
	for (int d = 4; d >= 1; d--) {
		if (a->shape[d] > 1 && a->stride[d] != step)
			return false;
		step *= a->shape[d];
	}
	return true;
}

void mt__lanes_load(const struct mt__lanes *l, float *block, const struct mt__five_dims *a, int64_t first, int images) {
	const float *from = (const float *)a->data + first * a->stride[0];
	int d;
	int64_t run = contiguous_run(a, &d), x = l->extent[2];
	if (l->width == x && d <= 1) {
		load_run_of_images(block, from, a->stride[0], images, run);
		return;
	}
	for (int64_t c = 0; c < l->channels; c++)
		for (int64_t z = 0; z < l->extent[0]; z++)
			for (int64_t y = 0; y < l->extent[1]; y++, block += mt__lanes_row(l)) {
				const float *row = from + c * a->stride[1] + z * a->stride[2] + y * a->stride[3];
				memset(block, 0, (size_t)(l->left * VL) * sizeof(float));
				load_row(block + l->left * VL, row, a, images);
				int64_t right = l->left + x;
				memset(block + right * VL, 0, (size_t)((l->width - right) * VL) * sizeof(float));
			}
}

void mt__lanes_store(const struct mt__lanes *l, const float *block, const struct mt__five_dims *a, int64_t first,
                     int images) {
	float *to = (float *)a->data + first * a->stride[0];
	int d;
	int64_t run = contiguous_run(a, &d), x = l->extent[2];
	bool rows = d > 4 || run == 1; /* row by row: no longer run is one piece of memory */
	for (int64_t c = 0; c < (d > 1 ? l->channels : 1); c++)
		for (int64_t z = 0; z < (d > 2 ? l->extent[0] : 1); z++)
			for (int64_t y = 0; y < (d > 3 ? l->extent[1] : 1); y++) {
				float *at = to + c * a->stride[1] + z * a->stride[2] + y * a->stride[3];
				if (rows)
					store_row(at, block, a, images);
				else
					store_run_of_images(at, block, a->stride[0], images, run);
				block += (rows ? x : run) * VL;
			}
}
