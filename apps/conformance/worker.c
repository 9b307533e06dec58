#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

#include "families.h"

struct request {
	const struct cf_structure *check; /* the child is a copy of this process: pointers mean the same in both */
	struct cf_case c;
};

/* The parent's ends of all that run: a child closes those it inherits, so that the others see when theirs is closed. */
static int parent_fds[CF_MAX_JOBS + 1];
static int n_parent_fds;

static void forget_fd(int fd) {
	for (int i = 0; i < n_parent_fds; i++)
		if (parent_fds[i] == fd)
			parent_fds[i--] = parent_fds[--n_parent_fds];
}

/* 1 when all bytes went or came; 0 at the end of the stream or an error. */
static int whole(int fd, void *bytes, size_t size, int sending) {
	char *at = bytes;
	while (size > 0) {
		ssize_t n = sending ? send(fd, at, size, MSG_NOSIGNAL) : read(fd, at, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		at += n;
		size -= (size_t)n;
	}
	return 1;
}

/* ---- the child ---- */

static void become_child(void) {
	for (int i = 0; i < n_parent_fds; i++)
		close(parent_fds[i]);
#if defined(__linux__)
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	const struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);      /* shrinking a crash makes it happen many times */
	dup2(STDERR_FILENO, STDOUT_FILENO); /* whatever a plugin prints does not end up in the report */
}

/* Whether a device goes on after a case that failed: what a kernel broke on a GPU stays broken for the process, and would
 * fail every case after it.  What the first call tells may be that case's own. */
static int is_lost(struct cf_host *h) {
	(void)h->api->synchronize(h->queue);
	return h->api->synchronize(h->queue) != MT_OK;
}

static void answer(const struct request *q, struct cf_host *hosts, int *n_hosts, const struct cf_target *target,
                   struct cf_result *result) {
	*result = (struct cf_result){.outcome = CF_PASSED};
	if (q->check != NULL) {
		cf_structure_run(q->check, target, result);
		return;
	}
	if (*n_hosts == 0)
		*n_hosts = cf_open_hosts(hosts, target);
	if (*n_hosts == 0) {
		result->outcome = CF_FAILED;
		snprintf(result->words, sizeof result->words, "%s", cf_error());
	} else if (!cf_case_valid(&q->c)) {
		result->outcome = CF_FAILED;
		snprintf(result->words, sizeof result->words, "mt-conformance itself is wrong: not a legal case");
	} else {
		cf_run_case(hosts, *n_hosts, &q->c, result);
		for (int i = 0; i < *n_hosts && result->outcome == CF_FAILED && !result->lost; i++)
			result->lost = is_lost(&hosts[i]);
	}
}

static void serve(int fd, const struct cf_target *target) {
	struct cf_host hosts[CF_MAX_HOSTS];
	struct request q;
	struct cf_result result;
	int n_hosts = 0;
	while (whole(fd, &q, sizeof q, 0)) {
		answer(&q, hosts, &n_hosts, target, &result);
		if (!whole(fd, &result, sizeof result, 1))
			break;
	}
	for (int i = 0; i < n_hosts; i++)
		cf_host_close(&hosts[i]);
}

/* ---- the parent ---- */

/* Forks with a socket between; in the child fd is its end, and 0 is returned. */
static pid_t fork_with_socket(int *fd) {
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		return -1;
	fflush(NULL);
	pid_t pid = fork();
	*fd = ends[pid == 0];
	close(ends[pid != 0]);
	if (pid < 0)
		close(*fd);
	if (pid > 0 && n_parent_fds <= CF_MAX_JOBS)
		parent_fds[n_parent_fds++] = *fd;
	if (pid == 0)
		become_child();
	return pid;
}

static int64_t now_ms(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int cf_worker_start(struct cf_worker *w, const struct cf_target *target, char *words, size_t size) {
	*w = (struct cf_worker){.fd = -1};
	pid_t pid = fork_with_socket(&w->fd);
	if (pid == 0) {
		serve(w->fd, target);
		exit(EXIT_SUCCESS); /* with what plugins registered for the end of the process */
	}
	if (pid < 0) {
		snprintf(words, size, "a process cannot be started: %s", strerror(errno));
		return 0;
	}
	w->pid = pid;
	return 1;
}

void cf_worker_send(struct cf_worker *w, const struct cf_structure *check, const struct cf_case *c) {
	struct request q = {.check = check};
	if (c != NULL)
		q.c = *c;
	w->have = 0;
	(void)whole(w->fd, &q, sizeof q, 1);
}

enum cf_reply cf_worker_read(struct cf_worker *w) {
	ssize_t n = read(w->fd, (char *)&w->reply + w->have, sizeof w->reply - w->have);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return CF_REPLY_PART;
	if (n <= 0)
		return CF_REPLY_ENDED;
	w->have += (size_t)n;
	if (w->have < sizeof w->reply)
		return CF_REPLY_PART;
	w->have = 0;
	return CF_REPLY_WHOLE;
}

void cf_worker_finish(struct cf_worker *w) {
	shutdown(w->fd, SHUT_WR);
}

static int wait_for(pid_t pid, char *words, size_t size) {
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		snprintf(words, size, "the process was killed by signal %d (%s)", WTERMSIG(status),
		         strsignal(WTERMSIG(status)));
	else
		snprintf(words, size, "the process ended with status %d", WEXITSTATUS(status));
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

int cf_worker_reap(struct cf_worker *w, char *words, size_t size) {
	int ok = wait_for(w->pid, words, size);
	forget_fd(w->fd);
	close(w->fd);
	w->pid = 0;
	return ok;
}

void cf_worker_kill(struct cf_worker *w) {
	char words[128];
	if (w->pid == 0)
		return;
	kill(w->pid, SIGKILL);
	cf_worker_reap(w, words, sizeof words);
}

/* Waits until the other end is closed; 0 when that takes longer. */
static int wait_end(int fd, int64_t seconds) {
	int64_t end = now_ms() + seconds * 1000;
	for (int64_t left = seconds * 1000; left > 0; left = end - now_ms()) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		char byte;
		if (poll(&p, 1, (int)(left < 3600000 ? left : 3600000)) > 0 && read(fd, &byte, 1) <= 0)
			return 1;
	}
	return 0;
}

int cf_in_child(int (*fn)(void *memory, const void *context), void *memory, size_t bytes, const void *context,
                int64_t seconds, char *words, size_t size) {
	struct cf_worker w = {.fd = -1};
	void *shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = shared != MAP_FAILED ? fork_with_socket(&w.fd) : -1;
	if (pid == 0)
		_exit(fn(shared, context) ? EXIT_SUCCESS : EXIT_FAILURE);
	int ok = pid > 0;
	if (!ok) {
		snprintf(words, size, "a process cannot be started: %s", strerror(errno));
	} else if (w.pid = pid, !wait_end(w.fd, seconds)) {
		cf_worker_kill(&w);
		snprintf(words, size, "no answer within %lld s", (long long)seconds);
		ok = 0;
	} else {
		ok = cf_worker_reap(&w, words, size);
	}
	if (shared != MAP_FAILED) {
		memcpy(memory, shared, bytes);
		munmap(shared, bytes);
	}
	return ok;
}
