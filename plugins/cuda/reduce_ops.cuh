/* What reduce's ops do with terms (reduce.cuh), and scan's with a running result. */
#ifndef MT_CUDA_REDUCE_OPS_CUH
#define MT_CUDA_REDUCE_OPS_CUH

#include "element.cuh"

__device__ inline double plus(double a, double b) {
	return a + b;
}
__device__ inline float plus(float a, float b) {
	return a + b;
}
__device__ inline int64_t plus(int64_t a, int64_t b) {
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

__device__ inline double times(double a, double b) {
	return a * b;
}
__device__ inline float times(float a, float b) {
	return a * b;
}
__device__ inline int64_t times(int64_t a, int64_t b) {
	return (int64_t)((uint64_t)a * (uint64_t)b);
}

template <int M, class C> __device__ inline C pairwise_sum(const C (&terms)[M]) {
	if constexpr (M == 1) {
		return terms[0];
	} else {
		C pairs[M / 2];
#pragma unroll
		for (int k = 0; k < M / 2; k++)
			pairs[k] = plus(terms[k], terms[k + M / 2]);
		return pairwise_sum(pairs);
	}
}

/* Stores a running result: rounded once. */
template <class T> struct put_result {
	template <class A> static __device__ void at(T *to, A v) {
		store(to, v);
	}
};
template <> struct put_result<float> {
	static __device__ void at(float *to, double v) {
		*to = (float)v;
	}
};
template <> struct put_result<__half> {
	static __device__ void at(__half *to, double v) {
		convert(to, v);
	}
	static __device__ void at(__half *to, float v) {
		store(to, v);
	}
};
template <> struct put_result<__nv_bfloat16> {
	static __device__ void at(__nv_bfloat16 *to, double v) {
		convert(to, v);
	}
	static __device__ void at(__nv_bfloat16 *to, float v) {
		store(to, v);
	}
};

/* sum, mean, sumsq.  Floats: the terms of one call in C, pairwise, and these in double: a sum loses three roundings to f32
 * at most, however long it is, and there is one addition in double for several terms. */
template <class T> struct sum_op {
	using C = compute_of<T>;
	using A = accumulator_of<T>;
	bool square, mean;

	__device__ A none() const {
		return 0;
	}
	__device__ A join(A a, A b) const {
		return plus(a, b);
	}
	template <int M> __device__ void add(A &so_far, const C (&terms)[M], int64_t, int64_t) const {
		C values[M];
#pragma unroll
		for (int k = 0; k < M; k++)
			values[k] = square ? times(terms[k], terms[k]) : terms[k];
		so_far = plus(so_far, (A)pairwise_sum(values));
	}
	__device__ void put(T *to, A result, int64_t count) const {
		put_result<T>::at(to, mean ? result / (A)count : result);
	}
};

template <class T> struct product_op {
	using C = compute_of<T>;
	using A = accumulator_of<T>;

	__device__ A none() const {
		return 1;
	}
	__device__ A join(A a, A b) const {
		return times(a, b);
	}
	template <int M> __device__ void add(A &so_far, const C (&terms)[M], int64_t, int64_t) const {
#pragma unroll
		for (int k = 0; k < M; k++)
			so_far = times(so_far, (A)terms[k]);
	}
	__device__ void put(T *to, A result, int64_t) const {
		put_result<T>::at(to, result);
	}
};

/* ---- order ---- */

template <class C> struct lowest { static constexpr C value = -(C)INFINITY; };
template <> struct lowest<int64_t> { static constexpr int64_t value = INT64_MIN; };

/* Numbers in the order of -x, -x being exact: what is largest in it is the smallest. */
__device__ inline double turned(double x, bool turn) {
	return turn ? -x : x;
}
__device__ inline float turned(float x, bool turn) {
	return turn ? -x : x;
}
__device__ inline int64_t turned(int64_t x, bool turn) {
	return turn ? ~x : x;
}

/* max; min where turn.  NaN wins, the first of equals stays. */
template <class T> struct extreme_op {
	using C = compute_of<T>;
	using A = C;
	bool turn;

	__device__ A none() const {
		return lowest<C>::value;
	}
	__device__ A join(A a, A b) const {
		return a != a || a >= b ? a : b;
	}
	template <int M> __device__ void add(A &so_far, const C (&terms)[M], int64_t, int64_t) const {
#pragma unroll
		for (int k = 0; k < M; k++)
			so_far = join(so_far, turned(terms[k], turn));
	}
	__device__ void put(T *to, A result, int64_t) const {
		store(to, turned(result, turn));
	}
};

/* any: whether some x is not 0.  all, where of_zeros: whether none is 0.  W: the elements' bits; significant: those that
 * are 0 in a 0 (not a float's sign). */
template <class W> struct found_op {
	using C = int64_t;
	using A = int32_t;
	int64_t significant;
	bool of_zeros;

	__device__ A none() const {
		return 0;
	}
	__device__ A join(A a, A b) const {
		return a | b;
	}
	template <int M> __device__ void add(A &so_far, const C (&terms)[M], int64_t, int64_t) const {
#pragma unroll
		for (int k = 0; k < M; k++)
			so_far |= ((terms[k] & significant) != 0) != of_zeros;
	}
	__device__ void put(flag *to, A result, int64_t) const {
		to->v = (result != 0) != of_zeros;
	}
};

#endif
