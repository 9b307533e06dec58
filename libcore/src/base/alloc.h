/* Host memory: every allocation of libmt outside device buffers. */
#ifndef MT_BASE_ALLOC_H
#define MT_BASE_ALLOC_H

#include <stddef.h>

/* NULL on failure, without touching the error slot; zero bytes gives a unique pointer. */
void *mt__alloc(size_t bytes);
void *mt__calloc(size_t count, size_t size); /* zeroed; NULL on overflow */
void *mt__realloc(void *p, size_t bytes);
void mt__free(void *p);
char *mt__strdup(const char *text);

/* A text that grows: append with printf formats.  data is NULL after an allocation failed (failed is then 1). */
struct mt_text {
	char *data;
	size_t length, capacity;
	int failed;
};
void mt__text_add(struct mt_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void mt__text_free(struct mt_text *text);

#endif
