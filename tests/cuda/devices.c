/* devices two|lost|full|exit: what devices.test runs on emulated GPUs.  Says what it sees, a line each. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "mt/mt.h"

enum { N = 24, ROUNDS = 20 };

static int wrong;

static mt_device *open_device(const char *name) {
	mt_device *d = mt_device_open(name);
	if (d == NULL) {
		printf("%s: %s\n", name, mt_error_take(NULL));
		wrong = 1;
	}
	return d;
}

/* What went wrong last, as "NAME: message". */
static void tell(const char *name) {
	const char *message = mt_error_take(NULL);
	printf("%s: %s\n", name, message[0] != '\0' ? message : "no error");
}

/* ---- two ---- */

/* ROUNDS times x = softmax(x @ w + x), in the order of a queue, with values that come and go; 0 where an op fails. */
static int work(float *out) {
	static const float step[N] = {1, 2, 3};
	mt_scope *scope = mt_scope_begin();
	mt_tensor *x = mt_full(MT_SHAPE(N, N), MT_F32, mt_f(0.5)), *w = mt_arange(mt_f(0), mt_f(N * N), mt_f(1), MT_F32);
	w = mt_mul_scalar(mt_reshape(w, MT_SHAPE(N, N)), mt_f(0.01));
	for (int i = 0; i < ROUNDS && x != NULL; i++) {
		mt_tensor *row = mt_from_data(MT_SHAPE(N), MT_F32, step);
		x = mt_softmax(mt_add(mt_matmul(x, w), mt_add(x, row)), 1);
	}
	int ok = x != NULL && mt_to_host(x, out, N * N * sizeof *out) == MT_OK;
	mt_scope_end(scope);
	return ok;
}

static int work_on(mt_device *d, float *out) {
	return mt_device_use(d) == MT_OK && work(out);
}

struct job {
	mt_device *device;
	float out[N * N];
	int ok;
};

static void *thread_main(void *context) {
	struct job *j = context;
	j->ok = j->device != NULL;
	for (int i = 0; i < 5 && j->ok; i++)
		j->ok = work_on(j->device, j->out);
	return NULL;
}

static void compare(const char *what, const float *a, const float *b) {
	int same = 1;
	for (int i = 0; i < N * N; i++)
		same &= a[i] - b[i] <= 1e-6f && b[i] - a[i] <= 1e-6f;
	printf("%s: %s\n", what, same ? "the same" : "different");
}

/* There and back: 1, 2, 3, … through both, each of which does something to it. */
static void there_and_back(mt_device *first, mt_device *second) {
	double sum = 0;
	mt_device_use(first);
	mt_tensor *x = mt_add_scalar(mt_arange(mt_f(0), mt_f(1000), mt_f(1), MT_F32), mt_f(1));
	mt_tensor *y = mt_mul_scalar(mt_to_device(x, second), mt_f(2));
	mt_tensor *z = mt_add(mt_to_device(y, first), x);
	if (z == NULL || mt_item(mt_sum(z, MT_ALL_AXES, 0), &sum) != MT_OK)
		tell("there and back");
	printf("there and back: %.0f\n", sum);
}

static void two(void) {
	static struct job jobs[2];
	static float on_first[N * N], on_second[N * N], on_naive[N * N];
	mt_device *first = open_device("cuda:0"), *second = open_device("cuda:1"), *naive = open_device("naive");
	pthread_t threads[2];
	mt_scope *scope = mt_scope_begin();
	if (wrong || !work_on(first, on_first) || !work_on(second, on_second) || !work_on(naive, on_naive))
		tell("one thread");
	compare("first and naive", on_first, on_naive);
	compare("second and first", on_second, on_first);
	there_and_back(first, second);
	there_and_back(second, first);
	for (int i = 0; i < 2; i++) {
		jobs[i].device = i == 0 ? first : second;
		pthread_create(&threads[i], NULL, thread_main, &jobs[i]);
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		compare(jobs[i].ok ? "a thread of each" : "a thread failed", jobs[i].out, on_naive);
	}
	mt_scope_end(scope);
}

/* ---- lost ---- */

/* Until something fails: the first to see that the device is lost is a launch, an allocation or a download. */
static void lost(void) {
	mt_device *first = open_device("cuda:0"), *other = open_device("cuda:1"), *naive = open_device("naive");
	double value = 0;
	mt_scope *scope = mt_scope_begin();
	mt_device_use(first);
	mt_tensor *kept = mt_full(MT_SHAPE(10), MT_F32, mt_f(1)), *x = mt_full(MT_SHAPE(10), MT_F32, mt_f(3));
	for (int i = 0; i < 8 && x != NULL; i++)
		x = mt_relu(x);
	if (x == NULL || mt_get(x, (int64_t[]){0}, &value) != MT_OK)
		tell("first");
	mt_tensor *large = mt_full(MT_SHAPE(100000), MT_F32, mt_f(1));
	if (large == NULL || mt_get(large, (int64_t[]){0}, &value) != MT_OK)
		tell("allocation");
	if (mt_fill_(kept, mt_f(2)) == NULL)
		tell("launch");
	if (mt_device_synchronize(first) != MT_OK)
		tell("synchronize");
	if (mt_device_trim(first) != MT_OK)
		tell("trim");
	for (int i = 0; i < 2; i++) {
		mt_device_use(i == 0 ? other : naive);
		x = mt_relu(mt_full(MT_SHAPE(10), MT_F32, mt_f(4)));
		if (x == NULL || mt_get(x, (int64_t[]){0}, &value) != MT_OK)
			tell(i == 0 ? "other" : "naive");
		else
			printf("%s: %g\n", i == 0 ? "other" : "naive", value);
	}
	mt_scope_end(scope);
}

/* ---- full ---- */

/* Tensors of 100 KB, kept; what was freed before in other sizes is in the way until the cache is given back. */
static void full(void) {
	mt_device *d = open_device("cuda");
	double value = 0;
	int kept = 0;
	mt_device_use(d);
	mt_scope *scope = mt_scope_begin();
	for (int i = 0; i < 6; i++)
		mt_full(MT_SHAPE(30000 + 1000 * i), MT_F32, mt_f(1));
	mt_scope_end(scope);
	scope = mt_scope_begin();
	while (kept < 1000 && mt_full(MT_SHAPE(25000), MT_F32, mt_f(2)) != NULL)
		kept++;
	tell("full");
	printf("kept: %d\n", kept);
	mt_scope_end(scope);
	scope = mt_scope_begin();
	mt_tensor *x = mt_full(MT_SHAPE(100000), MT_F32, mt_f(5));
	if (x == NULL || mt_get(x, (int64_t[]){7}, &value) != MT_OK)
		tell("after");
	printf("after: %g\n", value);
	mt_scope_end(scope);
}

/* ---- exit ---- */

/* The thread's first scope is older than the device: its tensors are freed after the CUDA runtime has ended. */
static void at_exit(void) {
	mt_scope_begin();
	mt_device_use(open_device("cuda"));
	mt_tensor *x = mt_relu(mt_full(MT_SHAPE(1000), MT_F32, mt_f(2)));
	printf("exit: %s\n", x != NULL ? "tensors are left" : mt_error_take(NULL));
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {{"two", two}, {"lost", lost}, {"full", full}, {"exit", at_exit}};

int main(int argc, char **argv) {
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (argc == 2 && strcmp(argv[1], cases[i].name) == 0) {
			cases[i].run();
			return wrong;
		}
	fprintf(stderr, "usage: devices two|lost|full|exit\n");
	return 2;
}
