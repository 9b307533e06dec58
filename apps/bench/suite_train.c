/* The train suite: one step of training of each network. */
#include "bench/train_step.h"

static const struct row {
	const struct bench_net *net;
	int64_t n[BENCH_NET_EXTENTS];
	int x; /* the extent that is the abscissa */
} rows[] = {
	{&bench_net_lenet, {16}, 0},
	{&bench_net_lenet, {64}, 0},
	{&bench_net_lenet, {128}, 0},
	{&bench_net_mlp, {64}, 0},
	{&bench_net_mlp_mnist, {500, 500}, 0},
	{&bench_net_points, {10, 10}, 1},
	{&bench_net_points, {10, 100}, 1},
	{&bench_net_points, {10, 1000}, 1},
	{&bench_net_text_cnn, {50, 30, 64}, 2},
	{&bench_net_text_cnn, {50, 30, 128}, 2},
	{&bench_net_mlp_wide, {128, 2048}, 1},
	{&bench_net_resnet_block, {4, 64, 56}, 0},
	{&bench_net_lstm, {20, 20, 200}, 2}, /* Zaremba et al. 2014: small and medium */
	{&bench_net_lstm, {20, 35, 650}, 2},
	{&bench_net_transformer, {8, 128, 256}, 2},
	{&bench_net_transformer, {8, 128, 512}, 2}, /* Vaswani et al. 2017: base */
};

int bench_train_cases(struct bench_cases *cases) {
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (bench_train_step_add(cases, rows[i].net, rows[i].n, (double)rows[i].n[rows[i].x]) != 0)
			return -1;
	return 0;
}
