# The CUDA plugin for the emulator (mt_cuda_emulated.so), and what tests the emulator (self_test):
#   make -f emulator.mk TOP=SOURCES OUT=FOLDER [FOLDER/TARGET…]
# `build` calls it, and so does `make check` (Local.mk), with the compiler and the flags that configure has found.
EMULATOR = $(TOP)/tests/cuda/emulator
PLUGIN = $(TOP)/plugins/cuda
CXX = g++
OPTIMIZE = -O1 -g $(CXXFLAGS_EXTRA)
# What a GPU would trap or quietly do wrong: misaligned accesses, indices outside of shared and local arrays, overflowing
# index arithmetic.
CHECKS = -fsanitize=alignment,bounds,signed-integer-overflow,integer-divide-by-zero,shift-exponent \
  -fno-sanitize-recover=all
FLAGS = $(OPTIMIZE) $(CHECKS) -fPIC -fvisibility=hidden -ffp-contract=off -Wall -Wextra -DMT_CUDA_EMULATOR=1 \
  -D_GNU_SOURCE -I$(EMULATOR)/include -I$(EMULATOR) -I$(TOP)/libcore/include -I$(PLUGIN) -MD -MP
# Shared memory is thread-local: found by a quick way where there is one.
COMPILER_FLAGS = -fno-gnu-unique $(if $(filter x86_64,$(shell uname -m)),-mtls-dialect=gnu2)
CXX_FLAGS = -std=c++17 $(COMPILER_FLAGS) -Wno-unknown-pragmas -Wno-unused-function $(FLAGS)

kernels = $(patsubst $(PLUGIN)/%.cu,$(OUT)/%.cu.o,$(wildcard $(PLUGIN)/*.cu))
hosts = $(patsubst $(PLUGIN)/%.c,$(OUT)/%.c.o,$(wildcard $(PLUGIN)/*.c))
emulator = $(patsubst $(EMULATOR)/%.cpp,$(OUT)/emulator/%.o,$(wildcard $(EMULATOR)/*.cpp))
objects = $(kernels) $(hosts) $(emulator)
self_test = $(patsubst $(EMULATOR)/%.cu,$(OUT)/emulator/%.cu.o,$(wildcard $(EMULATOR)/*.cu))
arithmetic_self_test = $(patsubst $(OUT)/%,$(OUT)/arithmetic/%,$(self_test))
# The same with cuBLASLt's side of matmul, and the library that stands in for it.
CUBLASLT = $(TOP)/tests/cuda/cublaslt
with_lt = $(patsubst $(OUT)/gemm_lt%.c.o,$(OUT)/cublaslt/gemm_lt%.c.o,$(objects))
# … and with cuDNN's side of convolutions, and of what is worth cuDNN's call.
CUDNN = $(TOP)/tests/cuda/cudnn
with_dnn = $(patsubst $(OUT)/conv_dnn%.c.o,$(OUT)/cudnn/conv_dnn%.c.o,$(objects)) $(OUT)/cudnn/pays.o
cudnn = $(patsubst $(CUDNN)/%.cpp,$(OUT)/cudnn/%.o,$(wildcard $(CUDNN)/*.cpp))
# Kernels with plans that the plugin makes for large arrays alone.
VARIANTS = $(TOP)/tests/cuda/variants
variants = $(patsubst $(VARIANTS)/%.cu,$(OUT)/variants/%.cu.o,$(wildcard $(VARIANTS)/*.cu))
# The same with nvcc's arithmetic: a product and the sum it goes into become an fma.
ARITHMETIC_FLAGS = $(filter-out $(CHECKS) -ffp-contract=off,$(CXX_FLAGS)) -O2 -ffp-contract=fast \
  $(if $(filter x86_64,$(shell uname -m)),-mfma)
with_arithmetic = $(patsubst $(OUT)/%.cu.o,$(OUT)/arithmetic/%.cu.o,$(objects))
libraries = -ldl -lm -lpthread
# Mathematical functions go through ulps.cpp, which has their list.
with_ulps = $(shell sed -n 's/^MT_ULPS[A-Z_]*.\([a-z0-9]*\),.*/-Wl,--wrap=\1,--wrap=\1f/p' $(EMULATOR)/ulps.def) \
  -Wl,--wrap=sincos,--wrap=sincosf
LINK = $(CXX) $(CHECKS) $(with_ulps)
LINK_PLUGIN = $(LINK) -shared -Wl,-z,defs -Wl,--version-script=$(TOP)/plugins/plugin.map

.DEFAULT_GOAL = $(OUT)/mt_cuda_emulated.so
.PHONY: all
all: $(OUT)/mt_cuda_emulated.so $(OUT)/self_test $(OUT)/run_variants cublaslt cudnn arithmetic
.PHONY: cublaslt cudnn arithmetic
cublaslt: $(OUT)/cublaslt/mt_cuda_emulated.so $(OUT)/cublaslt/libcublasLt.so.13
cudnn: $(OUT)/cudnn/mt_cuda_emulated.so $(OUT)/cudnn/libcudnn.so.9 $(OUT)/cudnn/lacking/libcudnn.so.9
arithmetic: $(OUT)/arithmetic/mt_cuda_emulated.so $(OUT)/arithmetic/self_test

$(OUT)/mt_cuda_emulated.so: $(objects) $(TOP)/plugins/plugin.map
	@echo "  LINK  $@"
	@$(LINK_PLUGIN) -o $@ $(objects) $(libraries)

$(OUT)/cublaslt/mt_cuda_emulated.so: $(with_lt) $(TOP)/plugins/plugin.map
	@echo "  LINK  $@"
	@$(LINK_PLUGIN) -o $@ $(with_lt) $(libraries)

$(OUT)/arithmetic/mt_cuda_emulated.so: $(with_arithmetic) $(TOP)/plugins/plugin.map
	@echo "  LINK  $@"
	@$(LINK_PLUGIN) -o $@ \
	  $(with_arithmetic) $(libraries)

$(OUT)/cublaslt/libcublasLt.so.13: $(CUBLASLT)/cublaslt.cpp $(EMULATOR)/emulator.mk
	@mkdir -p $(@D) && echo "  CXX   $<"
	@$(CXX) $(filter-out -fvisibility=hidden,$(CXX_FLAGS)) -O2 -I$(CUBLASLT) -shared -Wl,-soname,$(@F) -o $@ $<

$(OUT)/cudnn/mt_cuda_emulated.so: $(with_dnn) $(TOP)/plugins/plugin.map
	@echo "  LINK  $@"
	@$(LINK_PLUGIN) \
	  -Wl,--wrap=mt__cuda_conv_library_pays -o $@ $(with_dnn) $(libraries)

$(OUT)/cudnn/libcudnn.so.9: $(cudnn)
	@echo "  LINK  $@"
	@$(CXX) -shared $(CHECKS) -Wl,-soname,$(@F) -o $@ $(cudnn) $(libraries)

$(OUT)/cudnn/lacking/libcudnn.so.9: $(cudnn) $(CUDNN)/lacking.map
	@mkdir -p $(@D) && echo "  LINK  $@"
	@$(CXX) -shared $(CHECKS) -Wl,-soname,$(@F) -Wl,--version-script=$(CUDNN)/lacking.map -o $@ $(cudnn) $(libraries)

$(OUT)/self_test: $(self_test) $(emulator)
	@echo "  LINK  $@"
	@$(LINK) -o $@ $^ $(libraries)

$(OUT)/run_variants: $(variants) $(objects)
	@echo "  LINK  $@"
	@$(LINK) -o $@ $^ $(libraries)

$(OUT)/variants/%.cu.o: $(VARIANTS)/%.cu $(EMULATOR)/emulator.mk
	@mkdir -p $(@D) && echo "  CXX   $<"
	@$(CXX) -x c++ $(CXX_FLAGS) -include cuda_runtime.h -c -o $@ $<

$(OUT)/arithmetic/self_test: $(arithmetic_self_test) $(emulator)
	@echo "  LINK  $@"
	@$(LINK) -o $@ $^ $(libraries)

$(OUT)/arithmetic/emulator/%.cu.o: $(EMULATOR)/%.cu $(EMULATOR)/emulator.mk
	@mkdir -p $(@D) && echo "  CXX   $< (arithmetic)"
	@$(CXX) -x c++ $(ARITHMETIC_FLAGS) -include cuda_runtime.h -c -o $@ $<

$(OUT)/emulator/%.cu.o: $(EMULATOR)/%.cu $(EMULATOR)/emulator.mk
	@mkdir -p $(@D) && echo "  CXX   $<"
	@$(CXX) -x c++ $(CXX_FLAGS) -include cuda_runtime.h -c -o $@ $<

$(OUT)/%.cu.o: $(PLUGIN)/%.cu $(EMULATOR)/emulator.mk
	@mkdir -p $(@D) && echo "  CXX   $<"
	@$(CXX) -x c++ $(CXX_FLAGS) -include cuda_runtime.h -c -o $@ $<

$(OUT)/arithmetic/%.cu.o: $(PLUGIN)/%.cu $(EMULATOR)/emulator.mk
	@mkdir -p $(@D) && echo "  CXX   $< (arithmetic)"
	@$(CXX) -x c++ $(ARITHMETIC_FLAGS) -include cuda_runtime.h -c -o $@ $<

$(OUT)/%.c.o: $(PLUGIN)/%.c $(EMULATOR)/emulator.mk
	@mkdir -p $(@D) && echo "  CC    $<"
	@$(CXX) -x c -std=gnu11 $(FLAGS) -c -o $@ $<

$(OUT)/cublaslt/%.c.o: $(PLUGIN)/%.c $(EMULATOR)/emulator.mk
	@mkdir -p $(@D) && echo "  CC    $<"
	@$(CXX) -x c -std=gnu11 $(FLAGS) -DMT_HAVE_CUBLAS=1 -I$(CUBLASLT) -c -o $@ $<

$(OUT)/cudnn/%.c.o: $(PLUGIN)/%.c $(EMULATOR)/emulator.mk
	@mkdir -p $(@D) && echo "  CC    $<"
	@$(CXX) -x c -std=gnu11 $(FLAGS) -DMT_HAVE_CUDNN=1 -I$(CUDNN) -c -o $@ $<

$(OUT)/cudnn/%.o: $(CUDNN)/%.c $(EMULATOR)/emulator.mk
	@mkdir -p $(@D) && echo "  CC    $<"
	@$(CXX) -x c -std=gnu11 $(FLAGS) -c -o $@ $<

$(OUT)/cudnn/%.o: $(CUDNN)/%.cpp $(EMULATOR)/emulator.mk
	@mkdir -p $(@D) && echo "  CXX   $<"
	@$(CXX) $(filter-out -fvisibility=hidden,$(CXX_FLAGS)) -O2 -I$(CUDNN) -c -o $@ $<

$(OUT)/emulator/%.o: $(EMULATOR)/%.cpp $(EMULATOR)/emulator.mk
	@mkdir -p $(@D) && echo "  CXX   $<"
	@$(CXX) $(CXX_FLAGS) -c -o $@ $<

-include $(objects:.o=.d) $(with_lt:.o=.d) $(with_dnn:.o=.d) $(cudnn:.o=.d) $(with_arithmetic:.o=.d) $(variants:.o=.d) \
  $(self_test:.o=.d) $(arithmetic_self_test:.o=.d) $(OUT)/cublaslt/libcublasLt.so.d

include $(EMULATOR)/races/races.mk
