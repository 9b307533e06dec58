# MT_OPTIONS: --enable-werror and --enable-sanitizers=LIST.
# Sets MT_WERROR, MT_NVCC_WERROR and MT_SAN_FLAGS (for compiling and linking alike).
AC_DEFUN([MT_OPTIONS], [
AC_ARG_ENABLE([werror],
  [AS_HELP_STRING([--enable-werror], [treat every warning as an error])],
  [], [enable_werror=no])
AS_IF([test "x$enable_werror" != xno], [
  MT_WERROR=-Werror
  MT_NVCC_WERROR='-Werror all-warnings --compiler-options -Werror'])
AC_SUBST([MT_WERROR])
AC_SUBST([MT_NVCC_WERROR])

AC_ARG_ENABLE([sanitizers],
  [AS_HELP_STRING([--enable-sanitizers=LIST],
    [build with compiler sanitizers: address,undefined or thread])],
  [AS_CASE([$enable_sanitizers],
    [yes], [enable_sanitizers=address,undefined])],
  [enable_sanitizers=no])
MT_SAN_FLAGS=
AS_IF([test "x$enable_sanitizers" != xno], [
  mt_san="-fsanitize=$enable_sanitizers -fno-sanitize-recover=all -fno-omit-frame-pointer"
  AC_MSG_CHECKING([whether $CC links programs with -fsanitize=$enable_sanitizers])
  mt_save_CFLAGS=$CFLAGS
  CFLAGS="$CFLAGS $mt_san"
  AC_LINK_IFELSE([AC_LANG_PROGRAM()],
    [AC_MSG_RESULT([yes]); MT_SAN_FLAGS=$mt_san],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([--enable-sanitizers=$enable_sanitizers: this compiler can't])])
  CFLAGS=$mt_save_CFLAGS])
AC_SUBST([MT_SAN_FLAGS])
])
