/* Host allocation through hooks, and a growing text. */
#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mt/backend.h"

struct hooks {
	void *(*alloc)(size_t);
	void *(*resize)(void *, size_t);
	void (*release)(void *);
};

static struct hooks hooks = {malloc, realloc, free};

void mt_set_allocator(void *(*alloc)(size_t), void *(*resize)(void *, size_t), void (*release)(void *)) {
	hooks.alloc = alloc != NULL ? alloc : malloc;
	hooks.resize = resize != NULL ? resize : realloc;
	hooks.release = release != NULL ? release : free;
}

void *mt__alloc(size_t bytes) {
	return hooks.alloc(bytes != 0 ? bytes : 1);
}

void *mt__calloc(size_t count, size_t size) {
	if (size != 0 && count > SIZE_MAX / size)
		return NULL;
	void *p = mt__alloc(count * size);
	if (p != NULL)
		memset(p, 0, count * size);
	return p;
}

void *mt__realloc(void *p, size_t bytes) {
	return hooks.resize(p, bytes != 0 ? bytes : 1);
}

void mt__free(void *p) {
	if (p != NULL)
		hooks.release(p);
}

void mt_free(void *p) {
	mt__free(p);
}

char *mt__strdup(const char *text) {
	size_t bytes = strlen(text) + 1;
	char *copy = mt__alloc(bytes);
	if (copy != NULL)
		memcpy(copy, text, bytes);
	return copy;
}

static int text_reserve(struct mt_text *text, size_t extra) {
	size_t need = text->length + extra + 1;
	if (need <= text->capacity)
		return 1;
	size_t capacity = text->capacity != 0 ? text->capacity : 256;
	while (capacity < need)
		capacity *= 2;
	char *data = mt__realloc(text->data, capacity);
	if (data == NULL) {
		mt__text_free(text);
		text->failed = 1;
		return 0;
	}
	text->data = data;
	text->capacity = capacity;
	return 1;
}

void mt__text_add(struct mt_text *text, const char *format, ...) {
	if (text->failed)
		return;
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n >= 0 && text_reserve(text, (size_t)n)) {
		vsnprintf(text->data + text->length, (size_t)n + 1, format, again);
		text->length += (size_t)n;
	}
	va_end(again);
}

void mt__text_free(struct mt_text *text) {
	mt__free(text->data);
	*text = (struct mt_text){0};
}
