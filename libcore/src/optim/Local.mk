# One source a line, sorted, headers beside their sources:
#   libmt_la_SOURCES += %D%/name.c
libmt_la_SOURCES += %D%/adam.c
libmt_la_SOURCES += %D%/optim.c
libmt_la_SOURCES += %D%/optim.h
libmt_la_SOURCES += %D%/schedule.c
libmt_la_SOURCES += %D%/sgd.c
