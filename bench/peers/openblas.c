/* OpenBLAS as a peer of mt-bench: matrix products, through CBLAS. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

struct product {
	int64_t batch, m, k, n;
	CBLAS_TRANSPOSE a_turned, b_turned;
	int is_double;
	void *a, *b, *c;
};

static void product_free(void *state) {
	struct product *p = state;
	free(p->a);
	free(p->b);
	free(p->c);
	free(p);
}

static int product_run(void *state) {
	const struct product *p = state;
	blasint m = (blasint)p->m, k = (blasint)p->k, n = (blasint)p->n;
	blasint lda = p->a_turned == CblasTrans ? m : k, ldb = p->b_turned == CblasTrans ? k : n;
	for (int64_t i = 0; i < p->batch; i++) {
		int64_t a = i * p->m * p->k, b = i * p->k * p->n, c = i * p->m * p->n;
		if (p->is_double)
			cblas_dgemm(CblasRowMajor, p->a_turned, p->b_turned, m, n, k, 1, (double *)p->a + a, lda,
			            (double *)p->b + b, ldb, 0, (double *)p->c + c, n);
		else
			cblas_sgemm(CblasRowMajor, p->a_turned, p->b_turned, m, n, k, 1, (float *)p->a + a, lda, (float *)p->b + b,
			            ldb, 0, (float *)p->c + c, n);
	}
	return 0;
}

static const void *product_result(void *state, int64_t *n, int *is_double) {
	const struct product *p = state;
	*n = p->batch * p->m * p->n;
	*is_double = p->is_double;
	return p->c;
}

static void *numbers(int64_t n, int is_double, int tensor) {
	void *x = malloc((size_t)n * (is_double ? sizeof(double) : sizeof(float)));
	if (x != NULL && is_double)
		peer_uniform_f64(x, n, tensor);
	else if (x != NULL)
		peer_uniform(x, n, tensor);
	return x;
}

/* NULL when out of memory. */
static struct product *product_new(const struct peer_case *c, const struct peer_product *e) {
	int is_double = strcmp(c->dtype, "f64") == 0;
	struct product *p = malloc(sizeof *p);
	if (p == NULL)
		return NULL;
	*p = (struct product){.batch = e->b > 0 ? e->b : 1, .m = e->m, .k = e->k, .n = e->n, .is_double = is_double};
	p->a_turned = strcmp(c->op, "matmul_tn") == 0 ? CblasTrans : CblasNoTrans;
	p->b_turned = strcmp(c->op, "matmul_nt") == 0 ? CblasTrans : CblasNoTrans;
	p->a = numbers(p->batch * p->m * p->k, is_double, 0);
	p->b = numbers(p->batch * p->k * p->n, is_double, 1);
	p->c = numbers(p->batch * p->m * p->n, is_double, 2);
	if (p->a != NULL && p->b != NULL && p->c != NULL)
		return p;
	product_free(p);
	return NULL;
}

static int is_asked(const struct peer_case *c) {
	static const char *const ops[] = {"matmul", "matmul_skinny", "matmul_batched", "matmul_nt", "matmul_tn"};
	int known = 0;
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		known |= strcmp(c->op, ops[i]) == 0;
	return known && (strcmp(c->dtype, "f32") == 0 || strcmp(c->dtype, "f64") == 0);
}

static enum peer_answer prepare(const struct peer_case *c, struct peer_work *work, char *why, int size) {
	struct peer_product e;
	if (!is_asked(c))
		return PEER_NOT_ASKED;
	if (!peer_product_of(c, &e)) {
		snprintf(why, (size_t)size, "the size '%s' has no m, k and n", c->size);
		return PEER_UNAVAILABLE;
	}
	struct product *p = product_new(c, &e);
	if (p == NULL) {
		snprintf(why, (size_t)size, "out of memory");
		return PEER_FAILED;
	}
	*work = (struct peer_work){p, product_run, product_result, product_free};
	return PEER_READY;
}

int main(int argc, char **argv) {
	struct peer peer = {
		.program = "openblas", .name = "openblas", .set_threads = openblas_set_num_threads, .prepare = prepare};
	snprintf(peer.device, sizeof peer.device, "%.90s", openblas_get_config());
	peer.device[strcspn(peer.device, "\n")] = '\0';
	return peer_main(&peer, argc, argv);
}
