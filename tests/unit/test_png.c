/* PNG files of every kind read as grey; damaged ones refused with a message that names them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "config.h"
#include "mt_test.h"
#include "train_mnist/picture.h"

static char folder[] = "/tmp/mt-png.XXXXXX";

static int make_folder(void) {
	return mkdtemp(folder) == NULL;
}

static int remove_folder(void) {
	char command[64];
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command) != 0;
}

static const char *path_of(const char *name) {
	static char path[128];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void write_bytes(const char *name, const void *bytes, size_t n) {
	FILE *file = fopen(path_of(name), "wb");
	MT_REQUIRE(file != NULL);
	MT_CHECK(fwrite(bytes, 1, n, file) == n);
	MT_CHECK_INT(fclose(file), 0);
}

static void test_expected(void) {
	static const struct {
		const char *name, *bytes;
		size_t n;
		int expected;
	} rows[] = {
		{"a.png", "", 0, 1},
		{"A.PNG", "text", 4, 1},
		{"b", "\x89PNG\r\n\x1a\n", 8, 1},
		{"c", "\x89PNG\r\n\x1a", 7, 0},
		{"d.idx", "\0\0\x08\x03", 4, 0},
		{"e", "", 0, 0},
		{"png", "", 0, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("%s", rows[i].name);
		write_bytes(rows[i].name, rows[i].bytes, rows[i].n);
		MT_CHECK_INT(png_expected(path_of(rows[i].name)), rows[i].expected);
	}
	MT_CHECK_INT(png_expected(path_of("nowhere")), 0);
	MT_CHECK_INT(png_expected(path_of("nowhere.png")), 1);
}

static void refused(const char *name, mt_status status, const char *part) {
	struct picture p = {(unsigned char *)1, 1, 1};
	MT_CHECK_INT(png_read(path_of(name), &p), status);
	const char *message = mt_error_take(NULL);
	MT_CHECK(strncmp(message, path_of(name), strlen(path_of(name))) == 0);
	MT_CHECK_CONTAINS(message, part);
	MT_CHECK(p.pixels == NULL && p.width == 0 && p.height == 0);
	picture_free(&p);
}

#ifdef MT_HAVE_PNG

#include <png.h>

/* ---- files made by libpng --------------------------------------------------------------------------------------- */

struct file {
	unsigned char bytes[1 << 16];
	size_t n;
};

static void append(png_structp png, png_bytep data, size_t n) {
	struct file *f = png_get_io_ptr(png);
	if (f->n + n > sizeof f->bytes)
		png_error(png, "the test's file is too small");
	memcpy(f->bytes + f->n, data, n);
	f->n += n;
}

static void no_flush(png_structp png) {
	(void)png;
}

struct kind {
	const char *name;
	int colour, depth, transparent; /* transparent: with a tRNS chunk */
};

static const struct kind kinds[] = {
	{"grey 1", PNG_COLOR_TYPE_GRAY, 1, 0},
	{"grey 2", PNG_COLOR_TYPE_GRAY, 2, 0},
	{"grey 4", PNG_COLOR_TYPE_GRAY, 4, 0},
	{"grey 8", PNG_COLOR_TYPE_GRAY, 8, 0},
	{"grey 16", PNG_COLOR_TYPE_GRAY, 16, 0},
	{"grey 2 with a transparent level", PNG_COLOR_TYPE_GRAY, 2, 1},
	{"grey 8 with a transparent level", PNG_COLOR_TYPE_GRAY, 8, 1},
	{"grey 16 with a transparent level", PNG_COLOR_TYPE_GRAY, 16, 1},
	{"palette 1", PNG_COLOR_TYPE_PALETTE, 1, 0},
	{"palette 2", PNG_COLOR_TYPE_PALETTE, 2, 0},
	{"palette 4", PNG_COLOR_TYPE_PALETTE, 4, 0},
	{"palette 8", PNG_COLOR_TYPE_PALETTE, 8, 0},
	{"palette 4 with transparent colours", PNG_COLOR_TYPE_PALETTE, 4, 1},
	{"palette 8 with transparent colours", PNG_COLOR_TYPE_PALETTE, 8, 1},
	{"RGB 8", PNG_COLOR_TYPE_RGB, 8, 0},
	{"RGB 16", PNG_COLOR_TYPE_RGB, 16, 0},
	{"RGB 8 with a transparent colour", PNG_COLOR_TYPE_RGB, 8, 1},
	{"RGB 16 with a transparent colour", PNG_COLOR_TYPE_RGB, 16, 1},
	{"grey and alpha 8", PNG_COLOR_TYPE_GRAY_ALPHA, 8, 0},
	{"grey and alpha 16", PNG_COLOR_TYPE_GRAY_ALPHA, 16, 0},
	{"RGBA 8", PNG_COLOR_TYPE_RGB_ALPHA, 8, 0},
	{"RGBA 16", PNG_COLOR_TYPE_RGB_ALPHA, 16, 0},
};
enum { KINDS = sizeof kinds / sizeof *kinds, WIDTH = 21, HEIGHT = 13 };

/* Samples as PNG packs them: [HEIGHT, row]. */
struct samples {
	unsigned char rows[HEIGHT][WIDTH * 8 + 8];
};

static const png_color *palette(void) {
	static png_color colours[256];
	for (int i = 0; i < 256; i++)
		colours[i] = (png_color){(png_byte)(i * 37), (png_byte)(255 - i * 90), (png_byte)(i * i)};
	return colours;
}

static unsigned palette_alpha(int i) {
	return i % 3 == 0 ? 0 : i % 3 == 1 ? 128 : 255;
}

static int channels_of(const struct kind *k) {
	return k->colour == PNG_COLOR_TYPE_RGB          ? 3
	       : k->colour == PNG_COLOR_TYPE_RGB_ALPHA  ? 4
	       : k->colour == PNG_COLOR_TYPE_GRAY_ALPHA ? 2
	                                                : 1;
}

/* Channel c of the pixel at x, as it is in the file. */
static unsigned sample(const struct kind *k, const unsigned char *row, int x, int c) {
	int at = x * channels_of(k) + c;
	if (k->depth == 16)
		return (unsigned)row[2 * at] << 8 | row[2 * at + 1];
	if (k->depth == 8)
		return row[at];
	int shift = 8 - k->depth - at * k->depth % 8;
	return row[at * k->depth / 8] >> shift & ((1u << k->depth) - 1);
}

static void write_samples(const struct kind *k, int interlace, struct samples *s, struct file *f) {
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(png);
	png_bytep rows[HEIGHT];
	png_byte alphas[256];
	/* the level or colour of the first pixel is the transparent one */
	png_color_16 clear = {.gray = (png_uint_16)sample(k, s->rows[0], 0, 0)};
	f->n = 0;
	if (channels_of(k) == 3)
		clear = (png_color_16){.red = (png_uint_16)sample(k, s->rows[0], 0, 0),
		                       .green = (png_uint_16)sample(k, s->rows[0], 0, 1),
		                       .blue = (png_uint_16)sample(k, s->rows[0], 0, 2)};
	for (int y = 0; y < HEIGHT; y++)
		rows[y] = s->rows[y];
	for (int i = 0; i < 256; i++)
		alphas[i] = (png_byte)palette_alpha(i);
	png_set_write_fn(png, f, append, no_flush);
	png_set_IHDR(png, info, WIDTH, HEIGHT, k->depth, k->colour, interlace, PNG_COMPRESSION_TYPE_DEFAULT,
	             PNG_FILTER_TYPE_DEFAULT);
	if (k->colour == PNG_COLOR_TYPE_PALETTE)
		png_set_PLTE(png, info, palette(), 1 << k->depth);
	if (k->transparent)
		png_set_tRNS(png, info, alphas, k->colour == PNG_COLOR_TYPE_PALETTE ? 1 << k->depth : 0, &clear);
	png_write_info(png, info);
	png_write_image(png, rows);
	png_write_end(png, info);
	png_destroy_write_struct(&png, &info);
}

static void draw_samples(struct samples *s, uint32_t seed) {
	for (int y = 0; y < HEIGHT; y++)
		for (size_t i = 0; i < sizeof s->rows[0]; i++) {
			seed = seed * 1664525u + 1013904223u;
			s->rows[y][i] = (unsigned char)(seed >> 24);
		}
}

/* ---- what they should be read as -------------------------------------------------------------------------------- */

/* Grey on white, from 0 to 255: the luminance weights of Rec. 709, which libpng takes. */
static double grey_of(const struct kind *k, const struct samples *s, int x, int y) {
	const unsigned char *row = s->rows[y], *first = s->rows[0];
	double most = (double)((1u << k->depth) - 1), v[4] = {0}, alpha = 1;
	int n = channels_of(k), same = 1;
	for (int c = 0; c < n; c++) {
		v[c] = sample(k, row, x, c) / most;
		same &= sample(k, row, x, c) == sample(k, first, 0, c);
	}
	if (k->colour == PNG_COLOR_TYPE_PALETTE) {
		int i = (int)sample(k, row, x, 0);
		v[0] = palette()[i].red / 255.0;
		v[1] = palette()[i].green / 255.0;
		v[2] = palette()[i].blue / 255.0;
		alpha = k->transparent ? palette_alpha(i) / 255.0 : 1;
		n = 3;
	} else if (k->transparent) {
		alpha = same ? 0 : 1;
	} else if (n % 2 == 0) {
		alpha = v[n - 1];
	}
	double grey = n >= 3 ? 0.212671 * v[0] + 0.715160 * v[1] + 0.072169 * v[2] : v[0];
	return 255 * (alpha * grey + 1 - alpha);
}

static void test_kinds(void) {
	static struct samples s;
	static struct file f;
	for (int i = 0; i < 2 * KINDS; i++) {
		const struct kind *k = &kinds[i / 2];
		int interlace = i % 2 ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE;
		struct picture p;
		mt_test_row("%s%s", k->name, i % 2 ? ", interlaced" : "");
		draw_samples(&s, (uint32_t)i);
		write_samples(k, interlace, &s, &f);
		write_bytes("kind", f.bytes, f.n);
		if (!MT_CHECK_INT(png_read(path_of("kind"), &p), MT_OK)) {
			mt_test_note("%s", mt_error_take(NULL));
			continue;
		}
		MT_CHECK(p.width == WIDTH && p.height == HEIGHT);
		for (int y = 0; y < HEIGHT; y++)
			for (int x = 0; x < WIDTH; x++)
				MT_CHECK_NEAR(p.pixels[y * WIDTH + x] / 255.0, grey_of(k, &s, x, y) / 255.0, 2.0 / 255.0);
		picture_free(&p);
	}
}

/* White ink on nothing is seen on black, dark ink on nothing on white. */
static void test_transparent_paper(void) {
	static struct samples s;
	static struct file f;
	static const struct kind kind = {"", PNG_COLOR_TYPE_GRAY_ALPHA, 8, 0};
	static const int inks[] = {255, 200, 90, 0};
	for (size_t i = 0; i < sizeof inks / sizeof *inks; i++) {
		struct picture p;
		mt_test_row("ink %d", inks[i]);
		memset(&s, 0, sizeof s);
		s.rows[5][2 * 7] = (unsigned char)inks[i];
		s.rows[5][2 * 7 + 1] = 255;
		write_samples(&kind, PNG_INTERLACE_NONE, &s, &f);
		write_bytes("ink", f.bytes, f.n);
		MT_REQUIRE(png_read(path_of("ink"), &p) == MT_OK);
		MT_CHECK_INT(p.pixels[5 * WIDTH + 7], inks[i]);
		MT_CHECK_INT(p.pixels[0], inks[i] >= 128 ? 0 : 255);
		picture_free(&p);
	}
}

/* ---- damage ----------------------------------------------------------------------------------------------------- */

/* One file of each sort of row: packed, wide, interlaced. */
static void damaged_files(void (*check)(const struct file *)) {
	static struct samples s;
	static struct file f;
	static const int which[] = {0, 10, 14, 21};
	for (size_t i = 0; i < 2 * sizeof which / sizeof *which; i++) {
		const struct kind *k = &kinds[which[i / 2]];
		mt_test_row("%s%s", k->name, i % 2 ? ", interlaced" : "");
		memset(&s, 0x5a, sizeof s); /* compresses well: the file is short */
		write_samples(k, i % 2 ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, &s, &f);
		check(&f);
	}
}

static void truncate_everywhere(const struct file *f) {
	struct picture p;
	for (size_t n = 0; n < f->n; n++) {
		write_bytes("cut", f->bytes, n);
		if (n < 8)
			refused("cut", MT_E_FORMAT, "expected a PNG file, got another");
		else
			refused("cut", MT_E_FORMAT, "cannot read this PNG file: ");
	}
	refused("cut", MT_E_FORMAT, "the file ends too early");
	write_bytes("cut", f->bytes, f->n);
	MT_CHECK_INT(png_read(path_of("cut"), &p), MT_OK);
	picture_free(&p);
}

/* These files have no chunk that could be done without: every bit counts. */
static void flip_everywhere(const struct file *f) {
	static struct file flipped;
	for (size_t bit = 0; bit < 8 * f->n; bit++) {
		flipped = *f;
		flipped.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		write_bytes("flip", flipped.bytes, flipped.n);
		refused("flip", MT_E_FORMAT, "PNG file");
	}
}

static void test_truncated(void) {
	damaged_files(truncate_everywhere);
}

static void test_flipped(void) {
	damaged_files(flip_everywhere);
}

/* Bytes after the end are no part of the file. */
static void test_trailing(void) {
	static struct samples s;
	static struct file f;
	struct picture p;
	write_samples(&kinds[3], PNG_INTERLACE_NONE, &s, &f);
	memcpy(f.bytes + f.n, "more", 4);
	write_bytes("more", f.bytes, f.n + 4);
	MT_CHECK_INT(png_read(path_of("more"), &p), MT_OK);
	picture_free(&p);
}

static void put32(unsigned char *to, uint32_t value) {
	for (int i = 0; i < 4; i++)
		to[i] = (unsigned char)(value >> (24 - 8 * i));
}

/* A file whose header says another size, with a right checksum. */
static void test_sizes(void) {
	static const struct {
		uint32_t width, height;
		mt_status status;
		const char *part;
	} rows[] = {
		{16385, 1, MT_E_UNSUPPORTED, "16385 x 1 pixels are too many: a side has at most 16384"},
		{1, 16385, MT_E_UNSUPPORTED, "1 x 16385 pixels are too many"},
		{16384, 16384, MT_E_UNSUPPORTED, "16384 x 16384 pixels are too many"},
		{2147483647, 2147483647, MT_E_UNSUPPORTED, "2147483647 x 2147483647 pixels are too many"},
		{16384, 2048, MT_E_FORMAT, "bytes cannot hold the 16384 x 2048 pixels that the header promises"},
		{0, 5, MT_E_FORMAT, "IHDR"},
		{5, 0, MT_E_FORMAT, "IHDR"},
		{4294967295, 5, MT_E_FORMAT, ""},
		{WIDTH, HEIGHT + 1, MT_E_FORMAT, "cannot read this PNG file: "},
		{WIDTH, 2 * HEIGHT, MT_E_FORMAT, "cannot read this PNG file: "},
	};
	static struct samples s;
	static struct file f;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("%lu x %lu", (unsigned long)rows[i].width, (unsigned long)rows[i].height);
		write_samples(&kinds[3], PNG_INTERLACE_NONE, &s, &f);
		put32(f.bytes + 16, rows[i].width);
		put32(f.bytes + 20, rows[i].height);
		put32(f.bytes + 29, (uint32_t)crc32(0, f.bytes + 12, 17));
		write_bytes("size", f.bytes, f.n);
		refused("size", rows[i].status, rows[i].part);
	}
}

static void test_others(void) {
	write_bytes("text.png", "no picture at all", 17);
	refused("text.png", MT_E_FORMAT, "expected a PNG file, got another");
	write_bytes("empty.png", "", 0);
	refused("empty.png", MT_E_FORMAT, "expected a PNG file, got another");
	write_bytes("signature.png", "\x89PNG\r\n\x1a\n", 8);
	refused("signature.png", MT_E_FORMAT, "the file ends too early");
	refused("nowhere.png", MT_E_IO, "cannot open: No such file");
	MT_CHECK_INT(mkdir(path_of("folder.png"), 0700), 0);
	refused("folder.png", MT_E_IO, "expected a regular file");
}

static const mt_test_case cases[] = {
	{"expected", test_expected},   {"kinds", test_kinds},     {"transparent_paper", test_transparent_paper},
	{"truncated", test_truncated}, {"flipped", test_flipped}, {"trailing", test_trailing},
	{"sizes", test_sizes},         {"others", test_others},   {0}};

#else

static void test_without(void) {
	write_bytes("a.png", "\x89PNG\r\n\x1a\n", 8);
	refused("a.png", MT_E_UNSUPPORTED, "reads no PNG files: libpng was not found");
}

static const mt_test_case cases[] = {{"expected", test_expected}, {"without_libpng", test_without}, {0}};

#endif

static const mt_test_suite suites[] = {{"png", cases, make_folder, remove_folder}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
