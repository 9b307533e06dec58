/* The driver of kernels that treat each position alone (map, zip, copy, select, optimisers).  It walks the arrays, hands
 * contiguous runs to the kernel's function, and threads.  Runs that are not contiguous, or not of the type computed in,
 * pass through buffers in L1; transposed operands are moved in blocks. */
#ifndef MT_OMP_ELEMENTWISE_H
#define MT_OMP_ELEMENTWISE_H

#include "collapse.h"
#include "isa.h"

#define mt__omp_elementwise MT_ISA_NAME(mt__omp_elementwise)

struct mt__omp_job {
	struct mt__walk walk;
	/* Bit k: array k is read, is written; raw: its elements are moved, never converted to a compute type. */
	uint32_t reads, writes, raw;
	bool move; /* two arrays of one compute type, and run does no more than copy: staging alone can do it */
	uint32_t may_be_scalar; /* bit k: run takes a single element in array k's place (as scalars says) */
	double cost;            /* of one position, that of a float axpy being 1 */
	/* p[k]: n elements of array k, contiguous, in its compute type; one element where bit k of scalars is set. */
	void (*run)(const void *context, int64_t n, void *const *p, uint32_t scalars);
	/* The same with stores past the caches, for whole cache lines of array 0: p[0] is aligned to 64 bytes, n is a multiple
	 * of 64 bytes' elements.  NULL: run, a buffer and a copy do it.  Not looked at
	 * where array 0 is read or another one written. */
	void (*stream)(const void *context, int64_t n, void *const *p, uint32_t scalars);
	const void *context;
};

/* The walk must be filled (mt__omp_collapse); may be reordered by the call. */
void mt__omp_elementwise(mt_queue *queue, struct mt__omp_job *job);

#endif
