/* The central difference of a function of numbers. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "mt/autograd.h"

static mt_status check_arguments(mt_real_fn f, const double *x, int n, int arg, double step, const double *out) {
	if (f == NULL || x == NULL || out == NULL)
		return mt__fail_arg_null("central_difference", f == NULL ? "f" : x == NULL ? "x" : "out");
	if (arg < 0 || arg >= n)
		return mt__fail(MT_E_ARG, "central_difference: argument %d of %d", arg, n);
	if (!(step >= 0 && isfinite(step)))
		return mt__fail(MT_E_ARG, "central_difference: step is %g; a positive number is needed, or 0", step);
	return MT_OK;
}

mt_status mt_central_difference(mt_real_fn f, const double *x, int n, int arg, double step, void *context,
                                double *out) {
	mt_status status = check_arguments(f, x, n, arg, step, out);
	if (status != MT_OK)
		return status;
	double h = step > 0 ? step : 1e-6 * fmax(1, fabs(x[arg]));
	volatile double right = x[arg] + h, left = x[arg] - h; /* what 2h really is, once rounded */
	if (right == left)
		return mt__fail(MT_E_ARG, "central_difference: step %g vanishes beside x = %g", h, x[arg]);
	size_t bytes = (size_t)n * sizeof *x;
	double *at = mt__alloc(bytes);
	if (at == NULL)
		return mt__fail_memory("central_difference", bytes);
	memcpy(at, x, bytes);
	at[arg] = right;
	double high = f(at, n, context);
	at[arg] = left;
	double low = f(at, n, context);
	mt__free(at);
	*out = (high - low) / (right - left);
	return MT_OK;
}
