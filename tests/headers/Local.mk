shell_tests += %D%/headers.test
