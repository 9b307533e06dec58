/* sgd, adam: one fused step over a parameter, in one pass.  Each array is read and written once. */
#include "elementwise.cuh"

/* f16 and bf16 in packs of 8 bytes: that is enough, with up to five arrays. */
template <class T> constexpr int optim_length = sizeof(T) == 8 ? 2 : 4;

/* A mt_step_value as a kernel reads it. */
struct step_number {
	double value;
	const void *device; /* overrides value, where it is given */
	bool integer;       /* device is of i64, not f64 */

	explicit step_number(const mt_step_value &s)
		: value(s.value), device(origin_or_null<const void>(s.device)), integer(s.device && s.device->dtype == MT_I64) {
	}
	__device__ double get() const {
		if (!device)
			return value;
		return integer ? (double)*(const int64_t *)device : *(const double *)device;
	}
};

/* ---- sgd ---- */

/* Numbers of a step in C; taken is 1 − dampening. */
template <class C> struct sgd_numbers {
	C momentum, taken, weight_decay;
	bool nesterov, first, maximize;
};

/* Arrays: the gradient, the velocity (or none), the parameter. */
template <class T, class C>
static __global__ void __launch_bounds__(BLOCK) sgd_kernel(sweep<3> s, sgd_numbers<C> n, step_number rate) {
	constexpr int N = optim_length<T>;
	enum { GRAD, VELOCITY, PARAM, ARRAYS };
	C v[ARRAYS][N], lr = (C)rate.get();
	bool has_velocity = s.array[VELOCITY] != nullptr;
	unsigned arrays = 1u << GRAD | 1u << PARAM | (has_velocity && !n.first ? 1u << VELOCITY : 0);
	for (uint32_t step = blockIdx.x; step < s.steps; step += gridDim.x) {
		pack_place<3> place = read_values<N, T>(s, step, arrays, v);
#pragma unroll
		for (int j = 0; j < N; j++) {
			C g = (n.maximize ? -v[GRAD][j] : v[GRAD][j]) + n.weight_decay * v[PARAM][j];
			if (has_velocity) {
				C velocity = n.first ? g : n.momentum * v[VELOCITY][j] + n.taken * g;
				v[VELOCITY][j] = velocity;
				g = n.nesterov ? g + n.momentum * velocity : velocity;
			}
			v[PARAM][j] -= lr * g;
		}
		if (has_velocity)
			write_values<N, T>(s, step, place, VELOCITY, v[VELOCITY]);
		write_values<N, T>(s, step, place, PARAM, v[PARAM]);
	}
}

int32_t mt__cuda_sgd(mt_queue *queue, const struct mt_sgd_args *args) {
	const mt_array *param = args->param, *grad = args->grad, *velocity = args->velocity;
	mt_cuda_walk w;
	const int64_t *strides[] = {grad->stride, velocity ? velocity->stride : nullptr, param->stride};
	mt__cuda_walk_any_order(&w, 3, param->rank, param->shape, strides);
	unsigned written = 1u << 2 | (velocity ? 1u << 1 : 0);
	return for_float(param->dtype, "sgd", [&](auto element) {
		using T = decltype(element);
		using C = compute_of<T>;
		constexpr int size = (int)sizeof(T);
		sgd_numbers<C> n = {(C)args->momentum,   (C)(1 - args->dampening), (C)args->weight_decay,
		                    args->nesterov != 0, args->first != 0,         args->maximize != 0};
		const places<3> whole = {{origin<void>(grad), origin_or_null<void>(velocity), origin<void>(param)},
		                         {size, size, size}};
		return for_sweeps<optim_length<T>>(queue, w, written, whole, [&](const sweep<3> &s, dim3 grid) {
			return launch(queue, "sgd", grid, BLOCK, sgd_kernel<T, C>, s, n, step_number(args->lr));
		});
	});
}

/* ---- adam ---- */

struct adam_numbers {
	step_number lr, step;
	double beta1, beta2, eps, weight_decay;
	double first_correction, second_correction; /* 1 − β^t, for step.value */
	bool decoupled, maximize;
};

/* What a step multiplies by, made in double and the same for every element. */
template <class C> struct adam_rates {
	C beta1, beta1_rest, beta2, beta2_rest, eps, weight_decay;
	C shrink;            /* lr · weight_decay */
	C rate;              /* lr / (1 − β1^t) */
	C second_correction; /* 1 − β2^t */
};

template <class C> __device__ static adam_rates<C> make_rates(const adam_numbers &n) {
	double lr = n.lr.get(), first = n.first_correction, second = n.second_correction;
	if (n.step.device) {
		double t = n.step.get();
		first = 1 - pow(n.beta1, t);
		second = 1 - pow(n.beta2, t);
	}
	return {(C)n.beta1,        (C)(1 - n.beta1),         (C)n.beta2,      (C)(1 - n.beta2), (C)n.eps,
	        (C)n.weight_decay, (C)(lr * n.weight_decay), (C)(lr / first), (C)second};
}

/* Arrays: the gradient, m, v, the largest v (or none), the parameter. */
template <class T, class C> static __global__ void __launch_bounds__(BLOCK) adam_kernel(sweep<5> s, adam_numbers n) {
	constexpr int N = optim_length<T>;
	enum { GRAD, M, V, VMAX, PARAM, ARRAYS };
	__shared__ adam_rates<C> shared;
	if (threadIdx.x == 0)
		shared = make_rates<C>(n);
	__syncthreads();
	const adam_rates<C> r = shared;
	C x[ARRAYS][N];
	bool has_vmax = s.array[VMAX] != nullptr;
	unsigned arrays = 1u << GRAD | 1u << M | 1u << V | 1u << PARAM | (has_vmax ? 1u << VMAX : 0);
	for (uint32_t step = blockIdx.x; step < s.steps; step += gridDim.x) {
		pack_place<5> place = read_values<N, T>(s, step, arrays, x);
#pragma unroll
		for (int j = 0; j < N; j++) {
			C param = x[PARAM][j], g = n.maximize ? -x[GRAD][j] : x[GRAD][j];
			if (n.decoupled)
				param -= r.shrink * param;
			else
				g += r.weight_decay * param;
			C m = r.beta1 * x[M][j] + r.beta1_rest * g;
			C v = r.beta2 * x[V][j] + r.beta2_rest * g * g;
			x[M][j] = m;
			x[V][j] = v;
			if (has_vmax)
				v = x[VMAX][j] = x[VMAX][j] > v ? x[VMAX][j] : v;
			x[PARAM][j] = param - r.rate * m / (sqrt(v / r.second_correction) + r.eps);
		}
		write_values<N, T>(s, step, place, M, x[M]);
		write_values<N, T>(s, step, place, V, x[V]);
		if (has_vmax)
			write_values<N, T>(s, step, place, VMAX, x[VMAX]);
		write_values<N, T>(s, step, place, PARAM, x[PARAM]);
	}
}

int32_t mt__cuda_adam(mt_queue *queue, const struct mt_adam_args *args) {
	const mt_array *param = args->param, *grad = args->grad, *m = args->m, *v = args->v, *vmax = args->vmax;
	mt_cuda_walk w;
	const int64_t *strides[] = {grad->stride, m->stride, v->stride, vmax ? vmax->stride : nullptr, param->stride};
	mt__cuda_walk_any_order(&w, 5, param->rank, param->shape, strides);
	unsigned written = 1u << 1 | 1u << 2 | 1u << 4 | (vmax ? 1u << 3 : 0);
	double t = args->step.value;
	const adam_numbers n = {step_number(args->lr),
	                        step_number(args->step),
	                        args->beta1,
	                        args->beta2,
	                        args->eps,
	                        args->weight_decay,
	                        1 - pow(args->beta1, t),
	                        1 - pow(args->beta2, t),
	                        args->decoupled != 0,
	                        args->maximize != 0};
	return for_float(param->dtype, "adam", [&](auto element) {
		using T = decltype(element);
		constexpr int size = (int)sizeof(T);
		const places<5> whole = {
			{origin<void>(grad), origin<void>(m), origin<void>(v), origin_or_null<void>(vmax), origin<void>(param)},
			{size, size, size, size, size}};
		return for_sweeps<optim_length<T>>(queue, w, written, whole, [&](const sweep<5> &s, dim3 grid) {
			return launch(queue, "adam", grid, BLOCK, adam_kernel<T, compute_of<T>>, s, n);
		});
	});
}
