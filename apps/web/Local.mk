# HTML pages, for programs that write one:
#   prog_LDADD = $(web_ldadd) $(app_ldadd) $(JANSSON_LIBS)
# A program's own script prog/name.js becomes  extern const char name_js[]  with
#   nodist_prog_SOURCES = %D%/name_js.c
#   EXTRA_DIST += %D%/name.js
#   CLEANFILES += %D%/name_js.c
noinst_LIBRARIES += %D%/libmt_web.a
web_ldadd = %D%/libmt_web.a

# In the order in which a page has them.
web_embedded = %D%/style_css.c
web_embedded += %D%/base_js.c
web_embedded += %D%/axes_js.c
web_embedded += %D%/tooltip_js.c
web_embedded += %D%/charts_js.c
web_embedded += %D%/roofline_js.c
web_embedded += %D%/matrix_js.c
web_embedded += %D%/table_js.c

apps_web_libmt_web_a_SOURCES = %D%/page.c %D%/page.h
nodist_apps_web_libmt_web_a_SOURCES = $(web_embedded)
apps_web_libmt_web_a_CPPFLAGS = $(app_cppflags) $(JANSSON_CFLAGS)
CLEANFILES += $(web_embedded)

web_embed = $(srcdir)/%D%/embed.sh
EXTRA_DIST += %D%/embed.sh
EXTRA_DIST += %D%/axes.js
EXTRA_DIST += %D%/base.js
EXTRA_DIST += %D%/charts.js
EXTRA_DIST += %D%/matrix.js
EXTRA_DIST += %D%/roofline.js
EXTRA_DIST += %D%/style.css
EXTRA_DIST += %D%/table.js
EXTRA_DIST += %D%/tooltip.js

web_make = $(AM_V_GEN)$(MKDIR_P) $(@D) && $(SHELL) $(web_embed) $< >$@.tmp && mv $@.tmp $@
%_js.c: %.js $(web_embed)
	$(web_make)
%_css.c: %.css $(web_embed)
	$(web_make)
