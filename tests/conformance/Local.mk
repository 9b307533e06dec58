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
