# docs/ops.md is made from the op lists: `make ops-doc` writes it anew, tests/cli/ops_doc.test sees that it is current.
check_PROGRAMS += ops_doc
ops_doc_SOURCES = %D%/gradients.def %D%/ops.def %D%/ops_doc.c
ops_doc_CPPFLAGS = $(public_cppflags) -I$(top_srcdir) -I$(top_srcdir)/%D%
ops_doc_LDADD =

.PHONY: ops-doc
ops-doc: ops_doc$(EXEEXT)
	$(AM_V_GEN)./ops_doc$(EXEEXT) >ops.md.tmp && mv ops.md.tmp $(top_srcdir)/docs/ops.md
