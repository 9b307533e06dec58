/* mt-conformance: whether a plugin computes what plugin.h says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case_id.h"
#include "families.h"
#include "run.h"

static struct cf_host hosts[3];
static int n_hosts, n_passed, n_refused, n_failed, n_missing, n_invalid;
static const char *only;

static void show(const struct cf_case *c, const struct cf_result *t) {
	char id[CF_ID_SIZE];
	cf_case_id(id, sizeof id, c);
	printf("%s %s: %s", t->outcome == CF_FAILED ? "FAILED" : "refused", id, t->words);
	if (t->output[0] != '\0')
		printf(": %s%s got %s, expected %s, error %s, tolerance %s", t->output, t->index, t->got, t->expected, t->error,
		       t->tolerance);
	printf("\n");
}

static void run_one(const struct cf_case *given, void *context) {
	struct cf_case c = *given;
	struct cf_result result;
	char label[96], id[CF_ID_SIZE], words[256];
	struct cf_case again;
	c.family = context;
	cf_op_label(label, sizeof label, c.family, cf_op_of(c.family, c.op));
	if (only != NULL && strstr(label, only) == NULL)
		return;
	if (c.seed == 0)
		c.seed = cf_case_seed(&c, 1);
	cf_case_id(id, sizeof id, &c);
	if (!cf_case_valid(&c) || !cf_case_parse(&again, id, words, sizeof words) || memcmp(&again, &c, sizeof c) != 0) {
		printf("INVALID %s\n", id);
		n_invalid++;
		return;
	}
	if (!cf_claims(hosts[0].api, c.family->kernel, c.op % CF_MODE, c.dtype, 0)) {
		n_missing++;
		return;
	}
	cf_run_case(hosts, n_hosts, &c, &result);
	n_passed += result.outcome == CF_PASSED;
	n_refused += result.outcome == CF_REFUSED;
	n_failed += result.outcome == CF_FAILED;
	if (result.outcome != CF_PASSED)
		show(&c, &result);
}

int main(int argc, char **argv) {
	struct cf_target target = {.name = argv[1], .path = argv[1]};
	int random = argc > 3 ? atoi(argv[3]) : 0;
	only = argc > 2 ? argv[2] : NULL;
	if (argc < 2 || !cf_host_open(&hosts[n_hosts++], &target, NULL)) {
		fprintf(stderr, "usage: mt-conformance PLUGIN.so [OP] [RANDOM]: %s\n", cf_error());
		return 2;
	}
	if (strstr(target.path, "omp") != NULL) {
		static const char *const threads[] = {"1", "2", "3"};
		cf_host_close(&hosts[0]);
		for (n_hosts = 0; n_hosts < 3; n_hosts++)
			if (!cf_host_open(&hosts[n_hosts], &target, threads[n_hosts]))
				return 2;
	}
	for (int32_t k = 1; k < MT_K_END_; k++) {
		const struct cf_family *f = cf_family_of(k);
		if (f == NULL)
			continue;
		f->each(run_one, (void *)f);
		for (int i = 0; i < random; i++) {
			struct cf_random r = {cf_hash(f->name) ^ (uint64_t)i};
			struct cf_case c = {.family = f};
			const struct cf_op *op = &f->ops[cf_random_integer(&r, 0, f->n_ops - 1)];
			c.op = op->id;
			do
				c.dtype = (int32_t)cf_random_integer(&r, 1, MT_DTYPE_END_ - 1);
			while (!(op->dtypes & MT_DTYPE_BIT(c.dtype)));
			while (f->sides != 0 && !(c.side > 0 && (f->sides & MT_DTYPE_BIT(c.side))))
				c.side = (int32_t)cf_random_integer(&r, 1, MT_DTYPE_END_ - 1);
			do
				c.data = (int32_t)cf_random_integer(&r, 0, CF_DATA_END - 1);
			while (!(f->data & (1u << c.data)));
			c.in = (int32_t)cf_random_integer(&r, 0, CF_IN_LAYOUTS - 1);
			c.out = (int32_t)cf_random_integer(&r, 0, CF_OUT_LAYOUTS - 1);
			for (int p = 0; p < f->n_params; p++)
				c.param[p] = f->params[p].simplest;
			f->draw(&r, &c);
			c.seed = cf_random_bits(&r) >> 32;
			run_one(&c, (void *)f);
		}
	}
	printf("%d passed, %d refused, %d failed, %d not claimed, %d invalid\n", n_passed, n_refused, n_failed, n_missing,
	       n_invalid);
	for (int i = 0; i < n_hosts; i++)
		cf_host_close(&hosts[i]);
	return n_failed > 0 || n_invalid > 0 || n_passed == 0;
}
