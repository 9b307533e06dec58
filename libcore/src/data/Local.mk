# One source a line, sorted, headers beside their sources:
#   libmt_la_SOURCES += %D%/name.c
libmt_la_SOURCES += %D%/digits.c
libmt_la_SOURCES += %D%/glyphs.c
libmt_la_SOURCES += %D%/glyphs.h
libmt_la_SOURCES += %D%/idx.c
libmt_la_SOURCES += %D%/loader.c
libmt_la_SOURCES += %D%/mnist.c
libmt_la_SOURCES += %D%/points.c
libmt_la_SOURCES += %D%/stream.c
libmt_la_SOURCES += %D%/stream.h
