#include "mt_cuda.h"

const struct mt_kernel_table mt__cuda_kernels = {
	.struct_size = sizeof(struct mt_kernel_table),
#define MT_KERNEL(id, NAME, name, group, must) .name = mt__cuda_##name,
#include "mt/kernels.def"
#undef MT_KERNEL
};

const struct mt_capability mt__cuda_capabilities[] = {
#include "capabilities.def"
};

const uint64_t mt__cuda_n_capabilities = sizeof mt__cuda_capabilities / sizeof *mt__cuda_capabilities;
