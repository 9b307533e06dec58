/* Failing: the one place that writes the thread's error slot. */
#ifndef MT_BASE_ERROR_H
#define MT_BASE_ERROR_H

#include <stdarg.h>

#include "mt/status.h"

/* Writes code and message into the slot where it is empty or read; returns status.  For functions that return NULL:
 *     return mt__fail_null(MT_E_SHAPE, "matmul: …"); */
mt_status mt__fail(mt_status status, const char *format, ...) MT_PRINTF(2, 3);
mt_status mt__vfail(mt_status status, const char *format, va_list args) MT_PRINTF(2, 0);
void *mt__fail_null(mt_status status, const char *format, ...) MT_PRINTF(2, 3);

/* MT_E_NULL "OP: ARG is NULL" where the slot is empty (an earlier failure stays the cause); returns MT_E_NULL. */
mt_status mt__fail_arg_null(const char *op, const char *arg);

/* MT_E_MEMORY "WHAT: out of memory (N bytes)". */
mt_status mt__fail_memory(const char *what, size_t bytes);

#endif
