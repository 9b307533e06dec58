/* The process's random generator: a position in the Philox stream, under a lock. */
#ifndef MT_BASE_RNG_H
#define MT_BASE_RNG_H

#include "mt/plugin.h"

/* Takes the current position and moves it on by blocks counter blocks. */
mt_philox_pos mt__rng_take(uint64_t blocks);

#endif
