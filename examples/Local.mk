# Examples are built, not installed:
#   noinst_PROGRAMS += %D%/name
#   examples_name_CPPFLAGS = $(app_cppflags)
#   examples_name_LDADD = $(app_ldadd)

# The example plugin: built as an outsider would build it. The rpath makes libtool link it shared.
noinst_LTLIBRARIES += %D%/minimal_plugin/mt_minimal.la
examples_minimal_plugin_mt_minimal_la_SOURCES = %D%/minimal_plugin/minimal.c
examples_minimal_plugin_mt_minimal_la_CPPFLAGS = $(plugin_cppflags)
examples_minimal_plugin_mt_minimal_la_LDFLAGS = $(plugin_ldflags) -rpath /nowhere
examples_minimal_plugin_mt_minimal_la_LIBADD = -lm
EXTRA_DIST += %D%/minimal_plugin/minimal.json
noinst_PROGRAMS += %D%/scalar
examples_scalar_SOURCES = %D%/scalar.c
examples_scalar_CPPFLAGS = $(app_cppflags)
examples_scalar_LDADD = $(app_ldadd)
noinst_PROGRAMS += %D%/tensors
examples_tensors_SOURCES = %D%/tensors.c
examples_tensors_CPPFLAGS = $(app_cppflags)
examples_tensors_LDADD = $(app_ldadd)
noinst_PROGRAMS += %D%/xor
examples_xor_SOURCES = %D%/xor.c
examples_xor_CPPFLAGS = $(app_cppflags)
examples_xor_LDADD = $(app_ldadd)
