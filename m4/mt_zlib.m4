# MT_ZLIB: ZLIB_CFLAGS and ZLIB_LIBS; zlib is needed (gzip'd data sets).
AC_DEFUN([MT_ZLIB], [
MT_LIBRARY([ZLIB], [zlib], [zlib.h], [inflateInit2_], [z])
AS_IF([test "$mt_have_ZLIB" = no],
  [AC_MSG_ERROR([zlib is needed (Debian, Ubuntu: zlib1g-dev); ./dev setup installs what mt needs])])
])
