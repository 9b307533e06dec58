# MT_CUDA: --with-cuda=auto|yes|no|DIR and --with-cuda-arch=LIST.
#   NVCC            the compiler
#   CUDA_CPPFLAGS   for C sources that call the runtime
#   CUDA_LIBS       the runtime, linked statically
#   CUBLAS_LIBS     cuBLAS, and cuDNN in CUDNN_LIBS
#   NVCC_GENCODE    one -gencode for each architecture
#   conditionals HAVE_CUDA, HAVE_CUBLAS, HAVE_CUDNN
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
AC_SUBST([CUBLAS_LIBS])
AC_SUBST([CUDNN_LIBS])
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

# A toolkit that does not like the host compiler is found out here. One compile for
# each architecture: what nvcc refuses is left out of the default list, and is an
# error in a list of the user's own.
AC_DEFUN([_MT_CUDA_TRY_NVCC], [
cat >conftest.cu <<_MT_EOF
#include <cuda_runtime.h>
__global__ void conftest(float *x) { x[[threadIdx.x]] += 1.0f; }
int main() { conftest<<<1, 1>>>(nullptr); return 0; }
_MT_EOF
AS_CASE([$with_cuda_arch],
  [default], [mt_archs='75 80 90'],
  [mt_archs=`echo "$with_cuda_arch" | tr ',;' '  '`])
AC_MSG_CHECKING([for the architectures that $NVCC compiles for])
mt_accepted=
for mt_arch in $mt_archs; do
  AS_CASE([$mt_arch],
    [native], [mt_gencode=-arch=native],
    [mt_gencode="-gencode arch=compute_$mt_arch,code=sm_$mt_arch"])
  AS_IF([$NVCC $NVCCFLAGS $mt_gencode -c -o conftest.cu.o conftest.cu >conftest.nvcc 2>&1],
    [AS_VAR_APPEND([NVCC_GENCODE], [" $mt_gencode"])
     AS_VAR_APPEND([mt_accepted], ["${mt_accepted:+ }$mt_arch"])
     mt_last=$mt_arch],
    [echo "$NVCC $mt_gencode failed:" >&AS_MESSAGE_LOG_FD
     cat conftest.nvcc >&AS_MESSAGE_LOG_FD
     AS_IF([test "$with_cuda_arch" != default],
       [mt_cuda_why="nvcc does not compile for architecture $mt_arch (see config.log)"])])
done
rm -f conftest.cu conftest.cu.o conftest.nvcc
AC_MSG_RESULT([${mt_accepted:-none}])
AS_IF([test "x$mt_accepted" = x], [
    AS_IF([test "x$mt_cuda_why" = x], [mt_cuda_why='nvcc compiles nothing here (see config.log)'])],
  [test "$mt_last" != native],
  [AS_VAR_APPEND([NVCC_GENCODE], [" -gencode arch=compute_$mt_last,code=compute_$mt_last"])])
mt_cuda_what="sm_`echo $mt_accepted | sed 's/ / sm_/g'`"
])

# The C side: headers, the static runtime, and the optional libraries. The toolkit's
# library folder becomes a run path only where it isn't one of the system's.
AC_DEFUN([_MT_CUDA_LIBRARIES], [
CUDA_CPPFLAGS=
AS_IF([test -f "$mt_cuda_dir/include/cuda_runtime.h" && test "$mt_cuda_dir" != /usr],
  [CUDA_CPPFLAGS="-isystem $mt_cuda_dir/include"])
mt_cuda_ldflags=
for mt_lib in lib64 lib "targets/$host_cpu-linux/lib"; do
  AS_IF([test "x$mt_cuda_ldflags" = x && test "$mt_cuda_dir" != /usr &&
         test -f "$mt_cuda_dir/$mt_lib/libcudart_static.a"],
    [mt_cuda_ldflags="-L$mt_cuda_dir/$mt_lib"
     mt_cuda_rpath="-Wl,-rpath,$mt_cuda_dir/$mt_lib"])
done
CUDA_LIBS="$mt_cuda_ldflags -lcudart_static -lrt -lpthread -ldl"

mt_save_CPPFLAGS=$CPPFLAGS
mt_save_LIBS=$LIBS
CPPFLAGS="$CPPFLAGS $CUDA_CPPFLAGS"
LIBS="$CUDA_LIBS $LIBS"
AC_MSG_CHECKING([for the CUDA runtime])
AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <cuda_runtime.h>]],
    [[int n; return cudaGetDeviceCount(&n) != cudaSuccess;]])],
  [AC_MSG_RESULT([yes])],
  [AC_MSG_RESULT([no])
   mt_cuda_why='cuda_runtime.h or libcudart_static not found (see config.log)'])
AS_IF([test "x$mt_cuda_why" = x], [
  _MT_CUDA_OPTIONAL([cublas], [CUBLAS], [cublas_v2.h], [cublasCreate_v2])
  _MT_CUDA_OPTIONAL([cudnn], [CUDNN], [cudnn.h], [cudnnCreate])])
CPPFLAGS=$mt_save_CPPFLAGS
LIBS=$mt_save_LIBS
])

# _MT_CUDA_OPTIONAL(library, NAME, header, function)
AC_DEFUN([_MT_CUDA_OPTIONAL], [
AC_MSG_CHECKING([for $1])
mt_before_LIBS=$LIBS
LIBS="$mt_cuda_ldflags -l$1 $LIBS"
AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <cuda_runtime.h>
#include <$3>]], [[void *handle = 0; return $4((void *)&handle) != 0;]])],
  [mt_$1=yes
   $2_LIBS="$mt_cuda_ldflags $mt_cuda_rpath -l$1"
   AS_VAR_APPEND([mt_cuda_what], [", $1"])])
LIBS=$mt_before_LIBS
AC_MSG_RESULT([$mt_$1])
])
