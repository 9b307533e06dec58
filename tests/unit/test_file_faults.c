/* Every host allocation of writing and reading NumPy's files and checkpoints fails once: the call then fails with a message, the old files
 * stay, and nothing else does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "failing.h"
#include "files.h"
#include "mt_test.h"

static mt_status failed(void) {
	return mt_error_peek() ? mt_error_peek() : MT_E_INTERNAL;
}

static mt_status npy_there_and_back(mt_tensor *t) {
	mt_status status = mt_npy_write(files_path("a.npy"), t);
	if (status != MT_OK)
		return status;
	return mt_npy_read(files_path("a.npy")) ? MT_OK : failed();
}

static mt_status read_archive(mt_npz *z) {
	for (int64_t i = 0; i < mt_npz_count(z); i++) {
		mt_status status = mt_npz_info(z, i, NULL, NULL, NULL);
		if (status != MT_OK)
			return status;
		if (mt_npz_read(z, i) == NULL)
			return failed();
	}
	return MT_OK;
}

static mt_status npz_there_and_back(mt_tensor *const *t, int compress) {
	static const char *const names[] = {"a", "b"};
	mt_status status = mt_npz_write(files_path("a.npz"), 2, names, t, compress);
	if (status != MT_OK)
		return status;
	mt_npz *z = mt_npz_open(files_path("a.npz"));
	status = z ? read_archive(z) : failed();
	mt_npz_close(z);
	return status;
}

/* A layer, and an optimiser that has taken a step. */
static struct {
	mt_module *net;
	mt_optim *optim;
} training;

static int make_training(void) {
	mt_tensor *parameters[2];
	training.net = mt_nn_linear(3, 2, 1);
	if (mt_module_parameters(training.net, parameters, 2) != 2)
		return 1;
	training.optim = mt_optim_adam(parameters, 2, 0.1, (mt_adam_options){0});
	mt_tensor *loss = mt_sum(mt_forward(training.net, mt_ones(MT_SHAPE(1, 3), MT_F32)), MT_ALL_AXES, 0);
	return mt_backward(loss) != MT_OK || mt_optim_step(training.optim) != MT_OK || files_make() != 0;
}

static int free_training(void) {
	mt_optim_free(training.optim);
	mt_module_free(training.net);
	return files_remove();
}

static mt_status checkpoint_there_and_back(void) {
	static const char *const keys[] = {"program"}, *const texts[] = {"a test"};
	mt_checkpoint c = {.module = training.net, .optim = training.optim, .step = 1};
	c.n_notes = 1;
	c.note_keys = keys;
	c.note_texts = texts;
	mt_status status = mt_checkpoint_save(&c, files_path("a.safetensors"));
	return status == MT_OK ? mt_checkpoint_load(&c, files_path("a.safetensors")) : status;
}

static mt_status run(void) {
	mt_tensor *c = mt_ones(MT_SHAPE(4, 3), MT_F32), *t[] = {c, mt_transpose(c, 0, 1)};
	if (t[1] == NULL)
		return failed();
	mt_status status = npy_there_and_back(t[0]);
	if (status == MT_OK)
		status = npy_there_and_back(t[1]);
	for (int compress = 0; compress < 2 && status == MT_OK; compress++)
		status = npz_there_and_back(t, compress);
	return status == MT_OK ? checkpoint_there_and_back() : status;
}

static off_t checkpoint_bytes; /* of the file when all goes well */

/* With allocation n failing, as failing_run; the old files stay. */
static int run_failing(long n) {
	struct stat npy, npz, checkpoint;
	int not_reached = failing_run(run, n);
	MT_CHECK(stat(files_path("a.npy"), &npy) == 0 && npy.st_size == 128 + 48);
	MT_CHECK(stat(files_path("a.npz"), &npz) == 0 && npz.st_size > 300);
	MT_CHECK(stat(files_path("a.safetensors"), &checkpoint) == 0 && checkpoint.st_size == checkpoint_bytes);
	return not_reached;
}

static void test_sweep(void) {
	enum { MOST = 5000 };
	long n = 0;
	struct stat checkpoint;
	MT_REQUIRE(run() == MT_OK); /* warm: devices are open, slabs and both files are there */
	MT_REQUIRE(stat(files_path("a.safetensors"), &checkpoint) == 0);
	checkpoint_bytes = checkpoint.st_size;
	long before = failing_outstanding;
	while (n < MOST && !run_failing(n))
		n++;
	mt_test_row("all");
	MT_CHECK_MSG(n > 50 && n < MOST, "%ld allocations", n);
	MT_CHECK_MSG(failing_outstanding <= before + 8, "%ld blocks stayed", failing_outstanding - before);
	mt_test_note("%ld allocations failed, one by one", n);
}

static const mt_test_case cases[] = {{"sweep", test_sweep}, {0}};
static const mt_test_suite suites[] = {{"file_faults", cases, make_training, free_training}, {0}};

int main(int argc, char **argv) {
	failing_install();
	return mt_test_main(argc, argv, suites);
}
