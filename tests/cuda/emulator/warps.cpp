/* What the lanes of a warp find out when they have met. */
#include "emulated_grid.h"

namespace mt_emulated {

void join_memory(void *const *) {
}

void join_ballot(void *const *given) {
	unsigned yes = 0, there = 0;
	for (int lane = 0; lane < warpSize; lane++)
		if (given[lane]) {
			there |= 1u << lane;
			yes |= (unsigned)(((vote *)given[lane])->value != 0) << lane;
		}
	for (int lane = 0; lane < warpSize; lane++)
		if (given[lane]) {
			((vote *)given[lane])->out = yes;
			((vote *)given[lane])->all = yes == there;
		}
}

void join_match(void *const *given) {
	for (int lane = 0; lane < warpSize; lane++) {
		auto *mine = (vote *)given[lane];
		if (!mine)
			continue;
		mine->out = 0;
		mine->all = 1;
		for (int other = 0; other < warpSize; other++)
			if (given[other]) {
				bool same = ((vote *)given[other])->value == mine->value;
				mine->out |= (unsigned)same << other;
				mine->all &= same;
			}
	}
}

vote ask(unsigned mask, const char *what, void (*join)(void *const *given), unsigned long long value) {
	vote v = {value, 0, 0};
	meet(mask, what, join, &v);
	return v;
}

struct summand {
	unsigned value;
	reduction how;
	bool with_sign;
};

static unsigned combine(const summand &s, unsigned a, unsigned b) {
	bool less = s.with_sign ? (int)a < (int)b : a < b;
	switch (s.how) {
	case reduction::add:
		return a + b;
	case reduction::min:
		return less ? a : b;
	case reduction::max:
		return less ? b : a;
	case reduction::bits_and:
		return a & b;
	case reduction::bits_or:
		return a | b;
	default:
		return a ^ b;
	}
}

static void join_reduce(void *const *given) {
	summand *all = nullptr;
	for (int lane = 0; lane < warpSize; lane++) {
		auto *s = (summand *)given[lane];
		if (s && all)
			all->value = combine(*all, all->value, s->value);
		else if (s)
			all = s;
	}
	for (int lane = 0; lane < warpSize; lane++)
		if (given[lane])
			((summand *)given[lane])->value = all->value;
}

unsigned reduce(unsigned mask, const char *what, reduction how, unsigned value, bool with_sign) {
	summand s = {value, how, with_sign};
	meet(mask, what, join_reduce, &s);
	return s.value;
}

} // namespace mt_emulated
