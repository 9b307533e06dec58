# One program for each %D%/test_NAME.c, one line each, sorted:
#   unit_tests += %D%/test_NAME
# All of them load plugins that misbehave, in child processes (abi.c), and may look inside libmt.
abi_sources = %D%/abi.c %D%/abi.h
unit_tests += %D%/test_builtin
tests_abi_test_builtin_SOURCES = %D%/test_builtin.c %D%/buffer.c $(abi_sources)
tests_abi_test_builtin_LDADD = $(internal_ldadd)
unit_tests += %D%/test_device
tests_abi_test_device_SOURCES = %D%/test_device.c $(abi_sources)
unit_tests += %D%/test_dispatch
tests_abi_test_dispatch_SOURCES = %D%/test_dispatch.c %D%/buffer.c $(abi_sources)
tests_abi_test_dispatch_LDADD = $(internal_ldadd)
unit_tests += %D%/test_external
tests_abi_test_external_SOURCES = %D%/test_external.c $(abi_sources)
unit_tests += %D%/test_load
tests_abi_test_load_SOURCES = %D%/test_load.c $(abi_sources)
unit_tests += %D%/test_manifest
tests_abi_test_manifest_SOURCES = %D%/test_manifest.c $(abi_sources)
unit_tests += %D%/test_memory
tests_abi_test_memory_SOURCES = %D%/test_memory.c $(abi_sources)
tests_abi_test_memory_LDADD = $(internal_ldadd)

# The plugin that is wrong on demand (MOCK=WORD), and a library that is none. An rpath makes libtool link them shared.
check_LTLIBRARIES += %D%/mt_mock.la %D%/mt_mock_noentry.la
tests_abi_mt_mock_la_SOURCES = %D%/mock.c %D%/mock_parts.h
tests_abi_mt_mock_la_CPPFLAGS = $(plugin_cppflags)
tests_abi_mt_mock_la_LDFLAGS = $(plugin_ldflags) -rpath /nowhere
tests_abi_mt_mock_la_LIBADD = -lm
tests_abi_mt_mock_noentry_la_SOURCES = %D%/mock_noentry.c
tests_abi_mt_mock_noentry_la_CPPFLAGS = $(plugin_cppflags)
tests_abi_mt_mock_noentry_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere
