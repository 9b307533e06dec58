# Shell scripts that print TAP with tests/support/tap.sh, one a line, sorted:
#   shell_tests += %D%/name.test
shell_tests += %D%/bench_html.test
shell_tests += %D%/dlpack_peer.test
shell_tests += %D%/exports.test
shell_tests += %D%/file_peers.test
shell_tests += %D%/install.test
shell_tests += %D%/limits.test
shell_tests += %D%/minitorch.test
shell_tests += %D%/mt_bench.test
shell_tests += %D%/mt_conformance.test
shell_tests += %D%/mt_info.test
shell_tests += %D%/ops_doc.test
shell_tests += %D%/peers.test
shell_tests += %D%/resume.test
shell_tests += %D%/tensorboard.test
shell_tests += %D%/train_mnist.test
shell_tests += %D%/train_mnist_html.test
shell_tests += %D%/train_mnist_predict.test
shell_tests += %D%/train_points.test
shell_tests += %D%/train_sentiment.test
shell_tests += %D%/web_charts.test

# They write the pages that bench_html.test and web_charts.test open.
check_PROGRAMS += %D%/bench_page
tests_cli_bench_page_SOURCES = %D%/bench_page.c apps/bench/report_json.c
tests_cli_bench_page_CPPFLAGS = $(app_cppflags) $(JANSSON_CFLAGS)
tests_cli_bench_page_LDADD = $(bench_html_ldadd) $(app_ldadd) $(JANSSON_LIBS)
dist_noinst_DATA += %D%/bench_report.json
dist_noinst_DATA += %D%/dlpack_peer.py
check_PROGRAMS += %D%/web_page
tests_cli_web_page_SOURCES = %D%/web_page.c
tests_cli_web_page_CPPFLAGS = $(app_cppflags) $(JANSSON_CFLAGS)
tests_cli_web_page_LDADD = $(web_ldadd) $(app_ldadd) $(JANSSON_LIBS)

# What file_peers.test runs; its lenet is train_mnist's.
check_PROGRAMS += %D%/file_peer
dist_noinst_DATA += %D%/file_peers.py
tests_cli_file_peer_SOURCES = %D%/file_peer.c apps/train_mnist/models.c
tests_cli_file_peer_CPPFLAGS = $(app_cppflags)
tests_cli_file_peer_LDADD = $(app_ldadd)
dist_noinst_DATA += %D%/limits_check.py
dist_noinst_DATA += %D%/peers_check.py

# Writes the digits that train_mnist_predict.test lets train_mnist label.
if HAVE_PNG
check_PROGRAMS += %D%/digit_files
tests_cli_digit_files_SOURCES = %D%/digit_files.c
tests_cli_digit_files_CPPFLAGS = $(app_cppflags) $(PNG_CFLAGS)
tests_cli_digit_files_LDADD = $(app_ldadd) $(PNG_LIBS)
endif
