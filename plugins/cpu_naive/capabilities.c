#include "naive.h"

#define MT_KERNEL(id, NAME, name, group, must) .name = mt__naive_##name,
const struct mt_kernel_table mt__naive_kernels = {
	.struct_size = sizeof(struct mt_kernel_table),
#include "mt/kernels.def"
};
#undef MT_KERNEL

#define FLOAT MT_SET_FLOAT
#define NUMBER MT_SET_NUMBER
#define ALL MT_SET_ALL

const struct mt_capability mt__naive_capabilities[] = {
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
	{MT_K_ARG_REDUCE, 0, ALL, 0},
	{MT_K_GATHER, 0, ALL, 0},
	{MT_K_SCATTER_ADD, 0, ALL, 0},
	{MT_K_SELECT, 0, ALL, 0},
	{MT_K_SCAN, MT_SCAN_SUM, NUMBER, 0},
	{MT_K_SCAN, MT_SCAN_PROD, NUMBER, 0},
	{MT_K_SCAN, MT_SCAN_MAX, ALL, 0},
	{MT_K_SCAN, MT_SCAN_MIN, ALL, 0},
	{MT_K_SORT, 0, ALL, 0},
	{MT_K_CONV, 0, FLOAT, 0},
	{MT_K_CONV_GRAD_INPUT, 0, FLOAT, 0},
	{MT_K_CONV_GRAD_WEIGHT, 0, FLOAT, 0},
	{MT_K_POOL, 0, FLOAT, 0},
	{MT_K_POOL_GRAD, 0, FLOAT, 0},
	{MT_K_SOFTMAX, 0, FLOAT, 0},
	{MT_K_SOFTMAX_GRAD, 0, FLOAT, 0},
	{MT_K_CROSS_ENTROPY, 0, FLOAT, 0},
	{MT_K_CROSS_ENTROPY_GRAD, 0, FLOAT, 0},
	{MT_K_LAYER_NORM, 0, FLOAT, 0},
	{MT_K_LAYER_NORM_GRAD, 0, FLOAT, 0},
	{MT_K_BATCH_NORM, 0, FLOAT, 0},
	{MT_K_BATCH_NORM_GRAD, 0, FLOAT, 0},
	{MT_K_EMBEDDING, 0, ALL, 0},
	{MT_K_EMBEDDING_GRAD, 0, FLOAT, 0},
	{MT_K_UNIFORM, 0, FLOAT, 0},
	{MT_K_NORMAL, 0, FLOAT, 0},
	{MT_K_BERNOULLI, 0, ALL, 0},
	{MT_K_SGD, 0, FLOAT, 0},
	{MT_K_ADAM, 0, FLOAT, 0},
};

const uint64_t mt__naive_n_capabilities = sizeof mt__naive_capabilities / sizeof *mt__naive_capabilities;
