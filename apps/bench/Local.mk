# mt-bench. One source a line, sorted. The FMA loops are compiled once for each ISA level, each a library of its own, so
# that its flags survive `make CFLAGS=-O0`.

# The suites train and seed, with the networks of the training programs.
bench_train_sources =
bench_train_sources += apps/bench/nets.c
bench_train_sources += apps/bench/nets.h
bench_train_sources += apps/bench/nets_layers.c
bench_train_sources += apps/bench/nets_mnist.c
bench_train_sources += apps/bench/nets_points.c
bench_train_sources += apps/bench/nets_text_cnn.c
bench_train_sources += apps/bench/suite_seed.c
bench_train_sources += apps/bench/suite_train.c
bench_train_sources += apps/bench/train_step.c
bench_train_sources += apps/bench/train_step.h
bench_train_sources += apps/train_mnist/models.c
bench_train_sources += apps/train_points/net.c
bench_train_sources += apps/train_sentiment/model.c

bin_PROGRAMS += mt-bench
mt_bench_SOURCES = apps/cli.c apps/cli.h $(bench_train_sources)
mt_bench_SOURCES += %D%/against.c
mt_bench_SOURCES += %D%/case.h
mt_bench_SOURCES += %D%/cases.c
mt_bench_SOURCES += %D%/ceilings.c
mt_bench_SOURCES += %D%/ceilings.h
mt_bench_SOURCES += %D%/check.c
mt_bench_SOURCES += %D%/check.h
mt_bench_SOURCES += %D%/clock.h
mt_bench_SOURCES += %D%/columns.c
mt_bench_SOURCES += %D%/columns.h
mt_bench_SOURCES += %D%/limits.h
mt_bench_SOURCES += %D%/limits_epoch.c
mt_bench_SOURCES += %D%/machine.c
mt_bench_SOURCES += %D%/machine.h
mt_bench_SOURCES += %D%/main.c
mt_bench_SOURCES += %D%/ops.c
mt_bench_SOURCES += %D%/ops.h
mt_bench_SOURCES += %D%/ops_conv.c
mt_bench_SOURCES += %D%/ops_elementwise.c
mt_bench_SOURCES += %D%/ops_matmul.c
mt_bench_SOURCES += %D%/ops_nn.c
mt_bench_SOURCES += %D%/ops_optim.c
mt_bench_SOURCES += %D%/ops_pool.c
mt_bench_SOURCES += %D%/ops_reduce.c
mt_bench_SOURCES += %D%/peak.c
mt_bench_SOURCES += %D%/peak.h
mt_bench_SOURCES += %D%/progress.c
mt_bench_SOURCES += %D%/progress.h
mt_bench_SOURCES += %D%/report.h
mt_bench_SOURCES += %D%/report_build.c
mt_bench_SOURCES += %D%/report_build.h
mt_bench_SOURCES += %D%/report_csv.c
mt_bench_SOURCES += %D%/report_json.c
mt_bench_SOURCES += %D%/report_table.c
mt_bench_SOURCES += %D%/runner.c
mt_bench_SOURCES += %D%/runner.h
mt_bench_SOURCES += %D%/select.c
mt_bench_SOURCES += %D%/select.h
mt_bench_SOURCES += %D%/stats.c
mt_bench_SOURCES += %D%/stats.h
mt_bench_SOURCES += %D%/suite_limits.c
mt_bench_SOURCES += %D%/text.c
mt_bench_SOURCES += %D%/text.h
nodist_mt_bench_SOURCES = %D%/commit.h
mt_bench_CPPFLAGS = $(app_cppflags) $(JANSSON_CFLAGS) $(bench_isa_cppflags)
mt_bench_CFLAGS = $(AM_CFLAGS) $(OPENMP_CFLAGS)
mt_bench_LDADD = $(bench_html_ldadd) $(app_ldadd) libbench_base.la $(bench_isa_libs) $(JANSSON_LIBS) -lm

bench_cflags = $(base_cflags) $(MT_OPT_KERNEL) $(MT_KERNEL_CFLAGS)
bench_isa_cppflags =
bench_isa_libs =
noinst_LTLIBRARIES += libbench_base.la
libbench_base_la_SOURCES = %D%/peak_fma.c %D%/peak_fma.inc %D%/peak.h
libbench_base_la_CPPFLAGS = $(app_cppflags) -DMT_ISA=base -DMT_ISA_BASE=1
libbench_base_la_CFLAGS = $(bench_cflags)
libbench_avx2_la_SOURCES = $(libbench_base_la_SOURCES)
libbench_avx2_la_CPPFLAGS = $(app_cppflags) -DMT_ISA=avx2 -DMT_ISA_AVX2=1
libbench_avx2_la_CFLAGS = $(bench_cflags) $(MT_AVX2_CFLAGS)
libbench_avx512_la_SOURCES = $(libbench_base_la_SOURCES)
libbench_avx512_la_CPPFLAGS = $(app_cppflags) -DMT_ISA=avx512 -DMT_ISA_AVX512=1
libbench_avx512_la_CFLAGS = $(bench_cflags) $(MT_AVX512_CFLAGS)
if HAVE_AVX2
noinst_LTLIBRARIES += libbench_avx2.la
bench_isa_cppflags += -DMT_HAVE_AVX2=1
bench_isa_libs += libbench_avx2.la
endif
if HAVE_AVX512
noinst_LTLIBRARIES += libbench_avx512.la
bench_isa_cppflags += -DMT_HAVE_AVX512=1
bench_isa_libs += libbench_avx512.la
endif

# The commit that a report names: written anew only where it is another; NULL outside a checkout.
BUILT_SOURCES += %D%/commit.h
%D%/mt_bench-machine.$(OBJEXT): %D%/commit.h
CLEANFILES += %D%/commit.h
%D%/commit.h: bench-commit-always
	$(AM_V_at)$(MKDIR_P) %D% && \
	  commit=`test -e $(srcdir)/.git && git -C $(srcdir) describe --always --dirty --exclude '*' --abbrev=12 2>/dev/null` || commit=; \
	  if test -n "$$commit"; then text="\"$$commit\""; else text=NULL; fi; \
	  echo "#define BENCH_COMMIT $$text" >$@.tmp && \
	  if cmp -s $@.tmp $@; then rm -f $@.tmp; else mv $@.tmp $@; fi
.PHONY: bench-commit-always
bench-commit-always:
