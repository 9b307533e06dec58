# Benchmarks are built when asked for: make bench/kernels
EXTRA_PROGRAMS += %D%/kernels
bench_kernels_SOURCES = %D%/kernels.c
bench_kernels_SOURCES += tests/conformance/array.c
bench_kernels_SOURCES += tests/conformance/host.c
bench_kernels_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/conformance
