# Part of emulator.mk: the plugin once more, with kernels that tell their accesses (../race.h), and what tests that
# (race_test); and ../../variants.
RACES = $(EMULATOR)/races
# How these kernels are compiled, empty where the compiler cannot; no library of its own is linked for it.
TELLING = -fsanitize=thread $(if $(findstring clang,$(shell $(CXX) --version)),-mllvm -,--param )tsan-distinguish-volatile=1
telling_flags = $(filter-out $(CHECKS),$(CXX_FLAGS)) $(TELLING) -gdwarf-4 # addr2line mixes files up in version 5
told_copies = -Wl,--wrap=memcpy,--wrap=memmove,--wrap=memset
telling_kernels = $(patsubst $(OUT)/%,$(OUT)/races/%,$(kernels)) $(OUT)/races/instrumented.o
telling_variants = $(patsubst $(OUT)/%,$(OUT)/races/%,$(variants))
telling_test = $(OUT)/races/race_test.cu.o $(OUT)/races/instrumented.o

all: $(if $(strip $(TELLING)),races)
.PHONY: races
races: $(OUT)/races/mt_cuda_emulated.so $(OUT)/races/run_variants $(OUT)/races/race_test

$(OUT)/races/mt_cuda_emulated.so: $(telling_kernels) $(hosts) $(emulator) $(TOP)/plugins/plugin.map
	@echo "  LINK  $@"
	@$(LINK_PLUGIN) $(told_copies) -o $@ $(filter %.o,$^) $(libraries)

$(OUT)/races/run_variants: $(telling_variants) $(telling_kernels) $(hosts) $(emulator)
	@echo "  LINK  $@"
	@$(LINK) $(told_copies) -o $@ $^ $(libraries)

$(OUT)/races/race_test: $(telling_test) $(emulator)
	@echo "  LINK  $@"
	@$(LINK) $(told_copies) -o $@ $^ $(libraries)

$(OUT)/races/%.cu.o: $(PLUGIN)/%.cu $(EMULATOR)/emulator.mk $(RACES)/races.mk
	@mkdir -p $(@D) && echo "  CXX   $<"
	@$(CXX) -x c++ $(telling_flags) -include cuda_runtime.h -c -o $@ $<

$(OUT)/races/%.cu.o: $(RACES)/%.cu $(EMULATOR)/emulator.mk $(RACES)/races.mk
	@mkdir -p $(@D) && echo "  CXX   $<"
	@$(CXX) -x c++ $(telling_flags) -include cuda_runtime.h -c -o $@ $<

$(OUT)/races/variants/%.cu.o: $(VARIANTS)/%.cu $(EMULATOR)/emulator.mk $(RACES)/races.mk
	@mkdir -p $(@D) && echo "  CXX   $<"
	@$(CXX) -x c++ $(telling_flags) -include cuda_runtime.h -c -o $@ $<

$(OUT)/races/%.o: $(RACES)/%.cpp $(EMULATOR)/emulator.mk
	@mkdir -p $(@D) && echo "  CXX   $<"
	@$(CXX) $(CXX_FLAGS) -c -o $@ $<

-include $(telling_kernels:.o=.d) $(telling_variants:.o=.d) $(telling_test:.o=.d)
