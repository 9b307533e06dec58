/* Cases of self_test: streams, several devices, and devices that are broken. */
#include "self_test.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

/* ---- streams: with MT_EMULATOR_LATE=1 nothing is done before it must be ---- */

static cudaError_t start_in(cudaStream_t stream, void (*kernel)(int *, int), int *p, int value) {
	cudaLaunchConfig_t config = {};
	config.gridDim = config.blockDim = 1;
	config.stream = stream;
	return cudaLaunchKernelEx(&config, kernel, p, value);
}

static __global__ void set(int *p, int value) {
	*p = value;
}

static int look(const int *p) {
	return *(const volatile int *)p;
}

static cudaStream_t new_stream() {
	cudaStream_t stream = nullptr;
	expect("a stream", cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
	return stream;
}

static cudaEvent_t new_event() {
	cudaEvent_t event = nullptr;
	expect("an event", cudaEventCreateWithFlags(&event, cudaEventDisableTiming), cudaSuccess);
	return event;
}

static int *pinned_int(int value) {
	int *p = nullptr;
	expect("pinned memory", cudaHostAlloc(&p, sizeof *p, cudaHostAllocDefault), cudaSuccess);
	*p = value;
	return p;
}

void test_late() {
	cudaStream_t stream = new_stream(), other = new_stream();
	cudaEvent_t event = new_event();
	int *x = allocate<int>(2), *from = pinned_int(5), *to = pinned_int(0), local = 7;
	cudaMemset(x, 0, 2 * sizeof *x);
	expect("launch", start_in(stream, set, x, 1), cudaSuccess);
	expect("it has not run", look(x), 0);
	expect("the stream is not ready", cudaStreamQuery(stream), cudaErrorNotReady);
	expect("whoever asks gets there", look(x), 1);
	expect("then it is", cudaStreamQuery(stream), cudaSuccess);

	cudaMemcpyAsync(x, from, sizeof *x, cudaMemcpyHostToDevice, stream);
	cudaMemcpyAsync(x + 1, &local, sizeof local, cudaMemcpyHostToDevice, stream);
	*from = 6;
	local = 8;
	cudaMemcpyAsync(to, x, sizeof *x, cudaMemcpyDeviceToHost, stream);
	expect("the copy has not come", *to, 0);
	expect("synchronize", cudaStreamSynchronize(stream), cudaSuccess);
	expect("what was overwritten before the copy", *to, 6);
	expect("pageable memory, too", look(x + 1), 8);

	start_in(stream, set, x, 10);
	cudaEventRecord(event, stream);
	start_in(stream, set, x, 11);
	expect("wait for an event", cudaStreamWaitEvent(other, event, 0), cudaSuccess);
	cudaMemcpyAsync(to, x, sizeof *x, cudaMemcpyDeviceToHost, other);
	expect("synchronize the other", cudaStreamSynchronize(other), cudaSuccess);
	expect("it waited for the event, and no longer", *to, 10);
	expect("the event is done", cudaEventQuery(event), cudaSuccess);
	expect("free waits", cudaFree(x), cudaSuccess);
	cudaEventDestroy(event);
	cudaStreamDestroy(stream);
	cudaStreamDestroy(other);
}

/* Two streams that share memory without an event: the later one is first. */
void test_no_event() {
	cudaStream_t stream = new_stream(), other = new_stream();
	int *x = allocate<int>(1);
	cudaMemset(x, 0, sizeof *x);
	start_in(stream, set, x, 1);
	start_in(other, set, x, 2);
	cudaStreamSynchronize(other);
	cudaDeviceSynchronize();
	expect("the second write is gone", look(x), 1);
}

void free_pinned() {
	cudaStream_t stream = new_stream();
	int *x = allocate<int>(1), *from = pinned_int(5);
	cudaMemcpyAsync(x, from, sizeof *x, cudaMemcpyHostToDevice, stream);
	cudaFreeHost(from);
	cudaStreamSynchronize(stream);
}

void free_in_flight() {
	cudaStream_t stream = new_stream(), other = new_stream();
	int *x = allocate<int>(1), *to = pinned_int(0);
	cudaMemcpyAsync(to, x, sizeof *x, cudaMemcpyDeviceToHost, stream);
	cudaFreeAsync(x, other);
	cudaStreamSynchronize(other);
	cudaStreamSynchronize(stream);
}

/* ---- devices ---- */

void test_devices() {
	int count = 0, device = -1;
	cudaGetDeviceCount(&count);
	expect("devices", count, 2);
	expect("a device that is not there", cudaSetDevice(2), cudaErrorInvalidDevice);
	cudaStream_t first = new_stream();
	cudaEvent_t event = new_event();
	cudaFuncSetAttribute(nothing, cudaFuncAttributeMaxDynamicSharedMemorySize, 50000);
	expect("the second one", cudaSetDevice(1), cudaSuccess);
	cudaStream_t second = new_stream();
	int *x = allocate<int>(1), *to = pinned_int(0);
	expect("a launch into a stream of the other", start_in(first, set, x, 1), cudaErrorInvalidResourceHandle);
	expect("into one of its own", start_in(second, set, x, 3), cudaSuccess);
	expect("an event of the other", cudaEventRecord(event, second), cudaErrorInvalidResourceHandle);
	expect("a copy into any", cudaMemcpyAsync(to, x, sizeof *x, cudaMemcpyDeviceToHost, first), cudaSuccess);
	expect("what is asked for one device", start(1, 1, 50000, nothing), cudaErrorInvalidValue);
	std::thread([&] { cudaGetDevice(&device); }).join();
	expect("another thread has the first", device, 0);
	size_t free_bytes = 0, total = 0;
	cudaMemGetInfo(&free_bytes, &total);
	expect("memory of the second", (double)(total - free_bytes), sizeof *x);
	cudaSetDevice(0);
	cudaMemGetInfo(&free_bytes, &total);
	expect("memory of the first", (double)(total - free_bytes), 0);
	cudaStreamSynchronize(first);
	expect("free, from the other device", cudaFree(x), cudaSuccess);
}

void write_to_other() {
	cudaSetDevice(1);
	int *x = allocate<int>(1);
	cudaSetDevice(0);
	start_in(nullptr, set, allocate<int>(1), 1);
	printf("its own\n");
	fflush(stdout);
	start_in(nullptr, set, x, 1);
}

void test_fork() {
	int count = 0, status = -1;
	cudaGetDeviceCount(&count);
	pid_t child = fork();
	if (child == 0)
		_exit(cudaGetDeviceCount(&count) == cudaErrorInitializationError && cudaFree(nullptr) != cudaSuccess ? 0 : 1);
	waitpid(child, &status, 0);
	expect("CUDA in a forked child", status, 0);
}

void test_lost() {
	cudaStream_t stream = new_stream();
	int *x = allocate<int>(1), *to = pinned_int(0);
	cudaMemset(x, 0, sizeof *x);
	expect("the first launch", start_in(stream, set, x, 1), cudaSuccess);
	expect("is well", cudaStreamSynchronize(stream), cudaSuccess);
	expect("the second is told later", start_in(stream, set, x, 2), cudaSuccess);
	expect("the second", cudaStreamSynchronize(stream), cudaErrorIllegalAddress);
	expect("it did nothing", look(x), 1);
	expect("the error is told", cudaGetLastError(), cudaErrorIllegalAddress);
	expect("for ever", cudaGetLastError(), cudaErrorIllegalAddress);
	expect("a launch", start_in(stream, set, x, 2), cudaErrorIllegalAddress);
	expect("an allocation", cudaMalloc(&x, 4), cudaErrorIllegalAddress);
	expect("a copy", cudaMemcpyAsync(to, x, sizeof *x, cudaMemcpyDeviceToHost, stream), cudaErrorIllegalAddress);
	expect("choosing the device", cudaSetDevice(0), cudaErrorIllegalAddress);
	expect("the other device", cudaSetDevice(1), cudaSuccess);
	(void)cudaGetLastError();
	expect("its errors", cudaGetLastError(), cudaSuccess);
	expect("its memory", cudaMalloc(&x, 4), cudaSuccess);
	expect("its kernels", start_in(nullptr, set, x, 2), cudaSuccess);
}

void tell_count() {
	int count = -1;
	void *p = nullptr;
	printf("%s, ", cudaGetErrorName(cudaGetDeviceCount(&count)));
	printf("%d, %s, ", count, cudaGetErrorName(cudaMalloc(&p, 5000)));
	printf("%s\n", cudaGetErrorName(start(1, 1, 0, nothing)));
}
