/* The backends a test runs on. */
#include "backends.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BACKENDS = 8 };

/* Fills names with the words of MT_TEST_BACKENDS, which text keeps; how many there are. */
static int read_names(char *text, size_t size, const char **names) {
	const char *given = getenv("MT_TEST_BACKENDS");
	char *rest = NULL;
	int n = 0;
	snprintf(text, size, "%s", given != NULL && given[0] != '\0' ? given : "naive,omp,cuda");
	for (char *name = strtok_r(text, ",", &rest); name != NULL && n < MOST_BACKENDS; name = strtok_r(NULL, ",", &rest))
		names[n++] = name;
	return n;
}

/* The first op of each kernel that has ops of its own. */
static int32_t op_of(int32_t kernel) {
	switch (kernel) {
	case MT_K_MAP:
	case MT_K_ZIP:
	case MT_K_REDUCE:
	case MT_K_ARG_REDUCE:
	case MT_K_SCAN:
	case MT_K_POOL:
	case MT_K_POOL_GRAD:
		return 1;
	default:
		return 0;
	}
}

/* A device that claims every kernel must not fall back: what it claims is then what is tested. */
static int32_t policy_of(const mt_device *device) {
	for (int32_t kernel = 1; kernel < MT_K_END_; kernel++)
		if (!mt_device_supports(device, kernel, op_of(kernel), MT_F32))
			return MT_FALLBACK_ALLOW;
	return MT_FALLBACK_ERROR;
}

void each_backend(void (*test)(void)) {
	char text[256];
	const char *names[MOST_BACKENDS];
	int ran = 0, n = read_names(text, sizeof text, names);
	for (int i = 0; i < n; i++) {
		mt_device *device = mt_device_open(names[i]);
		if (device == NULL) {
			mt_test_note("%s: %s", names[i], mt_error_take(NULL));
			continue;
		}
		mt_device_use(device);
		mt_set_fallback(policy_of(device));
		row("start");
		mt_scope *scope = mt_scope_begin();
		test();
		mt_scope_end(scope);
		mt_status status;
		const char *message = mt_error_take(&status);
		MT_CHECK_MSG(status == MT_OK, "%s: an error is left: %s", names[i], message);
		ran++;
	}
	MT_CHECK_MSG(ran > 0, "no backend can be opened");
	mt_device *first = n > 0 ? mt_device_open(names[0]) : NULL;
	if (first != NULL)
		mt_device_use(first);
}

void row(const char *fmt, ...) {
	char text[256];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	mt_test_row("%s: %s", mt_device_name(mt_device_current()), text);
}

double *elements(mt_tensor *t) {
	double *values = NULL;
	mt_scope *scope = mt_scope_begin();
	mt_tensor *f64 = mt_cast(mt_detach(t), MT_F64);
	size_t bytes = (size_t)mt_tensor_numel(f64) * sizeof(double);
	if (f64 != NULL && (values = malloc(bytes + 1)) != NULL && mt_to_host(f64, values, bytes) != MT_OK) {
		free(values);
		values = NULL;
	}
	mt_scope_end(scope);
	return values;
}

int check_values(mt_tensor *t, const double *values, int64_t n, double tolerance, const char *file, int line,
                 const char *text) {
	if (t == NULL)
		return mt_test_check(0, file, line, "%s is NULL: %s", text, mt_error_take(NULL));
	if (!mt_test_check(mt_tensor_numel(t) == n, file, line, "%s has %lld elements, not %lld", text,
	                   (long long)mt_tensor_numel(t), (long long)n))
		return 0;
	double *have = elements(t);
	if (have == NULL)
		return mt_test_check(0, file, line, "%s cannot be read: %s", text, mt_error_take(NULL));
	int good = 1;
	for (int64_t i = 0; i < n && good; i++) {
		double err = have[i] == values[i] ? 0 : fabs(have[i] - values[i]);
		int equal = err <= tolerance || (isnan(have[i]) && isnan(values[i]));
		good = mt_test_check(equal, file, line, "%s: element %lld is %.17g, not %.17g", text, (long long)i, have[i],
		                     values[i]);
	}
	free(have);
	return good;
}

int check_shape(const mt_tensor *t, int rank, const int64_t *shape, const char *file, int line, const char *text) {
	if (t == NULL)
		return mt_test_check(0, file, line, "%s is NULL: %s", text, mt_error_take(NULL));
	if (!mt_test_check(mt_tensor_rank(t) == rank, file, line, "%s has rank %d, not %d", text, mt_tensor_rank(t), rank))
		return 0;
	int good = 1;
	for (int d = 0; d < rank; d++)
		good &= mt_test_check(mt_tensor_size(t, d) == shape[d], file, line, "%s: dim %d is %lld, not %lld", text, d,
		                      (long long)mt_tensor_size(t, d), (long long)shape[d]);
	return good;
}

int check_error(mt_status status, const char *part, const char *file, int line) {
	mt_status have;
	const char *message = mt_error_take(&have);
	int good = mt_test_check(have == status, file, line, "status %s, not %s: %s", mt_status_name(have),
	                         mt_status_name(status), message);
	return mt_test_check_contains(message, part, file, line, "message") && good;
}

int check_out_of_range(mt_tensor *t, const char *part, const char *file, int line) {
	if (t != NULL && mt_device_has_host_memory(mt_tensor_device(t)))
		return mt_test_check(0, file, line, "an index out of range was not refused at the call: %s", part);
	if (t != NULL && mt_device_synchronize(mt_tensor_device(t)) == MT_OK)
		return mt_test_check(0, file, line, "an index out of range was taken: %s", part);
	int good = check_error(MT_E_ARG, part, file, line);
	double one = 0;
	mt_status after = mt_item(mt_ones(MT_SHAPE(1), MT_F32), &one);
	return mt_test_check(after == MT_OK && one == 1, file, line, "after a bad index the device does not go on: %s",
	                     mt_error_take(NULL)) &&
	       good;
}

mt_tensor *counting(int rank, const int64_t *shape, mt_dtype dtype) {
	int64_t n = 1;
	for (int d = 0; d < rank; d++)
		n *= shape[d];
	return mt_reshape(mt_arange(mt_i(0), mt_i(n), mt_i(1), dtype), rank, shape);
}
