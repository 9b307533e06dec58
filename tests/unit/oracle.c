/* Inputs, random numbers, comparison. */
#include "oracle.h"

#include <math.h>
#include <stdlib.h>

const char *layout_name(enum layout layout) {
	static const char *const names[N_LAYOUTS] = {"contiguous", "transposed", "stepped", "backwards", "repeated"};
	return names[layout];
}

void base_shape(enum layout layout, int rank, const int64_t *shape, int64_t *base) {
	for (int d = 0; d < rank; d++)
		base[d] = layout == TRANSPOSED ? shape[rank - 1 - d] : shape[d];
	if (layout == STEPPED && rank > 0)
		base[rank - 1] *= 2;
	if (layout == REPEATED && rank > 0)
		base[0] = shape[0] > 0;
}

mt_tensor *lay_out(mt_tensor *base, enum layout layout, int rank, const int64_t *shape) {
	int64_t reversed[MT_MAX_RANK];
	for (int d = 0; d < rank; d++)
		reversed[d] = rank - 1 - d;
	if (rank == 0)
		return base;
	switch (layout) {
	case TRANSPOSED:
		return mt_permute(base, rank, reversed);
	case STEPPED:
		return mt_slice(base, rank - 1, 1, MT_END, 2);
	case BACKWARDS:
		return mt_flip(base, 0);
	case REPEATED:
		return mt_expand(base, rank, shape);
	default:
		return base;
	}
}

double draw(uint64_t *state, double low, double high) {
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	uint64_t bits = *state ^ *state >> 29;
	return low + (high - low) * ((double)(bits >> 11) / 0x1p53);
}

mt_tensor *random_like(int rank, const int64_t *shape, mt_dtype dtype, double low, double high, uint64_t seed) {
	int64_t n = 1;
	for (int d = 0; d < rank; d++)
		n *= shape[d];
	double *values = malloc((size_t)n * sizeof *values + 1);
	if (values == NULL)
		return NULL;
	uint64_t state = seed * 2654435761u + 12345;
	for (int64_t i = 0; i < n; i++)
		values[i] = draw(&state, low, high);
	mt_tensor *t = mt_cast(mt_from_data(rank, shape, MT_F64, values), dtype);
	free(values);
	return t;
}

mt_tensor *random_in(enum layout layout, int rank, const int64_t *shape, mt_dtype dtype, double low, double high,
                     uint64_t seed) {
	int64_t base[MT_MAX_RANK];
	base_shape(layout, rank, shape, base);
	return lay_out(random_like(rank, base, dtype, low, high, seed), layout, rank, shape);
}

double rtol_of(mt_dtype dtype) {
	return dtype == MT_F64 ? 1e-13 : dtype == MT_F32 ? 1e-6 : dtype == MT_F16 ? 1e-3 : dtype == MT_BF16 ? 8e-3 : 0;
}

int check_close(mt_tensor *t, const double *expected, int64_t n, double rtol, double scale, const char *file, int line,
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
		double err = have[i] == expected[i] ? 0 : fabs(have[i] - expected[i]);
		int close = err <= rtol * fmax(scale, fabs(expected[i])) && !(isinf(expected[i]) && err != 0);
		good = mt_test_check(close || (isnan(have[i]) && isnan(expected[i])), file, line,
		                     "%s: element %lld is %.17g, not %.17g", text, (long long)i, have[i], expected[i]);
	}
	free(have);
	return good;
}
