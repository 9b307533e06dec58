# One source a line, sorted, headers beside their sources:
#   libmt_la_SOURCES += %D%/name.c
libmt_la_SOURCES += %D%/activation_layers.c
libmt_la_SOURCES += %D%/forward.c
libmt_la_SOURCES += %D%/init.c
libmt_la_SOURCES += %D%/layers.c
libmt_la_SOURCES += %D%/module.c
libmt_la_SOURCES += %D%/module.h
libmt_la_SOURCES += %D%/print.c
libmt_la_SOURCES += %D%/state.c
libmt_la_SOURCES += %D%/stateless.c
