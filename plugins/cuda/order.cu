/* Rows of pairs are sorted (order.cuh): tiles first, then they are merged two by two. */
#include "order.cuh"

#include "block.cuh"
#include "walk.h"

static_assert(ORDER_THREADS<narrow_pair> % WARP == 0 && ORDER_THREADS<wide_pair> >= 2 * (int)WARP, "two warps split");

/* A block a tile: a part of a row, or as many rows of up to `width` pairs as fit. */
template <class P>
static __global__ void __launch_bounds__(ORDER_THREADS<P>)
	order_tiles(P *pairs, int64_t rows, int64_t n, int width_bits) {
	__shared__ order_tile<P> tile;
	const int width = 1 << width_bits;
	int64_t tiles = (n + width - 1) / width, together = tiles > 1 ? 1 : ORDER_TILE<P> >> width_bits;
	for (int64_t job = blockIdx.x; job < (rows + together - 1) / together * tiles; job += gridDim.x) {
		int64_t row = tiles > 1 ? job / tiles : job * together, first = tiles > 1 ? (job - row * tiles) * width : 0;
#pragma unroll 4
		for (int k = 0; k < ORDER_ITEMS; k++) {
			int i = (int)threadIdx.x + k * ORDER_THREADS<P>;
			int64_t r = row + (i >> width_bits), j = first + (i & (width - 1));
			tile.at(i) = r < rows && j < n ? pairs[r * n + j] : pair_of<P>::last();
		}
		sort_tile(tile, width);
#pragma unroll 4
		for (int k = 0; k < ORDER_ITEMS; k++) {
			int i = (int)threadIdx.x + k * ORDER_THREADS<P>;
			int64_t r = row + (i >> width_bits), j = first + (i & (width - 1));
			if (r < rows && j < n)
				pairs[r * n + j] = tile.at(i);
		}
		__syncthreads();
	}
}

/* merge_split by a warp, for stretches in global memory: each step asks 32 places at once.  All lanes get the result. */
template <class P>
__device__ static int64_t merge_split_by_warp(const P *a, int64_t in_a, const P *b, int64_t in_b, int64_t before) {
	int64_t low = before > in_b ? before - in_b : 0, high = before < in_a ? before : in_a;
	int64_t lane = threadIdx.x % WARP;
	while (low < high) {
		int64_t span = high - low, probe = low + span * lane / WARP;
		bool taken = !precedes(b[before - 1 - probe], a[probe]); /* of the lanes, the first so many */
		int64_t count = __popc(__ballot_sync(WHOLE_WARP, taken));
		if (count == 0)
			return low;
		int64_t above = low + span * (count - 1) / WARP + 1;
		high = count < WARP ? low + span * count / WARP : high;
		low = above;
	}
	return low;
}

/* A block a tile of the result: stretches of `width` pairs become ones of twice the width. */
template <class P>
static __global__ void __launch_bounds__(ORDER_THREADS<P>)
	order_merge(const P *from, P *to, int64_t rows, int64_t n, int64_t width) {
	__shared__ order_tile<P> tile;
	__shared__ int64_t split[2];
	int64_t tiles = (n + ORDER_TILE<P> - 1) / ORDER_TILE<P>;
	for (int64_t job = blockIdx.x; job < rows * tiles; job += gridDim.x) {
		int64_t row = job / tiles, first = (job - row * tiles) * ORDER_TILE<P>,
				start = first / (2 * width) * (2 * width);
		const P *a = from + row * n + start, *b = a + width;
		int64_t left = n - start, in_a = left < width ? left : width, in_b = left - in_a < width ? left - in_a : width;
		int64_t before = first - start, behind = before + ORDER_TILE<P>;
		behind = behind < in_a + in_b ? behind : in_a + in_b;
		unsigned warp = threadIdx.x / WARP;
		if (warp < 2) {
			int64_t at = merge_split_by_warp(a, in_a, b, in_b, warp == 0 ? before : behind);
			if (threadIdx.x % WARP == 0)
				split[warp] = at;
		}
		__syncthreads();
		int64_t a0 = split[0], b0 = before - a0;
		int of_a = (int)(split[1] - a0), here = (int)(behind - before);
		for (int i = (int)threadIdx.x; i < here; i += ORDER_THREADS<P>)
			tile.at(i) = i < of_a ? a[a0 + i] : b[b0 + (i - of_a)];
		__syncthreads();
		P items[ORDER_ITEMS];
		int mine = (int)threadIdx.x * ORDER_ITEMS;
		merge_items(tile, 0, of_a, of_a, here, mine < here ? mine : here, items);
		__syncthreads();
#pragma unroll
		for (int k = 0; k < ORDER_ITEMS; k++)
			tile.at(mine + k) = items[k];
		__syncthreads();
		P *out = to + row * n + first;
		for (int i = (int)threadIdx.x; i < here; i += ORDER_THREADS<P>)
			out[i] = tile.at(i);
		__syncthreads();
	}
}

template <class P>
static int32_t order(mt_queue *queue, const char *name, P *pairs, P *spare, int64_t rows, int64_t n,
                     const void **sorted) {
	constexpr int64_t MOST = INT64_C(1) << 30;
	int bits = order_width_bits<P>(n), width = 1 << bits;
	int64_t tiles = rows * ((n + width - 1) / width);
	unsigned blocks = mt__cuda_blocks(tiles, n > width ? 1 : ORDER_TILE<P> / width, MOST);
	int32_t status = launch(queue, name, blocks, ORDER_THREADS<P>, order_tiles<P>, pairs, rows, n, bits);
	for (int64_t done = ORDER_TILE<P>; done < n && status == MT_OK; done *= 2) {
		status = launch(queue, name, blocks, ORDER_THREADS<P>, order_merge<P>, (const P *)pairs, spare, rows, n, done);
		P *swap = pairs;
		pairs = spare;
		spare = swap;
	}
	*sorted = pairs;
	return status;
}

int32_t mt__cuda_order(mt_queue *queue, const char *name, void *pairs, void *spare, bool wide, int64_t rows, int64_t n,
                       const void **sorted) {
	if (wide)
		return order(queue, name, (wide_pair *)pairs, (wide_pair *)spare, rows, n, sorted);
	return order(queue, name, (narrow_pair *)pairs, (narrow_pair *)spare, rows, n, sorted);
}
