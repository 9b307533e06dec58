# Every kernel of every plugin through the ABI alone; and that what is wrong is found.
EXTRA_DIST += %D%/run.sh
shell_tests += %D%/cuda.test
shell_tests += %D%/cuda_tiled.test
shell_tests += %D%/faults.test
shell_tests += %D%/naive.test
shell_tests += %D%/omp.test
shell_tests += %D%/omp_amx.test
shell_tests += %D%/omp_avx2.test
shell_tests += %D%/omp_avx512.test
shell_tests += %D%/omp_avx512_bf16.test
shell_tests += %D%/omp_base.test
# The greatest errors of omp's elementary functions.
shell_tests += %D%/ulp.test
shell_tests += %D%/ulp_avx2.test
shell_tests += %D%/ulp_base.test
check_PROGRAMS += %D%/ulp
tests_conformance_ulp_SOURCES = %D%/ulp.c apps/conformance/host.c apps/conformance/host.h
tests_conformance_ulp_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/apps/conformance
tests_conformance_ulp_LDADD = -lm
