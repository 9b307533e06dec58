/* What the device can do (R7): the same on every ISA level. */
#include "omp.h"

const struct mt_capability mt__omp_capabilities[] = {
#include "capabilities.def"
};

const uint64_t mt__omp_n_capabilities = sizeof mt__omp_capabilities / sizeof mt__omp_capabilities[0];
