/* The kernel table and the capability table (R7). */
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "families.h"
#include "structure.h"

static const struct kernel_row {
	const char *name;
	int must;
} kernels[] = {
	{NULL, 0},
#define MT_KERNEL(id, NAME, name, group, must) {#name, must},
#include "mt/kernels.def"
#undef MT_KERNEL
};

static const struct mt_capability *row_at(const struct cf_structure_run *r, uint64_t i) {
	return &r->host->api->capabilities[i];
}

/* A plugin of a newer minor may list kernels, ops and dtypes that this suite does not know. */
static int is_newer(const struct cf_structure_run *r) {
	return r->host->plugin.abi_minor > MT_ABI_MINOR;
}

static void mandatory(struct cf_structure_run *r) {
	for (int32_t k = 1; k < MT_K_END_; k++) {
		int claimed = 0;
		if (!kernels[k].must)
			continue;
		cf_expect(r, cf_has_kernel(r->host->api->kernels, k), "R7: the required kernel %s is missing", kernels[k].name);
		for (int32_t op = 0; op < 256 && !claimed; op++)
			claimed = cf_claims(r->host->api, k, op, MT_F32, k == MT_K_COPY ? MT_F32 : 0);
		cf_expect(r, claimed, "R7: the required kernel %s is not claimed in f32", kernels[k].name);
	}
}

static void has_functions(struct cf_structure_run *r) {
	for (uint64_t i = 0; i < r->host->api->n_capabilities; i++) {
		int32_t k = row_at(r, i)->kernel;
		if (k >= 1 && k < MT_K_END_)
			cf_expect(r, cf_has_kernel(r->host->api->kernels, k),
			          "row %llu claims %s, for which the table has no function", (unsigned long long)i,
			          kernels[k].name);
	}
	cf_expect(r, r->host->api->n_capabilities > 0, "the capability table is empty");
}

static int knows_op(int32_t kernel, int32_t op) {
	const struct cf_family *f = cf_family_of(kernel);
	for (int i = 0; f != NULL && i < f->n_ops; i++)
		if (cf_abi_op(f->ops[i].id) == op)
			return 1;
	return op == 0 || f == NULL;
}

static void known_ids(struct cf_structure_run *r) {
	for (uint64_t i = 0; i < r->host->api->n_capabilities && !is_newer(r); i++) {
		const struct mt_capability *c = row_at(r, i);
		int known = c->kernel >= 1 && c->kernel < MT_K_END_;
		cf_expect(r, known, "row %llu: there is no kernel %d", (unsigned long long)i, (int)c->kernel);
		cf_expect(r, !known || knows_op(c->kernel, c->op), "row %llu: %s has no op %d", (unsigned long long)i,
		          known ? kernels[c->kernel].name : "", (int)c->op);
		cf_expect(r, c->dtypes != 0 && (c->dtypes & ~MT_SET_ALL) == 0, "row %llu: the dtypes %#x are not all known",
		          (unsigned long long)i, c->dtypes);
		cf_expect(r, c->kernel == MT_K_COPY ? c->to != 0 && (c->to & ~MT_SET_ALL) == 0 : c->to == 0,
		          "row %llu: to is %#x (dtypes for copy, else 0)", (unsigned long long)i, c->to);
	}
	cf_expect(r, 1, "nothing");
}

/* What is claimed is what the ABI defines: each op on its own dtypes.  A row for every op may name those of any. */
static void defined_dtypes(struct cf_structure_run *r) {
	for (uint64_t i = 0; i < r->host->api->n_capabilities && !is_newer(r); i++) {
		const struct mt_capability *c = row_at(r, i);
		const struct cf_family *f = cf_family_of(c->kernel);
		uint32_t defined = 0;
		for (int k = 0; f != NULL && k < f->n_ops; k++)
			if (c->op == 0 || cf_abi_op(f->ops[k].id) == c->op)
				defined |= f->ops[k].dtypes;
		for (int32_t t = 1; t < MT_DTYPE_END_; t++)
			cf_expect(r, f == NULL || !(c->dtypes & MT_DTYPE_BIT(t)) || (defined & MT_DTYPE_BIT(t)),
			          "row %llu claims %s on %s, where it is not defined", (unsigned long long)i,
			          f != NULL ? f->name : "", cf_dtype_name(t));
	}
	cf_expect(r, 1, "nothing");
}

static void sizes(struct cf_structure_run *r) {
	const struct mt_device_api *api = r->host->api;
	cf_expect(r, api->struct_size >= offsetof(struct mt_device_api, event_create),
	          "the device's table is %u bytes long", api->struct_size);
	cf_expect(r, api->kernels->struct_size >= offsetof(struct mt_kernel_table, arg_reduce),
	          "the kernel table is %u bytes long", api->kernels->struct_size);
	int events = (api->event_create != NULL) + (api->event_destroy != NULL) + (api->event_record != NULL) +
	             (api->event_wait != NULL);
	cf_expect(r, events == 0 || events == 4, "%d of the four event functions are there: all or none", events);
}

static void stays(struct cf_structure_run *r) {
	struct cf_host other;
	if (!cf_expect(r, cf_host_open(&other, r->target, NULL), "opened again: %s", cf_error()))
		return;
	const struct mt_device_api *a = r->host->api, *b = other.api;
	cf_expect(r,
	          a->n_capabilities == b->n_capabilities &&
	              memcmp(a->capabilities, b->capabilities, a->n_capabilities * sizeof *a->capabilities) == 0,
	          "a device opened again has another capability table");
	cf_host_close(&other);
}

const struct cf_structure cf_table_checks[] = {
	{"table", "mandatory", 1, mandatory},
	{"table", "has_functions", 1, has_functions},
	{"table", "known_ids", 1, known_ids},
	{"table", "defined_dtypes", 1, defined_dtypes},
	{"table", "sizes", 1, sizes},
	{"table", "stays", 1, stays},
	{NULL, NULL, 0, NULL},
};
