# One program for each %D%/test_NAME.c, one line each, sorted:
#   unit_tests += %D%/test_NAME
# A test of what libmt hides also says:
#   tests_unit_test_NAME_LDADD = $(internal_ldadd)
