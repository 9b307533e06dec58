/* Rows that are longer than a group of threads can hold: a kernel runs over their chunks with SUM_CHUNKS, another one puts
 * together what they came to, and the first one runs again with WRITE_CHUNKS. */
#ifndef MT_CUDA_CHUNKS_CUH
#define MT_CUDA_CHUNKS_CUH

#include "rows.cuh"

/* Scratch for what chunks and whole rows come to, an A each (chunk_slot; by row). */
template <class A> struct chunk_sums {
	A *chunks, *whole;

	int32_t get(mt_queue *queue, const mt_cuda_rows &p, const char *name) {
		uint64_t bytes = mt__cuda_aligned((uint64_t)(p.rows * p.chunks) * sizeof(A));
		chunks = (A *)mt__cuda_scratch(queue, bytes + (uint64_t)p.rows * sizeof(A), name);
		whole = (A *)((char *)chunks + bytes);
		return chunks ? MT_OK : MT_E_MEMORY;
	}
};

/* Starts write(phase, sums): once, or for the chunks of long rows twice, with finish(plan, sums) between. */
template <class A, class Finish, class Write>
inline int32_t run_phases(mt_queue *queue, const char *name, const mt_cuda_rows &p, Finish finish, Write write) {
	chunk_sums<A> sums = {};
	if (p.chunks == 1)
		return write(WHOLE_ROWS, sums);
	mt_cuda_rows together;
	mt__cuda_plan_finish(&together, &p);
	int32_t status = sums.get(queue, p, name);
	if (status == MT_OK)
		status = write(SUM_CHUNKS, sums);
	if (status == MT_OK)
		status = finish(together, sums);
	return status == MT_OK ? write(WRITE_CHUNKS, sums) : status;
}

/* Calls f(c) for the chunks that a seat of the finish puts together: c counts those of the row. */
template <class F> __device__ inline void each_chunk(const row_grid &g, const seat &s, F f) {
	for (int64_t c = s.first; c < g.length && s.count > 0; c += s.step)
		f(c);
}

#endif
