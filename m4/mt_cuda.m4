# MT_CUDA: --with-cuda=auto|yes|no|DIR and --with-cuda-arch=LIST.
#   NVCC            the compiler
#   CUDA_CPPFLAGS   for C sources that call the runtime; MT_CUDA_LIBDIR: the toolkit's libraries
#   CUDA_LIBS       the runtime, linked statically
#   NVCC_GENCODE    one -gencode for each architecture
#   conditionals HAVE_CUDA; HAVE_CUBLAS, HAVE_CUDNN: their headers are there.  The libraries are not linked: the plugin
#                   loads them when it first needs them (plugins/cuda/library.c).
# In auto mode nothing here makes configure fail; mt_cuda_why says what was missing.
AC_DEFUN([MT_CUDA], [
AC_ARG_WITH([cuda],
  [AS_HELP_STRING([--with-cuda@<:@=DIR@:>@],
    [build the CUDA plugin: auto (default), yes, no, or the toolkit's folder])],
  [], [with_cuda=auto])
AC_ARG_WITH([cuda-arch],
  [AS_HELP_STRING([--with-cuda-arch=LIST],
    [GPU architectures, such as 80,90 (the last one as PTX too), or native])],
  [], [with_cuda_arch=default])
AC_ARG_VAR([NVCC], [CUDA compiler])
AC_ARG_VAR([NVCCFLAGS], [CUDA compiler flags])

mt_cuda=no
mt_cuda_why=
mt_cuda_what=
mt_cublas=no
mt_cudnn=no
NVCC_GENCODE=
AS_CASE([$with_cuda],
  [no], [mt_cuda_why='switched off by --with-cuda=no'],
  [_MT_CUDA_FIND_NVCC
   AS_IF([test "x$mt_cuda_why" = x], [_MT_CUDA_TRY_NVCC])
   AS_IF([test "x$mt_cuda_why" = x], [_MT_CUDA_LIBRARIES])
   AS_IF([test "x$mt_cuda_why" = x], [mt_cuda=yes],
         [test "$with_cuda" != auto],
         [AC_MSG_ERROR([--with-cuda=$with_cuda: $mt_cuda_why])])])

AC_SUBST([CUDA_CPPFLAGS])
AC_SUBST([CUDA_LIBS])
AC_SUBST([NVCC_GENCODE])
AM_CONDITIONAL([HAVE_CUDA], [test "$mt_cuda" = yes])
AM_CONDITIONAL([HAVE_CUBLAS], [test "$mt_cublas" = yes])
AM_CONDITIONAL([HAVE_CUDNN], [test "$mt_cudnn" = yes])
])

# Sets NVCC and mt_cuda_dir, the toolkit's folder.
AC_DEFUN([_MT_CUDA_FIND_NVCC], [
AS_CASE([$with_cuda],
  [auto|yes], [AC_PATH_PROG([NVCC], [nvcc], [], [$PATH:${CUDA_HOME:-/usr/local/cuda}/bin:/usr/local/cuda/bin])],
  [AC_PATH_PROG([NVCC], [nvcc], [], [$with_cuda/bin])])
AS_IF([test "x$NVCC" = x], [mt_cuda_why='nvcc not found'], [
  AS_CASE([$with_cuda],
    [auto|yes],
    [mt_cuda_dir=`readlink -f "$NVCC" 2>/dev/null || echo "$NVCC"`
     mt_cuda_dir=`AS_DIRNAME(["$mt_cuda_dir"])`
     mt_cuda_dir=`AS_DIRNAME(["$mt_cuda_dir"])`],
    [mt_cuda_dir=$with_cuda])
  mt_nvcc_version=[`"$NVCC" --version | sed -n 's/.*release \([0-9.]*\).*/\1/p'`]])
])

# The default list is what is in use, as far as this nvcc knows it; what nvcc does not know is an error in a list of the
# user's own.  A toolkit that does not like the host compiler is found out by one compile.
AC_DEFUN([_MT_CUDA_TRY_NVCC], [
AC_MSG_CHECKING([for the architectures that $NVCC compiles for])
mt_known=`"$NVCC" --list-gpu-code 2>/dev/null | sed -n 's/^sm_//p' | tr '\n' ' '`
mt_accepted=
mt_unknown=
AS_CASE([$with_cuda_arch],
  [default], [mt_archs='75 80 86 89 90 100 120'],
  [mt_archs=`echo "$with_cuda_arch" | tr ',;' '  '`])
for mt_arch in $mt_archs; do
  AS_CASE([" $mt_known native "],
    [*" ${mt_arch%a} "*], [AS_VAR_APPEND([mt_accepted], ["${mt_accepted:+ }$mt_arch"])],
    [AS_VAR_APPEND([mt_unknown], ["${mt_unknown:+ }$mt_arch"])])
done
AC_MSG_RESULT([${mt_accepted:-none}])
AS_IF([test "$with_cuda_arch" != default && test "x$mt_unknown" != x],
  [mt_cuda_why="nvcc $mt_nvcc_version knows no architecture $mt_unknown; it knows $mt_known"])
for mt_arch in $mt_accepted; do
  AS_CASE([$mt_arch],
    [native], [AS_VAR_APPEND([NVCC_GENCODE], [" -arch=native"])],
    [AS_VAR_APPEND([NVCC_GENCODE], [" -gencode arch=compute_$mt_arch,code=sm_$mt_arch"])])
  mt_last=$mt_arch
done
AS_IF([test "x$mt_accepted" != x && test "$mt_last" != native],
  [AS_VAR_APPEND([NVCC_GENCODE], [" -gencode arch=compute_$mt_last,code=compute_$mt_last"])])
AS_IF([test "x$mt_cuda_why" = x], [_MT_CUDA_COMPILE])
mt_cuda_what="sm_`echo $mt_accepted | sed 's/ / sm_/g'`"
])

AC_DEFUN([_MT_CUDA_COMPILE], [
cat >conftest.cu <<_MT_EOF
#include <cuda_runtime.h>
__global__ void conftest(float *x) { x[[threadIdx.x]] += 1.0f; }
int main() { conftest<<<1, 1>>>(nullptr); return 0; }
_MT_EOF
AC_MSG_CHECKING([whether $NVCC works])
AS_IF([$NVCC $NVCCFLAGS $NVCC_GENCODE -c -o conftest.cu.o conftest.cu >conftest.nvcc 2>&1],
  [AC_MSG_RESULT([yes])],
  [AC_MSG_RESULT([no])
   echo "$NVCC $NVCC_GENCODE failed:" >&AS_MESSAGE_LOG_FD
   cat conftest.nvcc >&AS_MESSAGE_LOG_FD
   mt_cuda_why='nvcc compiles nothing here (see config.log)'])
rm -f conftest.cu conftest.cu.o conftest.nvcc
])

# The C side: headers, the static runtime, and the headers of the optional libraries.
AC_DEFUN([_MT_CUDA_LIBRARIES], [
CUDA_CPPFLAGS=
AS_IF([test -f "$mt_cuda_dir/include/cuda_runtime.h" && test "$mt_cuda_dir" != /usr],
  [CUDA_CPPFLAGS="-isystem $mt_cuda_dir/include"])
mt_cuda_ldflags=
for mt_lib in lib64 lib "targets/$host_cpu-linux/lib"; do
  AS_IF([test "x$mt_cuda_ldflags" = x && test "$mt_cuda_dir" != /usr &&
         test -f "$mt_cuda_dir/$mt_lib/libcudart_static.a"],
    [mt_cuda_ldflags="-L$mt_cuda_dir/$mt_lib"
     AS_VAR_APPEND([CUDA_CPPFLAGS], [" -DMT_CUDA_LIBDIR='\"$mt_cuda_dir/$mt_lib\"'"])])
done
CUDA_LIBS="$mt_cuda_ldflags -lcudart_static -lrt -lpthread -ldl"

mt_save_CPPFLAGS=$CPPFLAGS
mt_save_LIBS=$LIBS
CPPFLAGS="$CPPFLAGS -isystem $mt_cuda_dir/include"
LIBS="$CUDA_LIBS $LIBS"
AC_MSG_CHECKING([for the CUDA runtime])
AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <cuda_runtime.h>]],
    [[int n; return cudaGetDeviceCount(&n) != cudaSuccess;]])],
  [AC_MSG_RESULT([yes])],
  [AC_MSG_RESULT([no])
   mt_cuda_why='cuda_runtime.h or libcudart_static not found (see config.log)'])
AS_IF([test "x$mt_cuda_why" = x], [
  _MT_CUDA_HEADER([cublas], [cublasLt.h])
  _MT_CUDA_HEADER([cudnn], [cudnn.h])])
CPPFLAGS=$mt_save_CPPFLAGS
LIBS=$mt_save_LIBS
])

# _MT_CUDA_HEADER(library, header)
AC_DEFUN([_MT_CUDA_HEADER], [
AC_MSG_CHECKING([for $2])
AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <cuda_runtime.h>
#include <$2>]])],
  [mt_$1=yes
   AS_VAR_APPEND([mt_cuda_what], [", $1"])])
AC_MSG_RESULT([$mt_$1])
])
