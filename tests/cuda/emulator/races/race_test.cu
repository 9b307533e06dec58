/* race_test CASE: kernels with races, which the emulator finds (races.test has what it says), and kernels without.  Prints
 * "right" where nothing is found. */
#include <stdio.h>
#include <string.h>

#include <cuda_fp16.h>
#include <cuda_pipeline_primitives.h>
#include <mma.h>

constexpr int THREADS = 128, WARP = 32, BLOCKS = 3;
constexpr unsigned ALL = 0xFFFFFFFFu;
#define MT_SHARED_ALIGNMENT 32

template <class... P, class... A> static void start(dim3 grid, dim3 block, void (*kernel)(P...), A... args) {
	cudaLaunchConfig_t config = {};
	config.gridDim = grid;
	config.blockDim = block;
	config.dynamicSmemBytes = 2 * THREADS * sizeof(int);
	if (cudaLaunchKernelEx(&config, kernel, static_cast<P>(args)...) != cudaSuccess)
		printf("not launched\n");
}

template <class T> static T *allocate(size_t n) {
	T *p = nullptr;
	cudaMalloc(&p, n * sizeof(T));
	cudaMemset(p, 0, n * sizeof(T));
	return p;
}

/* ---- barriers of a block ---- */

enum { NO_FIRST = 1, NO_SECOND = 2, NARROW = 4 };

/* Each thread writes, reads what another wrote, and writes again. */
template <int missing> static __global__ void exchange(int *out) {
	__shared__ int x[THREADS];
	int t = (int)threadIdx.x;
	x[t] = t;
	if (!(missing & NO_FIRST))
		__syncthreads();
	int other = x[THREADS - 1 - t];
	if (!(missing & NO_SECOND))
		__syncthreads();
	x[t] = other;
	out[t] = x[t];
}

/* All read what one of them then overwrites. */
static __global__ void overwrite(int writer, int *out) {
	__shared__ int x;
	int t = (int)threadIdx.x;
	if (t == 0)
		x = 1;
	__syncthreads();
	out[t] = x;
	if (t == writer)
		x = 2;
}

/* As exchange, in dynamic shared memory, on neighbouring bytes: those of a word belong to four threads. */
template <int missing> static __global__ void exchange_bytes(int *out) {
	MT_DYNAMIC_SHARED(unsigned char, x);
	int t = (int)threadIdx.x;
	x[t] = (unsigned char)t;
	if (!(missing & NO_FIRST))
		__syncthreads();
	out[t] = x[t ^ 32];
}

/* Everything is written by threads that return before the barrier that the others wait at. */
static __global__ void write_and_return(int *out) {
	__shared__ int x[THREADS];
	int t = (int)threadIdx.x;
	x[t] = t;
	if (t >= THREADS / 2)
		return;
	__syncthreads();
	out[t] = x[THREADS - 1 - t];
}

static __global__ void read_unwritten(int *out) {
	__shared__ int x[THREADS];
	int t = (int)threadIdx.x;
	if (t != 7)
		x[t] = t;
	__syncthreads();
	out[t] = x[THREADS - 1 - t];
}

/* ---- of a warp ---- */

enum { NOTHING, WHOLE, HALVES, SHUFFLE };

/* Lanes read what others of their half of the warp wrote. */
template <int between> static __global__ void exchange_in_warp(int *out) {
	__shared__ int x[THREADS];
	int t = (int)threadIdx.x;
	x[t] = t;
	if (between == WHOLE)
		__syncwarp();
	if (between == HALVES && t % WARP < 16)
		__syncwarp(0xFFFF);
	else if (between == HALVES)
		__syncwarp(0xFFFF0000);
	if (between == SHUFFLE)
		__shfl_xor_sync(ALL, t, 1);
	out[t] = x[t ^ 3];
}

static __global__ void exchange_across_halves(int *out) {
	__shared__ int x[WARP];
	int t = (int)threadIdx.x;
	x[t] = t;
	__syncwarp(t < 16 ? 0xFFFF : 0xFFFF0000);
	out[t] = x[t ^ 16];
}

/* What lane 0 wrote comes to lane 31 from one pair of lanes to the next. */
static __global__ void hand_on(int *out) {
	__shared__ int x;
	int t = (int)threadIdx.x;
	if (t == 0)
		x = 5;
	if (t > 0)
		__syncwarp(3u << (t - 1));
	if (t < WARP - 1)
		__syncwarp(3u << t);
	if (t == WARP - 1)
		out[0] = x;
}

/* Which lane stores what of a matrix is open, so that even a lane's own elements are another's. */
template <int between> static __global__ void store_matrix(float *out) {
	using namespace nvcuda;
	__shared__ __align__(32) float x[256];
	wmma::fragment<wmma::accumulator, 16, 16, 16, float> sum;
	wmma::fill_fragment(sum, 1.0f);
	wmma::store_matrix_sync(x, sum, 16, wmma::mem_row_major);
	if (between == WHOLE)
		__syncwarp();
	out[threadIdx.x] = x[threadIdx.x];
}

struct matrix_memory {
	__align__(32) __half x[256];
};

template <int between> static __global__ void load_matrix(float *out) {
	using namespace nvcuda;
	__shared__ matrix_memory shared;
	__half *x = shared.x;
	wmma::fragment<wmma::matrix_a, 16, 16, 16, __half, wmma::row_major> a;
	for (int i = (int)threadIdx.x; i < 256; i += WARP)
		x[i] = __half(1.0f);
	if (between == WHOLE)
		__syncwarp();
	wmma::load_matrix_sync(a, x, 16);
	out[threadIdx.x] = (float)a.x[0];
}

/* ---- of a grid ---- */

static __global__ void write_same(int *out) {
	if (threadIdx.x == 5)
		out[0] = (int)blockIdx.x;
}

/* Each block reads what the one before it wrote. */
static __global__ void read_previous(int *out) {
	int at = (int)(blockIdx.x * THREADS + threadIdx.x);
	out[at + THREADS] = out[at];
}

static __global__ void write_own(int *out) {
	int at = (int)(blockIdx.x * THREADS + threadIdx.x);
	out[at] += at;
}

enum { ATOMICS, PLAIN_READ, PLAIN_WRITE };

template <int plain> static __global__ void count(int *out) {
	atomicAdd(out, 1);
	if (plain == PLAIN_READ && threadIdx.x == 9)
		out[1] = out[0];
	if (plain == PLAIN_WRITE && blockIdx.x == 1 && threadIdx.x == 9)
		out[0] = 0;
}

/* A flag that any thread sets and reads. */
static __global__ void set_flag(int *out) {
	volatile int *flag = out;
	if (*flag == 0)
		*flag = 1;
}

/* ---- asynchronous copies ---- */

enum { RIGHT, NO_WAIT, NO_BARRIER };

/* Copies 16 bytes a thread, and reads those of another warp. */
template <int wrong> static __global__ void fetch(const int4 *in, int *out) {
	__shared__ int4 x[THREADS];
	int t = (int)threadIdx.x;
	__pipeline_memcpy_async(&x[t], in + t, 16);
	__pipeline_commit();
	if (wrong != NO_WAIT)
		__pipeline_wait_prior(0);
	if (wrong != NO_BARRIER)
		__syncthreads();
	out[t] = x[t ^ 64].y;
}

/* ---- device memory ---- */

static __global__ void read_at(const int *in, int at, int *out) {
	*out = in[at];
}

static __global__ void copy_structs(const int4 *in, int4 *out) {
	out[threadIdx.x / 2] = in[threadIdx.x];
}

static int *ints() {
	static int *const p = allocate<int>((BLOCKS + 1) * THREADS);
	return p;
}

static int *fresh() {
	int *p = nullptr;
	cudaMalloc(&p, 64);
	cudaMemset(p, 1, 32);
	return p;
}

template <class... P> static void one_block(void (*kernel)(P...)) {
	start(1, THREADS, kernel, ints());
}

static const struct {
	const char *name;
	void (*run)();
} cases[] = {
	{"exchange", [] { one_block(exchange<0>); }},
	{"no_barrier", [] { one_block(exchange<NO_FIRST>); }},
	{"no_barrier_before_overwriting", [] { one_block(exchange<NO_SECOND>); }},
	{"overwritten_after_reading", [] { start(1, THREADS, overwrite, 70, ints()); }},
	{"overwritten_in_warp", [] { start(1, WARP, overwrite, 31, ints()); }},
	{"bytes", [] { one_block(exchange_bytes<0>); }},
	{"bytes_no_barrier", [] { one_block(exchange_bytes<NO_FIRST>); }},
	{"write_and_return", [] { one_block(write_and_return); }},
	{"unwritten_shared", [] { one_block(read_unwritten); }},
	{"warp", [] { one_block(exchange_in_warp<WHOLE>); }},
	{"halves", [] { one_block(exchange_in_warp<HALVES>); }},
	{"hand_on", [] { start(1, WARP, hand_on, ints()); }},
	{"warp_no_barrier", [] { one_block(exchange_in_warp<NOTHING>); }},
	{"warp_shuffle", [] { one_block(exchange_in_warp<SHUFFLE>); }},
	{"across_halves", [] { start(1, WARP, exchange_across_halves, ints()); }},
	{"store_matrix", [] { start(1, WARP, store_matrix<WHOLE>, (float *)ints()); }},
	{"store_matrix_no_barrier", [] { start(1, WARP, store_matrix<NOTHING>, (float *)ints()); }},
	{"load_matrix", [] { start(1, WARP, load_matrix<WHOLE>, (float *)ints()); }},
	{"load_matrix_no_barrier", [] { start(1, WARP, load_matrix<NOTHING>, (float *)ints()); }},
	{"blocks", [] { start(BLOCKS, THREADS, write_own, ints()); }},
	{"launches", [] { start(1, THREADS, read_previous, ints()), start(1, THREADS, write_own, ints()); }},
	{"blocks_write_same", [] { start(BLOCKS, THREADS, write_same, ints()); }},
	{"blocks_read_previous", [] { start(BLOCKS, THREADS, read_previous, ints()); }},
	{"atomics", [] { start(BLOCKS, THREADS, count<ATOMICS>, ints()); }},
	{"atomics_plain_read", [] { start(BLOCKS, THREADS, count<PLAIN_READ>, ints()); }},
	{"atomics_plain_write", [] { start(BLOCKS, THREADS, count<PLAIN_WRITE>, ints()); }},
	{"volatile", [] { start(BLOCKS, THREADS, set_flag, ints()); }},
	{"fetch", [] { start(1, THREADS, fetch<RIGHT>, allocate<int4>(THREADS), ints()); }},
	{"fetch_no_wait", [] { start(1, THREADS, fetch<NO_WAIT>, allocate<int4>(THREADS), ints()); }},
	{"fetch_no_barrier", [] { start(1, THREADS, fetch<NO_BARRIER>, allocate<int4>(THREADS), ints()); }},
	{"structs", [] { start(1, THREADS, copy_structs, allocate<int4>(THREADS), allocate<int4>(THREADS)); }},
	{"written", [] { start(1, 1, read_at, fresh(), 7, ints()); }},
	{"unwritten", [] { start(1, 1, read_at, fresh(), 8, ints()); }},
	{"outside", [] { start(1, 1, read_at, fresh(), 16, ints()); }},
};

int main(int argc, char **argv) {
	for (const auto &c : cases)
		if (argc == 2 && strcmp(argv[1], c.name) == 0) {
			c.run();
			printf("right\n");
			return 0;
		}
	fprintf(stderr, "race_test: what is it to show?\n");
	return 2;
}
