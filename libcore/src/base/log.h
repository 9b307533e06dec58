/* The log (R20): MT_LOG=error|warn|info|debug[,loader,dispatch,memory] on stderr.  Default: warn. */
#ifndef MT_BASE_LOG_H
#define MT_BASE_LOG_H

#include "mt/status.h"

enum mt_log_topic { MT_LOG_GENERAL = 0, MT_LOG_LOADER = 1, MT_LOG_DISPATCH = 2, MT_LOG_MEMORY = 4 };

void mt__log(enum mt_log_level level, enum mt_log_topic topic, const char *format, ...) MT_PRINTF(3, 4);
int mt__log_enabled(enum mt_log_level level, enum mt_log_topic topic);

/* getenv, but NULL under AT_SECURE (R17) and for empty values. */
const char *mt__getenv(const char *name);

#endif
