/* gather, and the kernel that it shares with embedding (take.cuh): elements are moved by size, and where an index stands
 * for a stretch of neighbours, several at once. */
#include "fault.cuh"
#include "launch.cuh"
#include "take.cuh"

constexpr int TAKEN = 4; /* by a thread, all in flight */

struct sixteen_bytes {
	alignas(16) uint64_t v[2];
};

/* walk: x (without its axis), index, out. */
template <class W, class X, class I>
static __global__ void take_elements(walk<3, I> w, index_range range, int64_t step, const W *x, const X *index,
                                     W *out) {
	int64_t stride = (int64_t)gridDim.x * blockDim.x * TAKEN;
	for (int64_t first = (int64_t)blockIdx.x * blockDim.x * TAKEN + threadIdx.x; first < w.count; first += stride) {
		offsets<3, I> o[TAKEN];
		X at[TAKEN];
#pragma unroll
		for (int k = 0; k < TAKEN; k++)
			if (first + k * blockDim.x < w.count) {
				o[k] = locate(w, (I)(first + k * blockDim.x));
				at[k] = index[o[k].at[1]];
			}
		W taken[TAKEN];
#pragma unroll
		for (int k = 0; k < TAKEN; k++)
			if (first + k * blockDim.x < w.count) {
				int64_t i = checked_index(range, at[k]);
				taken[k] = i < 0 ? W() : x[o[k].at[0] + i * step];
			}
#pragma unroll
		for (int k = 0; k < TAKEN; k++)
			if (first + k * blockDim.x < w.count)
				out[o[k].at[2]] = taken[k];
	}
}

template <class W, class X>
static int32_t take_as(mt_queue *queue, const taking &t, const mt_cuda_walk &w, int64_t step) {
	const index_range range = {t.low, t.extent, t.kernel, queue->fault_device};
	return for_index<3>(w, [&](auto walked) {
		return launch(queue, t.name, mt__cuda_blocks(w.count, BLOCK * TAKEN, MOST_BLOCKS), BLOCK,
		              take_elements<W, X, decltype(walked.count)>, walked, range, step, origin<W>(t.x),
		              origin<X>(t.index), origin<W>(t.out));
	});
}

template <class W> static int32_t take_units(mt_queue *queue, const taking &t, const mt_cuda_walk &w, int64_t step) {
	return t.index->dtype == MT_I64 ? take_as<W, int64_t>(queue, t, w, step) : take_as<W, int32_t>(queue, t, w, step);
}

/* How many neighbours one index stands for and can be moved at once: with them, the walk and the step are in units of so
 * many elements. */
static int widen(const taking &t, mt_cuda_walk *w, int64_t *step, int size) {
	int last = w->rank - 1;
	if (last < 0 || w->stride[1][last] != 0)
		return 1;
	const void *const address[] = {origin<void>(t.x), nullptr, origin<void>(t.out)};
	const int sizes[] = {size, 1, size};
	int n = mt__cuda_walk_vector(w, 1u << 0 | 1u << 2, address, sizes);
	while (*step % n != 0)
		n /= 2;
	w->count /= n;
	w->shape[last] /= n;
	for (int d = 0; d < last; d++) {
		w->stride[0][d] /= n;
		w->stride[2][d] /= n;
	}
	*step /= n;
	return n;
}

int32_t mt__cuda_take(mt_queue *queue, const taking &t) {
	mt_cuda_walk w;
	const int64_t *const strides[] = {t.x_stride, t.index_stride, t.out->stride};
	mt__cuda_walk_any_order(&w, 3, t.out->rank, t.out->shape, strides);
	int64_t step = t.step;
	int size = dtype_size(t.out->dtype);
	switch (size * widen(t, &w, &step, size)) {
	case 1:
		return take_units<uint8_t>(queue, t, w, step);
	case 2:
		return take_units<uint16_t>(queue, t, w, step);
	case 4:
		return take_units<uint32_t>(queue, t, w, step);
	case 8:
		return take_units<uint64_t>(queue, t, w, step);
	case 16:
		return take_units<sixteen_bytes>(queue, t, w, step);
	default:
		return no_dtype(t.out->dtype, t.name);
	}
}

int32_t mt__cuda_gather(mt_queue *queue, const struct mt_gather_args *args) {
	const mt_array *x = args->x;
	int64_t beside[MT_MAX_RANK], extent = x->rank > 0 ? x->shape[args->axis] : 1;
	for (int d = 0; d < x->rank; d++)
		beside[d] = d == args->axis ? 0 : x->stride[d];
	const taking t = {.name = "gather",
	                  .kernel = MT_K_GATHER,
	                  .x = x,
	                  .index = args->index,
	                  .out = args->out,
	                  .x_stride = beside,
	                  .index_stride = args->index->stride,
	                  .step = x->rank > 0 ? x->stride[args->axis] : 0,
	                  .low = -extent,
	                  .extent = extent};
	return mt__cuda_take(queue, t);
}
