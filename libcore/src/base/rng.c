/* The process's random generator. */
#include "base/rng.h"

#include <pthread.h>

#include "mt/tensor.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t current_seed, current_offset;

void mt_rng_set(uint64_t seed, uint64_t offset) {
	pthread_mutex_lock(&lock);
	current_seed = seed;
	current_offset = offset;
	pthread_mutex_unlock(&lock);
}

void mt_seed(uint64_t seed) {
	mt_rng_set(seed, 0);
}

void mt_rng_get(uint64_t *seed, uint64_t *offset) {
	pthread_mutex_lock(&lock);
	if (seed != NULL)
		*seed = current_seed;
	if (offset != NULL)
		*offset = current_offset;
	pthread_mutex_unlock(&lock);
}

mt_philox_pos mt__rng_take(uint64_t blocks) {
	mt_philox_pos pos = {0};
	pthread_mutex_lock(&lock);
	pos.seed = current_seed;
	pos.offset = current_offset;
	current_offset += blocks;
	pthread_mutex_unlock(&lock);
	return pos;
}
