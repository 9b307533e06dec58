/* What the peers in C share: the list of cases, their inputs, the clock, and the report (bench/report.h).
 *
 * A peer is one function, which prepares a case's work or says why there is none. */
#ifndef BENCH_PEERS_PEER_H
#define BENCH_PEERS_PEER_H

#include <stdint.h>

/* One line of mt-bench --list: "ops/matmul/f32/m=64,k=64,n=64". */
struct peer_case {
	char id[256], suite[64], op[64], dtype[16], size[128];
};

/* The number after name= in the size; missing where there is none. */
int64_t peer_number(const struct peer_case *c, const char *name, int64_t missing);

/* The extents of a product: "b=2,m=64,k=64,n=64", b 0 where there is none, or the seeds' "batch=2,n=64".  Whether the
 * size is one. */
struct peer_product {
	int64_t b, m, k, n;
};
int peer_product_of(const struct peer_case *c, struct peer_product *out);

/* What prepare fills in. */
struct peer_work {
	void *state;
	int (*run)(void *state); /* does the work once; 0, or the library's status */
	/* The result as n plain f32 or f64 numbers, valid until free; NULL: it cannot be had. */
	const void *(*result)(void *state, int64_t *n, int *is_double);
	void (*free)(void *state);
};

/* PEER_NOT_ASKED: the library is not asked for such ops or dtypes at all, and the report has nothing of them. */
enum peer_answer { PEER_READY, PEER_NOT_ASKED, PEER_UNAVAILABLE, PEER_FAILED };

struct peer {
	const char *program, *name;
	char device[96]; /* "OpenBLAS 0.3.21" */
	void (*set_threads)(int n);
	/* With the reason in why where it failed or is unavailable. */
	enum peer_answer (*prepare)(const struct peer_case *c, struct peer_work *work, char *why, int size);
};

/* The program: --cases FILE --json FILE --threads N --min-time S --max-time S --repeat N --values.  Its exit status. */
int peer_main(struct peer *peer, int argc, char **argv);

/* Numbers in [−1, 1) that every peer makes alike: tensor counts a case's inputs from 0. */
void peer_uniform(float *x, int64_t n, int tensor);
void peer_uniform_f64(double *x, int64_t n, int tensor);

#endif
