# One program for each %D%/test_NAME.c, one line each, sorted:
#   unit_tests += %D%/test_NAME
