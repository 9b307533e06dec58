/* PNG files (www.w3.org/TR/png) as grey pictures, through libpng. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "config.h"
#include "train_mnist/picture.h"

enum { SIGNATURE = 8 };

static const unsigned char png_signature[SIGNATURE] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

void picture_free(struct picture *p) {
	free(p->pixels);
	*p = (struct picture){0};
}

static int has_signature(FILE *file) {
	unsigned char bytes[SIGNATURE];
	return fread(bytes, 1, sizeof bytes, file) == sizeof bytes && memcmp(bytes, png_signature, sizeof bytes) == 0;
}

int png_expected(const char *path) {
	size_t length = strlen(path);
	if (length >= 4 && strcasecmp(path + length - 4, ".png") == 0)
		return 1;
	FILE *file = fopen(path, "rb");
	int is_png = file != NULL && has_signature(file);
	if (file != NULL)
		fclose(file);
	return is_png;
}

#ifdef MT_HAVE_PNG

#include <png.h>

/* Deflate cannot expand more than this: a small file that promises more is not worth an allocation. */
static const int64_t most_expansion = 1032;

/* All state of a reading lies here, not in locals that longjmp would lose. */
struct reader {
	const char *path;
	FILE *file;
	int64_t file_bytes;
	png_structp png;
	png_infop info;
	unsigned char *pairs; /* [height, width, 2]: grey, alpha */
	struct picture picture;
	mt_status status; /* why libpng's jump was taken */
	char message[160];
};

/* ---- what libpng calls ------------------------------------------------------------------------------------------ */

_Noreturn static void give_up(struct reader *r, mt_status status, const char *message) {
	r->status = status;
	snprintf(r->message, sizeof r->message, "%s", message);
	png_longjmp(r->png, 1);
}

_Noreturn static void on_error(png_structp png, png_const_charp message) {
	struct reader *r = png_get_error_ptr(png);
	r->png = png; /* not yet assigned where png_create_read_struct itself fails */
	give_up(r, MT_E_FORMAT, message);
}

/* Warnings are of what does not reach the pixels. */
static void on_warning(png_structp png, png_const_charp message) {
	(void)png, (void)message;
}

static void on_read(png_structp png, png_bytep to, size_t bytes) {
	struct reader *r = png_get_io_ptr(png);
	if (fread(to, 1, bytes, r->file) == bytes)
		return;
	if (ferror(r->file))
		give_up(r, MT_E_IO, strerror(errno));
	give_up(r, MT_E_FORMAT, "the file ends too early");
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static void check_size(struct reader *r) {
	char message[sizeof r->message];
	int64_t width = png_get_image_width(r->png, r->info), height = png_get_image_height(r->png, r->info);
	if (width > PICTURE_MAX_SIDE || height > PICTURE_MAX_SIDE || width * height > PICTURE_MAX_PIXELS) {
		snprintf(message, sizeof message,
		         "%" PRId64 " x %" PRId64 " pixels are too many: a side has at most %d, all at most %d", width, height,
		         PICTURE_MAX_SIDE, PICTURE_MAX_PIXELS);
		give_up(r, MT_E_UNSUPPORTED, message);
	}
	int bits = png_get_bit_depth(r->png, r->info) * png_get_channels(r->png, r->info);
	if (height * ((width * bits + 7) / 8) / most_expansion > r->file_bytes) {
		snprintf(message, sizeof message,
		         "%" PRId64 " bytes cannot hold the %" PRId64 " x %" PRId64 " pixels that the header promises",
		         r->file_bytes, width, height);
		give_up(r, MT_E_FORMAT, message);
	}
	r->picture.width = width;
	r->picture.height = height;
}

/* Whatever is in the file, rows will be pairs of bytes: grey and alpha.  Returns the passes of its interlacing. */
static int ask_for_pairs(struct reader *r) {
	png_set_expand(r->png); /* palettes to colours, 1 to 4 bits to 8, a transparent colour to alpha */
	png_set_scale_16(r->png);
	png_set_rgb_to_gray(r->png, PNG_ERROR_ACTION_NONE, PNG_RGB_TO_GRAY_DEFAULT, PNG_RGB_TO_GRAY_DEFAULT);
	png_set_add_alpha(r->png, 255, PNG_FILLER_AFTER);
	int passes = png_set_interlace_handling(r->png);
	png_read_update_info(r->png, r->info);
	if (png_get_rowbytes(r->png, r->info) != 2 * (size_t)r->picture.width)
		png_error(r->png, "its rows cannot be made grey");
	return passes;
}

static void read_pairs(struct reader *r) {
	png_set_read_fn(r->png, r, on_read);
	/* The limits are check_size's, and only what decides pixels is kept: a thousand compressed texts would fill memory. */
	png_set_user_limits(r->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
	png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
	png_set_sig_bytes(r->png, SIGNATURE);
	png_read_info(r->png, r->info);
	check_size(r);
	int passes = ask_for_pairs(r);
	size_t row_bytes = 2 * (size_t)r->picture.width;
	r->pairs = malloc(row_bytes * (size_t)r->picture.height);
	if (r->pairs == NULL)
		give_up(r, MT_E_MEMORY, "out of memory");
	for (int pass = 0; pass < passes; pass++)
		for (int64_t y = 0; y < r->picture.height; y++)
			png_read_row(r->png, r->pairs + (size_t)y * row_bytes, NULL);
	png_read_end(r->png, NULL);
}

/* libpng jumps back to here. */
static void guard_reading(struct reader *r) {
	if (setjmp(png_jmpbuf(r->png)) == 0)
		read_pairs(r);
}

static unsigned blend(const unsigned char *pair, unsigned paper) {
	return (pair[0] * pair[1] + paper * (255u - pair[1]) + 127) / 255;
}

/* Lays the pairs on white paper; on black where all would be light on white. */
static void lay_on_paper(struct reader *r) {
	size_t n = (size_t)(r->picture.width * r->picture.height);
	unsigned darkest = 255, clear = 0, paper = 255;
	for (size_t i = 0; i < n; i++) {
		unsigned grey = blend(r->pairs + 2 * i, 255);
		darkest = grey < darkest ? grey : darkest;
		clear |= r->pairs[2 * i + 1] < 255;
	}
	if (clear && darkest >= 128)
		paper = 0;
	for (size_t i = 0; i < n; i++) /* in place: the grey ones fill the first half */
		r->pairs[i] = (unsigned char)blend(r->pairs + 2 * i, paper);
	unsigned char *fitted = realloc(r->pairs, n);
	r->picture.pixels = fitted != NULL ? fitted : r->pairs;
}

static void read_file(struct reader *r) {
	r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, on_error, on_warning);
	r->info = r->png != NULL ? png_create_info_struct(r->png) : NULL;
	if (r->info != NULL) {
		guard_reading(r);
	} else {
		r->status = MT_E_MEMORY;
		snprintf(r->message, sizeof r->message, "libpng cannot begin");
	}
	png_destroy_read_struct(&r->png, &r->info, NULL);
	if (r->status == MT_OK)
		lay_on_paper(r);
	else
		free(r->pairs);
}

mt_status png_read(const char *path, struct picture *out) {
	struct reader r = {.path = path};
	struct stat info;
	*out = r.picture;
	r.file = fopen(path, "rb");
	if (r.file == NULL)
		return mt_error_set(MT_E_IO, "%s: cannot open: %s", path, strerror(errno));
	if (fstat(fileno(r.file), &info) != 0 || !S_ISREG(info.st_mode)) {
		fclose(r.file);
		return mt_error_set(MT_E_IO, "%s: expected a regular file", path);
	}
	r.file_bytes = info.st_size;
	int is_png = has_signature(r.file);
	if (is_png)
		read_file(&r);
	fclose(r.file);
	if (!is_png)
		return mt_error_set(MT_E_FORMAT, "%s: expected a PNG file, got another", path);
	if (r.status != MT_OK)
		return mt_error_set(r.status, "%s: cannot read this PNG file: %s", path, r.message);
	*out = r.picture;
	return MT_OK;
}

#else

mt_status png_read(const char *path, struct picture *out) {
	*out = (struct picture){0};
	return mt_error_set(MT_E_UNSUPPORTED, "%s: this build of mt reads no PNG files: libpng was not found", path);
}

#endif
