/* An allocator for libmt that fails on demand and counts what is not freed. */
#ifndef FAILING_H
#define FAILING_H

extern long failing_countdown;   /* allocations until one fails; negative: none does */
extern long failing_outstanding; /* allocations not freed */

/* Makes it libmt's: before any other call of libmt's. */
void failing_install(void);

#endif
