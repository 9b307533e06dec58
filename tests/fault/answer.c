/* Faults of the answer itself. */
#include <stdlib.h>
#include <unistd.h>

#include "fault.h"

void fault_accepts_any_index(struct fault_call *c) {
	if (fault_inner(c) == MT_E_ARG)
		c->status = MT_OK;
}

void fault_always_refuses(struct fault_call *c) {
	fault_refuse(c, MT_E_UNSUPPORTED, "fault: this layout is not supported");
}

void fault_refuses_late(struct fault_call *c) {
	if (fault_inner(c) == MT_OK)
		fault_refuse(c, MT_E_UNSUPPORTED, "fault: this layout is not supported");
}

void fault_refuses_silently(struct fault_call *c) {
	c->status = MT_E_UNSUPPORTED;
}

void fault_fails(struct fault_call *c) {
	fault_refuse(c, MT_E_INTERNAL, "fault: the call failed");
}

void fault_crashes(struct fault_call *c) {
	(void)c;
	abort();
}

void fault_exits(struct fault_call *c) {
	(void)c;
	_exit(0);
}

void fault_hangs(struct fault_call *c) {
	(void)c;
	for (;;)
		pause();
}
