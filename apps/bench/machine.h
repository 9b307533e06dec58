/* The machine and the build, as a report tells them. */
#ifndef APPS_BENCH_MACHINE_H
#define APPS_BENCH_MACHINE_H

#include <jansson.h>

json_t *bench_machine(void); /* "machine" of report.h; NULL when out of memory */
json_t *bench_build(void);   /* "build" */

#endif
