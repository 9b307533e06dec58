# Examples are built, not installed:
#   noinst_PROGRAMS += %D%/name
#   examples_name_CPPFLAGS = $(app_cppflags)
#   examples_name_LDADD = $(app_ldadd)
