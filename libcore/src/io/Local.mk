# One source a line, sorted, headers beside their sources:
#   libmt_la_SOURCES += %D%/name.c
libmt_la_SOURCES += %D%/checkpoint.c
libmt_la_SOURCES += %D%/checkpoint.h
libmt_la_SOURCES += %D%/checkpoint_optim.c
libmt_la_SOURCES += %D%/dtype.c
libmt_la_SOURCES += %D%/event_log.c
libmt_la_SOURCES += %D%/open.c
libmt_la_SOURCES += %D%/read.c
libmt_la_SOURCES += %D%/safetensors.h
libmt_la_SOURCES += %D%/save.c
libmt_la_SOURCES += %D%/state.c
libmt_la_SOURCES += %D%/state.h
libmt_la_SOURCES += %D%/tensor_file.h
libmt_la_SOURCES += %D%/whole_file.c
libmt_la_SOURCES += %D%/whole_file.h
