# MT_SUMMARY: a table of what will be built, and why the rest won't.
AC_DEFUN([MT_SUMMARY], [
AS_IF([test "$mt_omp" = yes],
  [mt_isas=base
   AS_IF([test "$mt_cv_isa_AVX2" = yes], [AS_VAR_APPEND([mt_isas], [" avx2"])])
   AS_IF([test "$mt_cv_isa_AVX512" = yes], [AS_VAR_APPEND([mt_isas], [" avx512"])])
   AS_IF([test "$mt_cv_isa_AVX512_BF16" = yes], [AS_VAR_APPEND([mt_isas], [" avx512_bf16"])])
   AS_IF([test "$mt_cv_isa_AMX" = yes], [AS_VAR_APPEND([mt_isas], [" amx"])])
   mt_omp_line="yes ($mt_isas)"],
  [mt_omp_line="no ($mt_omp_why)"])
AS_IF([test "$mt_cuda" = yes],
  [mt_cuda_line="yes (nvcc $mt_nvcc_version, $mt_cuda_what)"],
  [mt_cuda_line="no ($mt_cuda_why)"])
AS_IF([test "$mt_have_CUNIT" = yes], [mt_tests_line=yes],
  [mt_tests_line="no (CUnit not found; Debian, Ubuntu: libcunit1-dev)"])
mt_peers_line=
AS_IF([test "$mt_have_OPENBLAS" = yes], [AS_VAR_APPEND([mt_peers_line], [" OpenBLAS"])])
AS_IF([test "$mt_have_ONEDNN" = yes], [AS_VAR_APPEND([mt_peers_line], [" oneDNN"])])
AS_IF([test "x$mt_peers_line" = x],
  [mt_peers_line=" none (Debian, Ubuntu: libopenblas-dev, libdnnl-dev; only scripts/peers needs them)"])
AS_IF([test "$mt_have_PNG" = yes], [mt_png_line=yes], [mt_png_line="no (libpng not found; Debian, Ubuntu: libpng-dev)"])
AS_IF([test "x$mt_emulator_why" = x], [mt_emulator_line=yes], [mt_emulator_line="no ($mt_emulator_why)"])
AS_IF([test "x$MT_SAN_FLAGS" = x], [mt_san_line=no], [mt_san_line=$enable_sanitizers])
AS_IF([test "$mt_user_cflags" = yes], [mt_opt_line="$CFLAGS"],
  [mt_opt_line="$CFLAGS $MT_OPT (OpenMP kernels $MT_OPT_KERNEL)"])
cat <<_MT_EOF

mt $PACKAGE_VERSION
  installs into     $prefix
  compiler          $CC
  CFLAGS            $mt_opt_line
  warnings          `AS_IF([test "x$MT_WERROR" = x], [echo shown], [echo are errors])`
  sanitizers        $mt_san_line
  backend naive     yes
  backend omp       $mt_omp_line
  backend cuda      $mt_cuda_line
  PNG pictures      $mt_png_line
  unit tests        $mt_tests_line
  CUDA emulator     $mt_emulator_line
  peers in C       $mt_peers_line

_MT_EOF
])
