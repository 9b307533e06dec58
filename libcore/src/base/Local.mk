# One source a line, sorted, headers beside their sources:
libmt_la_SOURCES += %D%/alloc.c
libmt_la_SOURCES += %D%/alloc.h
libmt_la_SOURCES += %D%/error.c
libmt_la_SOURCES += %D%/error.h
libmt_la_SOURCES += %D%/log.c
libmt_la_SOURCES += %D%/log.h
libmt_la_SOURCES += %D%/rng.c
libmt_la_SOURCES += %D%/rng.h
libmt_la_SOURCES += %D%/status.c
