/* Layers that have one weight and maybe a bias. */
#include "nn/weight.h"

#include <math.h>

mt_module *mt__with_weight(mt_module *m, int rank, const int64_t *shape, int64_t fan_in, int64_t outputs) {
	if (m == NULL)
		return NULL;
	double bound = fan_in > 0 ? 1.0 / sqrt((double)fan_in) : 0;
	mt_status status = mt__add_uniform(m, "weight", rank, shape, bound);
	if (status == MT_OK && outputs > 0)
		status = mt__add_uniform(m, "bias", 1, &outputs, bound);
	if (status == MT_OK)
		return m;
	mt_module_free(m);
	return NULL;
}
