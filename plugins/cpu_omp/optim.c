/* sgd and adam: one pass over a parameter and its state. */
#include "elementwise.h"
#include "stage.h"
#include "vmath_wide.h"

#define T float
#define NAME(f) f##_f32
#define SQRT(x) sqrtf(x)
#define MADD(a, b, c) mt__madd(a, b, c)
#include "optim_type.inc"
#undef T
#undef NAME
#undef SQRT
#undef MADD

#define T double
#define NAME(f) f##_f64
#define SQRT(x) sqrt(x)
#define MADD(a, b, c) mt__wide_madd(a, b, c)
#include "optim_type.inc"
#undef T
#undef NAME
#undef SQRT
#undef MADD

static double step_value(mt_step_value s) {
	if (!s.device)
		return s.value;
	const void *p = mt__omp_data(s.device);
	return s.device->dtype == MT_I64 ? (double)*(const int64_t *)p : *(const double *)p;
}

int32_t MT_ISA_NAME(mt__omp_sgd)(mt_queue *queue, const struct mt_sgd_args *args) {
	struct mt__omp_job job;
	const mt_array *arrays[] = {args->param, args->grad, args->velocity};
	bool momentum = args->velocity != NULL;
	mt__omp_collapse(&job.walk, momentum ? 3 : 2, arrays);
	job.reads = 7;
	job.writes = 5;
	job.raw = 0;
	job.move = false;
	job.may_be_scalar = 0;
	job.cost = 2;
	double lr = step_value(args->lr);
	struct sgd_f32 narrow = sgd_of_f32(args, lr);
	struct sgd_f64 wide = sgd_of_f64(args, lr);
	if (mt__omp_compute_dtype(args->param->dtype) == MT_F64) {
		job.run = momentum ? sgd_momentum_run_f64 : sgd_run_f64;
		job.context = &wide;
	} else {
		job.run = momentum ? sgd_momentum_run_f32 : sgd_run_f32;
		job.context = &narrow;
	}
	mt__omp_elementwise(queue, &job);
	return MT_OK;
}

int32_t MT_ISA_NAME(mt__omp_adam)(mt_queue *queue, const struct mt_adam_args *args) {
	struct mt__omp_job job;
	const mt_array *arrays[] = {args->param, args->grad, args->m, args->v, args->vmax};
	bool amsgrad = args->vmax != NULL;
	mt__omp_collapse(&job.walk, amsgrad ? 5 : 4, arrays);
	job.reads = 31;
	job.writes = 29;
	job.raw = 0;
	job.move = false;
	job.may_be_scalar = 0;
	job.cost = 4;
	double lr = step_value(args->lr), t = step_value(args->step);
	struct adam_f32 narrow = adam_of_f32(args, lr, t);
	struct adam_f64 wide = adam_of_f64(args, lr, t);
	if (mt__omp_compute_dtype(args->param->dtype) == MT_F64) {
		job.run = amsgrad ? amsgrad_run_f64 : adam_run_f64;
		job.context = &wide;
	} else {
		job.run = amsgrad ? amsgrad_run_f32 : adam_run_f32;
		job.context = &narrow;
	}
	mt__omp_elementwise(queue, &job);
	return MT_OK;
}
