#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What an option can be; words[i] stands for value i. */
struct choice {
	const char *key, *environment;
	const char *words[3];
};

enum { SYNC, GEMM, CONV, PRECISION, CHOICES };

static const struct choice choices[CHOICES] = {
	[SYNC] = {"sync", "MT_CUDA_SYNC", {"0", "1", NULL}},
	[GEMM] = {"gemm", NULL, {"auto", "cublas", "tiled"}},
	[CONV] = {"conv", NULL, {"auto", "cudnn", "direct"}},
	[PRECISION] = {"precision", "MT_MATMUL_PRECISION", {"f32", "tf32", "bf16"}},
};

static int32_t choose(const struct choice *c, const char *name, const char *value, int *out, char *why, size_t size) {
	for (int i = 0; i < 3 && c->words[i]; i++)
		if (strcmp(value, c->words[i]) == 0) {
			*out = i;
			return MT_OK;
		}
	snprintf(why, size, "cuda: %s=%s: it is %s%s%s%s%s", name, value, c->words[0], c->words[2] ? ", " : " or ",
	         c->words[1], c->words[2] ? " or " : "", c->words[2] ? c->words[2] : "");
	return MT_E_ARG;
}

static int32_t parse_option(const struct mt_option *option, int *values, char *why, size_t size) {
	for (int i = 0; i < CHOICES; i++)
		if (strcmp(option->key, choices[i].key) == 0)
			return choose(&choices[i], option->key, option->value, &values[i], why, size);
	snprintf(why, size,
	         "cuda: unknown option '%s': there are sync (0 or 1), gemm (auto, cublas or tiled), conv (auto, cudnn or "
	         "direct) and precision (f32, tf32 or bf16)",
	         option->key);
	return MT_E_ARG;
}

int32_t mt__cuda_parse_options(const struct mt_option *options, uint64_t n_options, struct mt_cuda_options *out,
                               char *why, size_t size) {
	int values[CHOICES] = {0};
	for (int i = 0; i < CHOICES; i++) {
		const char *value = choices[i].environment ? secure_getenv(choices[i].environment) : NULL;
		if (value && value[0] != '\0' &&
		    choose(&choices[i], choices[i].environment, value, &values[i], why, size) != MT_OK)
			return MT_E_ARG;
	}
	for (uint64_t i = 0; i < n_options; i++)
		if (parse_option(&options[i], values, why, size) != MT_OK)
			return MT_E_ARG;
	out->synchronous = values[SYNC];
	out->gemm = (enum mt_cuda_path)values[GEMM];
	out->conv = (enum mt_cuda_path)values[CONV];
	out->fast = (enum mt_cuda_precision)values[PRECISION];
	return MT_OK;
}
