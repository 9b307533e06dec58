/* Kim's convolutional network for sentences (2014): words' vectors, filters of 3, 4 and 5 words, the largest answer of
 * each, dropout, two classes. */
#include "bench/nets.h"

enum { VOCABULARY = 8000, FILTERS = 100, WIDTHS = 3, SENTIMENTS = 2, SHORTEST = 20 };

static const int widths[WIDTHS] = {3, 4, 5};

static mt_tensor *largest_answers(mt_module *conv, mt_tensor *x) {
	return mt_max(mt_relu(mt_forward(conv, x)), MT_AXES(2), 0);
}

static mt_tensor *text_forward(mt_module *m, mt_tensor *x, void *context) {
	(void)context;
	mt_tensor *vectors = mt_permute(mt_forward(mt_module_child_at(m, 0), x), 3, (const int64_t[]){0, 2, 1});
	mt_tensor *answers[WIDTHS];
	for (int i = 0; i < WIDTHS; i++)
		answers[i] = largest_answers(mt_module_child_at(m, 1 + i), vectors);
	mt_tensor *kept = mt_forward(mt_module_child_at(m, 1 + WIDTHS), mt_cat(answers, WIDTHS, 1));
	return mt_forward(mt_module_child_at(m, 2 + WIDTHS), kept);
}

static const mt_module_class text_class = {.name = "TextCNN", .forward = text_forward};

static mt_module *build_text_cnn(const int64_t *n) {
	static const char *const names[WIDTHS] = {"conv3", "conv4", "conv5"};
	mt_module *net = mt_module_new(&text_class, NULL);
	int ok = net && bench_net_add(net, "embedding", mt_nn_embedding(VOCABULARY, n[2], 0));
	for (int i = 0; ok && i < WIDTHS; i++)
		ok = bench_net_add(net, names[i], mt_nn_conv1d(n[2], FILTERS, widths[i], 1, (mt_conv_options){0}));
	ok = ok && bench_net_add(net, "dropout", mt_nn_dropout(0.5)) &&
	     bench_net_add(net, "fc", mt_nn_linear(WIDTHS * FILTERS, SENTIMENTS, 1));
	return bench_net_finish(net, ok);
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

static double text_cnn_flops(const int64_t *n) {
	double forward = bench_net_linear_flops(WIDTHS * FILTERS, SENTIMENTS);
	for (int i = 0; i < WIDTHS; i++)
		forward += (double)(n[1] - widths[i] + 1) * bench_net_linear_flops(widths[i] * n[2], FILTERS);
	return (double)n[0] * bench_step_flops(forward, 0); /* the vectors have a gradient, too */
}

const struct bench_net bench_net_text_cnn = {
	.op = "text_cnn",
	.names = {"batch", "words", "embed", NULL},
	.build = build_text_cnn,
	.input = sentences,
	.target = sentiments,
	.loss = bench_net_cross_entropy,
	.optim = bench_net_adam,
	.flops = text_cnn_flops,
};
