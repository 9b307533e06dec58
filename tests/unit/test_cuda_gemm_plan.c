/* What the CUDA plugin decides about a product before anything is launched, which needs no GPU: gemm_plan.c. */
#include <stdlib.h>
#include <string.h>

#include "gemm_plan.h"
#include "mt_test.h"

enum { MOST = 512 };

/* ---- products by their description ---- */

/* Arrays lie at made-up addresses: only offsets are looked at. */
static char *const base_a = (char *)0x100000, *const base_b = (char *)0x200000, *const base_out = (char *)0x300000,
				   *const base_bias = (char *)0x400000;

struct given {
	int rank;
	int64_t a[4], b[4], out[4]; /* shapes */
	int64_t a_stride[4], b_stride[4], out_stride[4];
	int bias;
};

static mt_array array(char *base, int rank, const int64_t *shape, const int64_t *stride) {
	mt_array x = {.base = base, .dtype = MT_F32, .rank = rank};
	memcpy(x.shape, shape, (size_t)rank * sizeof *shape);
	memcpy(x.stride, stride, (size_t)rank * sizeof *stride);
	return x;
}

static void product_of(struct mt_cuda_product *p, const struct given *g) {
	mt_array a = array(base_a, g->rank, g->a, g->a_stride), b = array(base_b, g->rank, g->b, g->b_stride),
			 out = array(base_out, g->rank, g->out, g->out_stride);
	int64_t step = 3;
	mt_array bias = array(base_bias, 1, &g->out[g->rank - 1], &step);
	const struct mt_matmul_args args = {.a = &a,
	                                    .b = &b,
	                                    .bias = g->bias ? &bias : NULL,
	                                    .out = &out,
	                                    .alpha = 2,
	                                    .beta = 3,
	                                    .activation = MT_ACT_TANH};
	mt__cuda_product(p, &args);
}

/* A contiguous product of one batch. */
static void plain(struct mt_cuda_product *p, int32_t dtype, int64_t m, int64_t n, int64_t k) {
	*p = (struct mt_cuda_product){.dtype = dtype,
	                              .alpha = 1,
	                              .m = m,
	                              .n = n,
	                              .k = k,
	                              .a = {base_a, m == 1 ? 0 : k, k == 1 ? 0 : 1},
	                              .b = {base_b, n == 1 ? 0 : 1, k == 1 ? 0 : n},
	                              .out = {base_out, m == 1 ? 0 : n, n == 1 ? 0 : 1},
	                              .batch = {.arrays = 3, .count = 1}};
}

/* ---- the product is the one that was asked for ---- */

/* What an element of out is made of, as offsets: a's row, b's column, bias. */
struct made {
	int64_t out, a, b, bias;
};

static int64_t offset(int rank, const int64_t *index, const int64_t *stride) {
	int64_t at = 0;
	for (int d = 0; d < rank; d++)
		at += index[d] * stride[d];
	return at;
}

static void split(int64_t i, int rank, const int64_t *shape, int64_t *index) {
	for (int d = rank - 1; d >= 0; d--) {
		index[d] = i % shape[d];
		i /= shape[d];
	}
}

static int wanted(const struct given *g, struct made *made) {
	int count = 1, row = g->rank - 2, column = row + 1;
	for (int d = 0; d < g->rank; d++)
		count *= (int)g->out[d];
	for (int e = 0; e < count; e++) {
		int64_t i[4];
		split(e, g->rank, g->out, i);
		made[e].out = offset(g->rank, i, g->out_stride);
		made[e].a = offset(row, i, g->a_stride) + i[row] * g->a_stride[row];
		made[e].b = offset(row, i, g->b_stride) + i[column] * g->b_stride[column];
		made[e].bias = g->bias ? 3 * i[column] : 0;
	}
	return count;
}

static int got(const struct mt_cuda_product *p, struct made *made) {
	int count = 0, turned = p->a.at == base_b;
	for (int64_t batch = 0; batch < p->batch.count; batch++) {
		int64_t at[MT_MAX_RANK];
		split(batch, p->batch.rank, p->batch.shape, at);
		for (int64_t e = 0; e < p->m * p->n && count < MOST; e++, count++) {
			int64_t i = e / p->n, j = e % p->n;
			int64_t a = offset(p->batch.rank, at, p->batch.stride[MT_CUDA_GEMM_A]) + i * p->a.outer;
			int64_t b = offset(p->batch.rank, at, p->batch.stride[MT_CUDA_GEMM_B]) + j * p->b.outer;
			made[count] = (struct made){offset(p->batch.rank, at, p->batch.stride[MT_CUDA_GEMM_OUT]) + i * p->out.row +
			                                j * p->out.column,
			                            turned ? b : a, turned ? a : b, i * p->bias.row + j * p->bias.column};
		}
	}
	return count;
}

static int by_out(const void *x, const void *y) {
	const struct made *a = x, *b = y;
	return (a->out > b->out) - (a->out < b->out);
}

static void check_same(const struct given *g, const struct mt_cuda_product *p) {
	static struct made want[MOST], have[MOST];
	int n = wanted(g, want);
	MT_REQUIRE(n <= MOST && got(p, have) == n);
	qsort(want, (size_t)n, sizeof *want, by_out);
	qsort(have, (size_t)n, sizeof *have, by_out);
	MT_CHECK(memcmp(want, have, (size_t)n * sizeof *want) == 0);
}

/* Rows: a, b and out with the strides of many layouts; what becomes of m, n and the batch. */
static void products(void) {
	static const struct {
		const char *what;
		struct given g;
		int64_t m, n, batches;
		int turned;
	} rows[] = {
		{"one product", {2, {3, 4}, {4, 5}, {3, 5}, {4, 1}, {5, 1}, {5, 1}, 1}, 3, 5, 1, 0},
		{"out is transposed", {2, {3, 4}, {4, 5}, {3, 5}, {4, 1}, {5, 1}, {1, 3}, 1}, 5, 3, 1, 1},
		{"one column", {2, {3, 4}, {4, 1}, {3, 1}, {4, 1}, {1, 1}, {1, 1}, 1}, 1, 3, 1, 1},
		{"one row", {2, {1, 4}, {4, 5}, {1, 5}, {4, 1}, {5, 1}, {5, 1}, 1}, 1, 5, 1, 0},
		{"a layer over a batch",
	     {3, {6, 3, 4}, {6, 4, 5}, {6, 3, 5}, {12, 4, 1}, {0, 1, 4}, {15, 5, 1}, 1},
	     18,
	     5,
	     1,
	     0},
		{"over two dims",
	     {4, {2, 3, 2, 4}, {2, 3, 4, 5}, {2, 3, 2, 5}, {24, 8, 4, 1}, {0, 0, 5, 1}, {30, 10, 5, 1}, 0},
	     12,
	     5,
	     1,
	     0},
		{"rows with gaps stay a batch",
	     {3, {6, 3, 4}, {6, 4, 5}, {6, 3, 5}, {13, 4, 1}, {0, 5, 1}, {15, 5, 1}, 0},
	     3,
	     5,
	     6,
	     0},
		{"row vectors, gaps and all",
	     {3, {6, 1, 4}, {6, 4, 5}, {6, 1, 5}, {13, 4, 1}, {0, 5, 1}, {7, 5, 1}, 1},
	     6,
	     5,
	     1,
	     0},
		{"a is shared, columns go on",
	     {3, {6, 3, 4}, {6, 4, 5}, {6, 3, 5}, {0, 4, 1}, {5, 30, 1}, {5, 30, 1}, 0},
	     3,
	     30,
	     1,
	     0},
		{"… but not under a bias",
	     {3, {6, 3, 4}, {6, 4, 5}, {6, 3, 5}, {0, 4, 1}, {5, 30, 1}, {5, 30, 1}, 1},
	     3,
	     5,
	     6,
	     0},
		{"heads, which change places with rows",
	     {4, {2, 3, 4, 5}, {2, 3, 5, 2}, {2, 3, 4, 2}, {60, 5, 15, 1}, {30, 10, 2, 1}, {24, 2, 6, 1}, 1},
	     4,
	     2,
	     6,
	     0},
		{"negative and zero strides",
	     {3, {2, 3, 4}, {2, 4, 5}, {2, 3, 5}, {0, -4, 1}, {-20, 0, 1}, {-15, -5, -1}, 1},
	     3,
	     5,
	     2,
	     0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mt_cuda_product p;
		mt_test_row("%s", rows[i].what);
		product_of(&p, &rows[i].g);
		MT_CHECK_INT(p.m, rows[i].m);
		MT_CHECK_INT(p.n, rows[i].n);
		MT_CHECK_INT(p.k, 4 + (rows[i].g.a[rows[i].g.rank - 1] - 4));
		MT_CHECK_INT(p.batch.count, rows[i].batches);
		MT_CHECK_INT(p.a.at == base_b, rows[i].turned);
		MT_CHECK(p.alpha == 2 && p.beta == 3 && p.activation == MT_ACT_TANH);
		check_same(&rows[i].g, &p);
	}
}

/* ---- who computes it ---- */

static void paths(void) {
	static const struct {
		const char *what;
		int32_t dtype;
		int64_t m, n, k;
		double alpha;
		int automatic, asked;
	} rows[] = {
		{"ordinary", MT_F32, 64, 64, 64, 1, 1, 1},
		{"tiny", MT_F32, 32, 32, 32, 1, 0, 1},
		{"not quite tiny", MT_F16, 32, 32, 33, 1, 1, 1},
		{"long", MT_BF16, 1, 1, 40000, 1, 1, 1},
		{"nothing to add up", MT_F32, 64, 64, 0, 1, 0, 0},
		{"alpha 0", MT_F64, 64, 64, 64, 0, 0, 0},
		{"integers", MT_I32, 64, 64, 64, 1, 0, 0},
		{"bytes", MT_U8, 640, 640, 640, 1, 0, 0},
		{"huge", MT_F32, 1 << 30, 1 << 30, 1 << 30, 1, 1, 1},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mt_cuda_product p;
		mt_test_row("%s", rows[i].what);
		plain(&p, rows[i].dtype, rows[i].m, rows[i].n, rows[i].k);
		p.alpha = rows[i].alpha;
		MT_CHECK_INT(mt__cuda_gemm_wants_library(&p, MT_CUDA_AUTO), rows[i].automatic);
		MT_CHECK_INT(mt__cuda_gemm_wants_library(&p, MT_CUDA_LIBRARY), rows[i].asked);
		MT_CHECK_INT(mt__cuda_gemm_wants_library(&p, MT_CUDA_OWN), 0);
	}
}

/* ---- kernels and pieces of k ---- */

static void kernels(void) {
	static const struct {
		int32_t dtype;
		int64_t m, n, k;
		int tensor;
		enum mt_cuda_gemm_kernel kernel;
		int pieces; /* 0: one; 1: more */
	} rows[] = {
		{MT_F32, 4096, 4096, 4096, 0, MT_CUDA_GEMM_TILES_128, 0},
		{MT_F32, 2048, 2048, 2048, 0, MT_CUDA_GEMM_TILES_128, 0},
		{MT_F32, 128, 128, 65536, 0, MT_CUDA_GEMM_TILES_64, 1},
		{MT_F32, 2048, 2048, 15, 0, MT_CUDA_GEMM_TILES_128, 0},
		{MT_F32, 1024, 1024, 1024, 0, MT_CUDA_GEMM_TILES_64, 0},
		{MT_F32, 512, 512, 512, 0, MT_CUDA_GEMM_TILES_32, 0},
		{MT_F32, 33, 17, 20, 0, MT_CUDA_GEMM_TILES_32, 0},
		{MT_F32, 16, 4096, 4096, 0, MT_CUDA_GEMM_TILES_32, 1},
		{MT_F32, 64, 10, 500, 0, MT_CUDA_GEMM_TILES_32, 1},
		{MT_F32, 256, 120, 400, 0, MT_CUDA_GEMM_TILES_32, 1},
		{MT_F32, 4, 4096, 4096, 0, MT_CUDA_GEMM_VECTORS, 1},
		{MT_F32, 1, 1, 1 << 20, 0, MT_CUDA_GEMM_VECTORS, 1},
		{MT_F32, 100000, 1, 100, 0, MT_CUDA_GEMM_VECTORS, 0},
		{MT_F32, 9, 9, 0, 0, MT_CUDA_GEMM_TILES_32, 0},
		{MT_F64, 4096, 4096, 4096, 0, MT_CUDA_GEMM_TILES_64, 0},
		{MT_F16, 4096, 4096, 4096, 1, MT_CUDA_GEMM_TENSOR, 0},
		{MT_F16, 4096, 4096, 4096, 0, MT_CUDA_GEMM_TILES_64, 0},
		{MT_BF16, 256, 256, 8192, 1, MT_CUDA_GEMM_TENSOR, 1},
		{MT_I64, 1, 1000, 1000, 0, MT_CUDA_GEMM_TILES_32, 1},
		{MT_U8, 1000, 1000, 1000, 1, MT_CUDA_GEMM_TILES_64, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mt_cuda_product p;
		struct mt_cuda_gemm_plan plan;
		mt_test_row("dtype %d, %lld x %lld x %lld", (int)rows[i].dtype, (long long)rows[i].m, (long long)rows[i].n,
		            (long long)rows[i].k);
		plain(&p, rows[i].dtype, rows[i].m, rows[i].n, rows[i].k);
		mt__cuda_gemm_plan(&plan, &p, rows[i].tensor);
		MT_CHECK_INT(plan.kernel, rows[i].kernel);
		MT_CHECK_INT(plan.splits > 1, rows[i].pieces);
	}
}

/* Pieces cover k, none is empty, each begins where every kernel can; scratch has room for their sums. */
static void pieces(void) {
	static const int32_t dtypes[] = {MT_F32, MT_F64, MT_F16, MT_U8};
	static const int64_t extents[] = {1, 7, 8, 9, 40, 130, 1000, 5000};
	static const int64_t lengths[] = {0, 1, 31, 255, 1000, 4097, 100000};
	for (int t = 0; t < 4; t++)
		for (int e = 0; e < 8 * 8 * 7; e++) {
			int64_t m = extents[e % 8], n = extents[e / 8 % 8], k = lengths[e / 64];
			struct mt_cuda_product p;
			struct mt_cuda_gemm_plan plan;
			plain(&p, dtypes[t], m, n, k);
			p.batch = (struct mt_cuda_walk){
				.arrays = 3, .rank = 1, .count = 3, .shape = {3}, .stride = {{m * k}, {k * n}, {m * n}}};
			mt__cuda_gemm_plan(&plan, &p, 1);
			int64_t rest = k - (plan.splits - 1) * plan.k_chunk;
			uint64_t sums = (uint64_t)(plan.splits * 3 * m * n * mt__cuda_gemm_sum_size(dtypes[t]));
			mt_test_row("dtype %d, %lld x %lld x %lld", (int)dtypes[t], (long long)m, (long long)n, (long long)k);
			MT_CHECK(plan.splits >= 1 && rest <= plan.k_chunk && (rest > 0 || k == 0));
			MT_CHECK(plan.splits == 1 || plan.k_chunk % 8 == 0);
			MT_CHECK(plan.scratch == (plan.splits > 1 ? sums : 0));
		}
}

/* Tiles fit in a grid's 2^31 − 1 blocks for whatever memory holds. */
static void grids(void) {
	static const int64_t sides[][2] = {
		{1, (int64_t)1 << 34}, {(int64_t)1 << 34, 1}, {9, (int64_t)1 << 32}, {1 << 17, 1 << 18}};
	for (int i = 0; i < 4; i++) {
		struct mt_cuda_product p;
		struct mt_cuda_gemm_plan plan;
		plain(&p, MT_F32, sides[i][0], sides[i][1], 2);
		mt__cuda_gemm_plan(&plan, &p, 0);
		mt_test_row("%lld x %lld", (long long)p.m, (long long)p.n);
		MT_CHECK(plan.tiles_down * plan.tiles_across * plan.splits <= INT32_MAX);
	}
}

/* ---- feeds ---- */

static void feeds(void) {
	static const struct {
		const char *what;
		int64_t outer, inner, batch, offset;
		int along_k, vector;
	} rows[] = {
		{"rows along k", 512, 1, 0, 0, 1, 1},
		{"columns", 1, 256, 0, 0, 0, 1},
		{"rows that are 4 bytes off", 512, 1, 0, 4, 1, 0},
		{"rows of 514 elements", 514, 1, 0, 0, 1, 0},
		{"matrices of odd sizes", 512, 1, 131073, 0, 1, 0},
		{"even batches", 512, 1, 131072, 0, 1, 1},
		{"steps along k", 1024, 2, 0, 0, 1, 0},
		{"backwards", -512, -1, 0, 0, 1, 0},
		{"one row again and again", 0, 1, 0, 0, 1, 1},
		{"one value again and again", 0, 0, 0, 0, 1, 0},
		{"steps across k", 3, 4096, 0, 0, 0, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mt_cuda_product p;
		struct mt_cuda_gemm_plan plan;
		plain(&p, MT_F32, 256, 256, 512);
		p.a = (struct mt_cuda_operand){base_a + rows[i].offset, rows[i].outer, rows[i].inner};
		p.batch = (struct mt_cuda_walk){
			.arrays = 3, .rank = 1, .count = 3, .shape = {3}, .stride = {{rows[i].batch}, {0}, {256 * 256}}};
		mt__cuda_gemm_plan(&plan, &p, 0);
		mt_test_row("%s", rows[i].what);
		MT_CHECK_INT(plan.a.along_k, rows[i].along_k);
		MT_CHECK_INT(plan.a.vector, rows[i].vector);
		MT_CHECK(plan.b.along_k == 0 && plan.b.vector == 1);
	}
}

static const mt_test_case cases[] = {{"products", products},
                                     {"paths", paths},
                                     {"kernels", kernels},
                                     {"pieces", pieces},
                                     {"grids", grids},
                                     {"feeds", feeds},
                                     {0}};
static const mt_test_suite suites[] = {{"cuda_gemm_plan", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
