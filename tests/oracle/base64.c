#include "base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const unsigned char *data, size_t bytes) {
	char *text = malloc((bytes + 2) / 3 * 4 + 1), *to = text;
	if (text == NULL)
		return NULL;
	for (size_t i = 0; i < bytes; i += 3) {
		size_t left = bytes - i;
		uint32_t group = (uint32_t)data[i] << 16;
		group |= left > 1 ? (uint32_t)data[i + 1] << 8 : 0;
		group |= left > 2 ? data[i + 2] : 0;
		*to++ = digits[group >> 18];
		*to++ = digits[group >> 12 & 63];
		*to++ = left > 1 ? digits[group >> 6 & 63] : '=';
		*to++ = left > 2 ? digits[group & 63] : '=';
	}
	*to = '\0';
	return text;
}

unsigned char *base64_decode(const char *text, size_t *bytes) {
	size_t length = text != NULL ? strlen(text) : 1;
	unsigned char *data = length % 4 == 0 ? malloc(length / 4 * 3 + 1) : NULL;
	uint32_t group = 0;
	*bytes = 0;
	for (size_t i = 0; data != NULL && i < length; i++) {
		const char *digit = text[i] != '=' ? strchr(digits, text[i]) : digits;
		if (digit == NULL) {
			free(data);
			return NULL;
		}
		group = group << 6 | (uint32_t)(digit - digits);
		if (i % 4 != 3)
			continue;
		data[(*bytes)++] = (unsigned char)(group >> 16);
		if (text[i - 1] != '=')
			data[(*bytes)++] = (unsigned char)(group >> 8);
		if (text[i] != '=')
			data[(*bytes)++] = (unsigned char)group;
	}
	return data;
}
