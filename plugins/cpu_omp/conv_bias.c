/* gbias[c] = Σ gout over images and positions: channels among the threads, each summed row by row. */
#include "conv.h"

#include "parallel.h"
#include "row_sums.h"

#define T float
#define N(f) f##_f32
#include "conv_bias.inc"
#undef T
#undef N
#define T double
#define N(f) f##_f64
#include "conv_bias.inc"

static void channel_one(const void *context, int64_t channel, int thread) {
	const struct mt__conv *c = context;
	(void)thread;
	if (c->dtype == MT_F64)
		channel_sum_f64(c, channel);
	else
		channel_sum_f32(c, channel);
}

void mt__conv_grad_bias(const struct mt__conv *c, int threads) {
	mt__omp_each(threads, c->groups * c->out_channels, channel_one, c);
}
