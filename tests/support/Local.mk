# The test runner that every unit test is linked with, and the TAP functions of the shell tests.
if HAVE_CUNIT
check_LIBRARIES += tests/support/libmt_test.a
endif
tests_support_libmt_test_a_SOURCES = %D%/mt_test.c %D%/mt_test.h
tests_support_libmt_test_a_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
EXTRA_DIST += %D%/chromium.js %D%/chromium.sh %D%/cppcheck.supp %D%/tap.sh %D%/valgrind.supp

# libmt's objects as a convenience library: for tests of functions that libmt hides.
# Such a test says   tests_unit_NAME_LDADD = $(internal_ldadd)
if HAVE_CUNIT
check_LTLIBRARIES += tests/support/libmt_internal.la
endif
tests_support_libmt_internal_la_SOURCES =
tests_support_libmt_internal_la_LIBADD = $(libmt_la_OBJECTS) $(libmt_la_LIBADD)
internal_ldadd = tests/support/libmt_test.a tests/support/libmt_internal.la $(CUNIT_LIBS) -lm

