/* An allocator for libmt that fails on demand and counts what is not freed. */
#ifndef FAILING_H
#define FAILING_H

#include "mt/mt.h"

extern long failing_countdown;   /* allocations until one fails; negative: none does */
extern long failing_outstanding; /* allocations not freed */

/* Makes it libmt's: before any other call of libmt's. */
void failing_install(void);

/* run with allocation n failing: it succeeds or says why not, and nothing of it stays.  1 where n was not reached. */
int failing_run(mt_status (*run)(void), long n);

#endif
