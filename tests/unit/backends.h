/* The backends a test runs on, and checks of a tensor's elements. */
#ifndef MT_TEST_BACKENDS_H
#define MT_TEST_BACKENDS_H

#include "mt/mt.h"
#include "mt_test.h"

/* Runs test once on each of naive, omp and cuda (or on those that MT_TEST_BACKENDS lists, with commas between) that can be
 * opened here, as the thread's current device; its failures are shown with the device's name.  A check fails where there
 * is none at all. */
void each_backend(void (*test)(void));

/* Names the row of a table, after the device. */
void row(const char *fmt, ...) MT_TEST_PRINTF(1, 2);

/* The elements of t, row-major and converted to double, are values (n of them); NaN is equal to NaN. */
int check_values(mt_tensor *t, const double *values, int64_t n, double tolerance, const char *file, int line,
                 const char *text);
/* t has this shape. */
int check_shape(const mt_tensor *t, int rank, const int64_t *shape, const char *file, int line, const char *text);
/* The thread's last error has this status, and its message contains part.  Clears it. */
int check_error(mt_status status, const char *part, const char *file, int line);

/* An index in what made t is out of range: t is NULL, or, where the device is not the host's memory, the device says so when
 * it is waited for; either way as MT_E_ARG with part in the message, and the device goes on.  Clears the error. */
int check_out_of_range(mt_tensor *t, const char *part, const char *file, int line);

#define VALUES(...) (const double[]){__VA_ARGS__}, (int64_t)(sizeof((double[]){__VA_ARGS__}) / sizeof(double))
#define CHECK_NEAR_VALUES(t, tolerance, ...) check_values(t, VALUES(__VA_ARGS__), tolerance, __FILE__, __LINE__, #t)
#define CHECK_VALUES(t, ...) CHECK_NEAR_VALUES(t, 0, __VA_ARGS__)
#define CHECK_SHAPE(t, ...) check_shape(t, MT_SHAPE(__VA_ARGS__), __FILE__, __LINE__, #t)
#define CHECK_SHAPE0(t) check_shape(t, MT_SHAPE0, __FILE__, __LINE__, #t)
#define CHECK_ERROR(status, part) check_error(status, part, __FILE__, __LINE__)
#define CHECK_OUT_OF_RANGE(t, part) check_out_of_range(t, part, __FILE__, __LINE__)

/* 0, 1, 2, … of dtype. */
mt_tensor *counting(int rank, const int64_t *shape, mt_dtype dtype);
/* Every element of t as a double, row-major; the caller frees it.  NULL where that fails. */
double *elements(mt_tensor *t);

#endif
