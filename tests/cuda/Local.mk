# The CUDA plugin's sources on the emulator: they run on a CPU, for tests alone.  One line each, sorted.
EXTRA_DIST += %D%/cublaslt/cublasLt.h
EXTRA_DIST += %D%/cublaslt/cublaslt.cpp
EXTRA_DIST += %D%/emulator/README.md
EXTRA_DIST += %D%/emulator/arena.cpp
EXTRA_DIST += %D%/emulator/arena.h
EXTRA_DIST += %D%/emulator/blocks.cpp
EXTRA_DIST += %D%/emulator/blocks.h
EXTRA_DIST += %D%/emulator/build
EXTRA_DIST += %D%/emulator/device.cpp
EXTRA_DIST += %D%/emulator/device.h
EXTRA_DIST += %D%/emulator/emulator.mk
EXTRA_DIST += %D%/emulator/fibres.cpp
EXTRA_DIST += %D%/emulator/fibres.h
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
EXTRA_DIST += %D%/emulator/include/vector_types.h
EXTRA_DIST += %D%/emulator/memory.cpp
EXTRA_DIST += %D%/emulator/order.cpp
EXTRA_DIST += %D%/emulator/pipeline.cpp
EXTRA_DIST += %D%/emulator/runtime.cpp
EXTRA_DIST += %D%/emulator/self_test.cu
EXTRA_DIST += %D%/emulator/shared.cpp
EXTRA_DIST += %D%/emulator/shared.h
EXTRA_DIST += %D%/emulator/warps.cpp
EXTRA_DIST += %D%/variants/variants.cu
EXTRA_DIST += %D%/variants/variants.h
EXTRA_DIST += %D%/variants/variants_conv.cu
EXTRA_DIST += %D%/variants/variants_far.cu
EXTRA_DIST += %D%/variants/variants_matmul.cu
EXTRA_DIST += %D%/variants/variants_pool.cu
shell_tests += %D%/cublaslt.test
shell_tests += %D%/cublaslt_no_bias.test
shell_tests += %D%/emulated.test
shell_tests += %D%/emulated_memory.test
shell_tests += %D%/emulated_ptx.test
shell_tests += %D%/emulated_reverse.test
shell_tests += %D%/emulated_training.test
shell_tests += %D%/emulated_turing.test
shell_tests += %D%/emulator/emulator.test
shell_tests += %D%/gpu_check.test
shell_tests += %D%/no_device.test
shell_tests += %D%/ptxas.test
shell_tests += %D%/variants.test

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
emulated_files += $(emulated)/cublaslt/mt_cuda_emulated.so $(emulated)/cublaslt/libcublasLt.so.13
check_DATA += $(emulated_files)
$(emulated_files): build-emulated
endif
.PHONY: build-emulated clean-emulated
build-emulated:
	$(AM_V_at)$(MAKE) --no-print-directory -s -f $(srcdir)/%D%/emulator/emulator.mk TOP='$(abs_top_srcdir)' \
	  OUT='$(abs_top_builddir)/$(emulated)' CXX='$(MT_TEST_CXX)' CHECKS='$(MT_EMULATOR_CHECKS)' \
	  COMPILER_FLAGS='$(MT_EMULATOR_FLAGS)' all
clean-local: clean-emulated
clean-emulated:
	-rm -rf $(emulated)
