/* The network: building it, scoring the points, mapping the plane. */
#include <math.h>
#include <stdlib.h>

#include "train_points/train_points.h"

/* The parts are made one after another, so that a seed gives the same weights under every compiler. */
static int add(mt_module *net, const char *name, mt_module *layer) {
	return mt_module_add_child(net, name, layer) == MT_OK;
}

mt_module *net_build(int64_t hidden) {
	mt_module *net = mt_nn_sequential(0, NULL);
	if (net && add(net, "linear1", mt_nn_linear(2, hidden, 1)) && add(net, "relu1", mt_nn_relu()) &&
	    add(net, "linear2", mt_nn_linear(hidden, hidden, 1)) && add(net, "relu2", mt_nn_relu()) &&
	    add(net, "linear3", mt_nn_linear(hidden, 1, 1)))
		return net;
	mt_module_free(net);
	return NULL;
}

mt_optim *net_optim(mt_module *net, const struct options *o) {
	mt_tensor *parameters[N_PARAMETERS];
	int64_t n = mt_module_parameters(net, parameters, N_PARAMETERS);
	if (o->optimizer == OPTIMIZER_ADAM)
		return mt_optim_adam(parameters, n, o->rate, (mt_adam_options){0});
	return mt_optim_sgd(parameters, n, o->rate, (mt_sgd_options){0});
}

/* The network's outputs for n points, outside the graph, into host memory. */
static mt_status infer(mt_module *net, const float *xy, int64_t n, int sigmoid, float *out) {
	mt_scope *scope = mt_scope_begin();
	int was = mt_grad_enable(0);
	mt_tensor *y = mt_forward(net, mt_from_data(MT_SHAPE(n, 2), MT_F32, xy));
	mt_status status = mt_to_host(sigmoid ? mt_sigmoid(y) : y, out, (size_t)n * sizeof *out);
	mt_grad_enable(was);
	mt_scope_end(scope);
	return status;
}

mt_status net_score(mt_module *net, const struct points *p, struct score *out) {
	float *logits = malloc((size_t)p->n * sizeof *logits);
	if (logits == NULL)
		return mt_error_set(MT_E_MEMORY, "no memory for the logits of %lld points", (long long)p->n);
	mt_status status = infer(net, p->xy.data, p->n, 0, logits);
	*out = (struct score){0};
	for (int64_t i = 0; i < p->n && status == MT_OK; i++) {
		double x = logits[i], y = points_label(p, i);
		out->loss += fmax(x, 0) - x * y + log1p(exp(-fabs(x))); /* −ln p of the right class */
		out->correct += isfinite(x) && (x >= 0) == (y > 0);     /* x ≥ 0: p ≥ 1/2, class 1 */
	}
	out->loss /= (double)p->n;
	free(logits);
	return status;
}

mt_status net_map(mt_module *net, const struct points *p, int side, uint8_t *bytes) {
	int64_t cells = (int64_t)side * side;
	float *xy = calloc((size_t)cells, 3 * sizeof *xy);
	if (xy == NULL)
		return mt_error_set(MT_E_MEMORY, "no memory for a map of %lld cells", (long long)cells);
	float *out = xy + 2 * cells;
	double cell = (p->high - p->low) / side;
	for (int64_t i = 0; i < cells; i++) {
		xy[2 * i] = (float)(p->low + cell * ((double)(i % side) + 0.5));
		xy[2 * i + 1] = (float)(p->high - cell * ((double)(i / side) + 0.5));
	}
	mt_status status = infer(net, xy, cells, 1, out);
	for (int64_t i = 0; i < cells && status == MT_OK; i++)
		bytes[i] = out[i] > 0 ? (uint8_t)(out[i] * 255 + 0.5f) : 0; /* NaN of a net that diverged: 0 */
	free(xy);
	return status;
}
