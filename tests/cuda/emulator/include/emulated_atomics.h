/* Atomics and loads and stores with cache hints.  One thread of a grid runs at a time, so plain operations are atomic. */
#ifndef MT_EMULATED_ATOMICS_H
#define MT_EMULATED_ATOMICS_H

/* Not told as two plain accesses where kernels tell theirs (../race.h), but as what they are. */
#define MT_EMULATED_UNTOLD __attribute__((noinline, no_sanitize_thread))

#define MT_EMULATED_ATOMIC(name, T, changed)                                                                           \
	MT_EMULATED_UNTOLD inline T name(T *to, T value) {                                                                 \
		mt_emulated::strong_access(to, sizeof *to, true, __builtin_return_address(0));                                 \
		T old = *to;                                                                                                   \
		*to = changed;                                                                                                 \
		return old;                                                                                                    \
	}
#define MT_EMULATED_ATOMICS(T)                                                                                         \
	MT_EMULATED_ATOMIC(atomicAdd, T, (T)((unsigned long long)old + (unsigned long long)value))                         \
	MT_EMULATED_ATOMIC(atomicSub, T, (T)((unsigned long long)old - (unsigned long long)value))                         \
	MT_EMULATED_ATOMIC(atomicMin, T, value < old ? value : old)                                                        \
	MT_EMULATED_ATOMIC(atomicMax, T, value > old ? value : old)                                                        \
	MT_EMULATED_ATOMIC(atomicExch, T, value)                                                                           \
	MT_EMULATED_ATOMIC(atomicAnd, T, old &value)                                                                       \
	MT_EMULATED_ATOMIC(atomicOr, T, old | value)                                                                       \
	MT_EMULATED_ATOMIC(atomicXor, T, old ^ value)                                                                      \
	MT_EMULATED_UNTOLD inline T atomicCAS(T *to, T expected, T value) {                                                \
		mt_emulated::strong_access(to, sizeof *to, true, __builtin_return_address(0));                                 \
		T old = *to;                                                                                                   \
		if (old == expected)                                                                                           \
			*to = value;                                                                                               \
		return old;                                                                                                    \
	}

MT_EMULATED_ATOMICS(int)
MT_EMULATED_ATOMICS(unsigned)
MT_EMULATED_ATOMICS(long long)
MT_EMULATED_ATOMICS(unsigned long long)
MT_EMULATED_ATOMIC(atomicInc, unsigned, old >= value ? 0 : old + 1)
MT_EMULATED_ATOMIC(atomicDec, unsigned, old == 0 || old > value ? value : old - 1)
MT_EMULATED_ATOMIC(atomicExch, float, value)

#undef MT_EMULATED_ATOMIC
#undef MT_EMULATED_ATOMICS

#define MT_EMULATED_LOAD(name)                                                                                         \
	template <class T> inline T name(const T *from) {                                                                  \
		return *from;                                                                                                  \
	}
#define MT_EMULATED_STORE(name)                                                                                        \
	template <class T> inline void name(T *to, T value) {                                                              \
		*to = value;                                                                                                   \
	}
MT_EMULATED_LOAD(__ldg)
MT_EMULATED_LOAD(__ldca)
MT_EMULATED_LOAD(__ldcg)
MT_EMULATED_LOAD(__ldcs)
MT_EMULATED_LOAD(__ldcv)
MT_EMULATED_LOAD(__ldlu)
MT_EMULATED_STORE(__stcg)
MT_EMULATED_STORE(__stcs)
MT_EMULATED_STORE(__stwb)
MT_EMULATED_STORE(__stwt)
#undef MT_EMULATED_LOAD
#undef MT_EMULATED_STORE

#endif
