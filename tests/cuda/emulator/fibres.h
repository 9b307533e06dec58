/* Fibres: functions with stacks of their own that give way to one another without the kernel's help. */
#ifndef MT_EMULATOR_FIBRES_H
#define MT_EMULATOR_FIBRES_H

namespace mt_emulated {

struct fibre; /* what makes a stack: made once, used for one body() after another */

/* A fibre that is at rest, NULL where there is no memory.  Up to 1024 can be had. */
fibre *take_fibre();

/* Runs body on a fibre that is at rest, or goes on where it left, until it leaves; true where body has returned: the
 * fibre is then at rest and may be taken by someone else.  Only outside of fibres. */
bool enter_fibre(fibre *f, void (*body)());

/* Goes back to who entered this fibre. */
void leave_fibre();

} // namespace mt_emulated

#endif
