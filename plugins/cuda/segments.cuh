/* Sums of what has one target: positions along an axis are sorted by target (order.cuh), those of one target are a
 * segment, and each column adds up its segments in the order of their positions.  The sorted positions are cut into pieces
 * of one length: a thread has a column of a piece.  Segments that end inside their piece are stored at once; of one that
 * goes on, each piece leaves its share, and a second kernel adds these in order.  So the work is even, however many
 * positions have one target, and the order of additions depends on the indices alone.
 *
 * T's sums are in accumulator_of<T>, rounded once. */
#ifndef MT_CUDA_SEGMENTS_CUH
#define MT_CUDA_SEGMENTS_CUH

#include "fault.cuh"
#include "launch.cuh"
#include "order.cuh"
#include "reduce_ops.cuh"
#include "walk.cuh"

constexpr int64_t PIECE = 64; /* positions */

/* The key of positions that are left out; it sorts last. */
constexpr uint64_t NO_TARGET_NARROW = UINT32_MAX, NO_TARGET_WIDE = UINT64_MAX;

/* Whether targets below extent and n positions need wide pairs. */
inline bool needs_wide_pairs(int64_t extent, int64_t n) {
	return extent >= (int64_t)NARROW_KEYS || n >= (int64_t)NARROW_KEYS;
}

/* src last: a walk in any order follows it, and it is what is read most. */
enum { SEGMENTS_ROW, SEGMENTS_OUT, SEGMENTS_SRC };

struct segments_shape {
	walk<3, int64_t> columns; /* SEGMENTS_ROW: where the column's sorted positions begin, SEGMENTS_OUT, SEGMENTS_SRC */
	walk<1, int64_t> positions; /* src along the axis */
	int64_t n, pieces;          /* positions of a row, pieces that they are cut into */
	int64_t out_step;           /* out from one target to the next */
	bool wide;
	bool adds; /* to what out holds; else out's old content is ignored */
};

struct sorted_row {
	const void *pairs;
	int64_t first;
	bool wide;

	__device__ uint64_t target(int64_t i) const {
		return wide ? ((const wide_pair *)pairs)[first + i].key
		            : pair_of<narrow_pair>::key(((const narrow_pair *)pairs)[first + i]);
	}
	__device__ int64_t position(int64_t i) const {
		return (int64_t)(wide ? ((const wide_pair *)pairs)[first + i].position
		                      : pair_of<narrow_pair>::position(((const narrow_pair *)pairs)[first + i]));
	}
	__device__ uint64_t no_target() const {
		return wide ? NO_TARGET_WIDE : NO_TARGET_NARROW;
	}
	/* Whether a segment goes on from i − 1 to i. */
	__device__ bool goes_on(int64_t i, int64_t n) const {
		return i > 0 && i < n && target(i - 1) == target(i);
	}
};

/* shares: [2, pieces, columns]: what pieces leave of the segment that they begin in the middle of, and of the one that
 * begins in them and goes on. */
template <class A> struct segment_shares { A *begun_before, *going_on; };

template <class T> __device__ inline accumulator_of<T> first_term(const segments_shape &s, const T *out) {
	return s.adds ? (accumulator_of<T>)load(*out) : 0;
}

template <class T>
static __global__ void sum_segments(const __grid_constant__ segments_shape s, const void *pairs, const T *src, T *out,
                                    segment_shares<accumulator_of<T>> shares) {
	using A = accumulator_of<T>;
	constexpr int AT_ONCE = 4;
	for (int64_t job = first_position(); job < s.columns.count * s.pieces; job += position_step()) {
		int64_t piece = job / s.columns.count, column = job - piece * s.columns.count;
		int64_t from = piece * PIECE, to = from + PIECE < s.n ? from + PIECE : s.n;
		offsets<3, int64_t> o = locate_once(s.columns, column);
		const sorted_row row = {pairs, o.at[SEGMENTS_ROW], s.wide};
		const T *x = src + o.at[SEGMENTS_SRC];
		uint64_t target = row.target(from);
		if (target == row.no_target())
			continue;
		T *y = out + o.at[SEGMENTS_OUT] + (int64_t)target * s.out_step;
		bool begun_before = row.goes_on(from, s.n);
		A sum = begun_before ? 0 : first_term(s, y);
		for (int64_t first = from; first < to && target != row.no_target(); first += AT_ONCE) {
			uint64_t targets[AT_ONCE];
			T terms[AT_ONCE];
#pragma unroll
			for (int k = 0; k < AT_ONCE; k++)
				if (first + k < to) {
					targets[k] = row.target(first + k);
					terms[k] = x[locate_once(s.positions, row.position(first + k)).at[0]];
				}
#pragma unroll
			for (int k = 0; k < AT_ONCE; k++) {
				if (first + k >= to || target == row.no_target())
					continue;
				if (targets[k] != target) {
					if (begun_before)
						shares.begun_before[job] = sum;
					else
						put_result<T>::at(y, sum);
					begun_before = false;
					target = targets[k];
					if (target == row.no_target())
						continue;
					y = out + o.at[SEGMENTS_OUT] + (int64_t)target * s.out_step;
					sum = first_term(s, y);
				}
				sum = plus(sum, (A)load(terms[k]));
			}
		}
		if (target == row.no_target())
			continue;
		if (begun_before)
			shares.begun_before[job] = sum;
		else if (row.goes_on(to, s.n))
			shares.going_on[job] = sum;
		else
			put_result<T>::at(y, sum);
	}
}

/* For each segment that begins in a piece and goes on: its shares in order. */
template <class T>
static __global__ void join_segments(const __grid_constant__ segments_shape s, const void *pairs, T *out,
                                     segment_shares<accumulator_of<T>> shares) {
	for (int64_t job = first_position(); job < s.columns.count * (s.pieces - 1); job += position_step()) {
		int64_t piece = job / s.columns.count, column = job - piece * s.columns.count;
		int64_t from = piece * PIECE, to = from + PIECE;
		offsets<3, int64_t> o = locate_once(s.columns, column);
		const sorted_row row = {pairs, o.at[SEGMENTS_ROW], s.wide};
		uint64_t target = row.target(to - 1);
		bool begins_here = target != row.target(from) || !row.goes_on(from, s.n);
		if (target == row.no_target() || !begins_here || !row.goes_on(to, s.n))
			continue;
		accumulator_of<T> sum = shares.going_on[job];
		for (int64_t at = job; row.goes_on(to, s.n) && row.target(to) == target; to += PIECE) {
			at += s.columns.count;
			sum = plus(sum, shares.begun_before[at]);
		}
		put_result<T>::at(out + o.at[SEGMENTS_OUT] + (int64_t)target * s.out_step, sum);
	}
}

inline int64_t pieces_of(int64_t n) {
	return (n + PIECE - 1) / PIECE;
}

/* Bytes of the shares. */
template <class T> inline uint64_t shares_bytes(int64_t columns, int64_t n) {
	return n > PIECE ? 2 * (uint64_t)(columns * pieces_of(n)) * sizeof(accumulator_of<T>) : 0;
}

/* pairs: sorted, rows of n; memory: shares_bytes of it. */
template <class T>
static int32_t launch_segments(mt_queue *queue, const char *name, const segments_shape &s, const void *pairs,
                               const T *src, T *out, void *memory) {
	using A = accumulator_of<T>;
	int64_t jobs = s.columns.count * s.pieces;
	const segment_shares<A> shares = {(A *)memory, (A *)memory + jobs};
	int32_t status = launch(queue, name, blocks_for(jobs), BLOCK, sum_segments<T>, s, pairs, src, out, shares);
	if (status != MT_OK || s.pieces == 1)
		return status;
	return launch(queue, name, blocks_for(jobs), BLOCK, join_segments<T>, s, pairs, out, shares);
}

/* ---- pairs of target and position, from indices ---- */

/* places: index, row by row of n positions.  Positions whose index is bad (it is reported) or is `omitted` (none: −1) are
 * left out. */
template <class X>
static __global__ void make_targets(const __grid_constant__ walk<1, int64_t> places, index_range range, int64_t omitted,
                                    int64_t n, bool wide, const X *index, void *pairs) {
	for (int64_t i = first_position(); i < places.count; i += position_step()) {
		int64_t target = checked_index(range, index[locate_once(places, i).at[0]]);
		bool none = target < 0 || target == omitted;
		uint64_t position = (uint64_t)(i % n), key = (uint64_t)target;
		if (wide)
			((wide_pair *)pairs)[i] = {none ? NO_TARGET_WIDE : key, position};
		else
			((narrow_pair *)pairs)[i] = pair_of<narrow_pair>::make(none ? NO_TARGET_NARROW : key, position);
	}
}

/* The pairs of every row, sorted.  memory: two halves of `half` bytes. */
static inline int32_t order_targets(mt_queue *queue, const char *name, const mt_cuda_walk &places,
                                    const index_range &range, int64_t omitted, int64_t n, bool wide,
                                    const mt_array *index, char *memory, uint64_t half, const void **sorted) {
	const walk<1, int64_t> walked(places);
	int32_t status = index->dtype == MT_I64
	                     ? launch(queue, name, blocks_for(places.count), BLOCK, make_targets<int64_t>, walked, range,
	                              omitted, n, wide, origin<int64_t>(index), (void *)memory)
	                     : launch(queue, name, blocks_for(places.count), BLOCK, make_targets<int32_t>, walked, range,
	                              omitted, n, wide, origin<int32_t>(index), (void *)memory);
	if (status != MT_OK)
		return status;
	return mt__cuda_order(queue, name, memory, memory + half, wide, places.count / n, n, sorted);
}

inline uint64_t pairs_bytes(int64_t count, bool wide) {
	return mt__cuda_aligned((uint64_t)count * (wide ? sizeof(wide_pair) : sizeof(narrow_pair)));
}

#endif
