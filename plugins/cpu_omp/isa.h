/* For sources that are compiled once for each ISA level.  The build gives -DMT_ISA=base|avx2|avx512 and one of
 * MT_ISA_BASE, MT_ISA_AVX2, MT_ISA_AVX512 as 1.
 *
 * A function that crosses files is written MT_ISA_NAME(mt__omp_f) where it is declared, defined and called, or gets a
 * `#define mt__omp_f MT_ISA_NAME(mt__omp_f)` line beside its declaration. */
#ifndef MT_OMP_ISA_H
#define MT_OMP_ISA_H

#include "omp.h"

#ifndef MT_ISA
#error "isa.h is for sources compiled for one ISA level (MT_ISA)"
#endif

#define MT_ISA_NAME(f) MT_ISA_PASTE(f, MT_ISA)
#define MT_ISA_PASTE(f, isa) MT_ISA_PASTE_(f, isa)
#define MT_ISA_PASTE_(f, isa) f##_##isa

/* Every kernel's prototype, this level's: mt__omp_matmul_avx2 and so on. */
#define MT_KERNEL(id, NAME, name, group, must)                                                                         \
	int32_t MT_ISA_NAME(mt__omp_##name)(mt_queue *, const struct mt_##name##_args *);
#include "mt/kernels.def"
#undef MT_KERNEL

#endif
