/* pool and its gradient with wide indices, beside narrow ones: a dilation that a window of one tap never takes a step of asks
 * for them. */
#include "variants.h"

constexpr int64_t PLANES = 2, IN[3] = {3, 7, 8}, OUT[3] = {3, 4, 4};
constexpr int64_t INPUTS = PLANES * 3 * 7 * 8, OUTPUTS = PLANES * 3 * 4 * 4;

/* A dense array [1, PLANES, space…]. */
static mt_array planes_of(void *at, int32_t dtype, const int64_t *space) {
	mt_array a = {};
	a.base = at;
	a.dtype = dtype;
	a.rank = 5;
	int64_t stride = 1;
	for (int d = 4; d >= 0; d--) {
		a.shape[d] = d == 0 ? 1 : d == 1 ? PLANES : space[d - 2];
		a.stride[d] = stride;
		stride *= a.shape[d];
	}
	return a;
}

static mt_pool_params params_of(bool wide) {
	mt_pool_params p = {};
	for (int d = 0; d < 3; d++) {
		p.kernel[d] = d == 0 ? 1 : 3;
		p.stride[d] = d == 0 ? 1 : 2;
		p.pad[d] = d == 0 ? 0 : 1;
		p.dilation[d] = d == 0 && wide ? INT32_MAX : 1;
	}
	return p;
}

/* What the pool and its gradient give. */
template <class T> struct result {
	device_array<T> out, gx;
	device_array<int32_t> indices;
	int32_t status;

	result(mt_queue *queue, int32_t dtype, int32_t op, bool wide)
		: out(OUTPUTS, 1), gx(INPUTS, 2), indices(OUTPUTS, 3), status(MT_OK) {
		device_array<T> x(INPUTS, 4), gout(OUTPUTS, 5);
		mt_array xs = planes_of(x.at, dtype, IN), outs = planes_of(out.at, dtype, OUT);
		mt_array gxs = planes_of(gx.at, dtype, IN), gouts = planes_of(gout.at, dtype, OUT);
		mt_array winners = planes_of(indices.at, MT_I32, OUT);
		struct mt_pool_args forward = {};
		forward.op = op, forward.x = &xs, forward.out = &outs, forward.p = params_of(wide);
		struct mt_pool_grad_args backward = {};
		backward.op = op, backward.gout = &gouts, backward.gx = &gxs, backward.p = params_of(wide);
		if (op == MT_POOL_MAX)
			forward.indices = backward.indices = &winners;
		status = mt__cuda_pool(queue, &forward);
		if (status == MT_OK)
			status = mt__cuda_pool_grad(queue, &backward);
	}
};

template <class T> static void run(mt_queue *queue, int32_t dtype) {
	for (int32_t op : {MT_POOL_MAX, MT_POOL_AVG}) {
		result<T> narrow(queue, dtype, op, false), wide(queue, dtype, op, true);
		bool same = is_same(narrow.out.read(), wide.out.read()) && is_same(narrow.gx.read(), wide.gx.read()) &&
		            is_same(narrow.indices.read(), wide.indices.read());
		bool done = narrow.status == MT_OK && wide.status == MT_OK;
		report(std::string(op == MT_POOL_MAX ? "max pool " : "average pool ") + name_of<T>() + ", wide",
		       !done  ? "it failed"
		       : same ? ""
		              : "it differs from narrow");
	}
}

void run_pool(mt_queue *queue) {
	run<float>(queue, MT_F32);
	run<double>(queue, MT_F64);
	run<__half>(queue, MT_F16);
	run<__nv_bfloat16>(queue, MT_BF16);
}
