/* Capability tables (R7): checked, and compiled to masks. */
#include <stdio.h>
#include <string.h>

#include "backend/kernels.h"

/* The first op beyond those that "every op" (0) of a row stands for: the ops there were in the plugin's minor.  So far
 * every op came with the first; an op that is appended to a list later must not be claimed for plugins older than it. */
static uint32_t ops_of_every(const struct mt__kernel *kernel) {
	return kernel->ops;
}

static const uint32_t musts[] = {
#define MT_KERNEL(id, NAME, name, group, must) (must) != 0 ? id : 0,
#include "mt/kernels.def"
#undef MT_KERNEL
};

static int present(const struct mt_kernel_table *table, int32_t kernel) {
	switch (kernel) {
#define MT_KERNEL(id, NAME, name, group, must)                                                                         \
	case id:                                                                                                           \
		return table->name != NULL;
#include "mt/kernels.def"
#undef MT_KERNEL
	}
	return 0;
}

static void add_row(struct mt__support *out, const struct mt_capability *row) {
	const struct mt__kernel *kernel = &mt__kernels[row->kernel];
	uint32_t first = (uint32_t)row->op, last = first + 1;
	if (row->op == 0 && kernel->ops > 1) {
		first = 1;
		last = ops_of_every(kernel);
	}
	for (uint32_t op = first; op < last && op < kernel->ops; op++)
		out->dtypes[row->kernel][op] |= row->dtypes & mt__op_dtypes((enum mt_kernel_id)row->kernel, (int32_t)op);
	if (row->kernel == MT_K_COPY)
		for (int dtype = 1; dtype < MT_DTYPE_END_; dtype++)
			if ((row->dtypes & MT_DTYPE_BIT(dtype)) != 0)
				out->copy_to[dtype] |= row->to & MT_SET_ALL;
}

static mt_status check_row(const struct mt_capability *row, uint64_t i, const struct mt_kernel_table *kernels,
                           char *why, size_t size) {
	if (row->kernel <= 0 || row->op < 0 || row->dtypes == 0) {
		snprintf(why, size, "R7: capability row %llu has %s %lld", (unsigned long long)i,
		         row->kernel <= 0 ? "kernel"
		         : row->op < 0    ? "op"
		                          : "dtypes",
		         row->kernel <= 0 ? (long long)row->kernel
		         : row->op < 0    ? (long long)row->op
		                          : 0LL);
		return MT_E_PLUGIN;
	}
	if (row->kernel == MT_K_COPY && row->to == 0) {
		snprintf(why, size, "R7: capability row %llu, copy, has no dtypes to copy to", (unsigned long long)i);
		return MT_E_PLUGIN;
	}
	/* a kernel of a newer minor is none of ours */
	if (row->kernel < MT_K_END_ && !present(kernels, row->kernel)) {
		snprintf(why, size, "R7: capability row %llu claims %s, but the kernel table has none", (unsigned long long)i,
		         mt__kernels[row->kernel].name);
		return MT_E_PLUGIN;
	}
	return MT_OK;
}

/* Row 0 of a kernel with ops: what every one of them takes. */
static void compile_every_op(struct mt__support *out) {
	for (int k = 1; k < MT_K_END_; k++) {
		if (mt__kernels[k].ops == 1)
			continue;
		uint32_t every = MT_SET_ALL;
		for (uint32_t op = 1; op < mt__kernels[k].ops; op++)
			every &= out->dtypes[k][op];
		out->dtypes[k][0] = every;
	}
}

static int some_op_takes_f32(const struct mt__support *support, uint32_t kernel) {
	uint32_t any = 0;
	for (uint32_t op = 0; op < mt__kernels[kernel].ops; op++)
		any |= support->dtypes[kernel][op];
	if (kernel == MT_K_COPY)
		any &= support->copy_to[MT_F32];
	return (any & MT_DTYPE_BIT(MT_F32)) != 0;
}

mt_status mt__support_compile(struct mt__support *out, const struct mt_capability *rows, uint64_t n,
                              const struct mt_kernel_table *kernels, char *why, size_t size) {
	memset(out, 0, sizeof *out);
	for (size_t i = 0; i < sizeof musts / sizeof *musts; i++)
		if (musts[i] != 0 && !present(kernels, (int32_t)musts[i])) {
			snprintf(why, size, "R7: the required kernel %s is missing", mt__kernels[musts[i]].name);
			return MT_E_PLUGIN;
		}
	for (uint64_t i = 0; i < n; i++) {
		if (check_row(&rows[i], i, kernels, why, size) != MT_OK)
			return MT_E_PLUGIN;
		if (rows[i].kernel < MT_K_END_)
			add_row(out, &rows[i]);
	}
	compile_every_op(out);
	for (size_t i = 0; i < sizeof musts / sizeof *musts; i++)
		if (musts[i] != 0 && !some_op_takes_f32(out, musts[i])) {
			snprintf(why, size, "R7: no capability row has the required kernel %s in f32", mt__kernels[musts[i]].name);
			return MT_E_PLUGIN;
		}
	return MT_OK;
}
