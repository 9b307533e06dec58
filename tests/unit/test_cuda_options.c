/* The options of a CUDA device, which need no GPU: plugins/cuda/options.c. */
#include <stdlib.h>
#include <string.h>

#include "mt_test.h"
#include "options.h"

static int32_t parse(const char *key, const char *value, struct mt_cuda_options *out, char *why, size_t size) {
	struct mt_option option = {key, value};
	why[0] = '\0';
	return mt__cuda_parse_options(&option, key != NULL, out, why, size);
}

static void values(void) {
	struct mt_cuda_options o;
	char why[256];
	MT_CHECK_INT(parse(NULL, NULL, &o, why, sizeof why), MT_OK);
	MT_CHECK(o.synchronous == 0 && o.gemm == MT_CUDA_AUTO && o.conv == MT_CUDA_AUTO && o.fast == MT_CUDA_F32);
	MT_CHECK(parse("sync", "1", &o, why, sizeof why) == MT_OK && o.synchronous == 1);
	MT_CHECK(parse("gemm", "cublas", &o, why, sizeof why) == MT_OK && o.gemm == MT_CUDA_LIBRARY);
	MT_CHECK(parse("gemm", "tiled", &o, why, sizeof why) == MT_OK && o.gemm == MT_CUDA_OWN);
	MT_CHECK(parse("conv", "cudnn", &o, why, sizeof why) == MT_OK && o.conv == MT_CUDA_LIBRARY);
	MT_CHECK(parse("conv", "direct", &o, why, sizeof why) == MT_OK && o.conv == MT_CUDA_OWN);
	MT_CHECK(parse("precision", "tf32", &o, why, sizeof why) == MT_OK && o.fast == MT_CUDA_TF32);
	MT_CHECK(parse("precision", "bf16", &o, why, sizeof why) == MT_OK && o.fast == MT_CUDA_BF16);
}

static void refused(void) {
	static const struct {
		const char *key, *value, *says;
	} rows[] = {
		{"sync", "2", "cuda: sync=2: it is 0 or 1"},
		{"sync", "", "cuda: sync=: it is 0 or 1"},
		{"gemm", "cudnn", "cuda: gemm=cudnn: it is auto, cublas or tiled"},
		{"conv", "tiled", "cuda: conv=tiled: it is auto, cudnn or direct"},
		{"precision", "fp8", "cuda: precision=fp8: it is f32, tf32 or bf16"},
		{"streams", "4",
	     "cuda: unknown option 'streams': there are sync (0 or 1), gemm (auto, cublas or tiled), "
	     "conv (auto, cudnn or direct) and precision (f32, tf32 or bf16)"},
	};
	struct mt_cuda_options o;
	char why[256];
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("%s=%s", rows[i].key, rows[i].value);
		MT_CHECK_INT(parse(rows[i].key, rows[i].value, &o, why, sizeof why), MT_E_ARG);
		MT_CHECK_STR(why, rows[i].says);
	}
}

/* Options win over the environment; an empty variable is none. */
static void environment(void) {
	struct mt_cuda_options o;
	char why[256];
	setenv("MT_CUDA_SYNC", "1", 1);
	setenv("MT_MATMUL_PRECISION", "tf32", 1);
	MT_CHECK(parse(NULL, NULL, &o, why, sizeof why) == MT_OK && o.synchronous == 1 && o.fast == MT_CUDA_TF32);
	MT_CHECK(parse("precision", "f32", &o, why, sizeof why) == MT_OK && o.synchronous == 1 && o.fast == MT_CUDA_F32);
	setenv("MT_MATMUL_PRECISION", "half", 1);
	MT_CHECK_INT(parse(NULL, NULL, &o, why, sizeof why), MT_E_ARG);
	MT_CHECK_STR(why, "cuda: MT_MATMUL_PRECISION=half: it is f32, tf32 or bf16");
	setenv("MT_MATMUL_PRECISION", "", 1);
	MT_CHECK(parse("sync", "0", &o, why, sizeof why) == MT_OK && o.synchronous == 0 && o.fast == MT_CUDA_F32);
}

static const mt_test_case cases[] = {{"values", values}, {"refused", refused}, {"environment", environment}, {0}};
static const mt_test_suite suites[] = {{"cuda_options", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
