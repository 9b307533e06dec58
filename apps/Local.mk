# Programs, at the top of the build tree; they see public headers only:
#   bin_PROGRAMS += name
#   name_SOURCES = %D%/name.c
#   name_CPPFLAGS = $(app_cppflags)
#   name_LDADD = $(app_ldadd)
