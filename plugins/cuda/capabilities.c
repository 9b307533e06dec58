#include "mt_cuda.h"

const struct mt_kernel_table mt__cuda_kernels = {
	.struct_size = sizeof(struct mt_kernel_table),
	.copy = mt__cuda_copy,
	.fill = mt__cuda_fill,
	.map = mt__cuda_map,
	.zip = mt__cuda_zip,
	.reduce = mt__cuda_reduce,
	.matmul = mt__cuda_matmul,
};

const struct mt_capability mt__cuda_capabilities[] = {
#include "capabilities.def"
};

const uint64_t mt__cuda_n_capabilities = sizeof mt__cuda_capabilities / sizeof *mt__cuda_capabilities;
