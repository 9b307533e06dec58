/* Child processes that load the plugin.  The parent never does: what crashes, hangs or exits is a child. */
#ifndef CONFORMANCE_WORKER_H
#define CONFORMANCE_WORKER_H

#include <sys/types.h>

#include "plan.h"

enum { CF_MAX_JOBS = 256 };

/* One process.  It runs what it is sent, one request at a time. */
struct cf_worker {
	pid_t pid; /* 0: none */
	int fd;
	size_t have; /* bytes of the reply that have come */
	struct cf_result reply;
};

/* Starts a process for the target; 0 with a reason in words when the system refuses. */
int cf_worker_start(struct cf_worker *w, const struct cf_target *target, char *words, size_t size);

/* Sends it a check or a case.  A process that has died is noticed when its answer is read. */
void cf_worker_send(struct cf_worker *w, const struct cf_structure *check, const struct cf_case *c);

enum cf_reply { CF_REPLY_PART, CF_REPLY_WHOLE, CF_REPLY_ENDED };

/* Reads what is there.  WHOLE: w->reply is the result. */
enum cf_reply cf_worker_read(struct cf_worker *w);

/* Tells it that there is no more; it closes its devices and ends, seen as CF_REPLY_ENDED. */
void cf_worker_finish(struct cf_worker *w);

/* Takes an ended process away: 1 where it ended as it should, else 0 with "killed by SIGSEGV" in words. */
int cf_worker_reap(struct cf_worker *w, char *words, size_t size);

void cf_worker_kill(struct cf_worker *w);

/* Runs fn in a process of its own and takes over what it writes into memory of that size; seconds: how long it may take.
 * 1, or 0 with what became of it in words. */
int cf_in_child(int (*fn)(void *memory, const void *context), void *memory, size_t bytes, const void *context,
                int64_t seconds, char *words, size_t size);

#endif
