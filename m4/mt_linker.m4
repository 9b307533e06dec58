# MT_LD_FLAG(VARIABLE, FLAG): sets VARIABLE to FLAG where the linker takes it.
AC_DEFUN([MT_LD_FLAG], [
AS_VAR_PUSHDEF([mt_cache], [mt_cv_ld_takes_$2])dnl
AC_CACHE_CHECK([whether the linker accepts $2], [mt_cache],
  [mt_save_LDFLAGS=$LDFLAGS
   LDFLAGS="$LDFLAGS $2"
   AC_LINK_IFELSE([AC_LANG_PROGRAM()],
     [AS_VAR_SET([mt_cache], [yes])], [AS_VAR_SET([mt_cache], [no])])
   LDFLAGS=$mt_save_LDFLAGS])
AS_VAR_IF([mt_cache], [yes], [$1='$2'], [$1=])
AS_VAR_POPDEF([mt_cache])dnl
])

# MT_LINKER: what libmt and the plugins are linked with.
#   MT_NO_UNDEFINED   every symbol must be found at link time (a sanitizer's are not)
#   MT_OWN_FUNCTIONS  libmt calls its own functions straight, not through the table that a program could change
#   MT_EXCLUDE_LIBS   nothing of a static library is exported again
#   conditional HAVE_VERSION_SCRIPT
AC_DEFUN([MT_LINKER], [
MT_LD_FLAG([MT_EXCLUDE_LIBS], [-Wl,--exclude-libs,ALL])
MT_LD_FLAG([MT_OWN_FUNCTIONS], [-Wl,-Bsymbolic-functions])
MT_LD_FLAG([MT_NO_UNDEFINED], [-Wl,-z,defs])
AS_IF([test "x$MT_SAN_FLAGS" != x], [MT_NO_UNDEFINED=])
AC_SUBST([MT_EXCLUDE_LIBS])
AC_SUBST([MT_NO_UNDEFINED])
AC_SUBST([MT_OWN_FUNCTIONS])

AC_CACHE_CHECK([whether the linker accepts a version script], [mt_cv_version_script],
  [echo 'CONFTEST_0 { global: main; local: *; };' >conftest.map
   mt_save_LDFLAGS=$LDFLAGS
   LDFLAGS="$LDFLAGS -Wl,--version-script=conftest.map"
   AC_LINK_IFELSE([AC_LANG_PROGRAM()], [mt_cv_version_script=yes], [mt_cv_version_script=no])
   LDFLAGS=$mt_save_LDFLAGS
   rm -f conftest.map])
AM_CONDITIONAL([HAVE_VERSION_SCRIPT], [test "$mt_cv_version_script" = yes])
])
