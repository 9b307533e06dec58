/* FMA loops of one ISA level: compiled once for each, MT_ISA names it. */
#include "bench/peak.h"

#if defined(MT_ISA_AVX512)
#define PEAK_BYTES 64u
#elif defined(MT_ISA_AVX2)
#define PEAK_BYTES 32u
#else
#define PEAK_BYTES 16u
#endif

#define PEAK_JOIN_(a, b) a##b
#define PEAK_JOIN(a, b) PEAK_JOIN_(a, b)
#define PEAK_TEXT_(a) #a
#define PEAK_TEXT(a) PEAK_TEXT_(a)

#define REAL float
#define VECTOR vector_f32
#define NAME loop_f32
#include "bench/peak_fma.inc"
#undef REAL
#undef VECTOR
#undef NAME
#define REAL double
#define VECTOR vector_f64
#define NAME loop_f64
#include "bench/peak_fma.inc"

/* Eight sums at once hide the latency of additions. */
static double sum_f32(const float *x, long n) {
	enum { LANES = PEAK_BYTES / sizeof(float), SUMS = 8 };
	vector_f32 sums[SUMS] = {{0}}, all = {0};
	const vector_f32 *at = (const vector_f32 *)(const void *)x;
	double total = 0;
	for (long i = 0; i < n / LANES; i += SUMS)
		for (int k = 0; k < SUMS; k++)
			sums[k] += at[i + k];
	for (int k = 0; k < SUMS; k++)
		all += sums[k];
	for (int lane = 0; lane < LANES; lane++)
		total += (double)all[lane];
	return total;
}

const struct peak_kernels PEAK_JOIN(peak_kernels_, MT_ISA) = {
	PEAK_TEXT(MT_ISA), loop_f32, loop_f64, sum_f32, PEAK_BYTES / sizeof(float), PEAK_BYTES / sizeof(double),
};
