/* Means and variances: of what a group of threads holds in two passes, mean first, deviations from it second; of the
 * chunks of a long row by Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
 * variances", 1979.  Never by E[x²] − E[x]². */
#ifndef MT_CUDA_MOMENTS_CUH
#define MT_CUDA_MOMENTS_CUH

#include "chunks.cuh"

/* Mean and Σ (x − mean)² of the group's chunk. */
template <int P, int R, class C>
__device__ inline pair<C> moments_of(const row_grid &g, const seat &s, const C (&v)[R], C *shared) {
	C sum = 0, squares = 0;
	each<P, R>(s, [&](int i, int32_t) { sum += v[i]; });
	C mean = group_sum(g, sum, shared) / (C)s.size;
	each<P, R>(s, [&](int i, int32_t) { squares += (v[i] - mean) * (v[i] - mean); });
	return {mean, group_sum(g, squares, shared)};
}

/* The same of a row, from its chunks; g and s are those of the finish. */
template <class C>
__device__ inline pair<C> moments_of_chunks(const row_grid &g, const seat &s, const row_grid &chunked,
                                            const pair<C> *chunks, C *shared) {
	C sum = 0, squares = 0;
	each_chunk(g, s, [&](int64_t c) { sum += chunks[chunk_slot(chunked, s.row, c)].a * (C)chunk_size(chunked, c); });
	C mean = group_sum(g, sum, shared) / (C)chunked.length;
	each_chunk(g, s, [&](int64_t c) {
		pair<C> part = chunks[chunk_slot(chunked, s.row, c)];
		squares += part.b + (C)chunk_size(chunked, c) * (part.a - mean) * (part.a - mean);
	});
	return {mean, group_sum(g, squares, shared)};
}

/* The sums of a row's chunks. */
template <class C>
__device__ inline pair<C> sums_of_chunks(const row_grid &g, const seat &s, const row_grid &chunked,
                                         const pair<C> *chunks, pair<C> *shared) {
	pair<C> sums = {0, 0};
	each_chunk(g, s, [&](int64_t c) { sums = join_pairs()(sums, chunks[chunk_slot(chunked, s.row, c)]); });
	return group_sums(g, sums, shared);
}

#endif
