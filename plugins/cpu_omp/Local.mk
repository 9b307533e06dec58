# The OpenMP plugin. One source a line, sorted:
#   mt_omp_la_SOURCES += %D%/name.c       what exists once: the table, threads, CPUID
#   omp_isa_sources += %D%/name.c         kernels, compiled once for each ISA level
#   omp_avx2_sources += %D%/x86/name.c    code of one level alone
# Kernels are told their level by MT_ISA (base, avx2 or avx512). Each level is a
# library of its own, so that its flags survive `make CFLAGS=-O0`. Those above
# avx512 are a few kernels put over its table: they are compiled as avx512, with
# the flags of their level besides.
mt_omp_la_SOURCES =
mt_omp_la_SOURCES += %D%/caches.c
mt_omp_la_SOURCES += %D%/capabilities.c
mt_omp_la_SOURCES += %D%/capabilities.def
mt_omp_la_SOURCES += %D%/collapse.c
mt_omp_la_SOURCES += %D%/collapse.h
mt_omp_la_SOURCES += %D%/contention.c
mt_omp_la_SOURCES += %D%/contention.h
mt_omp_la_SOURCES += %D%/cpuid.c
mt_omp_la_SOURCES += %D%/isa.h
mt_omp_la_SOURCES += %D%/omp.h
mt_omp_la_SOURCES += %D%/plugin.c
omp_isa_sources =
omp_isa_sources += %D%/activate.h
omp_isa_sources += %D%/arg_reduce.c
omp_isa_sources += %D%/arg_reduce_type.inc
omp_isa_sources += %D%/batch_norm.c
omp_isa_sources += %D%/batch_norm_rows.h
omp_isa_sources += %D%/batch_norm_rows.inc
omp_isa_sources += %D%/batch_norm_type.inc
omp_isa_sources += %D%/conv.c
omp_isa_sources += %D%/conv.h
omp_isa_sources += %D%/conv_bias.c
omp_isa_sources += %D%/conv_bias.inc
omp_isa_sources += %D%/conv_channels.c
omp_isa_sources += %D%/conv_channels.h
omp_isa_sources += %D%/conv_channels_rows.c
omp_isa_sources += %D%/conv_channels_tile.h
omp_isa_sources += %D%/conv_channels_weight.c
omp_isa_sources += %D%/conv_channels_weight_tile.h
omp_isa_sources += %D%/conv_depthwise.c
omp_isa_sources += %D%/conv_depthwise_tile.h
omp_isa_sources += %D%/conv_direct.c
omp_isa_sources += %D%/conv_direct.inc
omp_isa_sources += %D%/conv_gemm.c
omp_isa_sources += %D%/conv_gemm.inc
omp_isa_sources += %D%/conv_lanes.c
omp_isa_sources += %D%/conv_lanes.h
omp_isa_sources += %D%/conv_lanes_block.c
omp_isa_sources += %D%/conv_lanes_tile.h
omp_isa_sources += %D%/conv_lanes_weight.c
omp_isa_sources += %D%/conv_lanes_weight_tile.h
omp_isa_sources += %D%/conv_part.h
omp_isa_sources += %D%/convert.h
omp_isa_sources += %D%/copy.c
omp_isa_sources += %D%/copy_to.inc
omp_isa_sources += %D%/cross_entropy.c
omp_isa_sources += %D%/cross_entropy_rows.h
omp_isa_sources += %D%/cross_entropy_type.inc
omp_isa_sources += %D%/elementwise.c
omp_isa_sources += %D%/elementwise.h
omp_isa_sources += %D%/embedding.c
omp_isa_sources += %D%/five_dims.h
omp_isa_sources += %D%/gather.c
omp_isa_sources += %D%/gather_run.inc
omp_isa_sources += %D%/gemm.c
omp_isa_sources += %D%/gemm.h
omp_isa_sources += %D%/gemm_block.inc
omp_isa_sources += %D%/gemm_engine.h
omp_isa_sources += %D%/gemm_finish.h
omp_isa_sources += %D%/gemm_held.inc
omp_isa_sources += %D%/gemm_low.c
omp_isa_sources += %D%/gemm_low.h
omp_isa_sources += %D%/gemm_pack.h
omp_isa_sources += %D%/gemm_small.h
omp_isa_sources += %D%/gemm_tile.inc
omp_isa_sources += %D%/gemm_dots.c
omp_isa_sources += %D%/gemv.c
omp_isa_sources += %D%/gemv.inc
omp_isa_sources += %D%/index.h
omp_isa_sources += %D%/integer.inc
omp_isa_sources += %D%/lanes.h
omp_isa_sources += %D%/layer_norm.c
omp_isa_sources += %D%/layer_norm_rows.h
omp_isa_sources += %D%/layer_norm_type.inc
omp_isa_sources += %D%/map.c
omp_isa_sources += %D%/map_float.h
omp_isa_sources += %D%/map_integer.inc
omp_isa_sources += %D%/map_loops.inc
omp_isa_sources += %D%/matmul.c
omp_isa_sources += %D%/matmul_integer.inc
omp_isa_sources += %D%/norm.h
omp_isa_sources += %D%/optim.c
omp_isa_sources += %D%/optim_type.inc
omp_isa_sources += %D%/parallel.h
omp_isa_sources += %D%/pool.c
omp_isa_sources += %D%/pool.inc
omp_isa_sources += %D%/pool_quarter.h
omp_isa_sources += %D%/random.c
omp_isa_sources += %D%/random_bernoulli.inc
omp_isa_sources += %D%/reduce.c
omp_isa_sources += %D%/reduce.h
omp_isa_sources += %D%/reduce_columns.h
omp_isa_sources += %D%/reduce_runs.h
omp_isa_sources += %D%/reduce_type.c
omp_isa_sources += %D%/reduce_type.inc
omp_isa_sources += %D%/reduce_vec.h
omp_isa_sources += %D%/reduce_vec.inc
omp_isa_sources += %D%/row_exp.h
omp_isa_sources += %D%/row_pending.h
omp_isa_sources += %D%/row_stream.h
omp_isa_sources += %D%/row_sums.h
omp_isa_sources += %D%/row_sums.inc
omp_isa_sources += %D%/scalar.h
omp_isa_sources += %D%/scan.c
omp_isa_sources += %D%/scan_sums.h
omp_isa_sources += %D%/scan_type.inc
omp_isa_sources += %D%/scatter_run.inc
omp_isa_sources += %D%/select.c
omp_isa_sources += %D%/select_run.inc
omp_isa_sources += %D%/softmax.c
omp_isa_sources += %D%/softmax_rows.h
omp_isa_sources += %D%/softmax_type.inc
omp_isa_sources += %D%/sort.c
omp_isa_sources += %D%/sort_keys.inc
omp_isa_sources += %D%/stage.c
omp_isa_sources += %D%/stage.h
omp_isa_sources += %D%/stage_size.inc
omp_isa_sources += %D%/stream.h
omp_isa_sources += %D%/table.c
omp_isa_sources += %D%/transpose.h
omp_isa_sources += %D%/units.h
omp_isa_sources += %D%/vector.h
omp_isa_sources += %D%/vmath.h
omp_isa_sources += %D%/vmath_avx512.h
omp_isa_sources += %D%/vmath_avx512_gelu.h
omp_isa_sources += %D%/vmath_avx512_log.h
omp_isa_sources += %D%/vmath_avx512_loops.h
omp_isa_sources += %D%/vmath_avx512_pieces.h
omp_isa_sources += %D%/vmath_avx512_pow.h
omp_isa_sources += %D%/vmath_avx512_tables.h
omp_isa_sources += %D%/vmath_avx512_trig.h
omp_isa_sources += %D%/vmath_wide.h
omp_isa_sources += %D%/zip.c
omp_isa_sources += %D%/zip_float.inc
omp_isa_sources += %D%/zip_integer.inc
omp_isa_sources += %D%/zip_loops.inc
omp_isa_sources += %D%/zip_single.h
omp_base_sources =
omp_avx2_sources =
omp_avx512_sources =
omp_avx512_sources += %D%/gemm_turn.c
omp_bf16_sources =
omp_bf16_sources += %D%/gemm_bf16.c
omp_bf16_sources += %D%/gemm_bf16.h
omp_bf16_sources += %D%/gemm_bf16_pack.c
omp_bf16_sources += %D%/x86/levels.h
omp_avx512_bf16_sources =
omp_avx512_bf16_sources += %D%/x86/gemm_avx512_bf16.c
omp_avx512_bf16_sources += %D%/x86/table_avx512_bf16.c
omp_amx_sources =
omp_amx_sources += %D%/x86/gemm_amx.c
omp_amx_sources += %D%/x86/levels.h
omp_amx_sources += %D%/x86/table_amx.c

# -iquote, not -I: omp.h here is not <omp.h>.
omp_cppflags = $(plugin_cppflags) -iquote $(top_srcdir)/%D%
omp_cflags = $(base_cflags) $(OPENMP_CFLAGS) $(MT_OPT_KERNEL) $(MT_KERNEL_CFLAGS)
mt_omp_la_CPPFLAGS = $(omp_cppflags)
mt_omp_la_CFLAGS = $(omp_cflags)
mt_omp_la_LDFLAGS = $(plugin_ldflags)
mt_omp_la_LIBADD = libmt_omp_base.la
EXTRA_mt_omp_la_DEPENDENCIES = plugins/plugin.map

libmt_omp_base_la_SOURCES = $(omp_isa_sources) $(omp_base_sources)
libmt_omp_base_la_CPPFLAGS = $(omp_cppflags) -DMT_ISA=base -DMT_ISA_BASE=1
libmt_omp_base_la_CFLAGS = $(omp_cflags)
libmt_omp_avx2_la_SOURCES = $(omp_isa_sources) $(omp_avx2_sources)
libmt_omp_avx2_la_CPPFLAGS = $(omp_cppflags) -DMT_ISA=avx2 -DMT_ISA_AVX2=1
libmt_omp_avx2_la_CFLAGS = $(omp_cflags) $(MT_AVX2_CFLAGS)
libmt_omp_avx512_la_SOURCES = $(omp_isa_sources) $(omp_avx512_sources)
libmt_omp_avx512_la_CPPFLAGS = $(omp_cppflags) -DMT_ISA=avx512 -DMT_ISA_AVX512=1
libmt_omp_avx512_la_CFLAGS = $(omp_cflags) $(MT_AVX512_CFLAGS)
libmt_omp_avx512_bf16_la_SOURCES = $(omp_bf16_sources) $(omp_avx512_bf16_sources)
libmt_omp_avx512_bf16_la_CPPFLAGS = $(libmt_omp_avx512_la_CPPFLAGS)
libmt_omp_avx512_bf16_la_CFLAGS = $(omp_cflags) $(MT_AVX512_BF16_CFLAGS)
libmt_omp_amx_la_SOURCES = $(omp_amx_sources)
libmt_omp_amx_la_CPPFLAGS = $(libmt_omp_avx512_la_CPPFLAGS)
libmt_omp_amx_la_CFLAGS = $(omp_cflags) $(MT_AMX_CFLAGS)

if HAVE_OMP
pkglib_LTLIBRARIES += mt_omp.la
dist_manifest_DATA += %D%/omp.json
noinst_LTLIBRARIES += libmt_omp_base.la
if HAVE_AVX2
noinst_LTLIBRARIES += libmt_omp_avx2.la
omp_cppflags += -DMT_HAVE_AVX2=1
mt_omp_la_LIBADD += libmt_omp_avx2.la
endif
if HAVE_AVX512
noinst_LTLIBRARIES += libmt_omp_avx512.la
omp_cppflags += -DMT_HAVE_AVX512=1
mt_omp_la_LIBADD += libmt_omp_avx512.la
endif
if HAVE_AVX512_BF16
noinst_LTLIBRARIES += libmt_omp_avx512_bf16.la
omp_cppflags += -DMT_HAVE_AVX512_BF16=1
mt_omp_la_LIBADD += libmt_omp_avx512_bf16.la
endif
if HAVE_AMX
noinst_LTLIBRARIES += libmt_omp_amx.la
omp_cppflags += -DMT_HAVE_AMX=1
mt_omp_la_LIBADD += libmt_omp_amx.la
endif
endif
mt_omp_la_LIBADD += -lm

