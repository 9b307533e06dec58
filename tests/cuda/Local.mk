# The CUDA plugin's sources on the emulator: they run on a CPU, for tests alone.  One line each, sorted.
EXTRA_DIST += %D%/cublaslt/cublasLt.h
EXTRA_DIST += %D%/cublaslt/cublaslt.cpp
EXTRA_DIST += %D%/cublaslt/numbers.c
EXTRA_DIST += %D%/cudnn/convolution.cpp
EXTRA_DIST += %D%/cudnn/cudnn.h
EXTRA_DIST += %D%/cudnn/descriptors.cpp
EXTRA_DIST += %D%/cudnn/lacking.map
EXTRA_DIST += %D%/cudnn/numbers.c
EXTRA_DIST += %D%/cudnn/pays.c
EXTRA_DIST += %D%/cudnn/real.cpp
EXTRA_DIST += %D%/cudnn/refusals.cpp
EXTRA_DIST += %D%/cudnn/rules.cpp
EXTRA_DIST += %D%/cudnn/run.sh
EXTRA_DIST += %D%/cudnn/stand_in.h
EXTRA_DIST += %D%/emulator/README.md
EXTRA_DIST += %D%/emulator/arena.cpp
EXTRA_DIST += %D%/emulator/arena.h
EXTRA_DIST += %D%/emulator/backend.sh
EXTRA_DIST += %D%/emulator/blocks.cpp
EXTRA_DIST += %D%/emulator/blocks.h
EXTRA_DIST += %D%/emulator/build
EXTRA_DIST += %D%/emulator/devices.cpp
EXTRA_DIST += %D%/emulator/devices.h
EXTRA_DIST += %D%/emulator/emulator.mk
EXTRA_DIST += %D%/emulator/fibres.cpp
EXTRA_DIST += %D%/emulator/fibres.h
EXTRA_DIST += %D%/emulator/fma.sh
EXTRA_DIST += %D%/emulator/gpu.cpp
EXTRA_DIST += %D%/emulator/gpu.h
EXTRA_DIST += %D%/emulator/happens_before.cpp
EXTRA_DIST += %D%/emulator/happens_before.h
EXTRA_DIST += %D%/emulator/include/cuda_bf16.h
EXTRA_DIST += %D%/emulator/include/cuda_errors.def
EXTRA_DIST += %D%/emulator/include/cuda_fp16.h
EXTRA_DIST += %D%/emulator/include/cuda_pipeline.h
EXTRA_DIST += %D%/emulator/include/cuda_pipeline_primitives.h
EXTRA_DIST += %D%/emulator/include/cuda_runtime.h
EXTRA_DIST += %D%/emulator/include/cuda_runtime_api.h
EXTRA_DIST += %D%/emulator/include/emulated_atomics.h
EXTRA_DIST += %D%/emulator/include/emulated_grid.h
EXTRA_DIST += %D%/emulator/include/emulated_math.h
EXTRA_DIST += %D%/emulator/include/emulated_narrow.h
EXTRA_DIST += %D%/emulator/include/mma.h
EXTRA_DIST += %D%/emulator/include/stream_calls.h
EXTRA_DIST += %D%/emulator/include/vector_types.h
EXTRA_DIST += %D%/emulator/launches.cpp
EXTRA_DIST += %D%/emulator/launches.h
EXTRA_DIST += %D%/emulator/memory.cpp
EXTRA_DIST += %D%/emulator/memory_state.cpp
EXTRA_DIST += %D%/emulator/memory_state.h
EXTRA_DIST += %D%/emulator/order.cpp
EXTRA_DIST += %D%/emulator/pipeline.cpp
EXTRA_DIST += %D%/emulator/race.cpp
EXTRA_DIST += %D%/emulator/race.h
EXTRA_DIST += %D%/emulator/race_report.cpp
EXTRA_DIST += %D%/emulator/race_report.h
EXTRA_DIST += %D%/emulator/races/few_blocks.cpp
EXTRA_DIST += %D%/emulator/races/instrumented.cpp
EXTRA_DIST += %D%/emulator/races/race_test.cu
EXTRA_DIST += %D%/emulator/races/races.mk
EXTRA_DIST += %D%/emulator/runtime.cpp
EXTRA_DIST += %D%/emulator/self_test.cu
EXTRA_DIST += %D%/emulator/self_test.h
EXTRA_DIST += %D%/emulator/self_test_streams.cu
EXTRA_DIST += %D%/emulator/shadow.cpp
EXTRA_DIST += %D%/emulator/shadow.h
EXTRA_DIST += %D%/emulator/shared.cpp
EXTRA_DIST += %D%/emulator/shared.h
EXTRA_DIST += %D%/emulator/streams.cpp
EXTRA_DIST += %D%/emulator/streams.h
EXTRA_DIST += %D%/emulator/ulps.cpp
EXTRA_DIST += %D%/emulator/ulps.def
EXTRA_DIST += %D%/emulator/warps.cpp
EXTRA_DIST += %D%/numbers.sh
EXTRA_DIST += %D%/variants/variants.cu
EXTRA_DIST += %D%/variants/variants.h
EXTRA_DIST += %D%/variants/variants_conv.cu
EXTRA_DIST += %D%/variants/variants_far.cu
EXTRA_DIST += %D%/variants/variants_matmul.cu
EXTRA_DIST += %D%/variants/variants_pool.cu
shell_tests += %D%/cublaslt.test
shell_tests += %D%/cublaslt_no_bias.test
shell_tests += %D%/cublaslt_real.test
shell_tests += %D%/cudnn.test
shell_tests += %D%/cudnn_auto.test
shell_tests += %D%/cudnn_real.test
shell_tests += %D%/cudnn_refuses.test
shell_tests += %D%/devices.test
shell_tests += %D%/emulated.test
shell_tests += %D%/emulated_arithmetic.test
shell_tests += %D%/emulated_errors.test
shell_tests += %D%/emulated_late.test
shell_tests += %D%/emulated_memory.test
shell_tests += %D%/emulated_ptx.test
shell_tests += %D%/emulated_races.test
shell_tests += %D%/emulated_races_loops.test
shell_tests += %D%/emulated_races_products.test
shell_tests += %D%/emulated_reverse.test
shell_tests += %D%/emulated_training.test
shell_tests += %D%/emulated_turing.test
shell_tests += %D%/emulator/emulator.test
shell_tests += %D%/emulator/races/races.test
shell_tests += %D%/gpu_check.test
shell_tests += %D%/launches.test
shell_tests += %D%/no_device.test
shell_tests += %D%/ptxas.test
shell_tests += %D%/sass.test
shell_tests += %D%/variants.test
shell_tests += %D%/variants_races.test

# It looks at what was launched there.
%D%/launches.log: %D%/cublaslt_no_bias.log %D%/cudnn.log %D%/emulated.log %D%/variants.log
CLEANFILES += %D%/launches_*.txt

# Several GPUs, a lost one, a full one: devices.test runs it on the emulator.
check_PROGRAMS += %D%/devices
tests_cuda_devices_SOURCES = %D%/devices.c
tests_cuda_devices_CPPFLAGS = $(app_cppflags)
tests_cuda_devices_LDADD = $(app_ldadd)

# What cudnn.test and cudnn_refuses.test run on the emulator.
check_PROGRAMS += %D%/cudnn/alike
tests_cuda_cudnn_alike_SOURCES = %D%/cudnn/alike.c
tests_cuda_cudnn_alike_CPPFLAGS = $(app_cppflags)
tests_cuda_cudnn_alike_LDADD = $(app_ldadd)
check_PROGRAMS += %D%/cudnn/convolve
tests_cuda_cudnn_convolve_SOURCES = %D%/cudnn/convolve.c
tests_cuda_cudnn_convolve_CPPFLAGS = $(app_cppflags)
tests_cuda_cudnn_convolve_LDADD = $(app_ldadd)

# Faults that gpu-check plants for compute-sanitizer; only ./dev gpu-bundle builds it.
EXTRA_DIST += %D%/planted.cu
CLEANFILES += %D%/planted
%D%/planted: %D%/planted.cu
	$(AM_V_NVCC)$(MKDIR_P) %D% && $(NVCC) $(nvcc_flags) -cudart static -o $@ $(srcdir)/%D%/planted.cu

# Every form of the kernels on a GPU, with the plugin's own objects; nothing here builds it unasked.
CLEANFILES += %D%/gpu_variants
gpu_variants_sources = $(wildcard $(srcdir)/%D%/variants/*.cu)
gpu_variants_objects = $(foreach lo,$(mt_cuda_la_OBJECTS),$(dir $(lo)).libs/$(notdir $(lo:.lo=.o)))
%D%/gpu_variants: $(gpu_variants_sources) mt_cuda.la
	$(AM_V_NVCC)$(MKDIR_P) %D% && $(NVCC) $(cuda_cppflags) $(nvcc_flags) -cudart static -o $@ $(gpu_variants_sources) \
	  $(gpu_variants_objects) -ldl

# emulator.mk has the list of sources and finds out what has changed.
emulated = %D%/emulator/built
if HAVE_EMULATOR
emulated_files = $(emulated)/mt_cuda_emulated.so $(emulated)/self_test $(emulated)/run_variants
emulated_files += $(emulated)/arithmetic/mt_cuda_emulated.so $(emulated)/arithmetic/self_test
emulated_files += $(emulated)/cublaslt/mt_cuda_emulated.so $(emulated)/cublaslt/libcublasLt.so.13
emulated_files += $(emulated)/cudnn/mt_cuda_emulated.so $(emulated)/cudnn/libcudnn.so.9
emulated_files += $(emulated)/cudnn/lacking/libcudnn.so.9
if HAVE_EMULATOR_RACES
emulated_files += $(emulated)/races/mt_cuda_emulated.so $(emulated)/races/race_test
emulated_files += $(emulated)/races/run_variants
endif
check_DATA += $(emulated_files)
$(emulated_files): build-emulated
endif
.PHONY: build-emulated clean-emulated
build-emulated:
	$(AM_V_at)$(MAKE) --no-print-directory -s -f $(srcdir)/%D%/emulator/emulator.mk TOP='$(abs_top_srcdir)' \
	  OUT='$(abs_top_builddir)/$(emulated)' CXX='$(MT_TEST_CXX)' CHECKS='$(MT_EMULATOR_CHECKS)' \
	  COMPILER_FLAGS='$(MT_EMULATOR_FLAGS)' TELLING='$(MT_EMULATOR_TELLING)' all
clean-local: clean-emulated
clean-emulated:
	-rm -rf $(emulated)
