#include "variants.h"

#include <stdlib.h>

static int count, failed;

void report(const std::string &name, const std::string &wrong) {
	count++;
	failed += !wrong.empty();
	printf("%s %d - %s\n", wrong.empty() ? "ok" : "not ok", count, name.c_str());
	if (!wrong.empty())
		printf("# %s\n", wrong.c_str());
	fflush(stdout);
}

void *scratch_of(uint64_t bytes) {
	static char *memory;
	static uint64_t size;
	if (bytes > size) {
		cudaFree(memory);
		size = bytes;
		if (cudaMalloc(&memory, size) != cudaSuccess)
			exit(99);
	}
	cudaMemset(memory, 0xFF, size); /* NaN: what a kernel leaves out shows */
	return memory;
}

/* ---- the host's side of the plugin ---- */

static void log_line(int32_t, const char *text) {
	fprintf(stderr, "# %s\n", text);
}
static void set_error(int32_t status, const char *text) {
	fprintf(stderr, "# status %d: %s\n", (int)status, text);
}
static void *give_scratch(mt_host_queue *, uint64_t bytes) {
	return scratch_of(bytes);
}
static int32_t thread_budget() {
	return 1;
}

int main() {
	static struct mt_host_api host;
	host.struct_size = sizeof host;
	host.log = log_line;
	host.set_error = set_error;
	host.scratch = give_scratch;
	host.thread_budget = thread_budget;
	mt__cuda_host = &host;
	mt_plugin_device device = {};
	device.multiprocessors = 4;
	mt_queue queue = {};
	queue.device = &device;
	if (cudaStreamCreateWithFlags(&queue.stream, cudaStreamDefault) != cudaSuccess)
		return 99;
	run_matmul(&queue);
	run_conv(&queue);
	run_pool(&queue);
	run_far(&queue);
	cudaStreamDestroy(queue.stream);
	printf("1..%d\n", count);
	return failed != 0;
}
