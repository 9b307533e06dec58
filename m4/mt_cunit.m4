# MT_CUNIT: CUNIT_CFLAGS, CUNIT_LIBS and the conditional HAVE_CUNIT.
# Without CUnit everything but mt-conformance is built, and the unit tests are off.
AC_DEFUN([MT_CUNIT], [
MT_LIBRARY([CUNIT], [cunit], [CUnit/CUnit.h], [CU_initialize_registry], [cunit])
AM_CONDITIONAL([HAVE_CUNIT], [test "$mt_have_CUNIT" = yes])
])
