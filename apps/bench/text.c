/* Texts of the table. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "bench/text.h"

/* The character at *at, which moves on behind it; a byte that is no UTF-8 counts as a character. */
static uint32_t next_character(const char **at) {
	const unsigned char *p = (const unsigned char *)*at;
	int more = p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : p[0] >= 0xc0 ? 1 : 0;
	uint32_t c = more == 3 ? p[0] & 7u : more == 2 ? p[0] & 15u : more == 1 ? p[0] & 31u : p[0];
	for (int i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			*at += 1;
			return p[0];
		}
		c = c << 6 | (p[i] & 63u);
	}
	*at += 1 + more;
	return c;
}

static int character_width(uint32_t c) {
	static const struct {
		uint32_t from, to;
		int width;
	} ranges[] = {
		{0x300, 0x36f, 0},   {0x1100, 0x115f, 2},   {0x200b, 0x200f, 0},   {0x20d0, 0x20ff, 0},   {0x2e80, 0xa4cf, 2},
		{0xac00, 0xd7a3, 2}, {0xf900, 0xfaff, 2},   {0xfe00, 0xfe0f, 0},   {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2},
		{0xffe0, 0xffe6, 2}, {0x1f300, 0x1f64f, 2}, {0x1f680, 0x1f6ff, 2}, {0x1f900, 0x1f9ff, 2}, {0x20000, 0x3fffd, 2},
	};
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (c >= ranges[i].from && c <= ranges[i].to)
			return ranges[i].width;
	return 1;
}

int text_width(const char *text) {
	int width = 0;
	while (*text != '\0')
		width += character_width(next_character(&text));
	return width;
}

void text_left(FILE *out, const char *text, int width) {
	int missing = width - text_width(text);
	fprintf(out, "%s%*s", text, missing > 0 ? missing : 0, "");
}

void text_right(FILE *out, const char *text, int width) {
	int missing = width - text_width(text);
	fprintf(out, "%*s%s", missing > 0 ? missing : 0, "", text);
}

void text_cut(const char *text, int width, char *out, size_t size) {
	int whole = text_width(text) <= width, used = 0;
	const char *at = text, *end = text;
	while (*at != '\0') {
		used += character_width(next_character(&at));
		if (used > (whole ? width : width - 1))
			break;
		end = at;
	}
	snprintf(out, size, "%.*s%s", (int)(end - text), text, whole ? "" : "…");
}

void text_three(double value, char *out, size_t size) {
	double v = fabs(value);
	snprintf(out, size, "%.*f", v >= 99.95 ? 0 : v >= 9.995 ? 1 : v >= 0.0995 || v == 0 ? 2 : 3, value);
}

void text_time(double seconds, char *out, size_t size) {
	static const struct {
		double scale;
		const char *unit;
	} units[] = {{1, "s"}, {1e3, "ms"}, {1e6, "µs"}, {1e9, "ns"}};
	size_t i = 0;
	while (i < 3 && seconds * units[i].scale < 0.9995)
		i++;
	char number[32];
	text_three(seconds * units[i].scale, number, sizeof number);
	snprintf(out, size, "%s %s", number, units[i].unit);
}

void text_rate(double rate, const char *unit, char *out, size_t size) {
	static const struct {
		double scale;
		const char *prefix;
	} units[] = {{1e-12, "T"}, {1e-9, "G"}, {1e-6, "M"}, {1e-3, "k"}, {1, ""}};
	size_t i = 0;
	while (i < 4 && rate * units[i].scale < 0.9995)
		i++;
	char number[32];
	text_three(rate * units[i].scale, number, sizeof number);
	snprintf(out, size, "%s %s%s/s", number, units[i].prefix, unit);
}
