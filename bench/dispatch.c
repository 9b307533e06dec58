/* What dispatch costs, in instructions: a 0-d add on omp, and the end of its scope.
 *
 *     make bench/dispatch && bench/dispatch
 *
 * runs itself under valgrind --tool=callgrind with N and with 2 N rounds, and prints the difference over N: exactly what a
 * round executes, whatever the start of the process costs.  A round is
 *
 *     scope begin, y = a + b, scope end (y, its buffer and, with a gradient, its node are given back)
 *
 * and "in a scope of 64" the same with one scope around 64 adds, for each of them.  "add, end" is what runs inside of
 * mt_add and mt_scope_end, "kernel" the part of it below the plugin's zip function, "libmt" the rest of it; "round" is
 * all: the scope's beginning and this program's own loop too.  Valgrind has no AVX-512, so that the plugin is held to
 * AVX2 (MT_MAX_ISA); libmt's own code is the same at every level.  The counts are exact, not timings: they are the same
 * on a busy machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mt/mt.h"

enum { ROUNDS = 300, BATCH = 64 };

/* ---- what is counted ---------------------------------------------------------------------------------------------- */

struct count_case {
	const char *name, *says;
	int requires_grad, adds; /* adds in one scope */
};

static const struct count_case cases[] = {
	{"add", "a scope with one add", 0, 1},
	{"add-batch", "an add in a scope of 64", 0, BATCH},
	{"add-grad", "a scope with one add, a requires a gradient", 1, 1},
	{"add-grad-batch", "an add in a scope of 64, a requires a gradient", 1, BATCH},
};
enum { N_CASES = sizeof cases / sizeof *cases };

static int failed(const char *what) {
	fprintf(stderr, "dispatch: %s: %s\n", what, mt_error_take(NULL));
	return 1;
}

static int run_rounds(const struct count_case *c, mt_tensor *a, mt_tensor *b, long adds) {
	for (long done = 0; done < adds; done += c->adds) {
		mt_scope *scope = mt_scope_begin();
		for (int i = 0; i < c->adds; i++)
			if (mt_add(a, b) == NULL)
				return failed("add");
		mt_scope_end(scope);
	}
	return 0;
}

static int run_case(const struct count_case *c, long adds) {
	mt_device *device = mt_device_open("omp:threads=1");
	if (device == NULL || mt_device_use(device) != MT_OK)
		return failed("omp");
	mt_tensor *a = mt_full(0, NULL, MT_F32, mt_f(1)), *b = mt_full(0, NULL, MT_F32, mt_f(2));
	if (a == NULL || b == NULL || (c->requires_grad && mt_requires_grad_(a, 1) == NULL))
		return failed("tensors");
	return run_rounds(c, a, b, adds);
}

/* ---- counting ----------------------------------------------------------------------------------------------------- */

/* What callgrind is to count: everything; an add and the end of its scope; the kernel. */
static const char whole_round[] = "", add_and_end[] = "--toggle-collect=mt_add --toggle-collect=mt_scope_end",
				  kernel_alone[] = "--toggle-collect=mt__omp_zip_avx2";

/* Instructions of the process that runs adds of a case; inside: the options that say which.  -1 where it cannot be
 * told. */
static long long instructions(const char *program, const char *name, long adds, const char *inside) {
	char command[4096], line[1024];
	long long counted = -1;
	snprintf(command, sizeof command,
	         "MT_MAX_ISA=avx2 valgrind --tool=callgrind --callgrind-out-file=/dev/null %s '%s' %s %ld 2>&1", inside,
	         program, name, adds);
	FILE *out = popen(command, "r");
	if (out == NULL)
		return -1;
	while (fgets(line, sizeof line, out) != NULL) {
		const char *at = strstr(line, "Collected :");
		if (at != NULL)
			counted = strtoll(at + strlen("Collected :"), NULL, 10);
	}
	return pclose(out) == 0 ? counted : -1;
}

static double difference(const char *program, const char *name, const char *inside) {
	long long once = instructions(program, name, ROUNDS * BATCH, inside);
	long long twice = instructions(program, name, 2L * ROUNDS * BATCH, inside);
	return once < 0 || twice < 0 ? -1 : (double)(twice - once) / (ROUNDS * BATCH);
}

static int count_all(void) {
	char program[2048];
	ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
	if (length < 0)
		return 1;
	program[length] = '\0';
	printf("%-48s %10s %10s %10s %10s\n", "instructions", "add, end", "kernel", "libmt", "round");
	for (int i = 0; i < N_CASES; i++) {
		double inside = difference(program, cases[i].name, add_and_end);
		double kernel = difference(program, cases[i].name, kernel_alone);
		double all = difference(program, cases[i].name, whole_round);
		if (inside < 0 || kernel < 0 || all < 0) {
			fprintf(stderr, "dispatch: valgrind could not run it; it is needed for counting\n");
			return 1;
		}
		printf("%-48s %10.1f %10.1f %10.1f %10.1f\n", cases[i].says, inside, kernel, inside - kernel, all);
	}
	return 0;
}

int main(int argc, char **argv) {
	if (argc == 1)
		return count_all();
	for (int i = 0; argc == 3 && i < N_CASES; i++)
		if (strcmp(argv[1], cases[i].name) == 0)
			return run_case(&cases[i], strtol(argv[2], NULL, 10));
	fprintf(stderr, "usage: dispatch                counts\n       dispatch CASE ADDS     runs a case: add, add-batch, "
	                "add-grad or add-grad-batch\n");
	return 2;
}
