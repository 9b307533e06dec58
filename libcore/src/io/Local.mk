# One source a line, sorted, headers beside their sources:
#   libmt_la_SOURCES += %D%/name.c
libmt_la_SOURCES += %D%/dlpack.c
libmt_la_SOURCES += %D%/dlpack.h
libmt_la_SOURCES += %D%/dlpack_from.c
libmt_la_SOURCES += %D%/dlpack_to.c
libmt_la_SOURCES += %D%/dtype.c
libmt_la_SOURCES += %D%/map.c
libmt_la_SOURCES += %D%/open.c
libmt_la_SOURCES += %D%/read.c
libmt_la_SOURCES += %D%/safetensors.h
libmt_la_SOURCES += %D%/save.c
libmt_la_SOURCES += %D%/state.c
libmt_la_SOURCES += %D%/tensor_file.h
libmt_la_SOURCES += %D%/whole_file.c
libmt_la_SOURCES += %D%/whole_file.h
