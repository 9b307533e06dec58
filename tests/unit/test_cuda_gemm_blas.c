/* How the CUDA plugin puts a product to cuBLASLt, which needs no GPU: gemm_blas.c. */
#include <string.h>

#include "gemm_blas.h"
#include "mt_test.h"

/* Made-up addresses: only strides are looked at. */
static char *const at_a = (char *)0x100000, *const at_b = (char *)0x200000, *const at_out = (char *)0x300000,
				   *const at_bias = (char *)0x400000;

/* m = 6, n = 8, k = 10, f32, contiguous. */
static struct mt_cuda_product plain(void) {
	return (struct mt_cuda_product){.dtype = MT_F32,
	                                .alpha = 1,
	                                .m = 6,
	                                .n = 8,
	                                .k = 10,
	                                .a = {at_a, 10, 1},
	                                .b = {at_b, 1, 8},
	                                .out = {at_out, 8, 1},
	                                .batch = {.arrays = 3, .count = 1}};
}

/* ---- layouts ---- */

/* Of one matrix each: what its strides become.  outᵀ = bᵀ aᵀ: A is b. */
static void operands(void) {
	static const struct {
		const char *what;
		int64_t outer, inner; /* of a, with m = 6 and k = 10: BLAS's B, [k, columns] */
		int transposed, packed;
		int64_t ld;
	} rows[] = {
		{"rows", 10, 1, 0, 0, 10},
		{"rows with gaps", 13, 1, 0, 0, 13},
		{"columns", 1, 6, 1, 0, 6},
		{"columns with gaps", 1, 7, 1, 0, 7},
		{"rows that overlap", 9, 1, 0, 1, 12},
		{"one row for all", 0, 1, 0, 1, 12},
		{"steps along k", 20, 2, 0, 1, 12},
		{"steps across k", 2, 12, 1, 1, 8},
		{"backwards", -10, 1, 0, 1, 12},
		{"backwards along k", 10, -1, 0, 1, 12},
		{"one value", 0, 0, 0, 1, 12},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mt_cuda_product p = plain();
		struct mt_cuda_blas blas;
		p.a = (struct mt_cuda_operand){at_a, rows[i].outer, rows[i].inner};
		mt__cuda_blas(&blas, &p, 1);
		mt_test_row("%s", rows[i].what);
		MT_CHECK(blas.swapped == 0 && blas.rows == 8 && blas.columns == 6 && blas.k == 10 && blas.count == 1);
		MT_CHECK_INT(blas.b.transposed, rows[i].transposed);
		MT_CHECK_INT(blas.b.packed, rows[i].packed);
		MT_CHECK_INT(blas.b.ld, rows[i].ld);
		MT_CHECK_INT(blas.b.bytes, rows[i].packed ? rows[i].ld * (rows[i].transposed ? 10 : 6) * 4 : 0);
		MT_CHECK(!blas.a.transposed && !blas.a.packed && blas.a.ld == 8);
		MT_CHECK(!blas.d.packed && blas.d.ld == 8 && !blas.epilogue);
	}
}

static void outputs(void) {
	static const struct {
		const char *what;
		int64_t m, n, row, column;
		int swapped, packed;
		int64_t ld;
	} rows[] = {
		{"rows", 6, 8, 8, 1, 0, 0, 8},
		{"rows with gaps", 6, 8, 11, 1, 0, 0, 11},
		{"steps", 6, 8, 16, 2, 0, 1, 8},
		{"backwards", 6, 8, 8, -1, 0, 1, 8},
		{"upside down", 6, 8, -8, 1, 0, 1, 8},
		{"one row", 1, 8, 0, 1, 0, 0, 8},
		{"one row in steps", 1, 8, 0, 3, 1, 0, 3},
		{"one row backwards", 1, 8, 0, -1, 0, 1, 8},
		{"one element", 1, 1, 0, 0, 0, 0, 1},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mt_cuda_product p = plain();
		struct mt_cuda_blas blas;
		p.m = rows[i].m;
		p.n = rows[i].n;
		p.a.outer = p.m == 1 ? 0 : 10;
		p.b.outer = p.n == 1 ? 0 : 1;
		p.out = (struct mt_cuda_target){at_out, rows[i].row, rows[i].column};
		mt__cuda_blas(&blas, &p, 1);
		mt_test_row("%s", rows[i].what);
		MT_CHECK_INT(blas.swapped, rows[i].swapped);
		MT_CHECK_INT(blas.d.packed, rows[i].packed);
		MT_CHECK_INT(blas.d.ld, rows[i].ld);
		MT_CHECK_INT(blas.d.bytes, rows[i].packed ? rows[i].m * rows[i].n * 4 : 0);
		MT_CHECK_INT(blas.epilogue, rows[i].packed);
		MT_CHECK_INT(blas.rows, rows[i].swapped ? rows[i].m : rows[i].n);
		MT_CHECK(blas.d.ld >= blas.rows && blas.a.ld >= (blas.a.transposed ? blas.k : blas.rows) &&
		         blas.b.ld >= (blas.b.transposed ? blas.columns : blas.k));
	}
}

/* ---- batches ---- */

static void batches(void) {
	static const struct {
		const char *what;
		int rank;
		int64_t shape[3], a[3], b[3], out[3];
		int64_t count, calls;
		int packs_a, packs_b, packs_out;
		int64_t batch_a; /* a's stride in the strided batch; −1: as packed */
	} rows[] = {
		{"one after the other", 1, {5}, {60}, {80}, {48}, 5, 1, 0, 0, 0, 60},
		{"b is shared", 1, {5}, {70}, {0}, {48}, 5, 1, 0, 0, 0, 70},
		{"two dims that go on", 2, {2, 3}, {180, 60}, {240, 80}, {144, 48}, 6, 1, 0, 0, 0, 60},
		{"heads and a batch: few calls", 2, {4, 12}, {1000, 60}, {960, 80}, {576, 48}, 12, 4, 0, 0, 0, 60},
		{"the longer dim is strided", 2, {40, 12}, {1000, 60}, {960, 80}, {576, 48}, 40, 12, 0, 0, 0, 1000},
		{"too many calls: a is packed", 2, {40, 20}, {2000, 60}, {1600, 80}, {960, 48}, 800, 1, 1, 0, 0, -1},
		{"… and out", 2, {40, 20}, {2000, 60}, {1600, 80}, {1000, 48}, 800, 1, 1, 0, 1, -1},
		{"shared in one dim, many calls", 2, {40, 20}, {0, 60}, {1600, 80}, {960, 48}, 800, 1, 1, 0, 0, -1},
		{"backwards, few", 1, {5}, {-60}, {80}, {48}, 1, 5, 0, 0, 0, 0},
		{"backwards, many", 1, {50}, {-60}, {80}, {48}, 50, 1, 1, 0, 0, -1},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mt_cuda_product p = plain();
		struct mt_cuda_blas blas;
		p.batch.rank = rows[i].rank;
		for (int d = 0; d < rows[i].rank; d++) {
			p.batch.shape[d] = rows[i].shape[d];
			p.batch.count *= rows[i].shape[d];
			p.batch.stride[MT_CUDA_GEMM_A][d] = rows[i].a[d];
			p.batch.stride[MT_CUDA_GEMM_B][d] = rows[i].b[d];
			p.batch.stride[MT_CUDA_GEMM_OUT][d] = rows[i].out[d];
		}
		mt__cuda_blas(&blas, &p, 1);
		mt_test_row("%s", rows[i].what);
		MT_CHECK_INT(blas.count, rows[i].count);
		MT_CHECK_INT(blas.outer.count, rows[i].calls);
		MT_CHECK_INT(blas.b.packed, rows[i].packs_a);
		MT_CHECK_INT(blas.a.packed, rows[i].packs_b);
		MT_CHECK_INT(blas.d.packed, rows[i].packs_out);
		MT_CHECK_INT(blas.b.batch, rows[i].batch_a < 0 ? blas.b.matrix : rows[i].batch_a);
		if (blas.b.packed)
			MT_CHECK_INT(blas.b.bytes, blas.b.matrix * p.batch.count * 4);
	}
}

/* A packed operand that all batches share is packed once. */
static void shared(void) {
	struct mt_cuda_product p = plain();
	struct mt_cuda_blas blas;
	p.b = (struct mt_cuda_operand){at_b, 2, 16};
	p.batch = (struct mt_cuda_walk){.arrays = 3, .rank = 1, .count = 9, .shape = {9}, .stride = {{60}, {0}, {48}}};
	mt__cuda_blas(&blas, &p, 1);
	MT_CHECK(blas.a.packed && blas.a.ld == 8 && !blas.a.transposed);
	MT_CHECK_INT(blas.a.bytes, 8 * 10 * 4);
	MT_CHECK(blas.count == 9 && blas.a.batch == 0 && blas.b.batch == 60);
}

/* ---- bias and activation ---- */

static void epilogues(void) {
	enum {
		NO = MT_CUDA_BLAS_NO_BIAS,
		FUSED = MT_CUDA_BLAS_BIAS_FUSED,
		PACKED = MT_CUDA_BLAS_BIAS_PACKED,
		AFTER = MT_CUDA_BLAS_BIAS_AFTER
	};
	static const struct {
		const char *what;
		int32_t dtype, activation;
		int bias;
		int64_t bias_row, bias_column, out_column;
		int fuse, wanted, packs_out, epilogue;
	} rows[] = {
		{"nothing", MT_F32, MT_ACT_NONE, 0, 0, 0, 1, 1, NO, 0, 0},
		{"bias", MT_F32, MT_ACT_NONE, 1, 0, 1, 1, 1, FUSED, 0, 0},
		{"bias in steps", MT_F32, MT_ACT_NONE, 1, 0, 2, 1, 1, PACKED, 0, 0},
		{"bias of a turned product", MT_F32, MT_ACT_NONE, 1, 1, 0, 1, 1, AFTER, 0, 1},
		{"bias that cannot be fused", MT_F32, MT_ACT_NONE, 1, 0, 1, 1, 0, AFTER, 0, 1},
		{"relu", MT_F32, MT_ACT_RELU, 1, 0, 1, 1, 1, FUSED, 0, !MT_CUDA_BLAS_FUSES_RELU},
		{"gelu", MT_F32, MT_ACT_GELU, 1, 0, 1, 1, 1, FUSED, 0, 1},
		{"scattered out", MT_F32, MT_ACT_GELU, 1, 0, 1, 2, 1, AFTER, 1, 1},
		{"f16 bias", MT_F16, MT_ACT_NONE, 1, 0, 1, 1, 1, FUSED, 0, 0},
		{"f16 relu: rounding twice is no other", MT_F16, MT_ACT_RELU, 1, 0, 1, 1, 1, FUSED, 0,
	     !MT_CUDA_BLAS_FUSES_RELU},
		{"f16 gelu: of sums in f32", MT_F16, MT_ACT_GELU, 1, 0, 1, 1, 1, AFTER, 1, 1},
		{"bf16 bias after: of sums in f32", MT_BF16, MT_ACT_NONE, 1, 1, 0, 1, 1, AFTER, 1, 1},
		{"f64 tanh", MT_F64, MT_ACT_TANH, 0, 0, 0, 1, 1, NO, 0, 1},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mt_cuda_product p = plain();
		struct mt_cuda_blas blas;
		p.dtype = rows[i].dtype;
		p.activation = rows[i].activation;
		p.out = (struct mt_cuda_target){at_out, 8 * rows[i].out_column, rows[i].out_column};
		if (rows[i].bias)
			p.bias = (struct mt_cuda_target){at_bias, rows[i].bias_row, rows[i].bias_column};
		mt__cuda_blas(&blas, &p, rows[i].fuse);
		mt_test_row("%s", rows[i].what);
		MT_CHECK_INT(blas.bias, rows[i].wanted);
		MT_CHECK_INT(blas.d.packed, rows[i].packs_out);
		MT_CHECK_INT(blas.epilogue, rows[i].epilogue);
		MT_CHECK_INT(blas.d.bytes, rows[i].packs_out ? 6 * 8 * 4 : 0);
	}
}

static const mt_test_case cases[] = {{"operands", operands}, {"outputs", outputs},     {"batches", batches},
                                     {"shared", shared},     {"epilogues", epilogues}, {0}};
static const mt_test_suite suites[] = {{"cuda_gemm_blas", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
