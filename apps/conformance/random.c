/* splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014. */
#include "case.h"

uint64_t cf_random_bits(struct cf_random *r) {
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

double cf_random_unit(struct cf_random *r) {
	return (double)(cf_random_bits(r) >> 11) * 0x1p-53;
}

int64_t cf_random_integer(struct cf_random *r, int64_t low, int64_t high) {
	uint64_t span = (uint64_t)high - (uint64_t)low + 1;
	uint64_t bits = cf_random_bits(r);
	return (int64_t)((uint64_t)low + (span != 0 ? bits % span : bits));
}

/* An extent of at most most: usually small, so that many dims fit. */
static int64_t extent(struct cf_random *r, int64_t most) {
	int64_t high = cf_random_integer(r, 0, 3) == 0 ? 17 : 6;
	return cf_random_integer(r, 1, high < most ? high : most);
}

void cf_random_shape(struct cf_random *r, int low, int high, int64_t numel, int32_t *rank, int64_t *shape) {
	int n = (int)cf_random_integer(r, low, high);
	int64_t room = numel > 1 ? numel : 1;
	for (int d = 0; d < n; d++) {
		shape[d] = extent(r, room);
		room /= shape[d];
	}
	if (n > 0 && room > 1 && cf_random_integer(r, 0, 7) == 0)
		shape[cf_random_integer(r, 0, n - 1)] *= cf_random_integer(r, 1, room);
	*rank = n;
}
