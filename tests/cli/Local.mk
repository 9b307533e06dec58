# Shell scripts that print TAP with tests/support/tap.sh, one a line, sorted:
#   shell_tests += %D%/name.test
shell_tests += %D%/exports.test
shell_tests += %D%/file_peers.test
shell_tests += %D%/install.test
shell_tests += %D%/minitorch.test
shell_tests += %D%/mt_conformance.test
shell_tests += %D%/mt_info.test
shell_tests += %D%/ops_doc.test
shell_tests += %D%/train_mnist.test

# What file_peers.test runs; its lenet is train_mnist's.
check_PROGRAMS += %D%/file_peer
tests_cli_file_peer_SOURCES = %D%/file_peer.c apps/train_mnist/models.c
tests_cli_file_peer_CPPFLAGS = $(app_cppflags)
tests_cli_file_peer_LDADD = $(app_ldadd)
dist_noinst_DATA += %D%/file_peers.py
