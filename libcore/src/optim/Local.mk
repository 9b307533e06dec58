# One source a line, sorted, headers beside their sources:
#   libmt_la_SOURCES += %D%/name.c
libmt_la_SOURCES += %D%/adagrad.c
libmt_la_SOURCES += %D%/adam.c
libmt_la_SOURCES += %D%/clip.c
libmt_la_SOURCES += %D%/group.c
libmt_la_SOURCES += %D%/optim.c
libmt_la_SOURCES += %D%/optim.h
libmt_la_SOURCES += %D%/plateau.c
libmt_la_SOURCES += %D%/rmsprop.c
libmt_la_SOURCES += %D%/schedule.c
libmt_la_SOURCES += %D%/sgd.c
