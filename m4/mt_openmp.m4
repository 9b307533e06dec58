# MT_OPENMP: --disable-omp; OPENMP_CFLAGS and the conditional HAVE_OMP.
AC_DEFUN([MT_OPENMP], [
AC_ARG_ENABLE([omp],
  [AS_HELP_STRING([--disable-omp], [do not build the OpenMP plugin])],
  [], [enable_omp=auto])
mt_omp=no
mt_omp_why=
AS_IF([test "x$enable_omp" = xno], [mt_omp_why='switched off by --disable-omp'], [
  AC_OPENMP
  AS_CASE([$ac_cv_prog_c_openmp],
    [unsupported], [mt_omp_why="$CC has no OpenMP"],
    [mt_omp=yes])
  AS_IF([test "$mt_omp$enable_omp" = noyes],
    [AC_MSG_ERROR([--enable-omp: $mt_omp_why])])])
AM_CONDITIONAL([HAVE_OMP], [test "$mt_omp" = yes])
])
