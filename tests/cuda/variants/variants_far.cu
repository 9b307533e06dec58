/* Arrays whose elements lie 2^31 and more apart: offsets in 64 bits, and walks in pieces. */
#include "gemm.cuh"
#include "gemm_epilogue.h"
#include "variants.h"

constexpr int64_t FAR = ((int64_t)1 << 31) + 16, ROWS = 2, COLUMNS = 40;

/* Two rows of u8, FAR apart. */
struct far_rows {
	uint8_t *at = nullptr;
	far_rows() {
		if (cudaMalloc(&at, (size_t)(FAR + COLUMNS)) != cudaSuccess)
			at = nullptr;
	}
	~far_rows() {
		cudaFree(at);
	}
	far_rows(const far_rows &) = delete;
	far_rows &operator=(const far_rows &) = delete;

	std::vector<uint8_t> read() const {
		std::vector<uint8_t> rows(ROWS * COLUMNS);
		for (int64_t i = 0; i < ROWS; i++)
			cudaMemcpy(&rows[(size_t)(i * COLUMNS)], at + i * FAR, COLUMNS, cudaMemcpyDeviceToHost);
		return rows;
	}
};

static mt_array matrix(void *at, int32_t dtype, int64_t rows, int64_t columns, int64_t row, int64_t column) {
	mt_array a = {};
	a.base = at;
	a.dtype = dtype;
	a.rank = 2;
	a.shape[0] = rows, a.shape[1] = columns;
	a.stride[0] = row, a.stride[1] = column;
	return a;
}

/* out = a b: [2, k] by [k, 40], k long enough for pieces; the plugin chooses. */
static void run_product(mt_queue *queue) {
	constexpr int64_t K = 1000;
	far_rows out;
	device_array<uint8_t> a(ROWS * K, 1), b(K * COLUMNS, 2);
	mt_array as = matrix(a.at, MT_U8, ROWS, K, K, 1), bs = matrix(b.at, MT_U8, K, COLUMNS, COLUMNS, 1);
	mt_array outs = matrix(out.at, MT_U8, ROWS, COLUMNS, FAR, 1);
	struct mt_matmul_args args = {};
	args.a = &as, args.b = &bs, args.out = &outs, args.alpha = 1, args.activation = MT_ACT_NONE;
	bool done = out.at && mt__cuda_matmul(queue, &args) == MT_OK;
	std::vector<uint8_t> wanted(ROWS * COLUMNS);
	for (int64_t i = 0; i < ROWS * COLUMNS; i++) {
		double sum = 0;
		for (int64_t k = 0; k < K; k++)
			sum += a[i / COLUMNS * K + k] * b[k * COLUMNS + i % COLUMNS];
		wanted[(size_t)i] = number_as<uint8_t>(sum);
	}
	report("matmul u8, rows of out 2^31 apart", done && is_same(wanted, out.read()) ? "" : "out is wrong");
}

/* As bytes, and from f32, row by row and from columns. */
template <class T> static void run_copy(mt_queue *queue, int32_t dtype, bool turned) {
	far_rows out;
	device_array<T> x(ROWS * COLUMNS, 3);
	for (int64_t i = 0; i < ROWS * COLUMNS; i++)
		x[i] = (double)(i % 100);
	std::vector<T> bits = x.as_bits();
	cudaMemcpy(x.at, bits.data(), bits.size() * sizeof(T), cudaMemcpyHostToDevice);
	mt_array xs = matrix(x.at, dtype, ROWS, COLUMNS, turned ? 1 : COLUMNS, turned ? ROWS : 1);
	mt_array outs = matrix(out.at, MT_U8, ROWS, COLUMNS, FAR, 1);
	struct mt_copy_args args = {};
	args.x = &xs, args.out = &outs;
	bool done = out.at && mt__cuda_copy(queue, &args) == MT_OK;
	std::vector<uint8_t> wanted(ROWS * COLUMNS);
	for (int64_t i = 0; i < ROWS; i++)
		for (int64_t j = 0; j < COLUMNS; j++)
			wanted[(size_t)(i * COLUMNS + j)] = (uint8_t)((turned ? j * ROWS + i : i * COLUMNS + j) % 100);
	report(std::string("copy from ") + name_of<T>() + (turned ? ", transposed" : "") + ", rows of out 2^31 apart",
	       done && is_same(wanted, out.read()) ? "" : "out is wrong");
}

void run_far(mt_queue *queue) {
	run_product(queue);
	for (bool turned : {false, true}) {
		run_copy<uint8_t>(queue, MT_U8, turned);
		run_copy<float>(queue, MT_F32, turned);
	}
}
