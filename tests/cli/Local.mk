# Shell scripts that print TAP with tests/support/tap.sh, one a line, sorted:
#   shell_tests += %D%/name.test
shell_tests += %D%/dlpack_peer.test
shell_tests += %D%/exports.test
shell_tests += %D%/install.test
shell_tests += %D%/minitorch.test
shell_tests += %D%/mt_conformance.test
shell_tests += %D%/mt_info.test
shell_tests += %D%/ops_doc.test
shell_tests += %D%/train_mnist.test
