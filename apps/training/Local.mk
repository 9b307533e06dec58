# What the training programs share; a program adds $(training_sources), and $(JANSSON_CFLAGS) and $(JANSSON_LIBS).
training_sources = apps/cli.c apps/cli.h
training_sources += %D%/checkpoint.c
training_sources += %D%/device.c
training_sources += %D%/interrupt.c
training_sources += %D%/metrics.c
training_sources += %D%/progress.c
training_sources += %D%/training.h
