/* Faults of a kernel that does not come back as it should. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"
#include "faults.h"

int32_t fault_crashes(struct fault_call *c) {
	(void)c;
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
	return MT_OK;
}

int32_t fault_exits(struct fault_call *c) {
	(void)c;
	exit(0);
}

int32_t fault_hangs(struct fault_call *c) {
	(void)c;
	for (;;)
		pause();
}

int32_t fault_fails(struct fault_call *c) {
	(void)c;
	fault_host->set_error(MT_E_INTERNAL, "the fault plugin does not feel like it");
	return MT_E_INTERNAL;
}

int32_t fault_refuses(struct fault_call *c) {
	(void)c;
	fault_host->set_error(MT_E_UNSUPPORTED, "no layout is good enough");
	return MT_E_UNSUPPORTED;
}

int32_t fault_refuses_mutely(struct fault_call *c) {
	(void)c;
	return MT_E_UNSUPPORTED;
}

int32_t fault_refuses_late(struct fault_call *c) {
	fault_forward(c);
	return fault_refuses(c);
}

/* The layout of stride 2 is refused: no failure, but a partial kernel. */
int32_t fault_refuses_steps(struct fault_call *c) {
	const mt_array *out = fault_output(c);
	if (out->rank > 0 && (out->stride[out->rank - 1] == 2 || out->stride[out->rank - 1] == -2)) {
		fault_host->set_error(MT_E_UNSUPPORTED, "no steps of 2");
		return MT_E_UNSUPPORTED;
	}
	return fault_forward(c);
}

int32_t fault_overruns_scratch(struct fault_call *c) {
	unsigned char *p = fault_scratch(c->queue, 1000);
	int32_t status = fault_forward(c);
	if (p != NULL)
		p[1000] = 1;
	return status;
}

int32_t fault_scratch_twice(struct fault_call *c) {
	fault_scratch(c->queue, 100);
	fault_scratch(c->queue, 100000);
	return fault_forward(c);
}
