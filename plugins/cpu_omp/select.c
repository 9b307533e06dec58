/* select: out = cond ? a : b, on bits alone. */
#include "elementwise.h"
#include "vmath.h"

#define T uint8_t
#define NAME(f) f##_1
#include "select_run.inc"
#undef T
#undef NAME
#define T uint16_t
#define NAME(f) f##_2
#include "select_run.inc"
#undef T
#undef NAME
#define T uint32_t
#define NAME(f) f##_4
#include "select_run.inc"
#undef T
#undef NAME
#define T uint64_t
#define NAME(f) f##_8
#include "select_run.inc"
#undef T
#undef NAME

int32_t MT_ISA_NAME(mt__omp_select)(mt_queue *queue, const struct mt_select_args *args) {
	struct mt__omp_job job;
	const mt_array *arrays[] = {args->out, args->cond, args->a, args->b};
	mt__omp_collapse(&job.walk, 4, arrays);
	job.reads = 14;
	job.writes = 1;
	job.raw = 15;
	job.move = false;
	job.may_be_scalar = 12;
	job.cost = 1.5;
	switch (mt__omp_dtype_size(args->out->dtype)) {
	case 1:
		job.run = select_1;
		break;
	case 2:
		job.run = select_2;
		break;
	case 4:
		job.run = select_4;
		break;
	default:
		job.run = select_8;
	}
	job.stream = NULL;
	job.context = NULL;
	mt__omp_elementwise(queue, &job);
	return MT_OK;
}
