/* Status codes, the error slot, logging, allocation hooks.
 *
 * Functions that give a tensor return NULL when they fail; the others return an mt_status.  What went wrong is kept in
 * the calling thread's error slot: a code and a message that names the op, the argument, the shapes and dtypes.
 * A failure writes the slot only while it is empty or already read; success never clears it.  So a chain of calls is
 * checked once, at its end, and shows the first cause:
 *
 *     mt_tensor *y = mt_relu(mt_add(mt_matmul(x, w), b));
 *     if (y == NULL)
 *             fprintf(stderr, "%s\n", mt_error_take(NULL));
 *
 * NULL given as a tensor argument means "an earlier call failed": the function returns NULL too, and sets MT_E_NULL
 * only where the slot is empty.  Nothing in the library aborts, exits or prints because of input. */
#ifndef MT_STATUS_H
#define MT_STATUS_H

#include "mt/plugin.h"

#if defined(__GNUC__)
#define MT_API __attribute__((visibility("default")))
#define MT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define MT_API
#define MT_PRINTF(fmt, args)
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t mt_status; /* enum mt_status_id; MT_OK is 0 */

/* The library's version, "0.1.0". */
MT_API const char *mt_version(void);

/* The fixed text of a status code, "shapes do not fit"; "unknown status" for a number that is none. */
MT_API const char *mt_status_text(mt_status status);

/* The name of a status code, "MT_E_SHAPE". */
MT_API const char *mt_status_name(mt_status status);

/* Reads and clears this thread's error: returns its message ("" when there is none), valid until the thread's next
 * failure, and stores its code in *status unless status is NULL. */
MT_API const char *mt_error_take(mt_status *status);

/* The code in this thread's slot without reading it; MT_OK when empty or already read. */
MT_API mt_status mt_error_peek(void);

/* For programs and extensions built on libmt: fails as the library does.  Returns status. */
MT_API mt_status mt_error_set(mt_status status, const char *format, ...) MT_PRINTF(2, 3);

/* All of libmt's own host allocations go through these three; the default is the C library.  Call before anything
 * else.  A NULL return is reported as MT_E_MEMORY.  (Buffers of tensors come from the device's plugin.) */
MT_API void mt_set_allocator(void *(*alloc)(size_t), void *(*resize)(void *, size_t), void (*release)(void *));

#ifdef __cplusplus
}
#endif

#endif
