# Benchmarks are built when asked for: make bench/kernels bench/device
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
EXTRA_PROGRAMS += %D%/device
bench_device_SOURCES = %D%/device.c
bench_device_CPPFLAGS = $(app_cppflags)
bench_device_LDADD = $(app_ldadd)
dist_noinst_DATA += %D%/device_torch.py
