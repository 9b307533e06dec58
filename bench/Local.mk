# Benchmarks are built when asked for: make bench/kernels
EXTRA_PROGRAMS += %D%/kernels
bench_kernels_SOURCES = %D%/kernels.c
bench_kernels_SOURCES += apps/conformance/array.c
bench_kernels_SOURCES += apps/conformance/check.c
bench_kernels_SOURCES += apps/conformance/dtype.c
bench_kernels_SOURCES += apps/conformance/host.c
bench_kernels_SOURCES += apps/conformance/random.c
bench_kernels_SOURCES += apps/conformance/run.c
bench_kernels_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/apps/conformance
bench_kernels_LDADD = -lm

# bench/limits: what omp reaches of the hardware and of the best libraries (docs/performance.md)
dist_noinst_SCRIPTS += %D%/limits
dist_noinst_DATA += %D%/rows/case_rows.py
dist_noinst_DATA += %D%/rows/lab.py
dist_noinst_DATA += %D%/rows/limits.py
dist_noinst_DATA += %D%/rows/program_rows.py
dist_noinst_DATA += %D%/rows/samples.py
dist_noinst_DATA += %D%/rows/verdict.py

EXTRA_PROGRAMS += %D%/distance
bench_distance_SOURCES = %D%/distance.c apps/bench/stats.c
bench_distance_CPPFLAGS = $(app_cppflags)
bench_distance_LDADD = -lm -lpthread

EXTRA_PROGRAMS += %D%/dispatch
bench_dispatch_SOURCES = %D%/dispatch.c
bench_dispatch_CPPFLAGS = $(public_cppflags)
bench_dispatch_LDADD = libmt.la

EXTRA_PROGRAMS += %D%/memory
bench_memory_SOURCES = %D%/memory.c
bench_memory_CPPFLAGS = $(public_cppflags)
bench_memory_LDADD = libmt.la

EXTRA_PROGRAMS += %D%/mlp_epochs
bench_mlp_epochs_SOURCES = %D%/mlp_epochs.c apps/bench/peak.c
bench_mlp_epochs_CPPFLAGS = $(app_cppflags) $(bench_isa_cppflags)
bench_mlp_epochs_CFLAGS = $(AM_CFLAGS) $(OPENMP_CFLAGS)
bench_mlp_epochs_LDADD = $(app_ldadd) libbench_base.la $(bench_isa_libs) -lm
