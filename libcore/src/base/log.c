/* The log, and reading the environment safely. */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

const char *mt__getenv(const char *name) {
	if (getauxval(AT_SECURE) != 0)
		return NULL;
	const char *value = getenv(name);
	return value != NULL && value[0] != '\0' ? value : NULL;
}

static const char *const level_names[] = {
	[MT_LOG_ERROR] = "error",
	[MT_LOG_WARN] = "warn",
	[MT_LOG_INFO] = "info",
	[MT_LOG_DEBUG] = "debug",
};

static const struct {
	const char *name;
	int topic;
} topics[] = {{"loader", MT_LOG_LOADER}, {"dispatch", MT_LOG_DISPATCH}, {"memory", MT_LOG_MEMORY}};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int max_level = MT_LOG_WARN;
static int topic_mask; /* 0: every topic */

static int same_word(const char *name, const char *word, size_t length) {
	return strlen(name) == length && strncmp(name, word, length) == 0;
}

/* One word of MT_LOG: a level or a topic.  Returns 0 when it is neither. */
static int take_word(const char *word, size_t length) {
	for (int level = MT_LOG_ERROR; level <= MT_LOG_DEBUG; level++)
		if (same_word(level_names[level], word, length)) {
			max_level = level;
			return 1;
		}
	for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
		if (same_word(topics[i].name, word, length)) {
			topic_mask |= topics[i].topic;
			return 1;
		}
	return 0;
}

static void read_environment(void) {
	const char *value = mt__getenv("MT_LOG");
	while (value != NULL && *value != '\0') {
		size_t length = strcspn(value, ",");
		if (length != 0 && !take_word(value, length))
			fprintf(stderr,
			        "mt warn: MT_LOG: unknown word \"%.*s\" (there are error warn info debug, and loader "
			        "dispatch memory)\n",
			        (int)length, value);
		value += length;
		value += *value == ',';
	}
}

int mt__log_enabled(enum mt_log_level level, enum mt_log_topic topic) {
	pthread_once(&once, read_environment);
	if ((int)level > max_level)
		return 0;
	/* topics narrow what is told in detail, never warnings and errors */
	return level <= MT_LOG_WARN || topic_mask == 0 || (topic_mask & (int)topic) != 0;
}

void mt__log(enum mt_log_level level, enum mt_log_topic topic, const char *format, ...) {
	if (!mt__log_enabled(level, topic))
		return;
	char line[2048];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	fprintf(stderr, "mt %s: %s\n", level_names[level], line);
}
