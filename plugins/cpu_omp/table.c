/* One ISA level's kernel table.  A kernel that is not listed is one the plugin does not have; capabilities.c says for
 * which dtypes and ops each works. */
#include "isa.h"

static const struct mt_kernel_table table = {
	.struct_size = sizeof(struct mt_kernel_table),
	.copy = MT_ISA_NAME(mt__omp_copy),
	.fill = MT_ISA_NAME(mt__omp_fill),
	.map = MT_ISA_NAME(mt__omp_map),
	.zip = MT_ISA_NAME(mt__omp_zip),
	.reduce = MT_ISA_NAME(mt__omp_reduce),
	.matmul = MT_ISA_NAME(mt__omp_matmul),
	.arg_reduce = MT_ISA_NAME(mt__omp_arg_reduce),
	.gather = MT_ISA_NAME(mt__omp_gather),
	.scatter_add = MT_ISA_NAME(mt__omp_scatter_add),
	.select = MT_ISA_NAME(mt__omp_select),
	.scan = MT_ISA_NAME(mt__omp_scan),
	.sort = MT_ISA_NAME(mt__omp_sort),
	.conv = MT_ISA_NAME(mt__omp_conv),
	.conv_grad_input = MT_ISA_NAME(mt__omp_conv_grad_input),
	.conv_grad_weight = MT_ISA_NAME(mt__omp_conv_grad_weight),
	.pool = MT_ISA_NAME(mt__omp_pool),
	.pool_grad = MT_ISA_NAME(mt__omp_pool_grad),
	.softmax = MT_ISA_NAME(mt__omp_softmax),
	.softmax_grad = MT_ISA_NAME(mt__omp_softmax_grad),
	.cross_entropy = MT_ISA_NAME(mt__omp_cross_entropy),
	.cross_entropy_grad = MT_ISA_NAME(mt__omp_cross_entropy_grad),
	.layer_norm = MT_ISA_NAME(mt__omp_layer_norm),
	.layer_norm_grad = MT_ISA_NAME(mt__omp_layer_norm_grad),
	.batch_norm = MT_ISA_NAME(mt__omp_batch_norm),
	.batch_norm_grad = MT_ISA_NAME(mt__omp_batch_norm_grad),
	.embedding = MT_ISA_NAME(mt__omp_embedding),
	.embedding_grad = MT_ISA_NAME(mt__omp_embedding_grad),
	.uniform = MT_ISA_NAME(mt__omp_uniform),
	.normal = MT_ISA_NAME(mt__omp_normal),
	.bernoulli = MT_ISA_NAME(mt__omp_bernoulli),
	.sgd = MT_ISA_NAME(mt__omp_sgd),
	.adam = MT_ISA_NAME(mt__omp_adam),
};

const struct mt_kernel_table *MT_ISA_NAME(mt__omp_kernels)(void) {
	return &table;
}
