# MT_PNG: PNG_CFLAGS, PNG_LIBS and the conditional HAVE_PNG; MT_HAVE_PNG in config.h.
# Without libpng all is built, but train_mnist --predict reads no PNG files.
AC_DEFUN([MT_PNG], [
MT_LIBRARY([PNG], [libpng >= 1.6], [png.h], [png_create_read_struct], [png16 png])
AS_IF([test "$mt_have_PNG" = yes],
  [AC_DEFINE([MT_HAVE_PNG], [1], [Define to 1 if train_mnist reads PNG files.])])
AM_CONDITIONAL([HAVE_PNG], [test "$mt_have_PNG" = yes])
])
