# What mt-bench is compared with (docs/peers.md): scripts in Python, and one program for each library that configure
# found, built by make check, or when asked for: make bench/peers/openblas bench/peers/onednn.  MKL is loaded at run time.
peer_sources = apps/cli.c apps/cli.h apps/bench/report_json.c apps/bench/stats.c %D%/peer.c %D%/peer.h
peer_cppflags = $(app_cppflags) -I$(top_srcdir)/%D% $(JANSSON_CFLAGS)
if HAVE_OPENBLAS
check_PROGRAMS += %D%/openblas
endif
bench_peers_openblas_SOURCES = $(peer_sources) %D%/blas.c %D%/blas.h %D%/openblas.c
bench_peers_openblas_CPPFLAGS = $(peer_cppflags) $(OPENBLAS_CFLAGS)
bench_peers_openblas_LDADD = $(app_ldadd) $(OPENBLAS_LIBS) $(JANSSON_LIBS) -lm
check_PROGRAMS += %D%/mkl
bench_peers_mkl_SOURCES = $(peer_sources) %D%/blas.c %D%/blas.h %D%/mkl.c
bench_peers_mkl_CPPFLAGS = $(peer_cppflags)
bench_peers_mkl_LDADD = $(app_ldadd) $(JANSSON_LIBS) -ldl -lm
if HAVE_ONEDNN
check_PROGRAMS += %D%/onednn
endif
bench_peers_onednn_SOURCES = $(peer_sources) %D%/onednn.c %D%/onednn.h %D%/onednn_chain.c %D%/onednn_conv.c
bench_peers_onednn_CPPFLAGS = $(peer_cppflags)
bench_peers_onednn_CFLAGS = $(AM_CFLAGS) $(OPENMP_CFLAGS)
bench_peers_onednn_LDADD = $(app_ldadd) $(ONEDNN_LIBS) $(JANSSON_LIBS) -lm
dist_noinst_DATA += %D%/numpy_peer.py
dist_noinst_DATA += %D%/peer.py
dist_noinst_DATA += %D%/report.py
dist_noinst_DATA += %D%/run.py
dist_noinst_DATA += %D%/torch_ops.py
dist_noinst_DATA += %D%/torch_peer.py
dist_noinst_DATA += %D%/torch_train.py
dist_noinst_SCRIPTS += scripts/peers
