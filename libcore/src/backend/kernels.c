/* Tables made of the .def lists. */
#include "backend/kernels.h"

#include "backend/device.h"

struct mt__kernel mt__kernels[MT_K_END_] = {
#define MT_KERNEL(id, NAME, name, group, must) [id] = {#name, must, sizeof(struct mt_##name##_args), 1, 0, {{0, 0}}},
#include "mt/kernels.def"
#undef MT_KERNEL
};

static const struct {
	uint8_t kernel, role;
	uint16_t offset;
} operand_rows[] = {
#define MT_OPERAND(KERNEL, kernel, field, role)                                                                        \
	{MT_K_##KERNEL, MT__ROLE_##role, offsetof(struct mt_##kernel##_args, field)},
#include "mt/operands.def"
#undef MT_OPERAND
};

/* What an op is called, and which dtypes it takes. */
struct op_row {
	const char *name;
	uint32_t dtypes;
};

static const struct op_row map_ops[] = {
#define MT_MAP(id, NAME, name, dtypes, result, formula) [id] = {#name, MT_SET_##dtypes},
#include "mt/map_ops.def"
#undef MT_MAP
};

static const struct op_row zip_ops[] = {
#define MT_ZIP(id, NAME, name, dtypes, result, formula) [id] = {#name, MT_SET_##dtypes},
#include "mt/zip_ops.def"
#undef MT_ZIP
};

static const struct op_row reduce_ops[] = {
#define MT_REDUCE(id, NAME, name, dtypes, result, formula) [id] = {#name, MT_SET_##dtypes},
#include "mt/reduce_ops.def"
#undef MT_REDUCE
};

static const struct op_row arg_reduce_ops[] = {
	[MT_ARG_MAX] = {"argmax", MT_SET_ALL},
	[MT_ARG_MIN] = {"argmin", MT_SET_ALL},
};

static const struct op_row scan_ops[] = {
	[MT_SCAN_SUM] = {"cumsum", MT_SET_ALL},
	[MT_SCAN_PROD] = {"cumprod", MT_SET_ALL},
	[MT_SCAN_MAX] = {"cummax", MT_SET_ALL},
	[MT_SCAN_MIN] = {"cummin", MT_SET_ALL},
};

static const struct op_row pool_ops[] = {
	[MT_POOL_MAX] = {"max_pool", MT_SET_ALL},
	[MT_POOL_AVG] = {"avg_pool", MT_SET_ALL},
};

static const struct op_row pool_grad_ops[] = {
	[MT_POOL_MAX] = {"max_pool_grad", MT_SET_ALL},
	[MT_POOL_AVG] = {"avg_pool_grad", MT_SET_ALL},
};

/* The kernels that have ops. */
static const struct {
	const struct op_row *rows;
	uint32_t count;
} op_lists[MT_K_END_] = {
	[MT_K_MAP] = {map_ops, sizeof map_ops / sizeof *map_ops},
	[MT_K_ZIP] = {zip_ops, sizeof zip_ops / sizeof *zip_ops},
	[MT_K_REDUCE] = {reduce_ops, sizeof reduce_ops / sizeof *reduce_ops},
	[MT_K_ARG_REDUCE] = {arg_reduce_ops, sizeof arg_reduce_ops / sizeof *arg_reduce_ops},
	[MT_K_SCAN] = {scan_ops, sizeof scan_ops / sizeof *scan_ops},
	[MT_K_POOL] = {pool_ops, sizeof pool_ops / sizeof *pool_ops},
	[MT_K_POOL_GRAD] = {pool_grad_ops, sizeof pool_grad_ops / sizeof *pool_grad_ops},
};

_Static_assert(sizeof map_ops / sizeof *map_ops <= MT__MAX_OPS && sizeof zip_ops / sizeof *zip_ops <= MT__MAX_OPS &&
                   sizeof reduce_ops / sizeof *reduce_ops <= MT__MAX_OPS,
               "MT__MAX_OPS holds every op");

void mt__kernels_init(void) {
	if (mt__kernels[MT_K_COPY].n_operands != 0)
		return;
	for (int k = 1; k < MT_K_END_; k++)
		if (op_lists[k].rows != NULL)
			mt__kernels[k].ops = op_lists[k].count;
	for (size_t i = 0; i < sizeof operand_rows / sizeof *operand_rows; i++) {
		struct mt__kernel *k = &mt__kernels[operand_rows[i].kernel];
		k->operands[k->n_operands].offset = operand_rows[i].offset;
		k->operands[k->n_operands++].role = operand_rows[i].role;
	}
}

const char *mt__kernel_op_name(enum mt_kernel_id kernel, int32_t op) {
	if ((int)kernel < 1 || kernel >= MT_K_END_)
		return "?";
	if (op > 0 && (uint32_t)op < op_lists[kernel].count)
		return op_lists[kernel].rows[op].name;
	return mt__kernels[kernel].name;
}

uint32_t mt__op_dtypes(enum mt_kernel_id kernel, int32_t op) {
	if (op_lists[kernel].rows == NULL)
		return op == 0 ? MT_SET_ALL : 0;
	return op > 0 && (uint32_t)op < op_lists[kernel].count ? op_lists[kernel].rows[op].dtypes : 0;
}

/* ---- arrays ---- */

static const struct {
	const char *name;
	uint32_t bytes;
} dtypes[] = {
#define MT_DTYPE(id, NAME, name, bytes, class) [id] = {#name, bytes},
#include "mt/dtypes.def"
#undef MT_DTYPE
};

static int is_dtype(int32_t dtype) {
	return dtype > 0 && dtype < MT_DTYPE_END_;
}

uint64_t mt__dtype_bytes(int32_t dtype) {
	return is_dtype(dtype) ? dtypes[dtype].bytes : 0;
}

const char *mt__dtype_word(int32_t dtype) {
	return is_dtype(dtype) ? dtypes[dtype].name : "?";
}

uint64_t mt__array_elements(const mt_array *array) {
	uint64_t n = 1;
	for (int32_t d = 0; d < array->rank; d++)
		n *= (uint64_t)array->shape[d];
	return n;
}

void mt__array_span(const mt_array *array, uint64_t *begin, uint64_t *end) {
	uint64_t size = mt__dtype_bytes(array->dtype);
	*begin = *end = array->byte_offset;
	if (mt__array_elements(array) == 0)
		return;
	for (int32_t d = 0; d < array->rank; d++) {
		uint64_t steps = (uint64_t)(array->shape[d] - 1);
		if (array->stride[d] < 0)
			*begin -= steps * (0 - (uint64_t)array->stride[d]) * size;
		else
			*end += steps * (uint64_t)array->stride[d] * size;
	}
	*end += size;
}
