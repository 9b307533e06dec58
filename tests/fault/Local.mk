# A plugin that stands before another one (MT_FAULT_PLUGIN) and makes one thing of it wrong (MT_FAULT): that
# mt-conformance finds it is what tests/conformance/faults.test shows.
check_LTLIBRARIES += %D%/mt_fault.la
tests_fault_mt_fault_la_SOURCES =
tests_fault_mt_fault_la_SOURCES += %D%/answer.c
tests_fault_mt_fault_la_SOURCES += %D%/change_basic.c
tests_fault_mt_fault_la_SOURCES += %D%/change_nn.c
tests_fault_mt_fault_la_SOURCES += %D%/element.c
tests_fault_mt_fault_la_SOURCES += %D%/fault.h
tests_fault_mt_fault_la_SOURCES += %D%/faults.def
tests_fault_mt_fault_la_SOURCES += %D%/frame.c
tests_fault_mt_fault_la_SOURCES += %D%/frame.h
tests_fault_mt_fault_la_SOURCES += %D%/frames.def
tests_fault_mt_fault_la_SOURCES += %D%/plugin.c
tests_fault_mt_fault_la_SOURCES += %D%/spoil.c
tests_fault_mt_fault_la_SOURCES += %D%/spoil_basic.c
tests_fault_mt_fault_la_SOURCES += %D%/spoil_index.c
tests_fault_mt_fault_la_SOURCES += %D%/spoil_nn.c
tests_fault_mt_fault_la_CPPFLAGS = $(plugin_cppflags)
tests_fault_mt_fault_la_LDFLAGS = $(plugin_ldflags) -rpath /nowhere
tests_fault_mt_fault_la_LIBADD = -lm
