# The suite that a plugin's author runs.  It is built on CUnit: only where that was found.
if HAVE_CUNIT
bin_PROGRAMS += mt-conformance
endif
mt_conformance_SOURCES =
mt_conformance_SOURCES += %D%/array.c
mt_conformance_SOURCES += %D%/array.h
mt_conformance_SOURCES += %D%/call.c
mt_conformance_SOURCES += %D%/case.h
mt_conformance_SOURCES += %D%/case_id.c
mt_conformance_SOURCES += %D%/case_id.h
mt_conformance_SOURCES += %D%/check.c
mt_conformance_SOURCES += %D%/check.h
mt_conformance_SOURCES += %D%/dtype.c
mt_conformance_SOURCES += %D%/dtype.h
mt_conformance_SOURCES += %D%/families.c
mt_conformance_SOURCES += %D%/families.h
mt_conformance_SOURCES += %D%/family.h
# elementwise, matmul and index families, sorted, one a line

# neural network, random and optimiser families, sorted, one a line
mt_conformance_SOURCES += %D%/conv_cases.c
mt_conformance_SOURCES += %D%/conv_cases.h
mt_conformance_SOURCES += %D%/entropy_cases.c
mt_conformance_SOURCES += %D%/entropy_cases.h
mt_conformance_SOURCES += %D%/family_adam.c
mt_conformance_SOURCES += %D%/family_batch_norm.c
mt_conformance_SOURCES += %D%/family_batch_norm_grad.c
mt_conformance_SOURCES += %D%/family_bernoulli.c
mt_conformance_SOURCES += %D%/family_conv.c
mt_conformance_SOURCES += %D%/family_conv_grad_input.c
mt_conformance_SOURCES += %D%/family_conv_grad_weight.c
mt_conformance_SOURCES += %D%/family_cross_entropy.c
mt_conformance_SOURCES += %D%/family_cross_entropy_grad.c
mt_conformance_SOURCES += %D%/family_embedding.c
mt_conformance_SOURCES += %D%/family_embedding_grad.c
mt_conformance_SOURCES += %D%/family_layer_norm.c
mt_conformance_SOURCES += %D%/family_layer_norm_grad.c
mt_conformance_SOURCES += %D%/family_nn.c
mt_conformance_SOURCES += %D%/family_nn.h
mt_conformance_SOURCES += %D%/family_normal.c
mt_conformance_SOURCES += %D%/family_pool.c
mt_conformance_SOURCES += %D%/family_pool_grad.c
mt_conformance_SOURCES += %D%/family_sgd.c
mt_conformance_SOURCES += %D%/family_softmax.c
mt_conformance_SOURCES += %D%/family_softmax_grad.c
mt_conformance_SOURCES += %D%/family_uniform.c
mt_conformance_SOURCES += %D%/norm_cases.c
mt_conformance_SOURCES += %D%/norm_cases.h
mt_conformance_SOURCES += %D%/optim_cases.c
mt_conformance_SOURCES += %D%/optim_cases.h
mt_conformance_SOURCES += %D%/pool_cases.c
mt_conformance_SOURCES += %D%/pool_cases.h
mt_conformance_SOURCES += %D%/random_cases.c
mt_conformance_SOURCES += %D%/random_cases.h
mt_conformance_SOURCES += %D%/softmax_cases.c
mt_conformance_SOURCES += %D%/softmax_cases.h

mt_conformance_SOURCES += %D%/host.c
mt_conformance_SOURCES += %D%/host.h
mt_conformance_SOURCES += %D%/mt_conformance.c
mt_conformance_SOURCES += %D%/random.c
mt_conformance_SOURCES += %D%/run.c
mt_conformance_SOURCES += %D%/run.h
mt_conformance_SOURCES += %D%/tolerance.def
mt_conformance_CPPFLAGS = $(app_cppflags) $(CUNIT_CFLAGS) $(JANSSON_CFLAGS)
mt_conformance_CFLAGS = $(AM_CFLAGS) $(MT_EXACT_CFLAGS)
mt_conformance_LDADD = $(app_ldadd) $(CUNIT_LIBS) $(JANSSON_LIBS) -lm
