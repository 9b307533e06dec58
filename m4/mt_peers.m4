# MT_PEERS: the libraries that bench/peers compares with, where they are: OPENBLAS_CFLAGS, OPENBLAS_LIBS, ONEDNN_LIBS.
# Nothing else needs them.
AC_DEFUN([MT_PEERS], [
MT_LIBRARY([OPENBLAS], [openblas], [cblas.h], [openblas_set_num_threads], [openblas])
mt_have_ONEDNN=no
AC_CHECK_HEADER([dnnl.h], [
  AC_CACHE_CHECK([for oneDNN 2], [mt_cv_lib_onednn], [
    mt_save_LIBS=$LIBS
    LIBS="-ldnnl $LIBS"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <dnnl.h>
#if DNNL_VERSION_MAJOR != 2
#error another interface
#endif]], [[return dnnl_version()->major;]])], [mt_cv_lib_onednn=yes], [mt_cv_lib_onednn=no])
    LIBS=$mt_save_LIBS])
  mt_have_ONEDNN=$mt_cv_lib_onednn])
AS_IF([test "$mt_have_ONEDNN" = yes], [ONEDNN_LIBS=-ldnnl])
AC_SUBST([ONEDNN_LIBS])
AM_CONDITIONAL([HAVE_OPENBLAS], [test "$mt_have_OPENBLAS" = yes])
AM_CONDITIONAL([HAVE_ONEDNN], [test "$mt_have_ONEDNN" = yes])
])
