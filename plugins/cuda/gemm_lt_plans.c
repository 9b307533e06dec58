#include "mt_cuda.h"

#ifdef MT_HAVE_CUBLAS

#include "gemm_lt_plans.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#define SONAME "libcublasLt.so." TEXT(CUBLAS_VER_MAJOR)

/* ---- the library ---- */

static int find_functions(struct mt_cuda_gemm *g, void *library) {
#define FIND(name)                                                                                                     \
	void *name = dlsym(library, "cublasLt" #name);                                                                     \
	if (!name) {                                                                                                       \
		snprintf(g->why, sizeof g->why, SONAME " has no cublasLt" #name);                                              \
		return 0;                                                                                                      \
	}                                                                                                                  \
	memcpy(&g->lt.name, &name, sizeof name);
	MT_CUDA_LT_FUNCTIONS(FIND)
#undef FIND
	return 1;
}

static void load(struct mt_cuda_gemm *g) {
	void *library = mt__cuda_library(SONAME, g->why, sizeof g->why);
	if (!library || !find_functions(g, library))
		return;
	cublasStatus_t status = g->lt.Create(&g->handle);
	if (status == CUBLAS_STATUS_SUCCESS)
		return;
	g->handle = NULL;
	snprintf(g->why, sizeof g->why, "cublasLtCreate: %s", g->lt.GetStatusName(status));
	(void)cudaGetLastError();
}

static void tell(const struct mt_cuda_gemm *g, int ordinal) {
	char text[sizeof g->why + 128];
	size_t version = g->handle ? g->lt.GetVersion() : 0;
	if (g->handle)
		snprintf(text, sizeof text, "cuda:%d: matmul uses cuBLASLt %zu.%zu.%zu", ordinal, version / 10000,
		         version / 100 % 100, version % 100);
	else
		snprintf(text, sizeof text, "cuda:%d: matmul uses its own kernels, as there is no cuBLASLt: %s", ordinal,
		         g->why);
	mt__cuda_host->log(MT_LOG_INFO, text);
}

struct mt_cuda_gemm *mt__cuda_lt_open(const mt_plugin_device *device) {
	struct mt_cuda_gemm *g = calloc(1, sizeof *g);
	if (!g) {
		mt__cuda_fail(MT_E_MEMORY, "cuda: matmul: no memory for cuBLASLt's plans");
		return NULL;
	}
	load(g);
	tell(g, device->ordinal);
	return g;
}

int32_t mt__cuda_lt_fail(const struct mt_cuda_gemm *g, cublasStatus_t status, const char *what) {
	cudaError_t error = cudaGetLastError(); /* where the GPU is lost the library only says that something failed */
	const char *open = error != cudaSuccess ? " (" : "", *close = error != cudaSuccess ? ")" : "";
	return mt__cuda_fail(status == CUBLAS_STATUS_ALLOC_FAILED ? MT_E_MEMORY : MT_E_DEVICE,
	                     "cuda: matmul: %s: %s%s%s%s%s", what, g->lt.GetStatusName(status), open,
	                     error != cudaSuccess ? cudaGetErrorName(error) : "", close, mt__cuda_advice(error));
}

/* ---- plans ---- */

static void empty(const struct mt_cuda_gemm *g, struct mt_cuda_lt_plan *plan) {
	if (plan->product)
		g->lt.MatmulDescDestroy(plan->product);
	if (plan->a)
		g->lt.MatrixLayoutDestroy(plan->a);
	if (plan->b)
		g->lt.MatrixLayoutDestroy(plan->b);
	if (plan->d)
		g->lt.MatrixLayoutDestroy(plan->d);
	memset(plan, 0, sizeof *plan);
}

void mt__cuda_gemm_free(struct mt_cuda_gemm *g) {
	if (!g)
		return;
	for (int set = 0; set < MT_CUDA_LT_SETS && g->handle; set++)
		for (int way = 0; way < MT_CUDA_LT_WAYS; way++)
			empty(g, &g->plans[set][way]);
	if (g->handle)
		g->lt.Destroy(g->handle);
	free(g);
}

static cudaDataType_t type_of(int32_t dtype) {
	return dtype == MT_F64 ? CUDA_R_64F : dtype == MT_F16 ? CUDA_R_16F : dtype == MT_BF16 ? CUDA_R_16BF : CUDA_R_32F;
}

static cublasComputeType_t compute_of(int32_t dtype, enum mt_cuda_precision precision) {
	if (dtype == MT_F64)
		return CUBLAS_COMPUTE_64F;
	if (dtype == MT_F32 && precision == MT_CUDA_TF32)
		return CUBLAS_COMPUTE_32F_FAST_TF32;
	if (dtype == MT_F32 && precision == MT_CUDA_BF16)
		return CUBLAS_COMPUTE_32F_FAST_16BF;
	return CUBLAS_COMPUTE_32F;
}

/* Keeps the first failure: the calls that follow do nothing. */
#define TRY(call) (status = status == CUBLAS_STATUS_SUCCESS ? g->lt.call : status)

static cublasStatus_t describe_product(const struct mt_cuda_gemm *g, struct mt_cuda_lt_plan *plan,
                                       enum mt_cuda_precision precision) {
	const struct mt_cuda_lt_key *key = &plan->key;
	cublasStatus_t status = CUBLAS_STATUS_SUCCESS;
	cublasOperation_t a = key->transposed_a ? CUBLAS_OP_T : CUBLAS_OP_N,
					  b = key->transposed_b ? CUBLAS_OP_T : CUBLAS_OP_N;
	cublasLtEpilogue_t epilogue = key->bias && key->relu ? CUBLASLT_EPILOGUE_RELU_BIAS
	                              : key->bias            ? CUBLASLT_EPILOGUE_BIAS
	                              : key->relu            ? CUBLASLT_EPILOGUE_RELU
	                                                     : CUBLASLT_EPILOGUE_DEFAULT;
	const void *bias =
		(const void *)(uintptr_t)key->bias_aligned; /* the heuristic reads its alignment off the address */
	TRY(MatmulDescCreate(&plan->product, compute_of(key->dtype, precision),
	                     key->dtype == MT_F64 ? CUDA_R_64F : CUDA_R_32F));
	TRY(MatmulDescSetAttribute(plan->product, CUBLASLT_MATMUL_DESC_TRANSA, &a, sizeof a));
	TRY(MatmulDescSetAttribute(plan->product, CUBLASLT_MATMUL_DESC_TRANSB, &b, sizeof b));
	TRY(MatmulDescSetAttribute(plan->product, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue));
	if (key->bias)
		TRY(MatmulDescSetAttribute(plan->product, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias));
	return status;
}

static cublasStatus_t describe_matrix(const struct mt_cuda_gemm *g, cublasLtMatrixLayout_t *layout, cudaDataType_t type,
                                      int64_t rows, int64_t columns, int64_t ld, int64_t count, int64_t batch) {
	cublasStatus_t status = CUBLAS_STATUS_SUCCESS;
	int32_t matrices = (int32_t)count;
	TRY(MatrixLayoutCreate(layout, type, (uint64_t)rows, (uint64_t)columns, ld));
	TRY(MatrixLayoutSetAttribute(*layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &matrices, sizeof matrices));
	TRY(MatrixLayoutSetAttribute(*layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &batch, sizeof batch));
	return status;
}

static cublasStatus_t describe_matrices(const struct mt_cuda_gemm *g, struct mt_cuda_lt_plan *plan) {
	const struct mt_cuda_lt_key *key = &plan->key;
	cudaDataType_t type = type_of(key->dtype);
	cudaDataType_t sums = key->dtype == MT_F64 ? CUDA_R_64F : CUDA_R_32F;
	int ta = key->transposed_a, tb = key->transposed_b;
	cublasStatus_t status = describe_matrix(g, &plan->a, type, ta ? key->k : key->rows, ta ? key->rows : key->k,
	                                        key->ld[0], key->count, key->batch[0]);
	if (status == CUBLAS_STATUS_SUCCESS)
		status = describe_matrix(g, &plan->b, type, tb ? key->columns : key->k, tb ? key->k : key->columns, key->ld[1],
		                         key->count, key->batch[1]);
	if (status == CUBLAS_STATUS_SUCCESS)
		status = describe_matrix(g, &plan->d, key->summed ? sums : type, key->rows, key->columns, key->ld[2],
		                         key->count, key->batch[2]);
	return status;
}

/* Sums of split k come together in the compute type, in a step of their own: in the output's type they would be rounded
 * more than once, and "in place" leaves their order to counters. */
static cublasStatus_t describe_preference(const struct mt_cuda_gemm *g, const struct mt_cuda_lt_key *key,
                                          cublasLtMatmulPreference_t *preference) {
	const struct {
		cublasLtMatmulPreferenceAttributes_t attribute;
		uint32_t value;
	} wanted[] = {
		{CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE},
		{CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, key->aligned[0]},
		{CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, key->aligned[1]},
		{CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, key->aligned[2]},
		{CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, key->aligned[2]},
	};
	cublasStatus_t status = CUBLAS_STATUS_SUCCESS;
	uint64_t workspace = MT_CUDA_LT_WORKSPACE;
	TRY(MatmulPreferenceCreate(preference));
	TRY(MatmulPreferenceSetAttribute(*preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace,
	                                 sizeof workspace));
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		TRY(MatmulPreferenceSetAttribute(*preference, wanted[i].attribute, &wanted[i].value, sizeof wanted[i].value));
	return status;
}

static cublasStatus_t ask(const struct mt_cuda_gemm *g, struct mt_cuda_lt_plan *plan) {
	cublasLtMatmulPreference_t preference = NULL;
	cublasLtMatmulHeuristicResult_t found;
	int n = 0;
	cublasStatus_t status = describe_preference(g, &plan->key, &preference);
	TRY(MatmulAlgoGetHeuristic(g->handle, plan->product, plan->a, plan->b, plan->d, plan->d, preference, 1, &found,
	                           &n));
	if (preference)
		g->lt.MatmulPreferenceDestroy(preference);
	if (status != CUBLAS_STATUS_SUCCESS || n == 0 || found.state != CUBLAS_STATUS_SUCCESS)
		return status != CUBLAS_STATUS_SUCCESS ? status : CUBLAS_STATUS_NOT_SUPPORTED;
	plan->algorithm = found.algo;
	plan->workspace = found.workspaceSize;
	plan->usable = 1;
	return CUBLAS_STATUS_SUCCESS;
}

/* What the library cannot do is remembered; what broke for want of memory is not. */
static int make(const struct mt_cuda_gemm *g, struct mt_cuda_lt_plan *plan, const struct mt_cuda_lt_key *key,
                enum mt_cuda_precision precision) {
	empty(g, plan);
	plan->key = *key;
	cublasStatus_t status = describe_product(g, plan, precision);
	if (status == CUBLAS_STATUS_SUCCESS)
		status = describe_matrices(g, plan);
	if (status == CUBLAS_STATUS_SUCCESS)
		status = ask(g, plan);
	if (status == CUBLAS_STATUS_SUCCESS || status == CUBLAS_STATUS_NOT_SUPPORTED ||
	    status == CUBLAS_STATUS_INVALID_VALUE)
		return 1;
	empty(g, plan);
	mt__cuda_lt_fail(g, status, "cannot plan the product");
	return 0;
}

/* FNV-1a, word by word. */
static uint64_t hash(const struct mt_cuda_lt_key *key) {
	uint64_t words[sizeof *key / sizeof(uint64_t)], h = 14695981039346656037u;
	_Static_assert(sizeof words == sizeof *key, "whole words");
	memcpy(words, key, sizeof words);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		h = (h ^ words[i]) * 1099511628211u;
	return h ^ h >> 32;
}

struct mt_cuda_lt_plan *mt__cuda_lt_plan(struct mt_cuda_gemm *g, const struct mt_cuda_lt_key *key,
                                         enum mt_cuda_precision precision) {
	struct mt_cuda_lt_plan *set = g->plans[hash(key) % MT_CUDA_LT_SETS], *oldest = set;
	for (struct mt_cuda_lt_plan *plan = set; plan < set + MT_CUDA_LT_WAYS; plan++) {
		if (plan->used > 0 && memcmp(&plan->key, key, sizeof *key) == 0) {
			plan->used = ++g->now;
			return plan;
		}
		if (plan->used < oldest->used)
			oldest = plan;
	}
	if (!make(g, oldest, key, precision))
		return NULL;
	oldest->used = ++g->now;
	return oldest;
}

#endif
