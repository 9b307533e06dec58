/* Whether a backend's output is the reference's. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "bench/check.h"

mt_status bench_values_read(mt_tensor *t, mt_device *reference, struct bench_values *out) {
	*out = (struct bench_values){0};
	if (t == NULL)
		return mt_error_set(MT_E_NULL, "there is no output");
	if (mt_tensor_is_none(t))
		return MT_OK;
	mt_scope *scope = mt_scope_begin();
	mt_tensor *here = mt_cast(mt_to_device(mt_detach(t), reference), MT_F64);
	int64_t n = mt_tensor_numel(here);
	mt_status status = here != NULL ? MT_OK : mt_error_peek();
	if (status == MT_OK && n > 0) {
		out->values = malloc((size_t)n * sizeof *out->values);
		status = out->values != NULL ? mt_to_host(here, out->values, (size_t)n * sizeof *out->values)
		                             : mt_error_set(MT_E_MEMORY, "out of memory: an output of %" PRId64 " elements", n);
	}
	out->n = n;
	mt_scope_end(scope);
	if (status != MT_OK)
		bench_values_free(out);
	return status;
}

void bench_values_free(struct bench_values *values) {
	free(values->values);
	*values = (struct bench_values){0};
}

int bench_values_agree(const struct bench_values *a, const struct bench_values *b, double tolerance, char *text,
                       size_t size) {
	int64_t worst = -1;
	double error = tolerance;
	if (a->n != b->n) {
		snprintf(text, size, "%" PRId64 " elements, the reference has %" PRId64, a->n, b->n);
		return 0;
	}
	for (int64_t i = 0; i < a->n; i++) {
		double x = a->values[i], y = b->values[i];
		double e = isinf(y) && x == y ? 0 : fabs(x - y) / (1 + fabs(y));
		if (!(e <= error)) {
			worst = i;
			error = e;
			if (isnan(e))
				break;
		}
	}
	if (worst >= 0)
		snprintf(text, size, "element %" PRId64 " is %.9g, the reference's %.9g (tolerance %g)", worst,
		         a->values[worst], b->values[worst], tolerance);
	return worst < 0;
}
