# The CUDA plugin: C for the host side, .cu for kernels. One source a line, sorted:
#   mt_cuda_la_SOURCES += %D%/name.c
#   mt_cuda_la_SOURCES += %D%/name.cu
# C sources see MT_HAVE_CUBLAS and MT_HAVE_CUDNN where configure found them; so do .cu.
mt_cuda_la_SOURCES =
mt_cuda_la_SOURCES += %D%/accurate.cuh
mt_cuda_la_SOURCES += %D%/arg_reduce.cu
mt_cuda_la_SOURCES += %D%/batch_norm.cu
mt_cuda_la_SOURCES += %D%/block.cuh
mt_cuda_la_SOURCES += %D%/capabilities.c
mt_cuda_la_SOURCES += %D%/capabilities.def
mt_cuda_la_SOURCES += %D%/channels.cuh
mt_cuda_la_SOURCES += %D%/chunks.cuh
mt_cuda_la_SOURCES += %D%/conv.cu
mt_cuda_la_SOURCES += %D%/conv_dnn.c
mt_cuda_la_SOURCES += %D%/conv_dnn.h
mt_cuda_la_SOURCES += %D%/conv_dnn_plans.c
mt_cuda_la_SOURCES += %D%/conv_dnn_plans.h
mt_cuda_la_SOURCES += %D%/conv_gemm.cuh
mt_cuda_la_SOURCES += %D%/conv_gemm_bf16.cu
mt_cuda_la_SOURCES += %D%/conv_gemm_f16.cu
mt_cuda_la_SOURCES += %D%/conv_gemm_f32.cu
mt_cuda_la_SOURCES += %D%/conv_gemm_f64.cu
mt_cuda_la_SOURCES += %D%/conv_plan.c
mt_cuda_la_SOURCES += %D%/conv_plan.h
mt_cuda_la_SOURCES += %D%/conv_slices.cuh
mt_cuda_la_SOURCES += %D%/conv_tensor.cuh
mt_cuda_la_SOURCES += %D%/conv_tile.cuh
mt_cuda_la_SOURCES += %D%/copy.cu
mt_cuda_la_SOURCES += %D%/cross_entropy.cu
mt_cuda_la_SOURCES += %D%/element.cuh
mt_cuda_la_SOURCES += %D%/elementwise.cuh
mt_cuda_la_SOURCES += %D%/embedding.cu
mt_cuda_la_SOURCES += %D%/error.c
mt_cuda_la_SOURCES += %D%/fault.cuh
mt_cuda_la_SOURCES += %D%/fill.cu
mt_cuda_la_SOURCES += %D%/gather.cu
mt_cuda_la_SOURCES += %D%/gemm.cuh
mt_cuda_la_SOURCES += %D%/gemm_blas.c
mt_cuda_la_SOURCES += %D%/gemm_blas.h
mt_cuda_la_SOURCES += %D%/gemm_epilogue.cu
mt_cuda_la_SOURCES += %D%/gemm_epilogue.h
mt_cuda_la_SOURCES += %D%/gemm_lt.c
mt_cuda_la_SOURCES += %D%/gemm_lt.h
mt_cuda_la_SOURCES += %D%/gemm_lt_plans.c
mt_cuda_la_SOURCES += %D%/gemm_lt_plans.h
mt_cuda_la_SOURCES += %D%/gemm_plan.c
mt_cuda_la_SOURCES += %D%/gemm_plan.h
mt_cuda_la_SOURCES += %D%/gemm_tiled.cu
mt_cuda_la_SOURCES += %D%/gemm_vector.cu
mt_cuda_la_SOURCES += %D%/gemm_wmma.cu
mt_cuda_la_SOURCES += %D%/launch.cuh
mt_cuda_la_SOURCES += %D%/layer_norm.cu
mt_cuda_la_SOURCES += %D%/layer_norm_grad.cu
mt_cuda_la_SOURCES += %D%/library.c
mt_cuda_la_SOURCES += %D%/map.cu
mt_cuda_la_SOURCES += %D%/map_ops.cuh
mt_cuda_la_SOURCES += %D%/matmul.cu
mt_cuda_la_SOURCES += %D%/memory.c
mt_cuda_la_SOURCES += %D%/memory.h
mt_cuda_la_SOURCES += %D%/moments.cuh
mt_cuda_la_SOURCES += %D%/mt_cuda.h
mt_cuda_la_SOURCES += %D%/optim.cu
mt_cuda_la_SOURCES += %D%/options.c
mt_cuda_la_SOURCES += %D%/options.h
mt_cuda_la_SOURCES += %D%/order.cu
mt_cuda_la_SOURCES += %D%/order.cuh
mt_cuda_la_SOURCES += %D%/plugin.c
mt_cuda_la_SOURCES += %D%/pool.cu
mt_cuda_la_SOURCES += %D%/queue.c
mt_cuda_la_SOURCES += %D%/queue.h
mt_cuda_la_SOURCES += %D%/random.cu
mt_cuda_la_SOURCES += %D%/reduce.cu
mt_cuda_la_SOURCES += %D%/reduce.cuh
mt_cuda_la_SOURCES += %D%/reduce_ops.cuh
mt_cuda_la_SOURCES += %D%/reduce_plan.c
mt_cuda_la_SOURCES += %D%/reduce_plan.h
mt_cuda_la_SOURCES += %D%/rows.c
mt_cuda_la_SOURCES += %D%/rows.cuh
mt_cuda_la_SOURCES += %D%/rows.h
mt_cuda_la_SOURCES += %D%/scan.cu
mt_cuda_la_SOURCES += %D%/scatter_add.cu
mt_cuda_la_SOURCES += %D%/segments.cuh
mt_cuda_la_SOURCES += %D%/select.cu
mt_cuda_la_SOURCES += %D%/softmax.cu
mt_cuda_la_SOURCES += %D%/sort.cu
mt_cuda_la_SOURCES += %D%/take.cuh
mt_cuda_la_SOURCES += %D%/tensor_cores.cuh
mt_cuda_la_SOURCES += %D%/walk.c
mt_cuda_la_SOURCES += %D%/walk.cuh
mt_cuda_la_SOURCES += %D%/walk.h
mt_cuda_la_SOURCES += %D%/zip.cu
mt_cuda_la_SOURCES += %D%/zip_ops.cuh
cuda_cppflags = $(plugin_cppflags) -I$(top_srcdir)/%D%
mt_cuda_la_CPPFLAGS = $(cuda_cppflags) $(CUDA_CPPFLAGS)
mt_cuda_la_CFLAGS = $(AM_CFLAGS)
mt_cuda_la_LDFLAGS = $(plugin_ldflags)
mt_cuda_la_LIBADD =
EXTRA_mt_cuda_la_DEPENDENCIES = plugins/plugin.map
if HAVE_CUBLAS
cuda_cppflags += -DMT_HAVE_CUBLAS=1
endif
if HAVE_CUDNN
cuda_cppflags += -DMT_HAVE_CUDNN=1
endif
mt_cuda_la_LIBADD += $(CUDA_LIBS) -lstdc++ -lm
if HAVE_CUDA
pkglib_LTLIBRARIES += mt_cuda.la
dist_manifest_DATA += %D%/cuda.json
endif

# nvcc makes libtool objects through build-aux/nvcc-cc, which hands on to the host
# compiler what libtool adds for position-independent code.
SUFFIXES += .cu
nvcc_flags = -std=c++17 -O3 -Xfatbin -compress-all $(NVCC_GENCODE) $(MT_NVCC_WERROR) \
  --compiler-options -fvisibility=hidden,-Wall,-Wextra $(NVCCFLAGS)
AM_V_NVCC = $(AM_V_NVCC_@AM_V@)
AM_V_NVCC_ = $(AM_V_NVCC_@AM_DEFAULT_V@)
AM_V_NVCC_0 = @echo "  NVCC    " $@;

.cu.lo:
	$(AM_V_NVCC)$(LIBTOOL) $(AM_V_lt) --tag=CC --mode=compile \
	  $(SHELL) $(top_srcdir)/build-aux/nvcc-cc $(NVCC) $(cuda_cppflags) $(nvcc_flags) \
	  -MD -MP -MF $*.cu.d -MT $@ -shared -c -o $@ $<

# What nvcc found out about the headers each .cu includes.
cuda_depfiles = $(patsubst %.cu,%.cu.d,$(filter %.cu,$(mt_cuda_la_SOURCES)))
-include $(wildcard $(cuda_depfiles))
mostlyclean-local:
	-rm -f $(cuda_depfiles) %D%/.libs/*.ptxas %D%/*.ptxas

