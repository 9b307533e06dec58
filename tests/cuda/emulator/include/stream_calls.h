/* What stands in for NVIDIA's libraries calls of the emulator: it gets streams alone, and is another shared object. */
#ifndef MT_EMULATED_STREAM_CALLS_H
#define MT_EMULATED_STREAM_CALLS_H

#include "cuda_runtime_api.h"

/* A stream begins with it.  submit(stream, work, data): work(data) is called when its turn has come. */
struct mt_emulated_stream_calls {
	cudaError_t (*submit)(cudaStream_t stream, void (*work)(void *data), void *data);
};

#ifdef __cplusplus
#include <utility>

namespace mt_emulated {

/* Gives a stream that is not NULL something to call. */
template <class F> cudaError_t submit_to(cudaStream_t stream, F work) {
	F *kept = new F(std::move(work));
	auto call = [](void *data) {
		(*(F *)data)();
		delete (F *)data;
	};
	return ((mt_emulated_stream_calls *)stream)->submit(stream, call, kept);
}

} // namespace mt_emulated
#endif

#endif
