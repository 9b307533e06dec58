# MT_ISA_LEVEL(NAME, FLAGS, PROGRAM BODY): MT_NAME_CFLAGS, conditional HAVE_NAME and
# define MT_HAVE_NAME, where this compiler builds for an x86-64 level above the baseline.
AC_DEFUN([MT_ISA_LEVEL], [
AC_CACHE_CHECK([whether $CC compiles for $1], [mt_cv_isa_$1],
  [mt_cv_isa_$1=no
   AS_IF([test "$host_cpu" = x86_64], [
     mt_save_CFLAGS=$CFLAGS
     CFLAGS="$CFLAGS $2"
     AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <immintrin.h>]], [[$3]])], [mt_cv_isa_$1=yes])
     CFLAGS=$mt_save_CFLAGS])])
AS_IF([test "$mt_cv_isa_$1" = yes],
  [MT_$1_CFLAGS="$2"
   AC_DEFINE([MT_HAVE_$1], [1], [Define to 1 if kernels for $1 are built.])],
  [MT_$1_CFLAGS=])
AC_SUBST([MT_$1_CFLAGS])
AM_CONDITIONAL([HAVE_$1], [test "$mt_cv_isa_$1" = yes])
])

# MT_ISA_OVER(NAME, LOWER, FLAGS, PROGRAM BODY): the same for a level whose kernels are put over LOWER's: its flags are
# LOWER's and FLAGS, and it is not built without LOWER.
AC_DEFUN([MT_ISA_OVER], [
AS_IF([test "$mt_cv_isa_$2" = yes], [], [mt_cv_isa_$1=no])
MT_ISA_LEVEL([$1], [$MT_$2_CFLAGS $3], [$4])
])

# MT_ISA: the levels that plugins/cpu_omp is compiled for besides its baseline.
AC_DEFUN([MT_ISA], [
MT_ISA_LEVEL([AVX2], [-mavx2 -mfma -mf16c],
  [__m256 a = _mm256_cvtph_ps(_mm_setzero_si128());
   a = _mm256_fmadd_ps(a, a, a);
   return _mm256_movemask_ps(a);])
MT_ISA_LEVEL([AVX512],
  [-mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma -mf16c -mprefer-vector-width=512],
  [__m512 a = _mm512_setzero_ps();
   a = _mm512_fmadd_ps(a, a, a);
   return (int)_mm512_reduce_add_ps(a);])
MT_ISA_OVER([AVX512_BF16], [AVX512], [-mavx512bf16],
  [__m512 a = _mm512_setzero_ps();
   a = _mm512_dpbf16_ps(a, _mm512_cvtne2ps_pbh(a, a), _mm512_cvtne2ps_pbh(a, a));
   return (int)_mm512_reduce_add_ps(a);])
MT_ISA_OVER([AMX], [AVX512_BF16], [-mamx-tile -mamx-bf16],
  [_tile_zero(0);
   _tile_dpbf16ps(0, 1, 2);
   _tile_release();
   return 0;])
])
