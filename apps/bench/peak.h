/* What this machine's CPU can do at most: FMA loops in registers, copies of large blocks. */
#ifndef APPS_BENCH_PEAK_H
#define APPS_BENCH_PEAK_H

/* One ISA level's loops: iterations times 12 vectors, v = v · m + a; the sum of all lanes keeps them alive. */
struct peak_kernels {
	const char *isa;
	double (*f32)(long iterations, float m, float a);
	double (*f64)(long iterations, double m, double a);
	/* The sum of n numbers, n a multiple of 512, x aligned to 64 bytes. */
	double (*sum)(const float *x, long n);
	int lanes_f32, lanes_f64;
};

enum { PEAK_VECTORS = 12 };

extern const struct peak_kernels peak_kernels_base, peak_kernels_avx2, peak_kernels_avx512;

/* The best level that is built here and that this CPU and its system have. */
const struct peak_kernels *peak_best(void);

/* Floating-point operations a second on so many threads, a multiplication and an addition a lane: the best of tries of
 * about half a millisecond, three at least and as many as fit into seconds.  wide: f64, else f32. */
double peak_flops(int threads, int wide, double seconds);

/* Bytes a second, read and written both counted, of a copy that no cache holds, by non-temporal stores where the CPU has
 * them.  NaN where there is no memory for it. */
double peak_copy(int threads);

/* Bytes a second that are read, into sums, from memory that no cache holds.  NaN where there is no memory for it. */
double peak_read(int threads);

#endif
