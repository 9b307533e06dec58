/* Matrix products through CBLAS as a peer's work, whichever library has it. */
#ifndef BENCH_PEERS_BLAS_H
#define BENCH_PEERS_BLAS_H

#include "peer.h"

/* CBLAS's own numbers. */
enum { BLAS_ROW_MAJOR = 101, BLAS_PLAIN = 111, BLAS_TURNED = 112 };

/* One row-major product c = a @ b as the library does it; turned: the matrix lies in memory as its transpose. */
struct blas_call {
	int a_turned, b_turned, m, n, k, lda, ldb, batch;
	const void *a, *b;
	void *c;
};

struct blas {
	void (*sgemm)(const struct blas_call *call), (*dgemm)(const struct blas_call *call);
	/* All products of a batch of f32 at once, as if one after another; NULL: the library has no such call. */
	void (*sgemm_batch)(const struct blas_call *call);
};

/* For struct peer's prepare. */
enum peer_answer blas_prepare(const struct blas *blas, const struct peer_case *c, struct peer_work *work, char *why,
                              int size);

#endif
