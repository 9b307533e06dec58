/* Pictures of digits: from PNG files of any kind to images as MNIST has them. */
#ifndef APPS_TRAIN_MNIST_PICTURE_H
#define APPS_TRAIN_MNIST_PICTURE_H

#include <stdint.h>

#include "mt/status.h"

enum { DIGIT_SIDE = 28, DIGIT_PIXELS = DIGIT_SIDE * DIGIT_SIDE };

/* Sides and pixels that a picture may have at most: 32 Mi pixels are 64 MiB of memory while it is read. */
enum { PICTURE_MAX_SIDE = 16384, PICTURE_MAX_PIXELS = 1 << 25 };

struct picture {
	unsigned char *pixels; /* [height, width], 0 black to 255 white */
	int64_t width, height;
};

void picture_free(struct picture *p); /* a zeroed one is fine */

/* 1 where path begins as a PNG file does, or is named *.png; 0 where neither is so. */
int png_expected(const char *path);

/* Reads a PNG file of any colour type, depth and interlacing as grey.  What is transparent becomes white paper, or black
 * where no ink would be seen on white.  A file cut off anywhere, or
 * whose checksums are wrong where pixels depend on them, is refused.
 * MT_E_IO, MT_E_FORMAT, MT_E_MEMORY, MT_E_UNSUPPORTED (too large, or a build without libpng), with a message that
 * begins with the path; *out is then zeroed. */
mt_status png_read(const char *path, struct picture *out);

/* The digit of a picture as MNIST was made (LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document
 * recognition, 1998): white on black, fitted into 20 x 20 with its proportions kept, its centre of mass on pixel 14, 14 of
 * 28 x 28.  Paper is what most of the border is; ink is what differs from it clearly, darker or lighter.
 * NULL, or why it cannot be done: "there is no ink: …". */
const char *normalise_digit(const struct picture *p, unsigned char out[DIGIT_PIXELS]);

#endif
