# A plugin that spoils another one's results, for tests/conformance/faults.test.  An rpath makes libtool link it shared.
check_LTLIBRARIES += %D%/mt_fault.la
tests_fault_mt_fault_la_SOURCES =
tests_fault_mt_fault_la_SOURCES += %D%/arguments.c
tests_fault_mt_fault_la_SOURCES += %D%/behaviour.c
tests_fault_mt_fault_la_SOURCES += %D%/call.c
tests_fault_mt_fault_la_SOURCES += %D%/fault.c
tests_fault_mt_fault_la_SOURCES += %D%/fault.h
tests_fault_mt_fault_la_SOURCES += %D%/faults.def
tests_fault_mt_fault_la_SOURCES += %D%/faults.h
tests_fault_mt_fault_la_SOURCES += %D%/results.c
tests_fault_mt_fault_la_CPPFLAGS = $(plugin_cppflags)
tests_fault_mt_fault_la_LDFLAGS = $(plugin_ldflags) -rpath /nowhere
tests_fault_mt_fault_la_LIBADD = -lm
