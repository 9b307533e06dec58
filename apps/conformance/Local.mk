# The suite that a plugin's author runs.  It is built on CUnit: only where that was found.
if HAVE_CUNIT
bin_PROGRAMS += mt-conformance
endif
mt_conformance_SOURCES = apps/cli.c apps/cli.h
mt_conformance_SOURCES += %D%/array.c
mt_conformance_SOURCES += %D%/array.h
mt_conformance_SOURCES += %D%/call.c
mt_conformance_SOURCES += %D%/case.h
mt_conformance_SOURCES += %D%/case_id.c
mt_conformance_SOURCES += %D%/case_id.h
mt_conformance_SOURCES += %D%/case_json.c
mt_conformance_SOURCES += %D%/case_json.h
mt_conformance_SOURCES += %D%/check.c
mt_conformance_SOURCES += %D%/check.h
mt_conformance_SOURCES += %D%/dtype.c
mt_conformance_SOURCES += %D%/dtype.h
mt_conformance_SOURCES += %D%/elf_symbols.c
mt_conformance_SOURCES += %D%/elf_symbols.h
mt_conformance_SOURCES += %D%/engine.c
mt_conformance_SOURCES += %D%/engine.h
mt_conformance_SOURCES += %D%/families.c
mt_conformance_SOURCES += %D%/families.h
mt_conformance_SOURCES += %D%/family.h
# elementwise, matmul and index families, sorted, one a line

# neural network, random and optimiser families, sorted, one a line

mt_conformance_SOURCES += %D%/host.c
mt_conformance_SOURCES += %D%/host.h
mt_conformance_SOURCES += %D%/mt_conformance.c
mt_conformance_SOURCES += %D%/plan.c
mt_conformance_SOURCES += %D%/plan.h
mt_conformance_SOURCES += %D%/probe.c
mt_conformance_SOURCES += %D%/probe.h
mt_conformance_SOURCES += %D%/random.c
mt_conformance_SOURCES += %D%/report.c
mt_conformance_SOURCES += %D%/report.h
mt_conformance_SOURCES += %D%/report_json.c
mt_conformance_SOURCES += %D%/report_junit.c
mt_conformance_SOURCES += %D%/report_matrix.c
mt_conformance_SOURCES += %D%/report_tap.c
mt_conformance_SOURCES += %D%/report_text.c
mt_conformance_SOURCES += %D%/run.c
mt_conformance_SOURCES += %D%/run.h
mt_conformance_SOURCES += %D%/runner.c
mt_conformance_SOURCES += %D%/runner.h
mt_conformance_SOURCES += %D%/shrink.c
mt_conformance_SOURCES += %D%/shrink.h
mt_conformance_SOURCES += %D%/structure.c
mt_conformance_SOURCES += %D%/structure.h
mt_conformance_SOURCES += %D%/structure_devices.c
mt_conformance_SOURCES += %D%/structure_entry.c
mt_conformance_SOURCES += %D%/structure_memory.c
mt_conformance_SOURCES += %D%/structure_queues.c
mt_conformance_SOURCES += %D%/structure_table.c
mt_conformance_SOURCES += %D%/target.c
mt_conformance_SOURCES += %D%/target.h
mt_conformance_SOURCES += %D%/text.c
mt_conformance_SOURCES += %D%/tolerance.def
mt_conformance_SOURCES += %D%/worker.c
mt_conformance_SOURCES += %D%/worker.h
mt_conformance_CPPFLAGS = $(app_cppflags) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
mt_conformance_CFLAGS = $(AM_CFLAGS) $(MT_EXACT_CFLAGS)
mt_conformance_LDADD = $(app_ldadd) $(CUNIT_LIBS) $(JANSSON_LIBS) -lm
