# MT_LIBZIP: LIBZIP_CFLAGS and LIBZIP_LIBS; libzip is needed (NumPy's .npz archives).
AC_DEFUN([MT_LIBZIP], [
MT_LIBRARY([LIBZIP], [libzip >= 1.7], [zip.h], [zip_file_set_dostime], [zip])
AS_IF([test "$mt_have_LIBZIP" = no],
  [AC_MSG_ERROR([libzip 1.7 or newer is needed (Debian, Ubuntu: libzip-dev); ./dev setup installs what mt needs])])
])
