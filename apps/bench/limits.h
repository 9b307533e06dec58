/* What the suite limits is made of. */
#ifndef APPS_BENCH_LIMITS_H
#define APPS_BENCH_LIMITS_H

#include "bench/case.h"

/* Whole epochs of a perceptron on MNIST.  0 or −1. */
int limits_add_epoch(struct bench_cases *cases);

#endif
