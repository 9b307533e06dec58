/* The table of functions that plugins get from libmt. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "backend/call.h"
#include "base/log.h"

_Thread_local struct mt__call *mt__current_call __attribute__((tls_model("initial-exec")));

/* What threads said that are in no call of ours: workers of a plugin.  Whichever call fails next without words of its
 * own takes it. */
static struct {
	pthread_mutex_t lock;
	int written;
	char text[MT__CALL_TEXT];
} worker = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Copies text, with control characters (a plugin may hand on a program's output) as spaces. */
static void copy_text(char *out, const char *text) {
	size_t n = 0;
	for (; n < MT__CALL_TEXT - 1 && text[n] != '\0'; n++)
		out[n] = (unsigned char)text[n] < 0x20 ? ' ' : text[n];
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

static void host_log(int32_t level, const char *text) {
	if (text == NULL)
		return;
	if (level < MT_LOG_ERROR || level > MT_LOG_DEBUG)
		level = MT_LOG_INFO;
	char clean[MT__CALL_TEXT];
	copy_text(clean, text);
	mt__log((enum mt_log_level)level, MT_LOG_GENERAL, "%s", clean);
}

static void host_set_error(int32_t status, const char *text) {
	struct mt__call *call = mt__current_call;
	if (text == NULL)
		text = "";
	if (call != NULL) {
		call->status = status;
		call->written = 1;
		copy_text(call->text, text);
		return;
	}
	pthread_mutex_lock(&worker.lock);
	worker.written = 1;
	copy_text(worker.text, text);
	pthread_mutex_unlock(&worker.lock);
}

const char *mt__call_message(const struct mt__call *call, char *buffer, size_t size) {
	buffer[0] = '\0';
	if (call->written && call->text[0] != '\0') {
		snprintf(buffer, size, "%s", call->text);
		return buffer;
	}
	pthread_mutex_lock(&worker.lock);
	if (worker.written)
		snprintf(buffer, size, "%s", worker.text);
	worker.written = 0;
	pthread_mutex_unlock(&worker.lock);
	return buffer;
}

mt_status mt__call_status(int32_t result) {
	return result >= MT_OK && result < MT_STATUS_END_ ? result : MT_E_PLUGIN;
}

const struct mt_host_api mt__host_api = {
	.struct_size = sizeof(struct mt_host_api),
	.abi_major = MT_ABI_MAJOR,
	.abi_minor = MT_ABI_MINOR,
	.log = host_log,
	.set_error = host_set_error,
	.scratch = mt__queue_scratch,
	.thread_budget = mt__thread_budget,
};
