# Programs, at the top of the build tree; they see public headers only:
#   bin_PROGRAMS += name
#   name_SOURCES = %D%/name.c
#   name_CPPFLAGS = $(app_cppflags)
#   name_LDADD = $(app_ldadd)

bin_PROGRAMS += mt-info
mt_info_SOURCES = %D%/cli.c %D%/cli.h %D%/mt_info.c
mt_info_CPPFLAGS = $(app_cppflags) $(JANSSON_CFLAGS)
mt_info_LDADD = $(app_ldadd) $(JANSSON_LIBS)
