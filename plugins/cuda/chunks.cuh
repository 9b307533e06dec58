/* Rows that are longer than a group of threads can hold: a kernel runs over their chunks with SUM_CHUNKS, another one puts
 * together what they came to, and the first one runs again with WRITE_CHUNKS. */
#ifndef MT_CUDA_CHUNKS_CUH
#define MT_CUDA_CHUNKS_CUH

#include "rows.cuh"

/* What chunks and whole rows come to, an A each, in scratch memory (chunk_slot; by row). */
template <class A> struct chunk_sums { A *chunks, *whole; };

/* Bytes of scratch that the rows need: none where they are not cut into chunks. */
template <class A> inline uint64_t chunk_bytes(const mt_cuda_rows &p) {
	return p.chunks == 1 ? 0
	                     : mt__cuda_aligned((uint64_t)(p.rows * p.chunks) * sizeof(A)) + (uint64_t)p.rows * sizeof(A);
}

template <class A> inline chunk_sums<A> chunk_sums_at(const mt_cuda_rows &p, void *scratch) {
	char *whole = (char *)scratch + mt__cuda_aligned((uint64_t)(p.rows * p.chunks) * sizeof(A));
	return {(A *)scratch, scratch ? (A *)whole : nullptr};
}

/* *out: scratch memory, NULL for 0 bytes. */
inline int32_t scratch_of(mt_queue *queue, uint64_t bytes, const char *name, void **out) {
	*out = bytes > 0 ? mt__cuda_scratch(queue, bytes, name) : nullptr;
	return bytes == 0 || *out ? MT_OK : MT_E_MEMORY;
}

/* Starts write(phase): once, or for the chunks of long rows twice, with finish(plan) between. */
template <class Write, class Finish> inline int32_t run_phases(const mt_cuda_rows &p, Write write, Finish finish) {
	if (p.chunks == 1)
		return write(WHOLE_ROWS);
	mt_cuda_rows together;
	mt__cuda_plan_finish(&together, &p);
	int32_t status = write(SUM_CHUNKS);
	if (status == MT_OK)
		status = finish(together);
	return status == MT_OK ? write(WRITE_CHUNKS) : status;
}

/* Calls f(c) for the chunks that a seat of the finish puts together: c counts those of the row. */
template <class F> __device__ inline void each_chunk(const row_grid &g, const seat &s, F f) {
	for (int64_t c = s.first; c < g.length && s.count > 0; c += s.step)
		f(c);
}

#endif
