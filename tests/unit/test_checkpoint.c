/* Checkpoints: training that goes on from one gives the same bits, and a file that does not fit changes nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "mt_test.h"

static char file[96], other[96];

static int name_files(void) {
	int failed = files_make();
	snprintf(file, sizeof file, "%s", files_path("a.safetensors"));
	snprintf(other, sizeof other, "%s", files_path("b.safetensors"));
	return failed;
}

/* ---- a small training ------------------------------------------------------------------------------------------- */

enum { IN = 5, HIDDEN = 7, OUT = 3, BATCH = 4, MAX_VALUES = 4 * HIDDEN * IN };

struct training {
	mt_module *net;
	mt_optim *optim;
};

enum kind { SGD, MOMENTUM, ADAM, AMSGRAD, ADAMW, RMSPROP, CENTERED, ADAGRAD, N_KINDS };

static const char *const kind_names[] = {"sgd",     "sgd, momentum",     "adam",   "adam, amsgrad", "adamw",
                                         "rmsprop", "rmsprop, centered", "adagrad"};

static mt_optim *make_optim(enum kind kind, mt_tensor **p, int64_t n) {
	switch (kind) {
	case SGD:
		return mt_optim_sgd(p, n, 0.1, (mt_sgd_options){0});
	case MOMENTUM:
		return mt_optim_sgd(p, n, 0.1, (mt_sgd_options){.momentum = 0.9, .nesterov = 1});
	case ADAM:
		return mt_optim_adam(p, n, 0.01, (mt_adam_options){0});
	case AMSGRAD:
		return mt_optim_adam(p, n, 0.01, (mt_adam_options){.amsgrad = 1});
	case ADAMW:
		return mt_optim_adamw(p, n, 0.01, (mt_adam_options){0});
	case RMSPROP:
		return mt_optim_rmsprop(p, n, 0.01, (mt_rmsprop_options){0});
	case CENTERED:
		return mt_optim_rmsprop(p, n, 0.01, (mt_rmsprop_options){.centered = 1, .momentum = 0.5});
	default:
		return mt_optim_adagrad(p, n, 0.05, (mt_adagrad_options){.lr_decay = 0.1, .initial = 0.2});
	}
}

/* A network of its own; its first layer's bias is in a group of its own. */
static struct training make(enum kind kind, uint64_t seed) {
	struct training t = {0};
	mt_tensor *p[8];
	mt_seed(seed);
	t.net = mt_nn_sequential(4, (mt_module *[]){mt_nn_linear(IN, HIDDEN, 1), mt_nn_relu(), mt_nn_dropout(0.3),
	                                            mt_nn_linear(HIDDEN, OUT, 1)});
	if (!MT_CHECK(t.net != NULL && mt_module_parameters(t.net, p, 8) == 4))
		return t;
	mt_tensor *first[] = {p[0], p[2], p[3]};
	t.optim = make_optim(kind, first, 3);
	MT_CHECK(t.optim != NULL && mt_optim_add_group(t.optim, &p[1], 1, 0.02, 0) == 1);
	return t;
}

static void drop(struct training *t) {
	mt_optim_free(t->optim);
	mt_module_free(t->net);
}

/* Steps on random numbers, so that the random generator's state counts too. */
static void train(struct training *t, int steps) {
	for (int i = 0; i < steps; i++) {
		mt_scope *scope = mt_scope_begin();
		mt_tensor *x = mt_randn(MT_SHAPE(BATCH, IN), MT_F32), *y = mt_randint(0, OUT, MT_SHAPE(BATCH));
		mt_tensor *loss = mt_cross_entropy(mt_forward(t->net, x), y, MT_NONE, (mt_loss_options){0});
		mt_optim_zero_grad(t->optim);
		if (!MT_CHECK(mt_backward(loss) == MT_OK && mt_optim_step(t->optim) == MT_OK))
			mt_test_note("%s", mt_error_take(NULL));
		mt_scope_end(scope);
	}
}

static int same_weights(const struct training *a, const struct training *b) {
	mt_tensor *p[8], *q[8];
	int64_t n = mt_module_parameters(a->net, p, 8);
	int same = mt_module_parameters(b->net, q, 8) == n;
	for (int64_t i = 0; i < n && same; i++) {
		float x[MAX_VALUES], y[MAX_VALUES];
		size_t bytes = (size_t)mt_tensor_numel(p[i]) * sizeof *x;
		same = mt_to_host(p[i], x, bytes) == MT_OK && mt_to_host(q[i], y, bytes) == MT_OK && memcmp(x, y, bytes) == 0;
	}
	return same;
}

static mt_checkpoint of(const struct training *t) {
	return (mt_checkpoint){.module = t->net, .optim = t->optim};
}

static void save(const struct training *t, const char *path) {
	mt_checkpoint c = of(t);
	c.epoch = 2;
	c.step = 7;
	if (!MT_CHECK_INT(mt_checkpoint_save(&c, path), MT_OK))
		mt_test_note("%s", mt_error_take(NULL));
}

/* ---- what must hold --------------------------------------------------------------------------------------------- */

static void test_goes_on(void) {
	for (int kind = 0; kind < N_KINDS; kind++) {
		struct training a = make(kind, 3), b = make(kind, 99);
		mt_test_row("%s", kind_names[kind]);
		mt_seed(11);
		train(&a, 3);
		mt_optim_set_group_lr(a.optim, 1, 0.015);
		save(&a, file);
		train(&a, 4);
		train(&b, 1); /* has states of its own, to be replaced */
		mt_checkpoint c = of(&b);
		if (!MT_CHECK_INT(mt_checkpoint_load(&c, file), MT_OK))
			mt_test_note("%s", mt_error_take(NULL));
		MT_CHECK_INT(c.epoch, 2);
		MT_CHECK_INT(c.step, 7);
		MT_CHECK_INT(mt_optim_steps(b.optim), 3);
		MT_CHECK_NEAR(mt_optim_group_lr(b.optim, 1), 0.015, 0);
		MT_CHECK(!same_weights(&a, &b));
		train(&b, 4);
		MT_CHECK(same_weights(&a, &b));
		drop(&a);
		drop(&b);
	}
}

/* The same file again from what was loaded: nothing is lost on the way. */
static void test_same_file(void) {
	static char first[20000], second[20000];
	struct training a = make(AMSGRAD, 3), b = make(AMSGRAD, 4);
	train(&a, 2);
	save(&a, file);
	mt_checkpoint c = of(&b);
	MT_CHECK_INT(mt_checkpoint_load(&c, file), MT_OK);
	MT_CHECK_INT(mt_checkpoint_save(&c, other), MT_OK);
	FILE *f = fopen(file, "rb"), *g = fopen(other, "rb");
	MT_REQUIRE(f != NULL && g != NULL);
	size_t n = fread(first, 1, sizeof first, f), m = fread(second, 1, sizeof second, g);
	MT_CHECK(n == m && n < sizeof first && memcmp(first, second, n) == 0);
	fclose(f);
	fclose(g);
	drop(&a);
	drop(&b);
}

/* Before the first step there are no states; a checkpoint of then takes those away that came later. */
static void test_before_first_step(void) {
	struct training a = make(ADAM, 3), b = make(ADAM, 3);
	save(&a, file);
	train(&a, 2);
	mt_checkpoint c = of(&a);
	MT_CHECK_INT(mt_checkpoint_load(&c, file), MT_OK);
	MT_CHECK_INT(mt_optim_steps(a.optim), 0);
	MT_CHECK(same_weights(&a, &b));
	mt_seed(5);
	train(&a, 2);
	mt_seed(5);
	train(&b, 2);
	MT_CHECK(same_weights(&a, &b));
	drop(&a);
	drop(&b);
}

static void test_random_state(void) {
	struct training a = make(SGD, 3);
	float first[4], again[4];
	mt_seed(UINT64_MAX);
	mt_rand(MT_SHAPE(3), MT_F32);
	save(&a, file);
	MT_CHECK_INT(mt_to_host(mt_rand(MT_SHAPE(4), MT_F32), first, sizeof first), MT_OK);
	mt_seed(1);
	mt_checkpoint c = of(&a);
	MT_CHECK_INT(mt_checkpoint_load(&c, file), MT_OK);
	MT_CHECK_INT(mt_to_host(mt_rand(MT_SHAPE(4), MT_F32), again, sizeof again), MT_OK);
	MT_CHECK(memcmp(first, again, sizeof first) == 0);
	drop(&a);
}

static void test_extras_and_notes(void) {
	static const char *const names[] = {"best", "count"}, *const keys[] = {"program", "note"};
	static const char *const texts[] = {"test \"x\"", ""};
	struct training a = make(SGD, 3);
	mt_tensor *extra[] = {mt_full(MT_SHAPE(2), MT_F64, mt_f(0.5)), mt_full(MT_SHAPE0, MT_I64, mt_i(41))};
	int64_t count = 0;
	mt_checkpoint c = of(&a);
	c.n_tensors = c.n_notes = 2;
	c.tensor_names = names;
	c.tensors = extra;
	c.note_keys = keys;
	c.note_texts = texts;
	MT_REQUIRE(mt_checkpoint_save(&c, file) == MT_OK);
	mt_fill_(extra[1], mt_i(0));
	MT_CHECK_INT(mt_checkpoint_load(&c, file), MT_OK);
	MT_CHECK_INT(mt_item_i64(extra[1], &count), MT_OK);
	MT_CHECK_INT(count, 41);
	mt_tensor_file *f = mt_tensor_file_open(file);
	MT_REQUIRE(f != NULL);
	MT_CHECK_STR(mt_tensor_file_note(f, "program"), texts[0]);
	MT_CHECK_STR(mt_tensor_file_note(f, "note"), "");
	MT_CHECK(mt_tensor_file_note(f, "no") == NULL && mt_tensor_file_note(f, NULL) == NULL);
	MT_CHECK(mt_tensor_file_find(f, "extra/best") >= 0 && mt_tensor_file_find(f, "0.weight") >= 0);
	mt_tensor_file_close(f);
	MT_CHECK_INT(mt_load_state(a.net, file), MT_OK); /* the module alone */
	drop(&a);
}

static void test_arguments(void) {
	static const char *const reserved[] = {"mt.step"}, *const twice[] = {"a", "a"}, *const texts[] = {"1", "2"};
	static const char *const bad[] = {"\xff"};
	struct training a = make(SGD, 3);
	mt_checkpoint c = of(&a), none = {0};
	MT_CHECK_INT(mt_checkpoint_save(NULL, file), MT_E_NULL);
	MT_CHECK_INT(mt_checkpoint_save(&c, NULL), MT_E_NULL);
	MT_CHECK_INT(mt_checkpoint_save(&none, file), MT_E_NULL);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "checkpoint_save: ");
	c.n_notes = 1;
	MT_CHECK_INT(mt_checkpoint_save(&c, file), MT_E_NULL);
	mt_error_take(NULL);
	c.note_texts = texts;
	c.note_keys = reserved;
	MT_CHECK_INT(mt_checkpoint_save(&c, file), MT_E_ARG);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "the note 'mt.step': keys that begin with mt. are mt's own");
	c.note_keys = texts;
	c.note_texts = bad;
	MT_CHECK_INT(mt_checkpoint_save(&c, file), MT_E_ARG);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "not valid UTF-8");
	c.n_notes = 2;
	c.note_keys = twice;
	c.note_texts = texts;
	MT_CHECK_INT(mt_checkpoint_save(&c, file), MT_E_ARG);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "two notes are named 'a'");
	c = of(&a);
	c.step = -1;
	MT_CHECK_INT(mt_checkpoint_save(&c, file), MT_E_ARG);
	mt_error_take(NULL);
	c.step = 0;
	MT_CHECK_INT(mt_checkpoint_save(&c, "/no/such/folder/x"), MT_E_IO);
	mt_error_take(NULL);
	drop(&a);
}

/* ---- files that do not fit -------------------------------------------------------------------------------------- */

/* The checkpoint in file with a part of its header replaced by another of the same length. */
static void edit(const char *part, const char *with) {
	static char bytes[20000];
	FILE *f = fopen(file, "rb");
	MT_REQUIRE(f != NULL && strlen(part) == strlen(with));
	size_t n = fread(bytes, 1, sizeof bytes, f);
	fclose(f);
	char *at = memmem(bytes, n, part, strlen(part));
	MT_REQUIRE(at != NULL && n < sizeof bytes);
	memcpy(at, with, strlen(with));
	MT_REQUIRE(mt_write_file(file, bytes, n) == MT_OK);
}

static void check_refused(struct training *t, mt_status expected, const char *message) {
	mt_status status;
	struct training before = make(MOMENTUM, 8);
	mt_checkpoint into = of(t);
	into.epoch = 55;
	MT_REQUIRE(mt_checkpoint_save(&(mt_checkpoint){.module = t->net}, other) == MT_OK);
	MT_REQUIRE(mt_load_state(before.net, other) == MT_OK);
	mt_seed(77);
	MT_CHECK(mt_checkpoint_load(&into, file) != MT_OK);
	MT_CHECK_CONTAINS(mt_error_take(&status), message);
	MT_CHECK_INT(status, expected);
	uint64_t seed, offset;
	mt_rng_get(&seed, &offset);
	MT_CHECK(seed == 77 && offset == 0 && into.epoch == 55);
	MT_CHECK(same_weights(t, &before));
	drop(&before);
}

static void test_refused(void) {
	static const struct {
		const char *name, *part, *with;
		mt_status status;
		const char *message;
	} rows[] = {
		{"version", "\"mt.checkpoint\":\"1\"", "\"mt.checkpoint\":\"2\"", MT_E_UNSUPPORTED, "version 1, got 2"},
		{"no checkpoint", "\"mt.checkpoint\"", "\"mt.checkpaint\"", MT_E_FORMAT, "got a file of tensors alone"},
		{"step", "\"mt.step\":\"7\"", "\"mt.step\":\"-\"", MT_E_FORMAT,
	     "whole number as mt.step of __metadata__, got -"},
		{"no step", "\"mt.step\"", "\"mt.stop\"", MT_E_FORMAT, "as mt.step of __metadata__, got nothing"},
		{"steps taken", "optim/0/m", "optim/9/m", MT_E_FORMAT, "tensor 'optim/0/m' is missing"},
		{"states", "\"sgd m\"", "\"sgd v\"", MT_E_STATE, "expected the state of an optimiser sgd m, got sgd v"},
		{"no optimiser", "\"mt.optim\":", "\"mt.optin\":", MT_E_FORMAT, "expected the state of an optimiser"},
		{"groups", "optim/groups", "optim/troups", MT_E_FORMAT, "tensor 'optim/groups' is missing"},
		{"t's dtype", "\"optim/t\":{\"dtype\":\"I64\"", "\"optim/t\":{\"dtype\":\"F64\"", MT_E_DTYPE,
	     "tensor 'optim/t': expected dtype i64, got f64"},
		{"a tensor too many", "\"0.bias\"", "\"7.bias\"", MT_E_FORMAT, "tensor '0.bias' is missing"},
	};
	struct training a = make(MOMENTUM, 3), b = make(MOMENTUM, 4);
	train(&a, 2);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_test_row("%s", rows[i].name);
		save(&a, file);
		edit(rows[i].part, rows[i].with);
		check_refused(&b, rows[i].status, rows[i].message);
	}
	drop(&a);
	drop(&b);
}

/* Groups' numbers and steps are checked by value. */
static void test_bad_numbers(void) {
	struct training a = make(MOMENTUM, 3), b = make(MOMENTUM, 4);
	for (int which = 0; which < 2; which++) {
		save(&a, file);
		mt_tensor_file *f = mt_tensor_file_open(file);
		MT_REQUIRE(f != NULL);
		int64_t at = mt_tensor_file_find(f, which ? "optim/t" : "optim/groups");
		unsigned char *bytes = malloc(20000);
		FILE *raw = fopen(file, "rb");
		MT_REQUIRE(at >= 0 && bytes != NULL && raw != NULL);
		size_t n = fread(bytes, 1, 20000, raw);
		fclose(raw);
		uint64_t offset = 0; /* of the tensor: the data before it, from the end of the file */
		for (int64_t i = mt_tensor_file_count(f) - 1; i >= at; i--) {
			mt_tensor *t = mt_tensor_file_read(f, i);
			offset += (uint64_t)mt_tensor_numel(t) * mt_dtype_size(mt_tensor_dtype(t));
		}
		memset(bytes + n - offset, 0xff, 8); /* NaN as f64, −1 as i64 */
		MT_REQUIRE(mt_write_file(file, bytes, n) == MT_OK);
		free(bytes);
		mt_tensor_file_close(f);
		check_refused(&b, MT_E_FORMAT, which ? "expected steps ≥ 0, got -1" : "expected finite numbers ≥ 0");
	}
	drop(&a);
	drop(&b);
}

static void test_other_module(void) {
	struct training a = make(MOMENTUM, 3);
	mt_module *smaller = mt_nn_sequential(1, (mt_module *[]){mt_nn_linear(IN, HIDDEN, 1)});
	MT_REQUIRE(smaller != NULL);
	mt_checkpoint c = {.module = smaller};
	save(&a, file);
	MT_CHECK_INT(mt_checkpoint_load(&c, file), MT_E_FORMAT);
	MT_CHECK_CONTAINS(mt_error_take(NULL), "is not part of the module");
	MT_CHECK_INT(mt_load_state(smaller, file), MT_E_FORMAT);
	mt_error_take(NULL);
	MT_CHECK_INT(mt_checkpoint_load(&c, "/no/such/file"), MT_E_IO);
	mt_error_take(NULL);
	mt_module_free(smaller);
	drop(&a);
}

static const mt_test_case cases[] = {{"goes_on", test_goes_on},
                                     {"same_file", test_same_file},
                                     {"before_first_step", test_before_first_step},
                                     {"random_state", test_random_state},
                                     {"extras_and_notes", test_extras_and_notes},
                                     {"arguments", test_arguments},
                                     {"refused", test_refused},
                                     {"bad_numbers", test_bad_numbers},
                                     {"other_module", test_other_module},
                                     {0}};
static const mt_test_suite suites[] = {{"checkpoint", cases, name_files, files_remove}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
