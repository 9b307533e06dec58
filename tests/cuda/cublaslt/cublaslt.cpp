/* Stands in for cuBLASLt on the emulator: plain loops over what the caller described, which is checked against what
 * BLAS allows and against what the heuristic was told.  MT_CUBLASLT_REFUSES=bias (or all): products that the heuristic
 * has nothing for. */
#include "cublasLt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda_bf16.h"
#include "cuda_fp16.h"
#include "stream_calls.h"

struct cublasLtContext {
	int none;
};

struct cublasLtMatmulDesc {
	cudaDataType_t scale;
	cublasOperation_t transposed[2];
	cublasLtEpilogue_t epilogue;
	const void *bias;
};

struct cublasLtMatrixLayout {
	cudaDataType_t type;
	int64_t rows, columns, ld, batch;
	int32_t count;
};

struct cublasLtMatmulPreference {
	uint32_t aligned[4]; /* A, B, C, D */
	uint32_t reduction;
	uint64_t workspace;
};

enum { WORKSPACE = 1000 };

static cublasStatus_t wrong(const char *why) {
	fprintf(stderr, "cuBLASLt's stand-in: %s\n", why);
	return CUBLAS_STATUS_INVALID_VALUE;
}

/* ---- descriptions ---- */

cublasStatus_t cublasLtCreate(cublasLtHandle_t *out) {
	*out = new cublasLtContext();
	return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
	delete handle;
	return CUBLAS_STATUS_SUCCESS;
}
const char *cublasLtGetStatusName(cublasStatus_t status) {
	return status == CUBLAS_STATUS_INVALID_VALUE ? "CUBLAS_STATUS_INVALID_VALUE" : "CUBLAS_STATUS";
}
size_t cublasLtGetVersion(void) {
	return 130000;
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *out, cublasComputeType_t, cudaDataType_t scale) {
	*out = new cublasLtMatmulDesc{scale, {CUBLAS_OP_N, CUBLAS_OP_N}, CUBLASLT_EPILOGUE_DEFAULT, nullptr};
	return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t desc) {
	delete desc;
	return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t desc, cublasLtMatmulDescAttributes_t which,
                                              const void *value, size_t size) {
	void *to = which == CUBLASLT_MATMUL_DESC_TRANSA     ? (void *)&desc->transposed[0]
	           : which == CUBLASLT_MATMUL_DESC_TRANSB   ? (void *)&desc->transposed[1]
	           : which == CUBLASLT_MATMUL_DESC_EPILOGUE ? (void *)&desc->epilogue
	                                                    : (void *)&desc->bias;
	if (size != (to == &desc->bias ? sizeof desc->bias : 4))
		return wrong("an attribute's size");
	memcpy(to, value, size);
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *out, cudaDataType type, uint64_t rows,
                                          uint64_t columns, int64_t ld) {
	*out = new cublasLtMatrixLayout{type, (int64_t)rows, (int64_t)columns, ld, 0, 1};
	return rows < 1 || columns < 1 || ld < (int64_t)rows ? wrong("a matrix's extents") : CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
	delete layout;
	return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t layout, cublasLtMatrixLayoutAttribute_t which,
                                                const void *value, size_t size) {
	bool count = which == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT;
	if (size != (count ? 4 : 8))
		return wrong("an attribute's size");
	memcpy(count ? (void *)&layout->count : (void *)&layout->batch, value, size);
	return layout->count < 1 || layout->count > 65535 || layout->batch < 0 ? wrong("a batch") : CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *out) {
	*out = new cublasLtMatmulPreference{{256, 256, 256, 256}, 7, 0};
	return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
	delete preference;
	return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t which, const void *value,
                                                    size_t size) {
	if (which == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES)
		memcpy(&preference->workspace, value, size);
	else if (which == CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK)
		memcpy(&preference->reduction, value, size);
	else
		memcpy(&preference->aligned[which - CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES], value, size);
	return CUBLAS_STATUS_SUCCESS;
}

/* ---- products ---- */

static bool refuses(const cublasLtMatmulDesc *desc) {
	const char *what = getenv("MT_CUBLASLT_REFUSES");
	return what && (strcmp(what, "all") == 0 || (strcmp(what, "bias") == 0 && desc->epilogue & CUBLASLT_EPILOGUE_BIAS));
}

/* The lowest bit of an address: what a bias's alignment is read off. */
static uint64_t lowest_bit(const void *address) {
	uint64_t bits = (uint64_t)(uintptr_t)address;
	return bits & (0 - bits);
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t desc, cublasLtMatrixLayout_t,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                                              cublasLtMatmulPreference_t preference, int,
                                              cublasLtMatmulHeuristicResult_t *out, int *found) {
	*found = 0;
	if (refuses(desc))
		return CUBLAS_STATUS_NOT_SUPPORTED;
	if (preference->workspace < WORKSPACE)
		return wrong("no workspace");
	*out = {};
	for (int i = 0; i < 4; i++)
		out->algo.data[i] = preference->aligned[i];
	out->algo.data[4] = lowest_bit(desc->bias);
	out->workspaceSize = WORKSPACE;
	*found = 1;
	return CUBLAS_STATUS_SUCCESS;
}

static double get(const cublasLtMatrixLayout *x, const void *from, int64_t i) {
	switch (x->type) {
	case CUDA_R_64F:
		return ((const double *)from)[i];
	case CUDA_R_16F:
		return __half2float(((const __half *)from)[i]);
	case CUDA_R_16BF:
		return __bfloat162float(((const __nv_bfloat16 *)from)[i]);
	default:
		return ((const float *)from)[i];
	}
}

static void put(const cublasLtMatrixLayout *x, void *to, int64_t i, double value) {
	switch (x->type) {
	case CUDA_R_64F:
		((double *)to)[i] = value;
		break;
	case CUDA_R_16F:
		((__half *)to)[i] = __float2half_rn((float)value);
		break;
	case CUDA_R_16BF:
		((__nv_bfloat16 *)to)[i] = __float2bfloat16_rn((float)value);
		break;
	default:
		((float *)to)[i] = (float)value;
	}
}

/* All of a call, kept until its stream has come to it: descriptions may have changed by then. */
struct product {
	cublasLtMatmulDesc desc;
	const void *a, *b;
	void *d;
	cublasLtMatrixLayout la, lb, ld;
	double alpha, beta;
	int64_t k;
};

static double element(const product &p, int64_t matrix, int64_t i, int64_t j) {
	double sum = 0;
	for (int64_t q = 0; q < p.k; q++) {
		int64_t a = p.desc.transposed[0] == CUBLAS_OP_T ? q + i * p.la.ld : i + q * p.la.ld;
		int64_t b = p.desc.transposed[1] == CUBLAS_OP_T ? j + q * p.lb.ld : q + j * p.lb.ld;
		sum += get(&p.la, p.a, matrix * p.la.batch + a) * get(&p.lb, p.b, matrix * p.lb.batch + b);
	}
	double y = p.alpha * sum;
	if (p.beta != 0)
		y += p.beta * get(&p.ld, p.d, matrix * p.ld.batch + i + j * p.ld.ld);
	if (p.desc.epilogue & CUBLASLT_EPILOGUE_BIAS)
		y += get(&p.ld, p.desc.bias, i);
	return p.desc.epilogue & CUBLASLT_EPILOGUE_RELU && y <= 0 ? 0 : y;
}

static bool fits(const product &p) {
	bool ta = p.desc.transposed[0] == CUBLAS_OP_T, tb = p.desc.transposed[1] == CUBLAS_OP_T;
	return (ta ? p.la.columns : p.la.rows) == p.ld.rows && (tb ? p.lb.rows : p.lb.columns) == p.ld.columns &&
	       (tb ? p.lb.columns : p.lb.rows) == p.k && p.la.count == p.ld.count && p.lb.count == p.ld.count;
}

static bool is_aligned(const void *address, uint64_t to) {
	return to != 0 && (uintptr_t)address % to == 0;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t desc, const void *alpha, const void *a,
                              cublasLtMatrixLayout_t la, const void *b, cublasLtMatrixLayout_t lb, const void *beta,
                              const void *c, cublasLtMatrixLayout_t lc, void *d, cublasLtMatrixLayout_t ld,
                              const cublasLtMatmulAlgo_t *algo, void *workspace, size_t workspace_bytes,
                              cudaStream_t stream) {
	bool wide = desc->scale == CUDA_R_64F;
	product p = {*desc,
	             a,
	             b,
	             d,
	             *la,
	             *lb,
	             *ld,
	             wide ? *(const double *)alpha : *(const float *)alpha,
	             wide ? *(const double *)beta : *(const float *)beta,
	             0};
	p.k = desc->transposed[0] == CUBLAS_OP_T ? la->rows : la->columns;
	if (!fits(p) || c != d || lc != ld)
		return wrong("matrices do not fit");
	if (!is_aligned(a, algo->data[0]) || !is_aligned(b, algo->data[1]) || !is_aligned(d, algo->data[3]) ||
	    (desc->epilogue & CUBLASLT_EPILOGUE_BIAS && !is_aligned(desc->bias, algo->data[4])))
		return wrong("an address is less aligned than the heuristic was told");
	if (workspace_bytes != WORKSPACE || !is_aligned(workspace, 256))
		return wrong("the workspace");
	auto status = mt_emulated::submit_to(stream, [p, workspace, workspace_bytes] {
		memset(workspace, 0xA5, workspace_bytes);
		for (int64_t matrix = 0; matrix < p.ld.count; matrix++)
			for (int64_t i = 0; i < p.ld.rows; i++)
				for (int64_t j = 0; j < p.ld.columns; j++)
					put(&p.ld, p.d, matrix * p.ld.batch + i + j * p.ld.ld, element(p, matrix, i, j));
	});
	return status == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}
