/* train_sentiment's network, Kim's (2014), over sentences of a vocabulary as large as its corpus has. */
#include "bench/nets.h"
#include "train_sentiment/model.h"

enum { VOCABULARY = 8000, FILTERS = 100, WIDTHS = 3, NARROWEST = 3, SENTIMENTS = 2, SHORTEST = 20 };

static mt_module *build_text_cnn(const int64_t *n) {
	return model_new((struct model_size){.words = VOCABULARY, .embedding = n[2], .filters = FILTERS, .dropout = 0.5});
}

/* Sentences of SHORTEST to n[1] words, the rest padded with word 0. */
static mt_tensor *sentences(const int64_t *n) {
	mt_tensor *words = mt_randint(1, VOCABULARY, MT_SHAPE(n[0], n[1]));
	mt_tensor *lengths = mt_randint(SHORTEST, n[1] + 1, MT_SHAPE(n[0], 1));
	mt_tensor *inside = mt_lt(mt_arange(mt_i(0), mt_i(n[1]), mt_i(1), MT_I64), lengths);
	return mt_mul(words, mt_cast(inside, MT_I64));
}

static mt_tensor *sentiments(const int64_t *n) {
	return mt_randint(0, SENTIMENTS, MT_SHAPE(n[0]));
}

static mt_optim *text_optim(mt_tensor *const *parameters, int64_t n) {
	return mt_optim_adamw(parameters, n, 0.001, (mt_adam_options){0});
}

static double text_cnn_flops(const int64_t *n) {
	double forward = bench_net_linear_flops(WIDTHS * FILTERS, SENTIMENTS);
	for (int w = NARROWEST; w < NARROWEST + WIDTHS; w++)
		forward += (double)(n[1] + w - 1) * bench_net_linear_flops(w * n[2], FILTERS);
	return (double)n[0] * bench_step_flops(forward, 0); /* the vectors have a gradient, too */
}

const struct bench_net bench_net_text_cnn = {
	.op = "text_cnn",
	.names = {"batch", "words", "embed", NULL},
	.build = build_text_cnn,
	.input = sentences,
	.target = sentiments,
	.loss = bench_net_cross_entropy,
	.optim = text_optim,
	.flops = text_cnn_flops,
};
