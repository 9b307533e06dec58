/* variants: the kernels of matmul, conv and pool in every form that they are compiled in, with plans made here: the shapes
 * for which the plugin chooses some of them are too large for mt-conformance.  All numbers are small and whole, so that
 * results are exact.  Runs on the emulator (variants.test), and on a GPU (make tests/cuda/gpu_variants). */
#ifndef MT_CUDA_VARIANTS_H
#define MT_CUDA_VARIANTS_H

#include <stdio.h>
#include <string.h>

#include <string>
#include <vector>

#include "launch.cuh"

/* Scratch memory of the device, of that many bytes; the same one each time. */
void *scratch_of(uint64_t bytes);

/* Tells whether a variant's arrays came out as expected. */
void report(const std::string &name, const std::string &wrong);

void run_matmul(mt_queue *queue);
void run_conv(mt_queue *queue);
void run_pool(mt_queue *queue);
void run_far(mt_queue *queue);

/* ---- numbers ---- */

/* The number, modulo 2^bits in an integer. */
template <class T> inline T number_as(double v) {
	return (T)(int64_t)v;
}
template <> inline float number_as<float>(double v) {
	return (float)v;
}
template <> inline double number_as<double>(double v) {
	return v;
}
template <> inline __half number_as<__half>(double v) {
	return __float2half_rn((float)v);
}
template <> inline __nv_bfloat16 number_as<__nv_bfloat16>(double v) {
	return __float2bfloat16_rn((float)v);
}

template <class T> inline const char *name_of();
#define MT_NAME_OF(T, name)                                                                                            \
	template <> inline const char *name_of<T>() {                                                                      \
		return name;                                                                                                   \
	}
MT_NAME_OF(float, "f32")
MT_NAME_OF(double, "f64")
MT_NAME_OF(__half, "f16")
MT_NAME_OF(__nv_bfloat16, "bf16")
MT_NAME_OF(int32_t, "i32")
MT_NAME_OF(int64_t, "i64")
MT_NAME_OF(uint8_t, "u8")
#undef MT_NAME_OF

/* A whole number from -2 to 2 that depends on i and on which array it is for. */
inline double small(int64_t i, int which) {
	uint32_t bits = ((uint32_t)i * 5 + (uint32_t)which) * 2654435761u;
	return (double)((bits >> 16) % 5) - 2;
}

/* ---- arrays on the device ---- */

template <class T> inline bool is_same(const std::vector<T> &a, const std::vector<T> &b) {
	return memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

template <class T> struct device_array {
	std::vector<double> values; /* as they are meant to be */
	T *at = nullptr;

	device_array(int64_t n, int which) : values((size_t)n) {
		for (int64_t i = 0; i < n; i++)
			values[(size_t)i] = small(i, which);
		cudaMalloc(&at, (size_t)n * sizeof(T));
		std::vector<T> bits = as_bits();
		cudaMemcpy(at, bits.data(), bits.size() * sizeof(T), cudaMemcpyHostToDevice);
	}
	~device_array() {
		cudaFree(at);
	}
	device_array(const device_array &) = delete;
	device_array &operator=(const device_array &) = delete;

	double &operator[](int64_t i) {
		return values[(size_t)i];
	}
	std::vector<T> as_bits() const {
		std::vector<T> bits(values.size());
		for (size_t i = 0; i < values.size(); i++)
			bits[i] = number_as<T>(values[i]);
		return bits;
	}
	/* What the device has. */
	std::vector<T> read() const {
		std::vector<T> got(values.size());
		cudaMemcpy(got.data(), at, got.size() * sizeof(T), cudaMemcpyDeviceToHost);
		return got;
	}
	/* "" where the device has what values say. */
	std::string difference(const char *name) const {
		std::vector<T> wanted = as_bits(), got = read();
		for (size_t i = 0; i < values.size(); i++)
			if (memcmp(&wanted[i], &got[i], sizeof(T)) != 0)
				return std::string(name) + "[" + std::to_string(i) + "] is not " + std::to_string(values[i]);
		return "";
	}
};

#endif
