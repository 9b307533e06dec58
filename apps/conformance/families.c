#include "families.h"

#include <stdio.h>
#include <string.h>

#define MT_KERNEL(id, NAME, name, group, must) &cf_##name##_family,
const struct cf_family *const cf_families[] = {
#include "mt/kernels.def"
	NULL};
#undef MT_KERNEL

const struct cf_family *cf_family_of(int32_t kernel) {
	return kernel >= 1 && kernel < MT_K_END_ ? cf_families[kernel - 1] : NULL;
}

const struct cf_family *cf_family_named(const char *name, size_t length) {
	for (int32_t k = 1; k < MT_K_END_; k++) {
		const struct cf_family *f = cf_family_of(k);
		if (f != NULL && strlen(f->name) == length && memcmp(f->name, name, length) == 0)
			return f;
	}
	return NULL;
}

int32_t cf_abi_op(int32_t op) {
	return op % CF_MODE;
}

const struct cf_op *cf_op_of(const struct cf_family *f, int32_t id) {
	for (int i = 0; i < f->n_ops; i++)
		if (f->ops[i].id == id)
			return &f->ops[i];
	return NULL;
}

const struct cf_op *cf_op_named(const struct cf_family *f, const char *name, size_t length) {
	for (int i = 0; i < f->n_ops; i++)
		if (strlen(f->ops[i].name) == length && memcmp(f->ops[i].name, name, length) == 0)
			return &f->ops[i];
	return NULL;
}

void cf_op_label(char *out, size_t size, const struct cf_family *f, const struct cf_op *op) {
	snprintf(out, size, "%s%s%s", f->name, op->name[0] != '\0' ? "." : "", op->name);
}

static int shape_fits(const struct cf_case *c) {
	int64_t numel = 1;
	if (c->rank < 0 || c->rank > MT_MAX_RANK || (!c->family->shaped && c->rank != 0))
		return 0;
	for (int d = 0; d < c->rank; d++) {
		if (c->shape[d] < 0 || c->shape[d] > ((int64_t)1 << 28))
			return 0;
		numel *= c->shape[d] > 0 ? c->shape[d] : 1;
		if (numel > (int64_t)1 << 28)
			return 0;
	}
	return 1;
}

int cf_case_valid(const struct cf_case *c) {
	const struct cf_family *f = c->family;
	const struct cf_op *op = cf_op_of(f, c->op);
	if (op == NULL || c->dtype < 1 || c->dtype >= MT_DTYPE_END_ || !(op->dtypes & MT_DTYPE_BIT(c->dtype)))
		return 0;
	if (f->sides == 0 ? c->side != 0 : c->side < 1 || c->side >= MT_DTYPE_END_ || !(f->sides & MT_DTYPE_BIT(c->side)))
		return 0;
	if (c->in < 0 || c->in >= CF_IN_LAYOUTS || c->out < 0 || c->out >= CF_OUT_LAYOUTS)
		return 0;
	if (c->data < 0 || c->data >= CF_DATA_END || !(f->data & (1u << c->data)) || !shape_fits(c))
		return 0;
	for (int i = 0; i < f->n_params; i++)
		if (c->param[i] < f->params[i].low || c->param[i] > f->params[i].high)
			return 0;
	return f->valid == NULL || f->valid(c);
}
