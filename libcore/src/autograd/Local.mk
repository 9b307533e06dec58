# One source a line, sorted, headers beside their sources:
#   libmt_la_SOURCES += %D%/name.c
libmt_la_SOURCES += %D%/engine.c
libmt_la_SOURCES += %D%/grad.c
libmt_la_SOURCES += %D%/gradcheck.c
libmt_la_SOURCES += %D%/graph.h
libmt_la_SOURCES += %D%/node.c
libmt_la_SOURCES += %D%/node.h
