# The program behind scripts/oracle: runs ops on request, for the comparison with PyTorch.
EXTRA_PROGRAMS += mt-oracle
mt_oracle_SOURCES = %D%/base64.c %D%/base64.h %D%/call.c %D%/call.h %D%/layers.c %D%/ops.inc %D%/oracle.c
mt_oracle_CPPFLAGS = $(app_cppflags) $(JANSSON_CFLAGS)
mt_oracle_LDADD = $(app_ldadd) $(JANSSON_LIBS)
dist_noinst_DATA += %D%/draw.py %D%/layers.py %D%/ops.py %D%/oracle.py
dist_noinst_SCRIPTS += scripts/oracle
