#include "optim_cases.h"

#include <string.h>

enum { MAX_NUMEL = 1 << 18 };

int cf_optim_valid(const struct cf_case *c) {
	int64_t numel = cf_numel(c->rank, c->shape);
	return numel > 0 && numel <= MAX_NUMEL && (c->data != CF_SPECIAL || c->in < CF_BROADCAST);
}

void cf_optim_each(cf_emit_fn emit, void *context, const struct cf_op *op, const int64_t *rows, size_t n_rows,
                   int n_params) {
	static const int64_t small[] = {5, 13}, many[] = {99001};
	for (size_t i = 0; i < n_rows; i++) {
		struct cf_case c = {.op = op->id}, scalar, large;
		memcpy(c.param, rows + i * (size_t)n_params, (size_t)n_params * sizeof *rows);
		scalar = large = c;
		cf_nn_set_shape(&c, 2, small);
		cf_nn_set_shape(&large, 1, many);
		cf_nn_emit_layouts(emit, context, op, c);
		cf_nn_emit_plain(emit, context, op, scalar);
		if (i % 4 == 0)
			cf_nn_emit_plain(emit, context, op, large);
		c.data = CF_SPECIAL;
		c.in = c.out = CF_CONTIGUOUS;
		for (c.dtype = MT_F32; c.dtype <= MT_BF16; c.dtype++)
			emit(&c, context);
	}
}

void cf_optim_draw(struct cf_random *r, struct cf_case *c) {
	cf_random_shape(r, 0, MT_MAX_RANK, 3000, &c->rank, c->shape);
	if (c->data == CF_SPECIAL && c->in >= CF_BROADCAST)
		c->in = CF_CONTIGUOUS;
}

struct cf_array *cf_optim_state(struct cf_run *r, const struct cf_case *c, double low, double high) {
	struct cf_array *a = cf_new(r, CF_INOUT, c->dtype, c->rank, c->shape, c->out);
	cf_fill(r, a, low, high);
	return a;
}

struct cf_array *cf_optim_gradient(struct cf_run *r, const struct cf_case *c) {
	struct cf_array *a = cf_input(r, c->dtype, c->rank, c->shape, c->in, -1, 1);
	if (c->data == CF_SPECIAL)
		cf_nn_sprinkle(r, a, CF_NAN | CF_INFINITE | CF_MINUS_INFINITE, 6);
	return a;
}

mt_step_value cf_optim_value(struct cf_run *r, double value, int32_t device) {
	mt_step_value s = {value, NULL};
	if (device != 0) {
		struct cf_array *a = cf_new(r, CF_IN, device, 0, NULL, CF_CONTIGUOUS);
		cf_set(a, 0, value);
		s.value = value + 7;
		s.device = &a->array;
	}
	return s;
}

struct cf_optim_values cf_optim_values(struct cf_run *r, const struct cf_array *a) {
	return (struct cf_optim_values){cf_reference(r, a->numel), cf_reference(r, a->numel)};
}
