/* Matrix products through CBLAS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blas.h"

struct product {
	const struct blas *blas;
	struct blas_call call;
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
	struct blas_call call = p->call;
	if (call.batch > 1 && !p->is_double && p->blas->sgemm_batch != NULL) {
		p->blas->sgemm_batch(&call);
		return 0;
	}
	size_t width = p->is_double ? sizeof(double) : sizeof(float);
	for (int i = 0; i < p->call.batch; i++) {
		size_t at = (size_t)i * width;
		call.a = (const char *)p->a + at * (size_t)call.m * (size_t)call.k;
		call.b = (const char *)p->b + at * (size_t)call.k * (size_t)call.n;
		call.c = (char *)p->c + at * (size_t)call.m * (size_t)call.n;
		(p->is_double ? p->blas->dgemm : p->blas->sgemm)(&call);
	}
	return 0;
}

static const void *product_result(void *state, int64_t *n, int *is_double) {
	const struct product *p = state;
	*n = (int64_t)p->call.batch * p->call.m * p->call.n;
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

static int ends_with(const char *op, const char *end) {
	size_t n = strlen(op), e = strlen(end);
	return n > e && strcmp(op + n - e, end) == 0;
}

/* NULL when out of memory. */
static struct product *product_new(const struct blas *blas, const struct peer_case *c, const struct peer_product *e) {
	int is_double = strcmp(c->dtype, "f64") == 0;
	int a_turned = ends_with(c->op, "_tn") || ends_with(c->op, "_tt");
	int b_turned = ends_with(c->op, "_nt") || ends_with(c->op, "_tt");
	int64_t batch = e->b > 0 ? e->b : 1;
	struct product *p = malloc(sizeof *p);
	if (p == NULL)
		return NULL;
	*p = (struct product){.blas = blas, .is_double = is_double};
	p->a = numbers(batch * e->m * e->k, is_double, 0);
	p->b = numbers(batch * e->k * e->n, is_double, 1);
	p->c = numbers(batch * e->m * e->n, is_double, 2);
	p->call = (struct blas_call){.a_turned = a_turned,
	                             .b_turned = b_turned,
	                             .m = (int)e->m,
	                             .n = (int)e->n,
	                             .k = (int)e->k,
	                             .lda = (int)(a_turned ? e->m : e->k),
	                             .ldb = (int)(b_turned ? e->k : e->n),
	                             .batch = (int)batch,
	                             .a = p->a,
	                             .b = p->b,
	                             .c = p->c};
	if (p->a != NULL && p->b != NULL && p->c != NULL)
		return p;
	product_free(p);
	return NULL;
}

static int is_asked(const struct peer_case *c) {
	static const char *const ops[] = {"matmul",    "matmul_skinny", "matmul_batched",
	                                  "matmul_nt", "matmul_tn",     "matmul_tt"};
	int known = 0;
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		known |= strcmp(c->op, ops[i]) == 0;
	return known && (strcmp(c->dtype, "f32") == 0 || strcmp(c->dtype, "f64") == 0);
}

enum peer_answer blas_prepare(const struct blas *blas, const struct peer_case *c, struct peer_work *work, char *why,
                              int size) {
	struct peer_product e;
	if (!is_asked(c))
		return PEER_NOT_ASKED;
	if (!peer_product_of(c, &e)) {
		snprintf(why, (size_t)size, "the size '%s' has no m, k and n", c->size);
		return PEER_UNAVAILABLE;
	}
	struct product *p = product_new(blas, c, &e);
	if (p == NULL) {
		snprintf(why, (size_t)size, "out of memory");
		return PEER_FAILED;
	}
	*work = (struct peer_work){p, product_run, product_result, product_free};
	return PEER_READY;
}
