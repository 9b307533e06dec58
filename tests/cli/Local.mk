# Shell scripts that print TAP with tests/support/tap.sh, one a line, sorted:
#   shell_tests += %D%/name.test
shell_tests += %D%/exports.test
shell_tests += %D%/install.test
shell_tests += %D%/minitorch.test
shell_tests += %D%/mt_conformance.test
shell_tests += %D%/mt_info.test
shell_tests += %D%/ops_doc.test
shell_tests += %D%/resume.test
shell_tests += %D%/tensorboard.test
shell_tests += %D%/train_mnist.test
shell_tests += %D%/train_mnist_predict.test

# Writes the digits that train_mnist_predict.test lets train_mnist label.
if HAVE_PNG
check_PROGRAMS += %D%/digit_files
endif
tests_cli_digit_files_SOURCES = %D%/digit_files.c
tests_cli_digit_files_CPPFLAGS = $(app_cppflags) $(PNG_CFLAGS)
tests_cli_digit_files_LDADD = $(app_ldadd) $(PNG_LIBS)
