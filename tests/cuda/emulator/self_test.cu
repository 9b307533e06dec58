/* self_test CASE: what the emulator does, and what it finds.  Prints "right" or what is wrong; the cases that end it, and
 * those whose result depends on the order, are judged by emulator.test. */
#include "self_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_pipeline_primitives.h>
#include <mma.h>

#define MT_SHARED_ALIGNMENT 32

constexpr unsigned ALL = 0xFFFFFFFFu;
constexpr int THREADS = 64;

static int wrong;

void expect(const char *what, double got, double expected) {
	if (got == expected)
		return;
	printf("%s: %.17g, expected %.17g\n", what, got, expected);
	wrong++;
}

/* ---- what a grid computes ---- */

enum { IDX, UP, DOWN, XOR, HALVES, BALLOT, MATCH, LARGEST, ODD, SUM, MEANINGS };

static __global__ void tell_warp(double *out) {
	int t = (int)threadIdx.x, lane = t % 32;
	double *mine = out + (blockIdx.x * THREADS + threadIdx.x) * MEANINGS;
	mine[IDX] = __shfl_sync(ALL, t, 5);
	mine[UP] = __shfl_up_sync(ALL, t, 3);
	mine[DOWN] = __shfl_down_sync(ALL, (double)t, 3, 8);
	mine[XOR] = __shfl_xor_sync(ALL, (long long)t, 7);
	if (lane < 16)
		mine[HALVES] = __shfl_sync(0xFFFF, t, 3);
	else
		mine[HALVES] = __shfl_sync(0xFFFF0000, t, 3, 16);
	mine[BALLOT] = __ballot_sync(ALL, lane % 3 == 0);
	mine[MATCH] = __match_any_sync(ALL, lane % 4);
	mine[LARGEST] = __reduce_max_sync(ALL, (unsigned)t);
	mine[ODD] = __syncthreads_count(t % 2);
	__syncwarp();
	__shared__ int sum;
	if (t == 0)
		sum = 0;
	__syncthreads();
	atomicAdd(&sum, t);
	__syncthreads();
	mine[SUM] = sum;
}

static void test_warp() {
	double *out = allocate<double>(3 * THREADS * MEANINGS);
	expect("launch", start(3, THREADS, 0, tell_warp, out), cudaSuccess);
	for (int i = 0; i < 3 * THREADS; i++) {
		const double *got = out + i * MEANINGS;
		int t = i % THREADS, lane = t % 32, first = t - lane;
		expect("__shfl_sync", got[IDX], first + 5);
		expect("__shfl_up_sync", got[UP], lane < 3 ? t : t - 3);
		expect("__shfl_down_sync", got[DOWN], lane % 8 > 4 ? t : t + 3);
		expect("__shfl_xor_sync", got[XOR], t ^ 7);
		expect("__shfl_sync of half a warp", got[HALVES], first + 3 + (lane < 16 ? 0 : 16));
		expect("__ballot_sync", got[BALLOT], 0x49249249);
		expect("__match_any_sync", got[MATCH], 0x11111111u << lane % 4);
		expect("__reduce_max_sync", got[LARGEST], first + 31);
		expect("__syncthreads_count", got[ODD], THREADS / 2);
		expect("shared sum", got[SUM], THREADS * (THREADS - 1) / 2);
	}
	cudaFree(out);
}

static __global__ void tell_position(unsigned *out) {
	unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
	unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
	out[block * blockDim.x * blockDim.y * blockDim.z + thread] += 1 + block * 1000 + thread;
}

static void test_grid() {
	unsigned *out = allocate<unsigned>(24 * 30);
	cudaMemset(out, 0, 24 * 30 * sizeof *out);
	expect("launch", start(dim3(2, 3, 4), dim3(5, 3, 2), 0, tell_position, out), cudaSuccess);
	for (unsigned i = 0; i < 24 * 30; i++)
		expect("position", out[i], 1 + i / 30 * 1000 + i % 30);
	cudaFree(out);
}

template <class T> static __global__ void multiply(const T *a, const T *b, float *c) {
	using namespace nvcuda;
	wmma::fragment<wmma::matrix_a, 16, 16, 16, T, wmma::row_major> left;
	wmma::fragment<wmma::matrix_b, 16, 16, 16, T, wmma::col_major> right;
	wmma::fragment<wmma::accumulator, 16, 16, 16, float> sum;
	wmma::fill_fragment(sum, 1.0f);
	wmma::load_matrix_sync(left, a, 24);
	wmma::load_matrix_sync(right, b, 16);
	wmma::mma_sync(sum, left, right, sum);
	for (int i = 0; i < sum.num_elements; i++)
		sum.x[i] *= 2;
	wmma::store_matrix_sync(c, sum, 16, wmma::mem_row_major);
}

template <class T> static void test_product() {
	T *a = allocate<T>(16 * 24), *b = allocate<T>(16 * 16);
	float *c = allocate<float>(16 * 16);
	for (int i = 0; i < 16 * 24; i++)
		a[i] = T((float)(i % 7 - 3));
	for (int i = 0; i < 16 * 16; i++)
		b[i] = T((float)(i % 5 - 2));
	start(1, 32, 0, multiply<T>, a, b, c);
	for (int i = 0; i < 16; i++)
		for (int j = 0; j < 16; j++) {
			float sum = 1;
			for (int k = 0; k < 16; k++)
				sum += (float)a[i * 24 + k] * (float)b[j * 16 + k];
			expect("wmma", c[i * 16 + j], 2 * sum);
		}
	cudaFree(a);
	cudaFree(b);
	cudaFree(c);
}

static void test_wmma() {
	test_product<__half>();
	test_product<__nv_bfloat16>();
}

static __global__ void fetch(const float4 *x, float *out) {
	__shared__ float4 stage[2][32];
	unsigned t = threadIdx.x;
	__pipeline_memcpy_async(&stage[0][t], x + t, 16);
	__pipeline_commit();
	__pipeline_memcpy_async(&stage[1][t], x + 32 + t, 16, 8);
	__pipeline_commit();
	__pipeline_wait_prior(1);
	__syncthreads();
	out[t] = stage[0][31 - t].y;
	out[32 + t] = stage[1][31 - t].y;
	__syncthreads();
	__pipeline_wait_prior(0);
	__syncthreads();
	out[64 + t] = stage[1][31 - t].y;
	out[96 + t] = stage[1][31 - t].z;
}

static void test_pipeline() {
	float4 *x = allocate<float4>(64);
	float *out = allocate<float>(128);
	for (int i = 0; i < 256; i++)
		((float *)x)[i] = (float)i;
	start(1, 32, 0, fetch, x, out);
	for (int t = 0; t < 32; t++) {
		expect("a stage that has come", out[t], 4 * (31 - t) + 1);
		expect("a stage that was not waited for is dirt", isnan(out[32 + t]), 1);
		expect("its end", out[64 + t], 4 * (63 - t) + 1);
		expect("its zeros", out[96 + t], 0);
	}
	cudaFree(x);
	cudaFree(out);
}

/* Each value back and forth, and the numbers around the middle of it and the next. */
template <class T> static void test_rounding(unsigned infinity, T (*of_bits)(unsigned short), T (*of_float)(float)) {
	for (unsigned bits = 0; bits < infinity - 1; bits++) {
		float low = (float)of_bits((unsigned short)bits), high = (float)of_bits((unsigned short)(bits + 1));
		float middle = (float)(((double)low + high) / 2);
		expect("exact", (float)of_float(low), low);
		expect("below the middle", (float)of_float(nextafterf(middle, 0)), low);
		expect("the middle", (float)of_float(middle), bits % 2 ? high : low);
		expect("above the middle", (float)of_float(nextafterf(middle, INFINITY)), high);
		expect("negative", (float)of_float(-middle), bits % 2 ? -high : -low);
	}
	expect("infinity", (float)of_float(INFINITY), INFINITY);
	expect("NaN", isnan((float)of_float(NAN)), 1);
}

static void test_floats() {
	test_rounding<__half>(0x7C00, __ushort_as_half, __float2half_rn);
	test_rounding<__nv_bfloat16>(0x7F80, __ushort_as_bfloat16, __float2bfloat16_rn);
	expect("65519 in f16", (float)__float2half_rn(65519), 65504);
	expect("65520 in f16", (float)__float2half_rn(65520), INFINITY);
	expect("a double that is rounded once", (float)__double2half(1 + 0x1p-11 + 0x1p-40), 1 + 0x1p-10);
	expect("__double2float_rz", __double2float_rz(-1 - 0x1p-23 - 0x1p-30), -1 - 0x1p-23);
	expect("__float2int_rz", __float2int_rz(1e20f), 2147483647);
	expect("__umulhi", __umulhi(0xFFFFFFFFu, 0xFFFFFFFFu), 0xFFFFFFFEu);
	expect("__clz", __clz(1), 31);
	expect("__brev", __brev(3), 0xC0000000u);
	expect("__byte_perm", __byte_perm(0x33221100, 0x77665544, 0x7250), 0x77225500);
}

/* What is left of a product whose rounded value is taken off: 0 where it was rounded first. */
static __global__ void multiply_add(float a, float b, float *out) {
	*out = a * b + *out;
}

static void show_arithmetic() {
	float *out = allocate<float>(1), a = 1 + 0x1p-12f;
	*out = -(1 + 0x1p-11f);
	start(1, 1, 0, multiply_add, a, a, out);
	printf("%s\n", *out == 0 ? "product and sum" : "fma");
	cudaFree(out);
}

/* ---- what the runtime refuses ---- */

static __global__ void tell_alignment(int *out) {
	MT_DYNAMIC_SHARED(char, bytes);
	*out = (int)((uintptr_t)bytes % (2 * MT_SHARED_ALIGNMENT));
}

static void test_limits() {
	expect("1025 threads", start(1, 1025, 0, nothing), cudaErrorInvalidConfiguration);
	expect("no blocks", start(0, 1, 0, nothing), cudaErrorInvalidConfiguration);
	expect("65536 blocks in y", start(dim3(1, 65536), 1, 0, nothing), cudaErrorInvalidConfiguration);
	expect("the error is kept", cudaGetLastError(), cudaErrorInvalidConfiguration);
	expect("and told once", cudaGetLastError(), cudaSuccess);
	expect("50,000 bytes of shared memory", start(1, 1, 50000, nothing), cudaErrorInvalidValue);
	cudaFuncSetAttribute(nothing, cudaFuncAttributeMaxDynamicSharedMemorySize, 50000);
	expect("the same on request", start(1, 1, 50000, nothing), cudaSuccess);
	int most = 0;
	cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0);
	expect("too much on request", cudaFuncSetAttribute(nothing, cudaFuncAttributeMaxDynamicSharedMemorySize, most + 1),
	       cudaErrorInvalidValue);
	expect("as much as there is", cudaFuncSetAttribute(nothing, cudaFuncAttributeMaxDynamicSharedMemorySize, most),
	       cudaSuccess);
	expect("all of it", start(1, 1, (size_t)most, nothing), cudaSuccess);
}

static void test_alignment() {
	int *out = allocate<int>(1);
	for (size_t bytes = 0; bytes < 200; bytes += 8) {
		start(1, 1, bytes, tell_alignment, out);
		expect("dynamic shared memory is as far aligned as it says, and no further", *out, MT_SHARED_ALIGNMENT);
	}
	cudaFree(out);
}

static void show_device() {
	int major = 0, minor = 0, shared = 0;
	cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0);
	cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, 0);
	cudaDeviceGetAttribute(&shared, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0);
	printf("%d.%d, %d bytes\n", major, minor, shared);
}

static void test_memory() {
	void *large = nullptr;
	char bytes[64] = {0};
	char *p = allocate<char>(100);
	size_t free_bytes = 0, total = 0;
	cudaMemGetInfo(&free_bytes, &total);
	expect("memory in use", (double)(total - free_bytes), 100);
	expect("too much", cudaMalloc(&large, total), cudaErrorMemoryAllocation);
	expect("copy", cudaMemcpy(p + 36, bytes, 64, cudaMemcpyHostToDevice), cudaSuccess);
	expect("a copy past the end", cudaMemcpy(p + 37, bytes, 64, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
	expect("a copy to the host's memory", cudaMemcpy(bytes, p, 64, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
	expect("a fill past the end", cudaMemset(p, 0, 101), cudaErrorInvalidValue);
	expect("free", cudaFree(p), cudaSuccess);
	expect("free, again", cudaFree(p), cudaErrorInvalidValue);
	cudaMemGetInfo(&free_bytes, &total);
	expect("memory in use after free", (double)(total - free_bytes), 0);
}

/* ---- errors of mathematical functions ---- */

static __global__ void functions(float *narrow, double *wide) {
	narrow[0] = expf(narrow[0]);
	narrow[1] = powf(narrow[1], 3);
	narrow[2] = expf(narrow[2]);
	wide[0] = erfc(wide[0]);
	wide[1] = cos(wide[1]) + sin(wide[1]);
}

/* As far off as documented (ulps.def), but where the guide names the result; the host's own are not. */
static void test_ulps() {
	float *narrow = allocate<float>(3);
	double *wide = allocate<double>(2);
	narrow[0] = 1.5f;
	narrow[1] = 1.5f;
	narrow[2] = 0;
	wide[0] = 0.5;
	wide[1] = 0.5;
	start(1, 1, 0, functions, narrow, wide);
	int near = __float_as_int(expf(1.5f)), cube = __float_as_int(3.375f);
	expect("e^1.5: ULPs", abs(__float_as_int(narrow[0]) - near), 2);
	expect("1.5^3: ULPs", abs(__float_as_int(narrow[1]) - cube), 4);
	expect("e^0", narrow[2], 1);
	expect("erfc(0.5): ULPs", fabs(wide[0] - erfc(0.5)) / 0x1p-54, 5);
	expect("cos + sin", wide[1] != cos(0.5) + sin(0.5) && fabs(wide[1] - cos(0.5) - sin(0.5)) < 1e-15, 1);
}

/* ---- barriers: right and left out ---- */

/* Each thread adds what both neighbours wrote. */
template <bool is_right> static __global__ void neighbours(float *out) {
	__shared__ float x[THREADS];
	unsigned t = threadIdx.x;
	x[t] = 0;
	__syncthreads();
	x[t] = (float)(t + 1);
	if (is_right)
		__syncthreads();
	out[t] = x[(t + THREADS - 1) % THREADS] + 100 * x[(t + 1) % THREADS];
}

template <bool is_right> static void show_neighbours() {
	float *out = allocate<float>(THREADS);
	double sum = 0;
	start(1, THREADS, 0, neighbours<is_right>, out);
	for (int t = 0; t < THREADS; t++)
		sum += (t + 1) * out[t];
	printf("%.17g\n", sum);
}

static __global__ void half_waits() {
	if (threadIdx.x < 40)
		__syncthreads();
	else
		__shfl_sync(ALL, 1, 0);
}

static __global__ void wait_apart() {
	if (threadIdx.x < 40)
		__syncthreads();
	else
		__syncthreads();
}

static __global__ void shuffle_in_threes() {
	__shfl_sync(ALL, 1, 0, 3);
}

static __global__ void leaves_itself_out() {
	__ballot_sync(1u << 3, 1);
}

/* ---- memory that is not there ---- */

static __global__ void write_shared(int at) {
	MT_DYNAMIC_SHARED(char, bytes);
	bytes[at] = 1;
}

static __global__ void write_global(char *p, int at) {
	p[at] = 1;
}

static __global__ void write_array(int at, int *out) {
	__shared__ int x[8];
	x[at] = 1;
	*out = x[0];
}

static __global__ void read_misaligned(const char *p, float4 *out) {
	*out = *(const float4 *)p;
}

static __global__ void read_global(const char *p, int at, char *out) {
	*out = p[at];
}

static void overread_global() {
	char *p = allocate<char>(256), *out = allocate<char>(1);
	start(1, 1, 0, read_global, p, 256, out);
}

static void overflow_global() {
	char *p = allocate<char>(100);
	start(1, 1, 0, write_global, p, 100);
	cudaFree(p);
}

static void follow_pointer() {
	char *p = allocate<char>(100);
	printf("follows\n");
	fflush(stdout);
	*(volatile char *)p = 1;
}

static void read_between() {
	char *p = allocate<char>(100);
	start(1, 1, 0, read_misaligned, p + 4, (float4 *)(p + 32));
}

static const struct {
	const char *name;
	void (*run)();
} cases[] = {
	{"warp", test_warp},
	{"grid", test_grid},
	{"wmma", test_wmma},
	{"pipeline", test_pipeline},
	{"floats", test_floats},
	{"arithmetic", show_arithmetic},
	{"limits", test_limits},
	{"alignment", test_alignment},
	{"device", show_device},
	{"bf16", test_product<__nv_bfloat16>},
	{"ulps", test_ulps},
	{"memory", test_memory},
	{"barrier", show_neighbours<true>},
	{"no_barrier", show_neighbours<false>},
	{"deadlock", [] { start(2, THREADS, 0, half_waits); }},
	{"wait_apart", [] { start(1, THREADS, 0, wait_apart); }},
	{"threes", [] { start(1, THREADS, 0, shuffle_in_threes); }},
	{"left_out", [] { start(1, THREADS, 0, leaves_itself_out); }},
	{"past_shared", [] { start(1, 1, 100, write_shared, 100); }},
	{"past_global", overflow_global},
	{"past_end", overread_global},
	{"past_array", [] { start(1, 1, 0, write_array, 8, allocate<int>(1)); }},
	{"misaligned", read_between},
	{"host_follows", follow_pointer},
	{"late", test_late},
	{"no_event", test_no_event},
	{"free_pinned", free_pinned},
	{"free_in_flight", free_in_flight},
	{"devices", test_devices},
	{"write_to_other", write_to_other},
	{"fork", test_fork},
	{"lost", test_lost},
	{"count", tell_count},
};

int main(int argc, char **argv) {
	for (const auto &c : cases)
		if (argc == 2 && strcmp(argv[1], c.name) == 0) {
			c.run();
			printf(wrong ? "" : "right\n");
			return wrong != 0;
		}
	fprintf(stderr, "self_test: what is it to show?\n");
	return 2;
}
