/* Lists of cases. */
#include <stdlib.h>

#include "bench/case.h"

int bench_cases_add(struct bench_cases *cases, const struct bench_case *c) {
	if (cases->n == cases->room) {
		int64_t room = cases->room > 0 ? 2 * cases->room : 128;
		struct bench_case *list = realloc(cases->list, (size_t)room * sizeof *list);
		if (list == NULL)
			return -1;
		cases->list = list;
		cases->room = room;
	}
	cases->list[cases->n++] = *c;
	return 0;
}

void bench_cases_free(struct bench_cases *cases) {
	free(cases->list);
	*cases = (struct bench_cases){0};
}
