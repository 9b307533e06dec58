/* digit_files DIR N SEED [PICTURES]: the first N digits that mt_digits_generate draws, for tests of train_mnist --predict:
 * DIR/images.idx, DIR/labels.idx, and pictures of the first ones, DIR/I.png, each kind of picture in turn. */
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mt/mt.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE };

static int write_idx(const char *dir, const char *name, const mt_host_array *a) {
	unsigned char header[4 + 4 * 3] = {0, 0, 8, (unsigned char)a->rank};
	char path[1024];
	size_t bytes = 1;
	for (int i = 0; i < a->rank; i++) {
		bytes *= (size_t)a->shape[i];
		for (int k = 0; k < 4; k++)
			header[4 + 4 * i + k] = (unsigned char)(a->shape[i] >> (24 - 8 * k));
	}
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *out = fopen(path, "wb");
	if (out == NULL)
		return 1;
	size_t head = 4 + 4 * (size_t)a->rank;
	int failed = fwrite(header, 1, head, out) != head || fwrite(a->data, 1, bytes, out) != bytes;
	return fclose(out) != 0 || failed;
}

/* How a picture is drawn: each pixel of the digit `scale` wide, with a margin, on paper of this level. */
struct kind {
	int scale, left, top, right, bottom, paper, ink, format;
};

static const struct kind kinds[] = {
	{1, 0, 0, 0, 0, 0, 255, PNG_FORMAT_GRAY},          /* as MNIST's */
	{1, 0, 0, 0, 0, 255, 0, PNG_FORMAT_GRAY},          /* black on white */
	{7, 20, 90, 200, 11, 240, 20, PNG_FORMAT_RGB},     /* a scan */
	{11, 3, 5, 60, 300, 30, 200, PNG_FORMAT_RGBA},     /* chalk on a board */
	{3, 40, 40, 40, 40, 255, 70, PNG_FORMAT_LINEAR_Y}, /* 16 bit */
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static int level_at(const struct kind *k, const unsigned char *digit, int x, int y) {
	int dx = x - k->left, dy = y - k->top, ink = 0;
	if (dx >= 0 && dx < SIDE * k->scale && dy >= 0 && dy < SIDE * k->scale)
		ink = digit[dy / k->scale * SIDE + dx / k->scale];
	return k->paper + (k->ink - k->paper) * ink / 255;
}

static int write_picture(const char *path, const struct kind *k, const unsigned char *digit) {
	png_image image = {.version = PNG_IMAGE_VERSION, .format = (png_uint_32)k->format};
	image.width = (png_uint_32)(SIDE * k->scale + k->left + k->right);
	image.height = (png_uint_32)(SIDE * k->scale + k->top + k->bottom);
	size_t channels = PNG_IMAGE_SAMPLE_CHANNELS(image.format), bytes = PNG_IMAGE_SAMPLE_COMPONENT_SIZE(image.format);
	size_t pixel = channels * bytes;
	unsigned char *data = malloc(image.width * image.height * pixel);
	if (data == NULL)
		return 1;
	for (size_t i = 0; i < (size_t)image.width * image.height; i++) {
		int level = level_at(k, digit, (int)(i % image.width), (int)(i / image.width));
		memset(data + i * pixel, level, pixel);
		if (k->format == PNG_FORMAT_RGBA)
			data[i * pixel + 3] = 255;
	}
	int ok = png_image_write_to_file(&image, path, 0, data, 0, NULL);
	free(data);
	return !ok;
}

int main(int argc, char **argv) {
	mt_host_array images, labels;
	char path[1024];
	if (argc < 4) {
		fprintf(stderr, "usage: digit_files DIR N SEED [PICTURES]\n");
		return 2;
	}
	int n = atoi(argv[2]), pictures = argc > 4 ? atoi(argv[4]) : 0, failed = 0;
	if (mt_digits_generate(n, strtoull(argv[3], NULL, 10), &images, &labels) != MT_OK) {
		fprintf(stderr, "digit_files: %s\n", mt_error_take(NULL));
		return 1;
	}
	failed |= write_idx(argv[1], "images.idx", &images);
	failed |= write_idx(argv[1], "labels.idx", &labels);
	for (int i = 0; i < pictures && i < n; i++) {
		snprintf(path, sizeof path, "%s/%d.png", argv[1], i);
		failed |= write_picture(path, &kinds[i % KINDS], (const unsigned char *)images.data + (size_t)i * PIXELS);
	}
	mt_host_array_free(&images);
	mt_host_array_free(&labels);
	if (failed)
		fprintf(stderr, "digit_files: cannot write into %s\n", argv[1]);
	return failed;
}
