# One source a line, sorted, headers beside their sources:
#   libmt_la_SOURCES += %D%/name.c
