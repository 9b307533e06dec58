/* What this machine's CPU can do at most. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "bench/clock.h"
#include "bench/peak.h"

const struct peak_kernels *peak_best(void) {
#if defined(__x86_64__)
	__builtin_cpu_init();
#if defined(MT_HAVE_AVX512)
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
	    __builtin_cpu_supports("avx512vl"))
		return &peak_kernels_avx512;
#endif
#if defined(MT_HAVE_AVX2)
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return &peak_kernels_avx2;
#endif
#endif
	return &peak_kernels_base;
}

/* Seconds that iterations of the loop take on all of threads together. */
static double time_loops(const struct peak_kernels *k, int threads, int wide, long iterations) {
	volatile double kept = 0;
	double begin = 0, end = 0;
	(void)threads;
#if defined(_OPENMP)
#pragma omp parallel num_threads(threads)
#endif
	{
#if defined(_OPENMP)
#pragma omp barrier
#pragma omp master
#endif
		begin = bench_now();
		double sum = wide ? k->f64(iterations, 0.999, 1e-3) : k->f32(iterations, 0.999f, 1e-3f);
		if (sum < 0)
			kept = sum;
#if defined(_OPENMP)
#pragma omp barrier
#pragma omp master
#endif
		end = bench_now();
	}
	(void)kept;
	return end - begin;
}

double peak_flops(int threads, int wide, double seconds) {
	static double once; /* seconds of an iteration */
	const struct peak_kernels *k = peak_best();
	if (once <= 0)
		once = time_loops(k, 1, 0, 20000) / 20000;
	long iterations = once > 0 ? (long)(0.5e-3 / once) : 200000;
	iterations = iterations < 1000 ? 1000 : iterations;
	double operations = 2.0 * PEAK_VECTORS * (wide ? k->lanes_f64 : k->lanes_f32) * (double)iterations, best = 0;
#if defined(_OPENMP)
	operations *= threads;
#endif
	double end = bench_now() + seconds;
	for (int i = 0; i < 3 || bench_now() < end; i++) {
		double rate = operations / time_loops(k, threads, wide, iterations);
		best = rate > best ? rate : best;
	}
	return best;
}

/* ---- memory ---- */

enum { BLOCK = 64 << 20, PIECE = 1 << 18, HUGE_PAGE = 2 << 20 };

/* Two blocks whose pages are all there, huge ones where the kernel gives them, as to a backend's large arrays, and too
 * large to be in a cache when they are read again; NULL where there is no memory.  They aren't zeros: some CPUs write
 * lines of zeros faster than data (docs/performance/elementwise.md: measured). */
static char **make_blocks(void) {
	static char *blocks[2];
	for (int i = 0; i < 2; i++) {
		void *block = NULL;
		if (blocks[i] != NULL)
			continue;
		if (posix_memalign(&block, HUGE_PAGE, BLOCK) != 0)
			return NULL;
#if defined(MADV_HUGEPAGE)
		(void)madvise(block, BLOCK, MADV_HUGEPAGE);
#endif
		memset(block, i + 1, BLOCK);
		blocks[i] = block;
	}
	return blocks;
}

/* Non-temporal stores where this CPU's baseline has them: 16-byte pieces of aligned blocks. */
static void copy_past_caches(char *to, const char *from, size_t bytes) {
#if defined(__SSE2__)
	for (size_t i = 0; i < bytes; i += 16)
		_mm_stream_si128((__m128i *)(void *)(to + i), _mm_load_si128((const __m128i *)(const void *)(from + i)));
	_mm_sfence();
#else
	memcpy(to, from, bytes);
#endif
}

static double time_copy(char *to, const char *from, int threads) {
	double begin = bench_now();
	(void)threads;
#if defined(_OPENMP)
#pragma omp parallel for num_threads(threads) schedule(static)
#endif
	for (int i = 0; i < BLOCK / PIECE; i++) {
		size_t at = (size_t)i * PIECE;
		copy_past_caches(to + at, from + at, PIECE);
	}
	return bench_now() - begin;
}

static double time_read(const char *from, int threads) {
	static volatile double kept;
	const struct peak_kernels *k = peak_best();
	double total = 0, begin = bench_now();
	(void)threads;
#if defined(_OPENMP)
#pragma omp parallel for num_threads(threads) schedule(static) reduction(+ : total)
#endif
	for (int i = 0; i < BLOCK / PIECE; i++)
		total += k->sum((const float *)(const void *)(from + (size_t)i * PIECE), PIECE / (long)sizeof(float));
	kept = total;
	(void)kept;
	return bench_now() - begin;
}

/* Rates are of whole blocks: what memory goes on giving, not the best of its bursts. */

double peak_copy(int threads) {
	char **blocks = make_blocks();
	if (blocks == NULL)
		return NAN;
	return 2.0 * BLOCK / time_copy(blocks[1], blocks[0], threads);
}

double peak_read(int threads) {
	char **blocks = make_blocks();
	if (blocks == NULL)
		return NAN;
	return BLOCK / fmin(time_read(blocks[0], threads), time_read(blocks[1], threads));
}
