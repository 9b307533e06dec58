#include "naive.h"

#define MT_KERNEL(id, NAME, name, group, must) .name = mt__naive_##name,
const struct mt_kernel_table mt__naive_kernels = {
	.struct_size = sizeof(struct mt_kernel_table),
#include "mt/kernels.def"
};
#undef MT_KERNEL

const struct mt_capability mt__naive_capabilities[] = {
#include "capabilities.def"
};

const uint64_t mt__naive_n_capabilities = sizeof mt__naive_capabilities / sizeof *mt__naive_capabilities;
