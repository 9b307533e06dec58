/* What a kernel sees of its grid, barriers, and what the threads of a warp tell one another. */
#ifndef MT_EMULATED_GRID_H
#define MT_EMULATED_GRID_H

#include <string.h>

#include <memory>
#include <tuple>
#include <type_traits>

#include "cuda_runtime_api.h"
#include "vector_types.h"

constexpr int warpSize = 32;

/* Of the thread that runs: set by the scheduler (blocks.cpp) each time that it goes on to another one. */
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;

namespace mt_emulated {

/* Dynamic shared memory of the block that runs: at an address that is a multiple of alignment, and of no more. */
void *dynamic_shared(size_t alignment);

unsigned lane();

/* Waits until every lane in mask has come to the same meeting (join and mask are the same) or has returned; the last one
 * calls join(given): given[lane] is what the lane brought, NULL for lanes that are not there.  what: its name in
 * messages. */
void meet(unsigned mask, const char *what, void (*join)(void *const *given), void *given);

/* While there is one, the running lane's accesses are its warp's: which lane makes which is open. */
struct as_warp {
	as_warp();
	~as_warp();
};

/* The running thread accesses bytes at p in a way that races with plain accesses alone. */
void strong_access(const void *p, size_t bytes, bool writes, const void *code);

/* Gives way to other threads that can run. */
void yield();

[[noreturn]] void trap(const char *what);

/* The code of a program is for these: 750, 800 and 900, or MT_EMULATOR_CODE alone.  A device runs the newest that is not
 * newer than itself, as a GPU does where the driver compiles it from PTX. */
enum { ARCHITECTURES = 3 };
int architecture(int i);

/* Traps where that code cannot have what: it came with compute capability `least`, 10 · major + minor. */
void need_capability(int least, const char *what);

struct launch {
	dim3 grid, block;
	size_t shared_bytes;
	const void *kernel;
	void (*call)(void *closure);
	void *closure;
};

/* What a GPU says at once to a launch of this shape. */
cudaError_t check(const launch &l);

cudaError_t run(const launch &l);

/* Launches into a stream, which may take its time: copy gives it a closure of its own. */
cudaError_t start(cudaStream_t stream, const launch &l, std::shared_ptr<void> (*copy)(void *closure));

} // namespace mt_emulated

#define __CUDA_ARCH_LIST__ mt_emulated::architecture(0), mt_emulated::architecture(1), mt_emulated::architecture(2)

/* All threads of a block have to come to the same one: where it is in the source tells them apart. */
#define MT_EMULATED_HERE const char *file = __builtin_FILE(), int line = __builtin_LINE()
void __syncthreads(MT_EMULATED_HERE);
int __syncthreads_count(int predicate, MT_EMULATED_HERE);
int __syncthreads_and(int predicate, MT_EMULATED_HERE);
int __syncthreads_or(int predicate, MT_EMULATED_HERE);
#undef MT_EMULATED_HERE

/* ---- launching ---- */

enum cudaLaunchAttributeID {
	cudaLaunchAttributeIgnore = 0,
};

struct cudaLaunchAttribute {
	cudaLaunchAttributeID id;
	char value[64];
};

struct cudaLaunchConfig_t {
	dim3 gridDim, blockDim;
	size_t dynamicSmemBytes;
	cudaStream_t stream;
	cudaLaunchAttribute *attrs;
	unsigned numAttrs;
};

/* What a kernel may be given in all, on each architecture and with each version. */
constexpr size_t MOST_PARAMETER_BYTES = 4096;

/* Arguments are copied when a kernel is launched, and again for each thread. */
template <class... P, class... A>
inline cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t *config, void (*kernel)(P...), A &&...args) {
	static_assert((sizeof(P) + ... + 0) <= MOST_PARAMETER_BYTES, "a kernel's parameters take more than 4096 bytes");
	std::tuple<std::decay_t<P>...> given(static_cast<P>(args)...);
	auto call = [kernel, given] { std::apply(kernel, given); };
	using closure = decltype(call);
	mt_emulated::launch l = {};
	l.grid = config->gridDim;
	l.block = config->blockDim;
	l.shared_bytes = config->dynamicSmemBytes;
	l.kernel = (const void *)kernel;
	l.call = [](void *c) { (*(closure *)c)(); };
	l.closure = &call;
	return mt_emulated::start(
		config->stream, l, [](void *c) -> std::shared_ptr<void> { return std::make_shared<closure>(*(closure *)c); });
}

/* ---- warps ---- */

namespace mt_emulated {

template <class T> struct shuffled {
	T in, out;
	unsigned from;
};

/* A lane that is not there gives 0xFF…: on a GPU the value is undefined. */
template <class T> void join_shuffle(void *const *given) {
	for (int lane = 0; lane < warpSize; lane++) {
		auto *mine = (shuffled<T> *)given[lane];
		if (!mine)
			continue;
		auto *other = (const shuffled<T> *)given[mine->from % warpSize];
		if (other)
			memcpy((void *)&mine->out, (const void *)&other->in, sizeof(T));
		else
			memset((void *)&mine->out, 0xFF, sizeof(T));
	}
}

template <class T> T shuffle(unsigned mask, const char *what, T value, unsigned from) {
	static_assert(std::is_trivially_copyable<T>::value && sizeof(T) <= 8, "__shfl_sync takes up to 8 bytes");
	shuffled<T> s;
	memcpy((void *)&s.in, (const void *)&value, sizeof(T));
	s.from = from;
	meet(mask, what, join_shuffle<T>, &s);
	return s.out;
}

/* The first and the last lane of this lane's part of a warp that is split into parts of width. */
inline unsigned first_of(int width) {
	if (width < 1 || width > warpSize || (width & (width - 1)) != 0)
		trap("a shuffle's width is no power of two up to 32");
	return lane() & ~(unsigned)(width - 1);
}
inline unsigned last_of(int width) {
	return first_of(width) + (unsigned)(width - 1);
}

struct vote {
	unsigned long long value;
	unsigned out;
	int all;
};

void join_ballot(void *const *given);
void join_match(void *const *given);
void join_memory(void *const *given); /* the one meeting that orders memory */
vote ask(unsigned mask, const char *what, void (*join)(void *const *given), unsigned long long value);

enum class reduction { add, min, max, bits_and, bits_or, bits_xor };
unsigned reduce(unsigned mask, const char *what, reduction how, unsigned value, bool with_sign);

} // namespace mt_emulated

template <class T> inline T __shfl_sync(unsigned mask, T value, int from, int width = warpSize) {
	unsigned first = mt_emulated::first_of(width);
	return mt_emulated::shuffle(mask, "__shfl_sync", value, first + ((unsigned)from & (unsigned)(width - 1)));
}
template <class T> inline T __shfl_up_sync(unsigned mask, T value, unsigned distance, int width = warpSize) {
	unsigned lane = mt_emulated::lane(), within = lane - mt_emulated::first_of(width);
	return mt_emulated::shuffle(mask, "__shfl_up_sync", value, distance > within ? lane : lane - distance);
}
template <class T> inline T __shfl_down_sync(unsigned mask, T value, unsigned distance, int width = warpSize) {
	unsigned lane = mt_emulated::lane(), left = mt_emulated::last_of(width) - lane;
	return mt_emulated::shuffle(mask, "__shfl_down_sync", value, distance > left ? lane : lane + distance);
}
template <class T> inline T __shfl_xor_sync(unsigned mask, T value, int bits, int width = warpSize) {
	unsigned lane = mt_emulated::lane(), from = lane ^ (unsigned)bits;
	return mt_emulated::shuffle(mask, "__shfl_xor_sync", value, from > mt_emulated::last_of(width) ? lane : from);
}

inline void __syncwarp(unsigned mask = 0xFFFFFFFFu) {
	int nothing;
	mt_emulated::meet(mask, "__syncwarp", mt_emulated::join_memory, &nothing);
}
inline unsigned __activemask() {
	return 1u << mt_emulated::lane();
}
inline unsigned __ballot_sync(unsigned mask, int predicate) {
	return mt_emulated::ask(mask, "__ballot_sync", mt_emulated::join_ballot, predicate != 0).out;
}
inline int __any_sync(unsigned mask, int predicate) {
	return mt_emulated::ask(mask, "__any_sync", mt_emulated::join_ballot, predicate != 0).out != 0;
}
inline int __all_sync(unsigned mask, int predicate) {
	return mt_emulated::ask(mask, "__all_sync", mt_emulated::join_ballot, predicate != 0).all;
}
template <class T> inline unsigned __match_any_sync(unsigned mask, T value) {
	unsigned long long bits = 0;
	memcpy(&bits, &value, sizeof value);
	return mt_emulated::ask(mask, "__match_any_sync", mt_emulated::join_match, bits).out;
}
template <class T> inline unsigned __match_all_sync(unsigned mask, T value, int *all) {
	unsigned long long bits = 0;
	memcpy(&bits, &value, sizeof value);
	*all = mt_emulated::ask(mask, "__match_all_sync", mt_emulated::join_match, bits).all;
	return *all ? mask : 0;
}

#define MT_EMULATED_REDUCE(name, how)                                                                                  \
	inline unsigned name(unsigned mask, unsigned value) {                                                              \
		return mt_emulated::reduce(mask, #name, mt_emulated::reduction::how, value, false);                            \
	}
#define MT_EMULATED_SIGNED_REDUCE(name, how)                                                                           \
	inline int name(unsigned mask, int value) {                                                                        \
		return (int)mt_emulated::reduce(mask, #name, mt_emulated::reduction::how, (unsigned)value, true);              \
	}
MT_EMULATED_REDUCE(__reduce_add_sync, add)
MT_EMULATED_REDUCE(__reduce_min_sync, min)
MT_EMULATED_REDUCE(__reduce_max_sync, max)
MT_EMULATED_REDUCE(__reduce_and_sync, bits_and)
MT_EMULATED_REDUCE(__reduce_or_sync, bits_or)
MT_EMULATED_REDUCE(__reduce_xor_sync, bits_xor)
MT_EMULATED_SIGNED_REDUCE(__reduce_add_sync, add)
MT_EMULATED_SIGNED_REDUCE(__reduce_min_sync, min)
MT_EMULATED_SIGNED_REDUCE(__reduce_max_sync, max)
#undef MT_EMULATED_REDUCE
#undef MT_EMULATED_SIGNED_REDUCE

inline void __nanosleep(unsigned) {
	mt_emulated::yield();
}
inline void __threadfence() {
}
inline void __threadfence_block() {
}
inline void __threadfence_system() {
}
[[noreturn]] inline void __trap() {
	mt_emulated::trap("__trap");
}

#endif
