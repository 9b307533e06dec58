# MT_CC_FLAGS(VARIABLE, FLAGS): appends to VARIABLE each of FLAGS that the compiler
# takes without a warning.
AC_DEFUN([MT_CC_FLAGS], [
m4_foreach_w([mt_flag], [$2], [
AS_VAR_PUSHDEF([mt_cache], [mt_cv_cc_takes_[]mt_flag])dnl
AC_CACHE_CHECK([whether $CC accepts mt_flag], [mt_cache],
  [mt_save_CFLAGS=$CFLAGS
   CFLAGS="$CFLAGS -Werror mt_flag"
   AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
     [AS_VAR_SET([mt_cache], [yes])], [AS_VAR_SET([mt_cache], [no])])
   CFLAGS=$mt_save_CFLAGS])
AS_VAR_IF([mt_cache], [yes], [AS_VAR_APPEND([$1], [" mt_flag"])])
AS_VAR_POPDEF([mt_cache])dnl
])])

# MT_COMPILER: standard, warnings, visibility, floating point and optimisation.
#   MT_BASE_CFLAGS      for everything
#   MT_EXACT_CFLAGS     libcore and the reference kernels: no contraction to FMA
#   MT_KERNEL_CFLAGS    the OpenMP kernels; never -ffast-math
#   MT_OPT, MT_OPT_KERNEL   -O level, empty where the user gave CFLAGS
AC_DEFUN([MT_COMPILER], [
MT_BASE_CFLAGS=
MT_CC_FLAGS([MT_BASE_CFLAGS], [-std=c11 -fvisibility=hidden
  -Werror=implicit-function-declaration -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Wformat=2])
MT_EXACT_CFLAGS=
MT_CC_FLAGS([MT_EXACT_CFLAGS], [-ffp-contract=off])
MT_KERNEL_CFLAGS=
MT_CC_FLAGS([MT_KERNEL_CFLAGS], [-ffp-contract=fast -fno-math-errno -fno-trapping-math
  -ftree-vectorize -fvect-cost-model=dynamic])

AS_IF([test "$mt_user_cflags" = yes], [MT_OPT= MT_OPT_KERNEL=],
      [test "x$MT_SAN_FLAGS" != x],   [MT_OPT=-O1 MT_OPT_KERNEL=-O1],
      [MT_OPT=-O2 MT_OPT_KERNEL=-O3])
AC_SUBST([MT_BASE_CFLAGS])
AC_SUBST([MT_EXACT_CFLAGS])
AC_SUBST([MT_KERNEL_CFLAGS])
AC_SUBST([MT_OPT])
AC_SUBST([MT_OPT_KERNEL])
])
