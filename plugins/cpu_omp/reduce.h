/* What reduce.c shares with reduce_type.c: the loops of one dtype, over contiguous memory. */
#ifndef MT_OMP_REDUCE_H
#define MT_OMP_REDUCE_H

#include "isa.h"

#define mt__omp_reduce_loops MT_ISA_NAME(mt__omp_reduce_loops)

/* A partial result: f for floats, i for integers and bool. */
union mt__partial {
	double f;
	int64_t i;
};

struct mt__reduce_loops {
	bool real;     /* partial results are in f */
	int lane_size; /* bytes of a lane */
	int flush;     /* rows that lanes of sums may take up before they are joined, for accuracy */
	/* x[0] ∘ … ∘ x[n−1] */
	union mt__partial (*run)(int op, const void *x, int64_t n);
	/* the same of elements that come from memory and are read once */
	union mt__partial (*far_run)(int op, const void *x, int64_t n);
	/* lane[j] = the op's identity */
	void (*begin)(int op, void *lane, int64_t columns);
	/* lane[j] = lane[j] ∘ x[0 · ld + j] ∘ x[1 · ld + j] ∘ …, rows of them, groups of rows joined pairwise first; far:
	 * they come from memory, and the next group is asked for */
	void (*columns)(int op, void *lane, const void *x, int64_t ld, int64_t rows, int64_t columns, bool far);
	/* total[j] = total[j] ∘ lane[j] */
	void (*flush_lanes)(int op, union mt__partial *total, const void *lane, int64_t columns);
	/* total[j] = total[j] ∘ next[j] */
	void (*join)(int op, union mt__partial *total, const union mt__partial *next, int64_t columns);
	/* out[j · stride] = lane[j] / count; NULL where lanes are of another type than x */
	void (*finish)(void *out, int64_t stride, const void *lane, double count, int64_t columns);
};

/* The loops for op over elements of a compute dtype. */
const struct mt__reduce_loops *mt__omp_reduce_loops(int32_t op, int32_t compute_dtype);

static inline union mt__partial mt__partial_start(bool real, int32_t op) {
	bool one = op == MT_REDUCE_PROD || op == MT_REDUCE_ALL;
	union mt__partial p;
	if (real)
		p.f = one                   ? 1.0
		      : op == MT_REDUCE_MAX ? -(double)__builtin_inff()
		      : op == MT_REDUCE_MIN ? (double)__builtin_inff()
		                            : 0;
	else
		p.i = one ? 1 : op == MT_REDUCE_MAX ? INT64_MIN : op == MT_REDUCE_MIN ? INT64_MAX : 0;
	return p;
}

static inline union mt__partial mt__partial_join(bool real, int32_t op, union mt__partial a, union mt__partial b) {
	union mt__partial p;
	switch (op) {
	case MT_REDUCE_PROD:
		if (real)
			p.f = a.f * b.f;
		else
			p.i = (int64_t)((uint64_t)a.i * (uint64_t)b.i);
		return p;
	case MT_REDUCE_MAX:
		return (real ? a.f > b.f || a.f != a.f : a.i > b.i) ? a : b;
	case MT_REDUCE_MIN:
		return (real ? a.f < b.f || a.f != a.f : a.i < b.i) ? a : b;
	case MT_REDUCE_ANY:
		if (real)
			p.f = a.f != 0 || b.f != 0;
		else
			p.i = a.i != 0 || b.i != 0;
		return p;
	case MT_REDUCE_ALL:
		if (real)
			p.f = a.f != 0 && b.f != 0;
		else
			p.i = a.i != 0 && b.i != 0;
		return p;
	}
	if (real)
		p.f = a.f + b.f;
	else
		p.i = (int64_t)((uint64_t)a.i + (uint64_t)b.i);
	return p;
}

#endif
