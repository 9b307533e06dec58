/* matmul: a block computes a TILE × TILE piece of one product, DEPTH of k at a time through shared memory; each of its
 * 16 × 16 threads holds a 4 × 4 piece in registers.  Sums run in the order of k. */
#include "launch.cuh"
#include "layout.cuh"
#include "map_ops.cuh"

constexpr int TILE = 64, DEPTH = 16, SIDE = 16, PIECE = TILE / SIDE;

/* One product: offsets of the batch, and the matrices' strides in elements. */
struct product {
	layout<3> batch; /* a, b, out */
	int64_t m, n, k;
	int64_t a_row, a_column, b_row, b_column, out_row, out_column, bias_step;
	int32_t activation;
};

__device__ static float multiply_add(float sum, float a, float b) {
	return sum + a * b;
}
__device__ static double multiply_add(double sum, double a, double b) {
	return sum + a * b;
}
__device__ static int64_t multiply_add(int64_t sum, int64_t a, int64_t b) {
	return (int64_t)((uint64_t)sum + (uint64_t)a * (uint64_t)b);
}

/* Copies a rows × columns window of a matrix to shared memory, transposed where to's rows are its columns; zero outside.
 * i0, j0: the window's corner. */
template <class T, class C>
__device__ static void fetch(C *to, int64_t to_row, int64_t to_column, const T *from, int64_t row, int64_t column,
                             int64_t i0, int64_t j0, int64_t i_end, int64_t j_end, int rows, int columns) {
	for (int e = (int)threadIdx.x; e < rows * columns; e += SIDE * SIDE) {
		int64_t i = e / columns, j = e % columns;
		bool inside = i0 + i < i_end && j0 + j < j_end;
		to[i * to_row + j * to_column] = inside ? load(from[(i0 + i) * row + (j0 + j) * column]) : C(0);
	}
}

template <class T, class C>
__device__ static void finish(T *to, C sum, const T *bias, C alpha, C beta, int32_t activation) {
	C y = alpha * sum;
	if (beta != 0)
		y = y + beta * load(*to);
	if (bias)
		y = y + load(*bias);
	store(to, activate(activation, y));
}

/* Integers wrap; alpha is 1, beta 0 or 1. */
template <class T>
__device__ static void finish(T *to, int64_t sum, const T *bias, int64_t, int64_t beta, int32_t activation) {
	uint64_t y = (uint64_t)sum;
	if (beta != 0)
		y += (uint64_t)load(*to);
	if (bias)
		y += (uint64_t)load(*bias);
	store(to, activate(activation, (int64_t)y));
}

template <class T>
static __global__ void matmul_kernel(product p, const T *a, const T *b, const T *bias, T *out, compute_of<T> alpha,
                                     compute_of<T> beta) {
	using C = compute_of<T>;
	__shared__ C a_tile[DEPTH][TILE + 1], b_tile[DEPTH][TILE + 1];
	int64_t across = (p.n + TILE - 1) / TILE;
	int64_t i0 = blockIdx.x / across * TILE, j0 = blockIdx.x % across * TILE;
	unsigned row = threadIdx.x / SIDE, column = threadIdx.x % SIDE;
	for (int64_t batch = blockIdx.y; batch < p.batch.count; batch += gridDim.y) {
		offsets<3> o = locate(p.batch, batch);
		C sum[PIECE][PIECE] = {};
		for (int64_t k0 = 0; k0 < p.k; k0 += DEPTH) {
			fetch(&a_tile[0][0], 1, TILE + 1, a + o.at[0], p.a_row, p.a_column, i0, k0, p.m, p.k, TILE, DEPTH);
			fetch(&b_tile[0][0], TILE + 1, 1, b + o.at[1], p.b_row, p.b_column, k0, j0, p.k, p.n, DEPTH, TILE);
			__syncthreads();
			for (int k = 0; k < DEPTH; k++)
				for (int i = 0; i < PIECE; i++)
					for (int j = 0; j < PIECE; j++)
						sum[i][j] = multiply_add(sum[i][j], a_tile[k][row + i * SIDE], b_tile[k][column + j * SIDE]);
			__syncthreads();
		}
		for (int i = 0; i < PIECE; i++)
			for (int j = 0; j < PIECE; j++) {
				int64_t y = i0 + row + i * SIDE, x = j0 + column + j * SIDE;
				if (y < p.m && x < p.n)
					finish(out + o.at[2] + y * p.out_row + x * p.out_column, sum[i][j],
					       bias ? bias + x * p.bias_step : nullptr, alpha, beta, p.activation);
			}
	}
}

int32_t mt__cuda_matmul(mt_queue *queue, const struct mt_matmul_args *args) {
	const mt_array *a = args->a, *b = args->b, *out = args->out;
	int row = out->rank - 2, column = row + 1;
	product p = {};
	p.batch = make_layout(row, out->shape, {a->stride, b->stride, out->stride});
	p.m = out->shape[row];
	p.n = out->shape[column];
	p.k = a->shape[column];
	p.a_row = a->stride[row];
	p.a_column = a->stride[column];
	p.b_row = b->stride[row];
	p.b_column = b->stride[column];
	p.out_row = out->stride[row];
	p.out_column = out->stride[column];
	p.bias_step = args->bias ? args->bias->stride[0] : 0;
	p.activation = args->activation;
	int64_t tiles = ((p.m + TILE - 1) / TILE) * ((p.n + TILE - 1) / TILE);
	if (tiles > INT32_MAX)
		return mt__cuda_fail(MT_E_UNSUPPORTED, "cuda: matmul: an output of %lld x %lld is too large", (long long)p.m,
		                     (long long)p.n);
	unsigned batches = (unsigned)(p.batch.count < UINT16_MAX ? p.batch.count : UINT16_MAX);
	return for_dtype(out->dtype, "matmul", [&](auto element) -> int32_t {
		using T = decltype(element);
		using C = compute_of<T>;
		const T *bias = args->bias ? origin<T>(args->bias) : nullptr;
		return launch(queue, "matmul", dim3((unsigned)tiles, batches), SIDE * SIDE, matmul_kernel<T>, p,
		              (const T *)origin<T>(a), (const T *)origin<T>(b), bias, origin<T>(out), (C)args->alpha,
		              (C)args->beta);
	});
}
