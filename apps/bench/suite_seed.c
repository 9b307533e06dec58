/* The seed suite: the tables that MiniTorch's implementations publish, beside what mt takes for the same work.  Their
 * figures are of other hardware, and of float64. */
#include <float.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/train_step.h"

#define FAST "FastOps f64, 8 cores Xeon 8462Y+"
#define CUDA "CudaOps f64, A100 80GB"
#define SIMPLE "SimpleOps f64, Xeon 8462Y+"

/* ---- matmul of two pairs of square matrices ----------------------------------------------------------------------- */

enum { PAIRS = 2 };

struct product {
	mt_tensor *a, *b, *out;
};

static void product_free(void *state) {
	struct product *p = state;
	if (p == NULL)
		return;
	mt_release(p->out);
	mt_release(p->b);
	mt_release(p->a);
	free(p);
}

static void *product_make(const struct bench_case *c) {
	struct product *p = calloc(1, sizeof *p);
	if (p == NULL) {
		mt_error_set(MT_E_MEMORY, "%s: out of memory", c->op);
		return NULL;
	}
	mt_scope *scope = mt_scope_begin();
	p->a = mt_retain(mt_randn(MT_SHAPE(PAIRS, c->n[0], c->n[0]), c->dtype));
	p->b = mt_retain(mt_randn(MT_SHAPE(PAIRS, c->n[0], c->n[0]), c->dtype));
	mt_scope_end(scope);
	if (p->a && p->b)
		return p;
	product_free(p);
	return NULL;
}

static mt_status product_run(void *state) {
	struct product *p = state;
	mt_tensor *out = mt_matmul(p->a, p->b);
	if (out == NULL)
		return mt_error_peek();
	mt_release(p->out);
	p->out = mt_retain(out);
	return MT_OK;
}

static mt_tensor *product_output(void *state) {
	return ((struct product *)state)->out;
}

static const struct bench_kind product_kind = {product_make, product_run, product_output, product_free};

static int add_product(struct bench_cases *cases, int64_t n, mt_dtype dtype, double fast, double cuda, double simple) {
	struct bench_case c = {.suite = "seed", .op = "matmul", .dtype = dtype, .x = (double)n, .kind = &product_kind};
	snprintf(c.size, sizeof c.size, "batch=%d,n=%" PRId64, PAIRS, n);
	c.n[0] = n;
	c.flops = 2.0 * PAIRS * (double)n * (double)n * (double)n;
	c.bytes = 3.0 * PAIRS * (double)n * (double)n * (double)mt_dtype_size(dtype);
	c.reference_cost = c.flops;
	/* n roundings of sums that grow like √n, in whatever order a kernel takes: n ε / 2 is the most seen. */
	c.tolerance = 8 * (double)n * (dtype == MT_F64 ? DBL_EPSILON : FLT_EPSILON);
	c.seeds[0] = (struct bench_seed){FAST, fast};
	c.seeds[1] = (struct bench_seed){CUDA, cuda};
	c.seeds[2] = (struct bench_seed){SIMPLE, simple};
	return bench_cases_add(cases, &c);
}

static int add_products(struct bench_cases *cases) {
	static const struct {
		int64_t n;
		double fast, cuda, simple;
	} rows[] = {
		{64, .00214, .00385, .57189}, {128, .00921, .00903, 4.46177}, {256, .04747, .03024, 35.43919},
		{512, .49795, .12134, 0},     {1024, 3.61113, .50216, 0},
	};
	static const mt_dtype dtypes[] = {MT_F32, MT_F64};
	for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++)
		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
			if (add_product(cases, rows[i].n, dtypes[d], rows[i].fast, rows[i].cuda, rows[i].simple) != 0)
				return -1;
	return 0;
}

/* ---- an epoch of the points network: 50 points in shuffled batches of 10 ------------------------------------------ */

enum { POINTS = 50, BATCH = 10, MAX_PARAMETERS = 16 };

struct epoch {
	mt_module *module;
	mt_optim *optim;
	mt_host_array points, labels;
	int64_t number;
	double loss; /* of the last batch, as MiniTorch logs it */
};

static void epoch_free(void *state) {
	struct epoch *e = state;
	if (e == NULL)
		return;
	mt_host_array_free(&e->points);
	mt_host_array_free(&e->labels);
	mt_optim_free(e->optim);
	mt_module_free(e->module);
	free(e);
}

static void *epoch_make(const struct bench_case *c) {
	mt_tensor *parameters[MAX_PARAMETERS];
	struct epoch *e = calloc(1, sizeof *e);
	if (e == NULL) {
		mt_error_set(MT_E_MEMORY, "%s: out of memory", c->op);
		return NULL;
	}
	e->module = bench_net_points.build(c->n);
	int64_t n = mt_module_parameters(e->module, parameters, MAX_PARAMETERS);
	if (e->module != NULL)
		e->optim = bench_net_points.optim(parameters, n);
	if (e->optim != NULL && mt_points_generate(MT_POINTS_SIMPLE, POINTS, 1, &e->points, &e->labels) == MT_OK)
		return e;
	epoch_free(e);
	return NULL;
}

static mt_status train_batch(struct epoch *e, mt_tensor *x, mt_tensor *y, mt_tensor **loss) {
	mt_status status = mt_optim_zero_grad(e->optim);
	*loss = bench_net_points.loss(mt_forward(e->module, x), y);
	if (status == MT_OK)
		status = mt_backward(*loss);
	return status == MT_OK ? mt_optim_step(e->optim) : status;
}

/* The shuffled points go to the device once an epoch, as in train_points. */
static mt_status epoch_run(void *state) {
	struct epoch *e = state;
	uint32_t order[POINTS];
	float points[POINTS][2], labels[POINTS];
	mt_tensor *loss = NULL;
	mt_status status = mt_epoch_order(1, e->number++, POINTS, order);
	for (int i = 0; i < POINTS && status == MT_OK; i++) {
		const float *point = (const float *)e->points.data + 2 * order[i];
		points[i][0] = point[0];
		points[i][1] = point[1];
		labels[i] = ((const uint8_t *)e->labels.data)[order[i]];
	}
	if (status != MT_OK)
		return status;
	mt_tensor *x = mt_from_data(MT_SHAPE(POINTS, 2), MT_F32, points);
	mt_tensor *y = mt_from_data(MT_SHAPE(POINTS, 1), MT_F32, labels);
	for (int at = 0; at < POINTS && status == MT_OK; at += BATCH)
		status = train_batch(e, mt_narrow(x, 0, at, BATCH), mt_narrow(y, 0, at, BATCH), &loss);
	return status == MT_OK ? mt_item(loss, &e->loss) : status;
}

/* The last batch's loss, which four steps on every parameter came before. */
static mt_tensor *epoch_output(void *state) {
	return mt_scalar_tensor(mt_f(((struct epoch *)state)->loss), MT_F64);
}

static const struct bench_kind epoch_kind = {epoch_make, epoch_run, epoch_output, epoch_free};

static int add_epoch(struct bench_cases *cases, int64_t hidden, double fast, double cuda, double simple) {
	struct bench_case c = {.suite = "seed", .op = "points_epoch", .dtype = MT_F32, .kind = &epoch_kind};
	snprintf(c.size, sizeof c.size, "points=%d,batch=%d,hidden=%" PRId64, POINTS, BATCH, hidden);
	c.x = (double)hidden;
	c.n[0] = BATCH;
	c.n[1] = hidden;
	c.flops = POINTS / BATCH * bench_net_points.flops(c.n);
	c.examples = POINTS;
	c.reference_cost = c.flops;
	c.tolerance = 1e-4; /* as a step's */
	c.seeds[0] = (struct bench_seed){FAST, fast};
	c.seeds[1] = (struct bench_seed){CUDA, cuda};
	c.seeds[2] = (struct bench_seed){SIMPLE, simple};
	return bench_cases_add(cases, &c);
}

int bench_seed_cases(struct bench_cases *cases) {
	if (add_products(cases) != 0 || add_epoch(cases, 100, .12, .92, 0) != 0)
		return -1;
	return add_epoch(cases, 1000, 1.17, 1.77, 289.43);
}
