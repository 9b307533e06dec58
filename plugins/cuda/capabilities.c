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

#define FLOAT MT_SET_FLOAT
#define NUMBER MT_SET_NUMBER
#define ALL MT_SET_ALL

const struct mt_capability mt__cuda_capabilities[] = {
	{MT_K_COPY, 0, ALL, ALL},
	{MT_K_FILL, 0, ALL, 0},
#define MT_MAP(id, NAME, name, dtypes, result, formula) {MT_K_MAP, id, dtypes, 0},
#include "mt/map_ops.def"
#undef MT_MAP
#define MT_ZIP(id, NAME, name, dtypes, result, formula) {MT_K_ZIP, id, dtypes, 0},
#include "mt/zip_ops.def"
#undef MT_ZIP
#define MT_REDUCE(id, NAME, name, dtypes, result, formula) {MT_K_REDUCE, id, dtypes, 0},
#include "mt/reduce_ops.def"
#undef MT_REDUCE
	{MT_K_MATMUL, 0, NUMBER, 0},
};

const uint64_t mt__cuda_n_capabilities = sizeof mt__cuda_capabilities / sizeof *mt__cuda_capabilities;
