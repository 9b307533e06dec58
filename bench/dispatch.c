/* What dispatch costs, in instructions: an op on omp, 0-d add above all, and the end of its scope.
 *
 *     make bench/dispatch && bench/dispatch
 *
 * runs itself under valgrind --tool=callgrind with N and with 2 N rounds, and prints the difference over N: exactly what a
 * round executes, whatever the start of the process costs.  A round is
 *
 *     scope begin, y = a + b, scope end (y, its buffer and, with a gradient, its node are given back)
 *
 * and "in a scope of 64" the same with one scope around 64 adds, for each of them; products are of 32 × 32 matrices.
 * "op, end" is what runs inside of the op and mt_scope_end, "kernel" the part of it below the plugin's function, "libmt"
 * the rest of it; "round" is all: the scope's beginning and this program's own loop too.  Valgrind has no AVX-512, so that the plugin is held to
 * AVX2 (MT_MAX_ISA); libmt's own code is the same at every level.  The counts are exact, not timings: they are the same
 * on a busy machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mt/mt.h"

enum { ROUNDS = 300, BATCH = 64, EXTENT = 32 /* of matrices */ };

/* ---- what is counted ---------------------------------------------------------------------------------------------- */

static mt_tensor *linear(mt_tensor *a, mt_tensor *b) {
	return mt_linear(a, b, MT_NONE);
}

struct count_case {
	const char *name, *says;
	mt_tensor *(*op)(mt_tensor *a, mt_tensor *b);
	int rank, requires_grad, ops; /* ops in one scope */
};

static const struct count_case cases[] = {
	{"add", "a scope with one add", mt_add, 0, 0, 1},
	{"add-batch", "an add in a scope of 64", mt_add, 0, 0, BATCH},
	{"add-grad", "a scope with one add, a requires a gradient", mt_add, 0, 1, 1},
	{"add-grad-batch", "an add in a scope of 64, a requires a gradient", mt_add, 0, 1, BATCH},
	{"matmul", "a scope with one matmul", mt_matmul, 2, 0, 1},
	{"matmul-grad", "a scope with one matmul, a requires a gradient", mt_matmul, 2, 1, 1},
	{"linear", "a scope with one linear, no bias", linear, 2, 0, 1},
	{"linear-grad", "a scope with one linear, x requires a gradient", linear, 2, 1, 1},
};
enum { N_CASES = sizeof cases / sizeof *cases };

static int failed(const char *what) {
	fprintf(stderr, "dispatch: %s: %s\n", what, mt_error_take(NULL));
	return 1;
}

static int run_rounds(const struct count_case *c, mt_tensor *a, mt_tensor *b, long ops) {
	for (long done = 0; done < ops; done += c->ops) {
		mt_scope *scope = mt_scope_begin();
		for (int i = 0; i < c->ops; i++)
			if (c->op(a, b) == NULL)
				return failed(c->name);
		mt_scope_end(scope);
	}
	return 0;
}

static int run_case(const struct count_case *c, long ops) {
	mt_device *device = mt_device_open("omp:threads=1");
	if (device == NULL || mt_device_use(device) != MT_OK)
		return failed("omp");
	static const int64_t shape[2] = {EXTENT, EXTENT};
	mt_tensor *a = mt_full(c->rank, shape, MT_F32, mt_f(1)), *b = mt_full(c->rank, shape, MT_F32, mt_f(2));
	if (a == NULL || b == NULL || (c->requires_grad && mt_requires_grad_(a, 1) == NULL))
		return failed("tensors");
	return run_rounds(c, a, b, ops);
}

/* ---- counting ----------------------------------------------------------------------------------------------------- */

/* What callgrind is to count: everything; an op and the end of its scope; the kernel. */
static const char whole_round[] = "",
				  op_and_end[] = "--toggle-collect=mt_add --toggle-collect=mt_matmul --toggle-collect=mt_linear "
								 "--toggle-collect=mt_scope_end",
				  kernel_alone[] = "--toggle-collect=mt__omp_zip_avx2 --toggle-collect=mt__omp_matmul_avx2";

/* Instructions of the process that runs ops of a case; inside: the options that say which.  -1 where it cannot be
 * told. */
static long long instructions(const char *program, const char *name, long ops, const char *inside) {
	char command[4096], line[1024];
	long long counted = -1;
	snprintf(command, sizeof command,
	         "MT_MAX_ISA=avx2 valgrind --tool=callgrind --callgrind-out-file=/dev/null %s '%s' %s %ld 2>&1", inside,
	         program, name, ops);
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

static double difference(const char *program, const struct count_case *c, const char *inside) {
	long ops = (long)ROUNDS * c->ops;
	long long once = instructions(program, c->name, ops, inside);
	long long twice = instructions(program, c->name, 2 * ops, inside);
	return once < 0 || twice < 0 ? -1 : (double)(twice - once) / (double)ops;
}

static int count_all(void) {
	char program[2048];
	ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
	if (length < 0)
		return 1;
	program[length] = '\0';
	printf("%-48s %10s %10s %10s %10s\n", "instructions", "op, end", "kernel", "libmt", "round");
	for (int i = 0; i < N_CASES; i++) {
		double inside = difference(program, &cases[i], op_and_end);
		double kernel = difference(program, &cases[i], kernel_alone);
		double all = difference(program, &cases[i], whole_round);
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
	fprintf(stderr, "usage: dispatch                counts\n       dispatch CASE OPS      runs a case: add, matmul or "
	                "linear, with -grad, or add with -batch or -grad-batch\n");
	return 2;
}
