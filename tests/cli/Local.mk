# Shell scripts that print TAP with tests/support/tap.sh, one a line, sorted:
#   shell_tests += %D%/name.test
shell_tests += %D%/exports.test
shell_tests += %D%/install.test
shell_tests += %D%/minitorch.test
shell_tests += %D%/mt_conformance.test
shell_tests += %D%/mt_info.test
shell_tests += %D%/ops_doc.test
shell_tests += %D%/train_mnist.test
shell_tests += %D%/web_charts.test

# Writes the pages that web_charts.test opens.
check_PROGRAMS += %D%/web_page
tests_cli_web_page_SOURCES = %D%/web_page.c
tests_cli_web_page_CPPFLAGS = $(app_cppflags) $(JANSSON_CFLAGS)
tests_cli_web_page_LDADD = $(web_ldadd) $(app_ldadd) $(JANSSON_LIBS)
