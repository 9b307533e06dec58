/* Sorting: pairs of a key and a position, in ascending order of both, so that the order of equal keys is that of their
 * positions: stable.  Blocks sort tiles, and longer rows are merged from them pass by pass; every pass cuts its output
 * into tiles of one size (merge path: Odeh, Green, Mwassi, Shmueli and Birk, IPDPS 2012).
 *
 * A pair is 8 bytes where key and position fit in 32 bits each, else 16. */
#ifndef MT_CUDA_ORDER_CUH
#define MT_CUDA_ORDER_CUH

#include "mt_cuda.h"

struct wide_pair {
	uint64_t key, position;
};

using narrow_pair = uint64_t; /* key << 32 | position */

constexpr uint64_t NARROW_KEYS =
	UINT32_MAX; /* narrow keys and positions are below: the last key marks what is no pair */

template <class P> struct pair_of;

template <> struct pair_of<narrow_pair> {
	static __device__ narrow_pair make(uint64_t key, uint64_t position) {
		return key << 32 | position;
	}
	static __device__ uint64_t key(narrow_pair p) {
		return p >> 32;
	}
	static __device__ uint64_t position(narrow_pair p) {
		return (uint32_t)p;
	}
	/* After every pair. */
	static __device__ narrow_pair last() {
		return UINT64_MAX;
	}
};

template <> struct pair_of<wide_pair> {
	static __device__ wide_pair make(uint64_t key, uint64_t position) {
		return {key, position};
	}
	static __device__ uint64_t key(wide_pair p) {
		return p.key;
	}
	static __device__ uint64_t position(wide_pair p) {
		return p.position;
	}
	static __device__ wide_pair last() {
		return {UINT64_MAX, UINT64_MAX};
	}
};

__device__ inline bool precedes(narrow_pair a, narrow_pair b) {
	return a < b;
}
__device__ inline bool precedes(const wide_pair &a, const wide_pair &b) {
	return a.key < b.key || (a.key == b.key && a.position < b.position);
}

constexpr int ORDER_ITEMS = 8; /* pairs of a thread */

/* 32 KiB a tile. */
template <class P> constexpr int ORDER_TILE_BITS = sizeof(P) == 8 ? 12 : 11;
template <class P> constexpr int ORDER_TILE = 1 << ORDER_TILE_BITS<P>;
template <class P> constexpr int ORDER_THREADS = ORDER_TILE<P> / ORDER_ITEMS;

/* A tile in shared memory: 128 bytes of pairs, then one place left out, so that threads which each walk their own items do
 * not meet in a bank. */
template <class P> struct order_tile {
	static constexpr int STEP = 128 / (int)sizeof(P);
	P place[ORDER_TILE<P> / STEP * (STEP + 1)];
	__device__ P &at(int i) {
		return place[i + i / STEP];
	}
};

/* Stretches of a tile are 2^width_bits pairs long: the shortest that n pairs fit in. */
template <class P> inline int order_width_bits(int64_t n) {
	int bits = 3;
	static_assert(ORDER_ITEMS == 1 << 3, "a thread's items are the shortest stretch");
	while (1 << bits < ORDER_TILE<P> && (int64_t)1 << bits < n)
		bits++;
	return bits;
}

/* Of two sorted stretches a and b: how many of a are among the first `before` of both merged. */
template <class Index, class A, class B>
__device__ inline Index merge_split(A a, Index in_a, B b, Index in_b, Index before) {
	Index low = before > in_b ? before - in_b : 0, high = before < in_a ? before : in_a;
	while (low < high) {
		Index middle = (low + high) / 2;
		if (precedes(b(before - 1 - middle), a(middle)))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Takes ORDER_ITEMS pairs of two stretches merged, from item `before` of the result on: a is [a0, a1) of the tile, b
 * [b0, b1).  Beyond the end: last(). */
template <class P>
__device__ inline void merge_items(order_tile<P> &tile, int a0, int a1, int b0, int b1, int before,
                                   P (&items)[ORDER_ITEMS]) {
	auto in_a = [&](int i) { return tile.at(a0 + i); };
	auto in_b = [&](int i) { return tile.at(b0 + i); };
	int taken = merge_split(in_a, a1 - a0, in_b, b1 - b0, before), a = a0 + taken, b = b0 + before - taken;
	P next_a = a < a1 ? tile.at(a) : pair_of<P>::last(), next_b = b < b1 ? tile.at(b) : pair_of<P>::last();
#pragma unroll
	for (int k = 0; k < ORDER_ITEMS; k++) {
		bool from_b = a >= a1 || (b < b1 && precedes(next_b, next_a));
		items[k] = from_b ? next_b : next_a;
		if (from_b) {
			b++;
			next_b = b < b1 ? tile.at(b) : pair_of<P>::last();
		} else {
			a++;
			next_a = a < a1 ? tile.at(a) : pair_of<P>::last();
		}
	}
}

/* Sorts each stretch of `width` pairs of the tile.  All threads of the block call, the tile has been written; it can be
 * read when the call returns. */
template <class P> __device__ inline void sort_tile(order_tile<P> &tile, int width) {
	P items[ORDER_ITEMS];
	int first = (int)threadIdx.x * ORDER_ITEMS;
	__syncthreads();
#pragma unroll
	for (int k = 0; k < ORDER_ITEMS; k++)
		items[k] = tile.at(first + k);
#pragma unroll
	for (int round = 0; round < ORDER_ITEMS; round++) /* odd-even transposition */
#pragma unroll
		for (int k = round % 2; k + 1 < ORDER_ITEMS; k += 2)
			if (precedes(items[k + 1], items[k])) {
				P swap = items[k];
				items[k] = items[k + 1];
				items[k + 1] = swap;
			}
	for (int half = ORDER_ITEMS; half < width; half *= 2) {
		__syncthreads();
#pragma unroll
		for (int k = 0; k < ORDER_ITEMS; k++)
			tile.at(first + k) = items[k];
		__syncthreads();
		int a0 = first / (2 * half) * (2 * half), b0 = a0 + half;
		merge_items(tile, a0, b0, b0, b0 + half, first - a0, items);
	}
	__syncthreads();
#pragma unroll
	for (int k = 0; k < ORDER_ITEMS; k++)
		tile.at(first + k) = items[k];
	__syncthreads();
}

/* Sorts each row of n pairs: rows [rows, n] of narrow or wide ones, in `pairs`; spare: as much memory again.  *sorted: the
 * one of both that has the result. */
int32_t mt__cuda_order(mt_queue *queue, const char *name, void *pairs, void *spare, bool wide, int64_t rows, int64_t n,
                       const void **sorted);

#endif
