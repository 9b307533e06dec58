/* The bracket around every call into a plugin: it catches what the plugin says through set_error. */
#ifndef MT_BACKEND_CALL_H
#define MT_BACKEND_CALL_H

#include "mt/status.h"

#define MT__CALL_TEXT 512

struct mt__call {
	struct mt__call *outer; /* a kernel may call scratch, which may call alloc */
	int32_t status;
	int32_t written;
	char text[MT__CALL_TEXT];
};

/* The call this thread is in.  The initial-exec model saves a function call on the way to every kernel; the variable is
 * one pointer, so it fits the reserve that a dlopened libmt is given. */
extern _Thread_local struct mt__call *mt__current_call __attribute__((tls_model("initial-exec")));

static inline void mt__call_begin(struct mt__call *call) {
	call->written = 0;
	call->outer = mt__current_call;
	mt__current_call = call;
}

static inline void mt__call_end(const struct mt__call *call) {
	mt__current_call = call->outer;
}

/* What the plugin said about a call that failed: into buffer, "" when nothing.  Also finds what another thread of the
 * plugin said meanwhile. */
const char *mt__call_message(const struct mt__call *call, char *buffer, size_t size);

/* A plugin's result as one of our codes: MT_E_PLUGIN where it is none. */
mt_status mt__call_status(int32_t result);

/* The host's side of the ABI, for every plugin. */
extern const struct mt_host_api mt__host_api;

/* threads.c: how many threads the process should use. */
int32_t mt__thread_budget(void);

/* device.c: scratch of a queue (host.c hands it on). */
void *mt__queue_scratch(mt_host_queue *queue, uint64_t bytes);

#endif
