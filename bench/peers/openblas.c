/* OpenBLAS as a peer of mt-bench: matrix products. */
#include <cblas.h>
#include <stdio.h>
#include <string.h>

#include "blas.h"

static CBLAS_TRANSPOSE side(int turned) {
	return turned ? CblasTrans : CblasNoTrans;
}

static void sgemm(const struct blas_call *c) {
	cblas_sgemm(CblasRowMajor, side(c->a_turned), side(c->b_turned), c->m, c->n, c->k, 1, c->a, c->lda, c->b, c->ldb, 0,
	            c->c, c->n);
}

static void dgemm(const struct blas_call *c) {
	cblas_dgemm(CblasRowMajor, side(c->a_turned), side(c->b_turned), c->m, c->n, c->k, 1, c->a, c->lda, c->b, c->ldb, 0,
	            c->c, c->n);
}

static enum peer_answer prepare(const struct peer_case *c, struct peer_work *work, char *why, int size) {
	static const struct blas openblas = {.sgemm = sgemm, .dgemm = dgemm};
	return blas_prepare(&openblas, c, work, why, size);
}

int main(int argc, char **argv) {
	struct peer peer = {
		.program = "openblas", .name = "openblas", .set_threads = openblas_set_num_threads, .prepare = prepare};
	snprintf(peer.device, sizeof peer.device, "%.90s", openblas_get_config());
	peer.device[strcspn(peer.device, "\n")] = '\0';
	return peer_main(&peer, argc, argv);
}
