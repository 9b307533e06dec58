/* MKL as a peer of mt-bench: matrix products.  The library is loaded when the program begins: MT_PEER_MKL names
 * libmkl_rt.so, which pip install mkl brings; else the dynamic linker looks for it. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blas.h"

/* oneMKL's C interface with integers of 32 bits, as libmkl_rt has it unless MKL_INTERFACE_LAYER says otherwise. */
typedef void gemm_f32(int layout, int a_turned, int b_turned, int m, int n, int k, float alpha, const float *a, int lda,
                      const float *b, int ldb, float beta, float *c, int ldc);
typedef void gemm_f64(int layout, int a_turned, int b_turned, int m, int n, int k, double alpha, const double *a,
                      int lda, const double *b, int ldb, double beta, double *c, int ldc);
typedef void gemm_batch(int layout, int a_turned, int b_turned, int m, int n, int k, float alpha, const float *a,
                        int lda, int stride_a, const float *b, int ldb, int stride_b, float beta, float *c, int ldc,
                        int stride_c, int batch);

static struct {
	gemm_f32 *sgemm;
	gemm_f64 *dgemm;
	gemm_batch *sgemm_batch;
	void (*set_threads)(int n);
	void (*version)(char *text, int size);
} mkl;

static int side(int turned) {
	return turned ? BLAS_TURNED : BLAS_PLAIN;
}

static void sgemm(const struct blas_call *c) {
	mkl.sgemm(BLAS_ROW_MAJOR, side(c->a_turned), side(c->b_turned), c->m, c->n, c->k, 1, c->a, c->lda, c->b, c->ldb, 0,
	          c->c, c->n);
}

static void dgemm(const struct blas_call *c) {
	mkl.dgemm(BLAS_ROW_MAJOR, side(c->a_turned), side(c->b_turned), c->m, c->n, c->k, 1, c->a, c->lda, c->b, c->ldb, 0,
	          c->c, c->n);
}

static void sgemm_batch(const struct blas_call *c) {
	mkl.sgemm_batch(BLAS_ROW_MAJOR, side(c->a_turned), side(c->b_turned), c->m, c->n, c->k, 1, c->a, c->lda,
	                c->m * c->k, c->b, c->ldb, c->k * c->n, 0, c->c, c->n, c->m * c->n, c->batch);
}

static enum peer_answer prepare(const struct peer_case *c, struct peer_work *work, char *why, int size) {
	static const struct blas blas = {.sgemm = sgemm, .dgemm = dgemm, .sgemm_batch = sgemm_batch};
	return blas_prepare(&blas, c, work, why, size);
}

/* What the library exports under name, into *function; whether it does. */
static int find(void *library, const char *name, void *function) {
	void *symbol = dlsym(library, name);
	memcpy(function, &symbol, sizeof symbol);
	return symbol != NULL;
}

static int load(void) {
	static const char *const names[] = {"libmkl_rt.so.3", "libmkl_rt.so.2", "libmkl_rt.so"};
	const char *given = getenv("MT_PEER_MKL");
	void *library = given != NULL ? dlopen(given, RTLD_NOW | RTLD_GLOBAL) : NULL;
	for (size_t i = 0; given == NULL && library == NULL && i < sizeof names / sizeof *names; i++)
		library = dlopen(names[i], RTLD_NOW | RTLD_GLOBAL);
	if (library == NULL) {
		fprintf(stderr, "mkl: %s\n", dlerror());
		return 0;
	}
	if (find(library, "cblas_sgemm", &mkl.sgemm) && find(library, "cblas_dgemm", &mkl.dgemm) &&
	    find(library, "cblas_sgemm_batch_strided", &mkl.sgemm_batch) &&
	    find(library, "MKL_Set_Num_Threads", &mkl.set_threads) && find(library, "mkl_get_version_string", &mkl.version))
		return 1;
	fprintf(stderr, "mkl: the library lacks a function: %s\n", dlerror());
	return 0;
}

int main(int argc, char **argv) {
	char text[200] = "";
	if (!load())
		return 1;
	struct peer peer = {.program = "mkl", .name = "mkl", .set_threads = mkl.set_threads, .prepare = prepare};
	mkl.version(text, sizeof text);
	snprintf(peer.device, sizeof peer.device, "%.90s", text);
	peer.device[strcspn(peer.device, "\n")] = '\0';
	return peer_main(&peer, argc, argv);
}
