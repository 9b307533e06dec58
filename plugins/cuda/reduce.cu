/* reduce: every op over every set of axes, as reduce_plan.h lays it out. */
#include "reduce.cuh"
#include "reduce_ops.cuh"

template <bool WIDE, class T, class Op>
static int32_t run(mt_queue *queue, const mt_reduce_args *args, const mt_cuda_reduce_plan &plan, const Op &op) {
	return launch_reduction<WIDE>(queue, "reduce", plan, op, origin<T>(args->x), origin<T>(args->out));
}

static int32_t reduce_sum(mt_queue *queue, const mt_reduce_args *args, const mt_cuda_reduce_plan &plan) {
	return for_number(args->x->dtype, "reduce", [&](auto element) {
		using T = decltype(element);
		sum_op<T> op = {args->op == MT_REDUCE_SUMSQ, args->op == MT_REDUCE_MEAN};
		return run<true, T>(queue, args, plan, op);
	});
}

static int32_t reduce_product(mt_queue *queue, const mt_reduce_args *args, const mt_cuda_reduce_plan &plan) {
	return for_number(args->x->dtype, "reduce", [&](auto element) {
		using T = decltype(element);
		return run<false, T>(queue, args, plan, product_op<T>());
	});
}

static int32_t reduce_extreme(mt_queue *queue, const mt_reduce_args *args, const mt_cuda_reduce_plan &plan) {
	int32_t dtype = args->x->dtype == MT_BOOL ? MT_U8 : args->x->dtype; /* 0 and 1 are ordered as numbers */
	return for_number(dtype, "reduce", [&](auto element) {
		using T = decltype(element);
		extreme_op<T> op = {args->op == MT_REDUCE_MIN};
		return run<true, T>(queue, args, plan, op);
	});
}

static bool is_float(int32_t dtype) {
	return MT_SET_FLOAT & MT_DTYPE_BIT(dtype);
}

static int32_t reduce_found(mt_queue *queue, const mt_reduce_args *args, const mt_cuda_reduce_plan &plan) {
	const mt_array *x = args->x;
	return for_size(x->dtype, "reduce", [&](auto element) {
		using W = decltype(element);
		uint64_t sign = is_float(x->dtype) ? (uint64_t)1 << (8 * sizeof(W) - 1) : 0;
		found_op<W> op = {(int64_t)~sign, args->op == MT_REDUCE_ALL};
		return launch_reduction<false>(queue, "reduce", plan, op, origin<W>(x), origin<flag>(args->out));
	});
}

int32_t mt__cuda_reduce(mt_queue *queue, const struct mt_reduce_args *args) {
	mt_cuda_reduce_plan plan;
	mt__cuda_reduce_plan(&plan, args->x, args->out, args->axes, dtype_size(args->x->dtype));
	switch (args->op) {
	case MT_REDUCE_PROD:
		return reduce_product(queue, args, plan);
	case MT_REDUCE_MAX:
	case MT_REDUCE_MIN:
		return reduce_extreme(queue, args, plan);
	case MT_REDUCE_ANY:
	case MT_REDUCE_ALL:
		return reduce_found(queue, args, plan);
	default: /* sum, mean, sumsq */
		return reduce_sum(queue, args, plan);
	}
}
