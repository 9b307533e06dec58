/* The OpenMP plugin's frame: what every source of this folder shares.
 *
 * Layout
 *     plugin.c        entry, devices, memory, queues; picks the ISA level of a device
 *     caches.c        cache sizes
 *     cpuid.c         which levels this CPU and this operating system can run
 *     contention.c    when work stays on one thread because other programs want the cores
 *     capabilities.c  the one list of what the device can do
 *     table.c         one level's kernel table: the one list of kernels (compiled once for each level)
 *     collapse.c      arrays reduced to few dims, for the elementwise kernels
 *     gemm*, matmul.c, conv*, pool.c    compute-bound kernels
 *     x86/            levels above avx512: few kernels, put over the table of the level below
 *     the rest        memory-bound kernels, one file a family
 *
 * Kernel sources are compiled once for each ISA level (base, avx2, avx512) and include isa.h, which gives every symbol that crosses files
 * the level's suffix.  Everything without that suffix exists once and is compiled for the baseline.
 *
 * Rules that all kernels keep
 *   - The same bits for any number of threads: work may be divided as you like where elements are independent, but a
 *     sum is divided into blocks that depend on the shape alone, and the blocks are combined in a fixed order.
 *   - Below the grain a kernel stays on the calling thread by a plain branch (mt__omp_threads returns 1): a parallel
 *     region costs about a microsecond hot and fifty after an idle spell.
 *   - One scratch call a kernel, before anything is written. */
#ifndef MT_OMP_H
#define MT_OMP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contention.h"
#include "mt/plugin.h"

/* Each has all that the ones before it have. */
enum mt__omp_isa { MT__OMP_BASE, MT__OMP_AVX2, MT__OMP_AVX512, MT__OMP_AVX512_BF16, MT__OMP_AMX, MT__OMP_ISA_COUNT };

struct mt_plugin_device {
	struct mt_device_api api;
	struct mt_kernel_table kernels;
	enum mt__omp_isa isa;
	int threads;
	bool all_threads; /* even where other programs want the cores: the option threads= was given */
};

struct mt_queue {
	mt_plugin_device *device;
	mt_host_queue *host;
	int threads;
	bool all_threads;
};

/* Work that takes one thread about 5 microseconds, in elements of a float axpy.  FLOPs of a matrix product count a
 * sixteenth each. */
#define MT__OMP_GRAIN 65536

/* Cache sizes that blocking aims at: smaller than those of current server cores, so that two neighbours fit. */
#define MT__OMP_L1_BYTES (32 * 1024)
#define MT__OMP_L2_BYTES (1024 * 1024)

/* ---- cpuid.c ---- */

/* The best level that is compiled in, that the CPU has and whose registers the operating system saves. */
enum mt__omp_isa mt__omp_best_isa(void);

/* "base", "avx2", "avx512", "avx512_bf16", "amx" */
const char *mt__omp_isa_name(enum mt__omp_isa isa);

/* Whether this process may use AMX's tile registers.  The first call asks the operating system, which from then on
 * keeps room for them in signal frames: to be called where tiles are about to be used.  Any thread. */
bool mt__omp_amx_permitted(void);

/* Whether a vector of 512 bits takes the CPU's floating-point units as long as two of 256: then both give the same speed. */
bool mt__omp_is_double_pumped(void);

/* The CPU's name as it gives it, trimmed; "CPU" where it gives none. */
void mt__omp_cpu_name(char *out, size_t size);

/* ---- caches.c ---- */

/* The second-level cache of one core, as far as blocking is concerned: from 256 KiB to 2 MiB. */
int64_t mt__omp_l2_bytes(void);

/* ---- plugin.c ---- */

/* Records the message for the host and returns status. */
int32_t mt__omp_fail(int32_t status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Scratch of this call (one call a kernel), aligned to 64 bytes; NULL when out of memory: then return
 * mt__omp_no_scratch(bytes). */
void *mt__omp_scratch(mt_queue *queue, uint64_t bytes);
int32_t mt__omp_no_scratch(uint64_t bytes);

/* ---- capabilities.c ---- */

extern const struct mt_capability mt__omp_capabilities[];
extern const uint64_t mt__omp_n_capabilities;

/* ---- table.c, once for each level ---- */

const struct mt_kernel_table *mt__omp_kernels_base(void);
const struct mt_kernel_table *mt__omp_kernels_avx2(void);
const struct mt_kernel_table *mt__omp_kernels_avx512(void);

/* ---- x86/table_*.c: what a level puts over the table of the level below ---- */

void mt__omp_override_avx512_bf16(struct mt_kernel_table *table);
void mt__omp_override_amx(struct mt_kernel_table *table);

/* ---- small helpers ------------------------------------------------------------------------------------------------ */

/* Threads for work (in MT__OMP_GRAIN's unit): 1 below the grain, then as many as get half a grain each; 1 while other
 * programs want the cores (contention.h). */
static inline int mt__omp_threads(const mt_queue *queue, double work) {
	if (work < MT__OMP_GRAIN || queue->threads < 2 || (!queue->all_threads && mt__omp_is_alone()))
		return 1;
	double most = work / (MT__OMP_GRAIN / 2);
	return most < queue->threads ? (int)most : queue->threads;
}

/* Part `part` of `parts` of [0, n): [*begin, *end), sizes differing by at most one. */
static inline void mt__omp_share(int64_t n, int part, int parts, int64_t *begin, int64_t *end) {
	int64_t each = n / parts, rest = n % parts;
	*begin = part * each + (part < rest ? part : rest);
	*end = *begin + each + (part < rest);
}

/* The address of an array's first element. */
static inline void *mt__omp_data(const mt_array *a) {
	return (char *)a->base + a->byte_offset;
}

static inline int64_t mt__omp_numel(const mt_array *a) {
	int64_t n = 1;
	for (int32_t d = 0; d < a->rank; d++)
		n *= a->shape[d];
	return n;
}

static inline int mt__omp_dtype_size(int32_t dtype) {
	switch (dtype) {
#define MT_DTYPE(id, NAME, name, bytes, class)                                                                         \
	case id:                                                                                                           \
		return bytes;
#include "mt/dtypes.def"
#undef MT_DTYPE
	}
	return 0;
}

static inline uint64_t mt__omp_align64(uint64_t bytes) {
	return (bytes + 63) & ~(uint64_t)63;
}

/* The next bytes of a stretch of scratch; *space moves on. */
static inline void *mt__omp_take(char **space, uint64_t bytes) {
	void *taken = *space;
	*space += bytes;
	return taken;
}

static inline int64_t mt__omp_min(int64_t a, int64_t b) {
	return a < b ? a : b;
}

static inline int64_t mt__omp_max(int64_t a, int64_t b) {
	return a > b ? a : b;
}

static inline int64_t mt__omp_ceil_div(int64_t a, int64_t b) {
	return (a + b - 1) / b;
}

static inline int64_t mt__omp_round_up(int64_t n, int64_t multiple) {
	return mt__omp_ceil_div(n, multiple) * multiple;
}

/* The extent of equal blocks of n, at most `most`, in whole multiples; one multiple for n = 0. */
static inline int64_t mt__omp_block_extent(int64_t n, int64_t most, int64_t multiple) {
	int64_t blocks = mt__omp_max(1, mt__omp_ceil_div(n, most));
	return mt__omp_max(multiple, mt__omp_round_up(mt__omp_ceil_div(n, blocks), multiple));
}

#endif
