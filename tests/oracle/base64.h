/* Base64 (RFC 4648) for arrays in JSON. */
#ifndef ORACLE_BASE64_H
#define ORACLE_BASE64_H

#include <stddef.h>

/* malloc'ed text; NULL when out of memory. */
char *base64_encode(const unsigned char *data, size_t bytes);
/* malloc'ed bytes, never NULL for valid text; NULL otherwise. */
unsigned char *base64_decode(const char *text, size_t *bytes);

#endif
