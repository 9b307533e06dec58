# One source a line, sorted, headers beside their sources:
#   libmt_la_SOURCES += %D%/name.c
libmt_la_SOURCES += %D%/difference.c
libmt_la_SOURCES += %D%/engine.c
libmt_la_SOURCES += %D%/grad.c
libmt_la_SOURCES += %D%/gradcheck.c
libmt_la_SOURCES += %D%/gradgradcheck.c
libmt_la_SOURCES += %D%/gradients.c
libmt_la_SOURCES += %D%/graph.h
libmt_la_SOURCES += %D%/graph_print.c
libmt_la_SOURCES += %D%/graph_walk.c
libmt_la_SOURCES += %D%/ids.c
libmt_la_SOURCES += %D%/node.c
libmt_la_SOURCES += %D%/node.h
libmt_la_SOURCES += %D%/pass.c
