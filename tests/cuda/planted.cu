/* Faults planted for compute-sanitizer: scripts/gpu-check believes its silence about mt only where it finds these, in a
 * child process as in mt-conformance's:
 *     planted outside | race | leak */
#include <cstdio>
#include <cstring>

#include <sys/wait.h>
#include <unistd.h>

#include <cuda_runtime.h>

enum { THREADS = 128 };

/* The last thread writes behind the array. */
__global__ void write_outside(float *out, int n) {
	out[threadIdx.x + 1] = static_cast<float>(n);
}

/* Each thread reads what a thread of another warp writes, with no barrier between. */
__global__ void race(int *out) {
	__shared__ int shared[THREADS];
	shared[threadIdx.x] = static_cast<int>(threadIdx.x);
	out[threadIdx.x] = shared[THREADS - 1 - threadIdx.x];
}

static int plant(const char *word) {
	void *memory = nullptr;
	if (cudaMalloc(&memory, THREADS * sizeof(int)) != cudaSuccess)
		return 1;
	if (strcmp(word, "outside") == 0)
		write_outside<<<1, THREADS>>>(static_cast<float *>(memory), THREADS);
	else if (strcmp(word, "race") == 0)
		race<<<1, THREADS>>>(static_cast<int *>(memory));
	cudaDeviceSynchronize();
	if (strcmp(word, "leak") != 0)
		cudaFree(memory);
	return 0;
}

int main(int argc, char **argv) {
	if (argc != 2) {
		fprintf(stderr, "usage: planted outside|race|leak\n");
		return 2;
	}
	pid_t child = fork();
	if (child == 0)
		return plant(argv[1]);
	int status = 1;
	return child < 0 || waitpid(child, &status, 0) < 0 || status != 0;
}
