# MT_JANSSON: JANSSON_CFLAGS and JANSSON_LIBS; Jansson is needed (manifests, logs).
AC_DEFUN([MT_JANSSON], [
MT_LIBRARY([JANSSON], [jansson >= 2.10], [jansson.h], [json_loadb], [jansson])
AS_IF([test "$mt_have_JANSSON" = no],
  [AC_MSG_ERROR([Jansson 2.10 or newer is needed (Debian, Ubuntu: libjansson-dev); ./dev setup installs what mt needs])])
])
