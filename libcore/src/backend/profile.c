/* The profile: time, calls and rate of each op, by device (MT_PROFILE=1). */
#include <stdlib.h>
#include <time.h>

#include "backend/device_impl.h"
#include "base/error.h"
#include "base/log.h"

struct mt__profile_row {
	uint64_t calls, fallbacks, nanoseconds;
	double flops, bytes; /* one of them is 0 */
};

enum { ROWS = MT_K_END_ * MT__MAX_OPS };

atomic_int mt__instrumented;
static atomic_int profiling;

uint64_t mt__now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int mt__profile_on(void) {
	return profiling;
}

mt_status mt_profile_enable(int on) {
	profiling = on != 0;
	mt__instrumented = profiling || mt__log_enabled(MT_LOG_DEBUG, MT_LOG_DISPATCH);
	return MT_OK;
}

static void print_at_exit(void) {
	(void)mt_profile_print(stderr);
}

void mt__profile_start_from_environment(void) {
	const char *value = mt__getenv("MT_PROFILE");
	int on = value != NULL && value[0] == '1';
	(void)mt_profile_enable(on || profiling);
	if (on)
		atexit(print_at_exit);
}

/* ---- work ---- */

static double product(const int64_t *extents, int32_t n) {
	double p = 1;
	for (int32_t i = 0; i < n; i++)
		p *= (double)extents[i];
	return p;
}

/* Floating-point operations of the kernels that are bound by them (two a multiply-add); 0 for the others. */
static double flops_of(enum mt_kernel_id kernel, const void *args) {
	const mt_array *out, *weight;
	if (kernel == MT_K_MATMUL) {
		const struct mt_matmul_args *m = args;
		return 2 * product(m->out->shape, m->out->rank) * (double)m->a->shape[m->a->rank - 1];
	}
	if (kernel == MT_K_CONV) {
		out = ((const struct mt_conv_args *)args)->out;
		weight = ((const struct mt_conv_args *)args)->weight;
	} else if (kernel == MT_K_CONV_GRAD_INPUT) {
		out = ((const struct mt_conv_grad_input_args *)args)->gout;
		weight = ((const struct mt_conv_grad_input_args *)args)->weight;
	} else if (kernel == MT_K_CONV_GRAD_WEIGHT) {
		out = ((const struct mt_conv_grad_weight_args *)args)->gout;
		weight = ((const struct mt_conv_grad_weight_args *)args)->gweight;
	} else {
		return 0;
	}
	return 2 * product(out->shape, out->rank) * product(weight->shape + 1, weight->rank - 1);
}

/* Bytes of memory that the operands stand for: a broadcast dim counts once. */
static double bytes_of(enum mt_kernel_id kernel, const void *args) {
	const struct mt__kernel *k = &mt__kernels[kernel];
	double bytes = 0;
	for (uint32_t i = 0; i < k->n_operands; i++) {
		const mt_array *a = mt__operand(k, args, i);
		double elements = a != NULL ? 1 : 0;
		for (int32_t d = 0; a != NULL && d < a->rank; d++)
			elements *= a->stride[d] != 0 || a->shape[d] == 0 ? (double)a->shape[d] : 1;
		bytes += a != NULL ? elements * (double)mt__dtype_bytes(a->dtype) : 0;
	}
	return bytes;
}

void mt__profile_add(mt_device *d, enum mt_kernel_id kernel, int32_t op, const void *args, uint64_t nanoseconds,
                     int fallback) {
	if (!profiling)
		return;
	if (d->profile == NULL)
		d->profile = mt__calloc(ROWS, sizeof *d->profile);
	if (d->profile == NULL)
		return;
	struct mt__profile_row *row = &d->profile[(int)kernel * MT__MAX_OPS + (op & (MT__MAX_OPS - 1))];
	double flops = flops_of(kernel, args);
	row->calls++;
	row->fallbacks += fallback != 0;
	row->nanoseconds += nanoseconds;
	row->flops += flops;
	row->bytes += flops > 0 ? 0 : bytes_of(kernel, args);
}

/* ---- the table ---- */

static const struct mt__profile_row *sorting; /* qsort has no argument for it; under the loader's lock */

static int by_time(const void *a, const void *b) {
	uint64_t x = sorting[*(const int *)a].nanoseconds, y = sorting[*(const int *)b].nanoseconds;
	return x < y ? 1 : x > y ? -1 : *(const int *)a - *(const int *)b;
}

static void print_row(FILE *out, int index, const struct mt__profile_row *row, double total) {
	enum mt_kernel_id kernel = (enum mt_kernel_id)(index / MT__MAX_OPS);
	const char *kernel_name = mt__kernels[kernel].name, *op = mt__kernel_op_name(kernel, index % MT__MAX_OPS);
	double ns = (double)row->nanoseconds, rate = row->flops > 0 ? row->flops : row->bytes;
	fprintf(out, "  %-18s %-15s %10llu %9llu %12.3f %6.1f%% %10.2f %10.2f %s\n", kernel_name,
	        op == kernel_name ? "" : op, (unsigned long long)row->calls, (unsigned long long)row->fallbacks, ns / 1e6,
	        total > 0 ? 100 * ns / total : 0, ns / 1e3 / (double)row->calls, ns > 0 ? rate / ns : 0,
	        row->flops > 0 ? "GFLOP/s" : "GB/s");
}

static void print_device(FILE *out, const mt_device *d) {
	int order[ROWS] = {0}, n = 0;
	double total = 0;
	for (int i = 0; i < ROWS; i++)
		if (d->profile[i].calls > 0) {
			order[n++] = i;
			total += (double)d->profile[i].nanoseconds;
		}
	sorting = d->profile;
	qsort(order, (size_t)n, sizeof *order, by_time);
	fprintf(out, "mt profile: %s, %.3f ms in kernels\n", d->name, total / 1e6);
	fprintf(out, "  %-18s %-15s %10s %9s %12s %7s %10s %10s\n", "kernel", "op", "calls", "fallbacks", "total ms",
	        "share", "mean us", "rate");
	for (int i = 0; i < n; i++)
		print_row(out, order[i], &d->profile[order[i]], total);
	if (d->fallback > 0)
		fprintf(out, "  fell back to the reference: %llu calls, operands of %llu bytes\n",
		        (unsigned long long)d->fallback, (unsigned long long)d->fallback_bytes);
}

mt_status mt_profile_print(FILE *out) {
	if (out == NULL)
		return mt__fail_arg_null("mt_profile_print", "out");
	mt__loader_lock();
	for (mt_device *d = mt__devices; d != NULL; d = d->next) {
		if (d->allocator.generation != mt__fork_generation)
			continue;
		mt__lock_take(&d->lock);
		if (d->profile != NULL)
			print_device(out, d);
		mt__lock_give(&d->lock);
	}
	mt__loader_unlock();
	fflush(out);
	return MT_OK;
}

mt_status mt_profile_totals(mt_device *device, struct mt_profile_totals *out) {
	if (out == NULL)
		return mt__fail_arg_null("mt_profile_totals", "out");
	*out = (struct mt_profile_totals){0};
	if (device == NULL)
		return mt__fail_arg_null("mt_profile_totals", "device");
	mt_status status = mt__device_check(device);
	if (status != MT_OK)
		return status;
	mt__lock_take(&device->lock);
	for (int i = 0; device->profile != NULL && i < ROWS; i++) {
		const struct mt__profile_row *row = &device->profile[i];
		out->calls += row->calls;
		out->fallbacks += row->fallbacks;
		out->nanoseconds += row->nanoseconds;
		out->flops += row->flops;
	}
	mt__lock_give(&device->lock);
	return MT_OK;
}
