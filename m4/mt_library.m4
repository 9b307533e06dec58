# MT_LIBRARY(NAME, PKG-CONFIG MODULES, HEADER, FUNCTION, LIBRARY):
# NAME_CFLAGS and NAME_LIBS from pkg-config, or else from a search for HEADER and
# for FUNCTION in LIBRARY. mt_have_NAME is yes or no.
AC_DEFUN([MT_LIBRARY], [
mt_have_$1=no
PKG_CHECK_MODULES([$1], [$2], [mt_have_$1=yes], [
  mt_save_LIBS=$LIBS
  LIBS=
  AC_CHECK_HEADER([$3], [AC_SEARCH_LIBS([$4], [$5], [mt_have_$1=yes $1_LIBS=$LIBS])])
  LIBS=$mt_save_LIBS])
])
