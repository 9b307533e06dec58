/* A benchmark's case: what is run, how large it is, what it costs at least. */
#ifndef APPS_BENCH_CASE_H
#define APPS_BENCH_CASE_H

#include "mt/mt.h"

struct bench_case;

/* How a kind of case is run.  All calls happen with the case's device current; what make draws comes from mt_seed, which
 * the runner sets to the same number before each make, so that every device gets the same inputs. */
struct bench_kind {
	/* Inputs, networks, optimisers, outside scopes (mt_retain).  NULL with the error set. */
	void *(*make)(const struct bench_case *c);
	/* One run inside a scope of the runner's; a device may still be at work on return. */
	mt_status (*run)(void *state);
	/* After a run on freshly made state: what is compared with the reference's, in the scope of the runner's.  NULL: nothing
	 * can be compared (the error set), MT_NONE: the case has nothing to compare. */
	mt_tensor *(*output)(void *state);
	void (*free)(void *state);
};

enum { BENCH_EXTENTS = 9 };

/* A seed figure of MiniTorch's (minitorch.md, section 12): other hardware. */
struct bench_seed {
	const char *column; /* "fast (8 cores Xeon 8462Y+)" */
	double seconds;     /* 0: none */
};

struct bench_case {
	const char *suite; /* "ops", "train", "seed", "limits" */
	const char *op;    /* "matmul": the group of charts, what --op matches */
	char size[64];     /* "m=64,k=64,n=64", what --size matches */
	mt_dtype dtype;
	double x;                 /* abscissa within its op: grows with the size */
	double flops, bytes;      /* floor of one run; 0 where it is not counted */
	int reads;                /* whether bytes are read, nearly all: their ceiling is that of reading, not of copying */
	double examples;          /* trained on in one run; 0 where there are none */
	double tolerance;         /* of output against the reference: largest |a − b| / (1 + |b|) */
	double reference_cost;    /* operations the reference needs: above a limit the check is left out, and says so */
	int64_t n[BENCH_EXTENTS]; /* the kind's own */
	struct bench_seed seeds[3];
	const struct bench_kind *kind;
	const void *context; /* the kind's own */
};

struct bench_cases {
	struct bench_case *list;
	int64_t n, room;
};

/* Appends a copy.  0, or −1 when out of memory. */
int bench_cases_add(struct bench_cases *cases, const struct bench_case *c);
void bench_cases_free(struct bench_cases *cases);

/* The suites: each appends its cases of every dtype; the runner filters.  0 or −1. */
int bench_ops_cases(struct bench_cases *cases);
int bench_train_cases(struct bench_cases *cases);
int bench_seed_cases(struct bench_cases *cases);
int bench_limits_cases(struct bench_cases *cases);

#endif
