/* What the device can do (R7): the same on every ISA level. */
#include "omp.h"

const struct mt_capability mt__omp_capabilities[] = {
	{MT_K_COPY, 0, MT_SET_ALL, MT_SET_ALL},
	{MT_K_FILL, 0, MT_SET_ALL, 0},
#define MT_MAP(id, NAME, name, dtypes, result, formula) {MT_K_MAP, id, MT_SET_##dtypes, 0},
#include "mt/map_ops.def"
#undef MT_MAP
#define MT_ZIP(id, NAME, name, dtypes, result, formula) {MT_K_ZIP, id, MT_SET_##dtypes, 0},
#include "mt/zip_ops.def"
#undef MT_ZIP
#define MT_REDUCE(id, NAME, name, dtypes, result, formula) {MT_K_REDUCE, id, MT_SET_##dtypes, 0},
#include "mt/reduce_ops.def"
#undef MT_REDUCE
	{MT_K_ARG_REDUCE, 0, MT_SET_ALL, 0},
	{MT_K_GATHER, 0, MT_SET_ALL, 0},
	{MT_K_SCATTER_ADD, 0, MT_SET_ALL, 0},
	{MT_K_SELECT, 0, MT_SET_ALL, 0},
	{MT_K_SCAN, MT_SCAN_SUM, MT_SET_NUMBER, 0},
	{MT_K_SCAN, MT_SCAN_PROD, MT_SET_NUMBER, 0},
	{MT_K_SCAN, MT_SCAN_MAX, MT_SET_ALL, 0},
	{MT_K_SCAN, MT_SCAN_MIN, MT_SET_ALL, 0},
	{MT_K_SORT, 0, MT_SET_ALL, 0},
	{MT_K_MATMUL, 0, MT_SET_NUMBER, 0},
	{MT_K_CONV, 0, MT_SET_FLOAT, 0},
	{MT_K_CONV_GRAD_INPUT, 0, MT_SET_FLOAT, 0},
	{MT_K_CONV_GRAD_WEIGHT, 0, MT_SET_FLOAT, 0},
	{MT_K_POOL, 0, MT_SET_FLOAT, 0},
	{MT_K_POOL_GRAD, 0, MT_SET_FLOAT, 0},
	{MT_K_SOFTMAX, 0, MT_SET_FLOAT, 0},
	{MT_K_SOFTMAX_GRAD, 0, MT_SET_FLOAT, 0},
	{MT_K_CROSS_ENTROPY, 0, MT_SET_FLOAT, 0},
	{MT_K_CROSS_ENTROPY_GRAD, 0, MT_SET_FLOAT, 0},
	{MT_K_LAYER_NORM, 0, MT_SET_FLOAT, 0},
	{MT_K_LAYER_NORM_GRAD, 0, MT_SET_FLOAT, 0},
	{MT_K_BATCH_NORM, 0, MT_SET_FLOAT, 0},
	{MT_K_BATCH_NORM_GRAD, 0, MT_SET_FLOAT, 0},
	{MT_K_EMBEDDING, 0, MT_SET_ALL, 0},
	{MT_K_EMBEDDING_GRAD, 0, MT_SET_FLOAT, 0},
	{MT_K_UNIFORM, 0, MT_SET_FLOAT, 0},
	{MT_K_NORMAL, 0, MT_SET_FLOAT, 0},
	{MT_K_BERNOULLI, 0, MT_SET_ALL, 0},
	{MT_K_SGD, 0, MT_SET_FLOAT, 0},
	{MT_K_ADAM, 0, MT_SET_FLOAT, 0},
};

const uint64_t mt__omp_n_capabilities = sizeof mt__omp_capabilities / sizeof mt__omp_capabilities[0];
