/* Tensors: lifetime, scopes, threads, what a tensor tells, access from the host. */
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends.h"

/* ---- scopes ------------------------------------------------------------------------------------------------------- */

static void scope_ends(void) {
	int64_t before = mt_live_tensors();
	mt_scope *scope = mt_scope_begin();
	for (int i = 0; i < 1000; i++)
		MT_REQUIRE(mt_zeros(MT_SHAPE(2, 3), MT_F32) != NULL);
	MT_CHECK_INT(mt_live_tensors(), before + 1000);
	mt_scope_end(scope);
	MT_CHECK_INT(mt_live_tensors(), before);
}

static void scope_nested(void) {
	int64_t before = mt_live_tensors();
	mt_scope *outer = mt_scope_begin();
	mt_tensor *a = mt_ones(MT_SHAPE(2), MT_F32);
	mt_scope *middle = mt_scope_begin();
	mt_scope *inner = mt_scope_begin();
	mt_zeros(MT_SHAPE(2), MT_F32);
	MT_CHECK_INT(mt_live_tensors(), before + 2);
	mt_scope_end(middle); /* ends inner too */
	MT_CHECK_INT(mt_live_tensors(), before + 1);
	CHECK_VALUES(a, 1, 1);
	mt_zeros(MT_SHAPE(2), MT_F32); /* of the outer scope now */
	int64_t now = mt_live_tensors();
	mt_scope_end(inner); /* ended already: ignored */
	mt_scope_end(middle);
	mt_scope_end(NULL);
	MT_CHECK_INT(mt_live_tensors(), now);
	mt_scope_end(outer);
	MT_CHECK_INT(mt_live_tensors(), before);
}

static void scope_keep(void) {
	int64_t before = mt_live_tensors();
	mt_scope *outer = mt_scope_begin();
	mt_scope *inner = mt_scope_begin();
	mt_tensor *t = mt_full(MT_SHAPE(3), MT_I32, mt_i(7));
	mt_zeros(MT_SHAPE(3), MT_I32);
	MT_CHECK(mt_scope_end_keep(inner, t) == t);
	MT_CHECK_INT(mt_live_tensors(), before + 1);
	CHECK_VALUES(t, 7, 7, 7);

	inner = mt_scope_begin();
	MT_CHECK(mt_scope_end_keep(inner, NULL) == NULL);
	inner = mt_scope_begin();
	MT_CHECK(mt_scope_end_keep(inner, MT_NONE) == MT_NONE);
	inner = mt_scope_begin();
	MT_CHECK(mt_scope_end_keep(inner, t) == t); /* of the outer scope already */
	CHECK_VALUES(t, 7, 7, 7);
	mt_scope_end(outer);
	MT_CHECK_INT(mt_live_tensors(), before);
}

static void scope_keep_graph(void) {
	int64_t before = mt_live_tensors();
	mt_scope *outer = mt_scope_begin();
	mt_tensor *x = mt_requires_grad_(counting(MT_SHAPE(2, 2), MT_F32), 1);
	mt_scope *inner = mt_scope_begin();
	mt_tensor *y = mt_scope_end_keep(inner, mt_transpose(mt_slice(x, 0, 1, MT_END, 1), 0, 1));
	MT_CHECK_INT(mt_backward_from(y, mt_from_data(MT_SHAPE(2, 1), MT_F32, (float[]){3, -2}), 0), MT_OK);
	CHECK_VALUES(mt_grad(x), 0, 0, 3, -2);
	mt_scope_end(outer);
	MT_CHECK_INT(mt_live_tensors(), before);
}

static void scope_retain(void) {
	int64_t before = mt_live_tensors();
	mt_scope *scope = mt_scope_begin();
	mt_tensor *t = mt_retain(mt_full(MT_SHAPE(2), MT_F32, mt_f(1.5)));
	mt_scope_end(scope);
	CHECK_VALUES(t, 1.5, 1.5);
	scope = mt_scope_begin();
	MT_CHECK(mt_autorelease(t) == t);
	mt_scope_end(scope);
	MT_CHECK_INT(mt_live_tensors(), before);
	MT_CHECK(mt_retain(NULL) == NULL && mt_retain(MT_NONE) == MT_NONE && mt_autorelease(MT_NONE) == MT_NONE);
	mt_release(NULL);
	mt_release(MT_NONE);
}

/* A view keeps the storage alive; a released view leaves its source alone. */
static void view_lifetime(void) {
	int64_t before = mt_live_tensors();
	mt_scope *scope = mt_scope_begin();
	mt_tensor *v = mt_retain(mt_index(counting(MT_SHAPE(2, 3), MT_F32), 0, 1));
	mt_scope_end(scope);
	MT_CHECK_INT(mt_live_tensors(), before + 1);
	CHECK_VALUES(v, 3, 4, 5);
	mt_release(v);
	MT_CHECK_INT(mt_live_tensors(), before);
}

static void long_chain(void) {
	int64_t before = mt_live_tensors();
	mt_scope *scope = mt_scope_begin();
	mt_tensor *x = mt_requires_grad_(mt_ones(MT_SHAPE(2, 2), MT_F32), 1), *y = x;
	for (int i = 0; i < 200000 && y != NULL; i++) {
		mt_scope *step = mt_scope_begin();
		y = mt_scope_end_keep(step, mt_transpose(y, 0, 1));
	}
	MT_CHECK(y != NULL);
	mt_scope_end(scope);
	MT_CHECK_INT(mt_live_tensors(), before);
}

static void on_scopes(void) {
	scope_ends();
	scope_nested();
	scope_keep();
	scope_keep_graph();
	scope_retain();
	view_lifetime();
	long_chain();
}

static void test_scopes(void) {
	each_backend(on_scopes);
}

/* ---- threads ------------------------------------------------------------------------------------------------------ */

static mt_scope *foreign_scope;
static mt_tensor *handed_over[4];

/* Leaves tensors in its root scope, ends another thread's scope, and hands tensors over. */
static void *worker(void *slot) {
	mt_tensor **out = slot;
	mt_scope_end(foreign_scope);
	for (int i = 0; i < 3000; i++)
		if (mt_ones(MT_SHAPE(4), MT_F32) == NULL)
			return slot;
	*out = mt_retain(mt_full(MT_SHAPE(2), MT_I64, mt_i(out - handed_over)));
	return NULL;
}

static void test_threads(void) {
	mt_device *device = mt_device_open("naive");
	MT_REQUIRE(device != NULL && mt_device_use(device) == MT_OK);
	int64_t before = mt_live_tensors();
	foreign_scope = mt_scope_begin();
	mt_tensor *mine = mt_ones(MT_SHAPE(2), MT_F32);
	for (int round = 0; round < 5; round++) {
		pthread_t threads[4];
		for (int i = 0; i < 4; i++)
			MT_REQUIRE(pthread_create(&threads[i], NULL, worker, &handed_over[i]) == 0);
		for (int i = 0; i < 4; i++) {
			void *failed;
			pthread_join(threads[i], &failed);
			MT_CHECK(failed == NULL);
		}
		MT_CHECK_INT(mt_live_tensors(), before + 1 + 4); /* the threads' root scopes are drained */
		for (int i = 0; i < 4; i++) {
			CHECK_VALUES(handed_over[i], i, i);
			mt_release(handed_over[i]);
		}
	}
	CHECK_VALUES(mine, 1, 1);
	mt_scope_end(foreign_scope);
	MT_CHECK_INT(mt_live_tensors(), before);
}

/* In a forked child the parent's devices make no tensors, not even of what the thread keeps for small ones. */
static void test_forked(void) {
	mt_scope *scope = mt_scope_begin();
	for (int i = 0; i < 4; i++)
		MT_REQUIRE(mt_empty(MT_SHAPE(2), MT_F32) != NULL);
	mt_scope_end(scope);
	pid_t child = fork();
	if (child == 0) {
		mt_status status;
		mt_tensor *t = mt_empty(MT_SHAPE(2), MT_F32);
		mt_error_take(&status);
		_exit(t == NULL && status == MT_E_FORKED ? 0 : 1);
	}
	int status = -1;
	waitpid(child, &status, 0);
	MT_CHECK_INT(status, 0);
}

/* ---- what a tensor tells ------------------------------------------------------------------------------------------ */

static void test_queries(void) {
	mt_device *device = mt_device_open("naive");
	MT_REQUIRE(device != NULL && mt_device_use(device) == MT_OK);
	mt_scope *scope = mt_scope_begin();
	mt_tensor *t = mt_zeros(MT_SHAPE(2, 3, 4), MT_F16);
	MT_CHECK_INT(mt_tensor_rank(t), 3);
	MT_CHECK_INT(mt_tensor_numel(t), 24);
	MT_CHECK_INT(mt_tensor_size(t, 1), 3);
	MT_CHECK_INT(mt_tensor_size(t, -1), 4);
	MT_CHECK_INT(mt_tensor_size(t, 3), -1);
	MT_CHECK_INT(mt_tensor_size(t, -4), -1);
	MT_CHECK_INT(mt_tensor_dtype(t), MT_F16);
	MT_CHECK(mt_tensor_device(t) == device);
	MT_CHECK_INT(mt_tensor_strides(t)[0], 12);
	MT_CHECK_INT(mt_tensor_strides(t)[2], 1);
	MT_CHECK(mt_tensor_is_contiguous(t));
	MT_CHECK(!mt_tensor_is_contiguous(mt_transpose(t, 0, 1)));
	MT_CHECK(mt_tensor_is_contiguous(mt_transpose(mt_zeros(MT_SHAPE(1, 5), MT_F32), 0, 1)));
	MT_CHECK(mt_tensor_is_contiguous(mt_transpose(mt_zeros(MT_SHAPE(0, 5), MT_F32), 0, 1)));
	MT_CHECK(mt_tensor_is_contiguous(mt_narrow(mt_zeros(MT_SHAPE(4, 2), MT_F32), 0, 1, 2)));
	MT_CHECK(!mt_tensor_is_contiguous(mt_expand(mt_zeros(MT_SHAPE(1), MT_F32), MT_SHAPE(2))));
	MT_CHECK(mt_tensor_shares_storage(t, mt_transpose(t, 0, 1)));
	MT_CHECK(!mt_tensor_shares_storage(t, mt_clone(t)));
	MT_CHECK(!mt_tensor_shares_storage(NULL, NULL) && !mt_tensor_shares_storage(MT_NONE, MT_NONE));

	mt_tensor *absent[] = {NULL, MT_NONE};
	for (int i = 0; i < 2; i++) {
		mt_test_row("%s", i == 0 ? "NULL" : "MT_NONE");
		MT_CHECK_INT(mt_tensor_rank(absent[i]), 0);
		MT_CHECK(mt_tensor_shape(absent[i]) == NULL && mt_tensor_strides(absent[i]) == NULL);
		MT_CHECK_INT(mt_tensor_size(absent[i], 0), 0);
		MT_CHECK_INT(mt_tensor_numel(absent[i]), 0);
		MT_CHECK_INT(mt_tensor_dtype(absent[i]), 0);
		MT_CHECK(mt_tensor_device(absent[i]) == NULL);
		MT_CHECK(!mt_tensor_is_contiguous(absent[i]));
		MT_CHECK_INT(mt_tensor_is_none(absent[i]), i);
		MT_CHECK_STR(mt_tensor_name(absent[i]), "");
	}
	mt_scope_end(scope);
}

static void test_names(void) {
	mt_device *device = mt_device_open("naive");
	MT_REQUIRE(device != NULL && mt_device_use(device) == MT_OK);
	mt_scope *scope = mt_scope_begin();
	mt_tensor *t = mt_zeros(MT_SHAPE0, MT_F32);
	char long_name[100];
	memset(long_name, 'x', sizeof long_name);
	long_name[99] = '\0';
	MT_CHECK_STR(mt_tensor_name(t), "");
	MT_CHECK_INT(mt_tensor_set_name(t, "weight"), MT_OK);
	MT_CHECK_STR(mt_tensor_name(t), "weight");
	MT_CHECK_INT(mt_tensor_set_name(t, long_name), MT_OK);
	MT_CHECK_INT(strlen(mt_tensor_name(t)), 63);
	memcpy(long_name + 62, "\xC3\xA4", 2); /* a character of two bytes across the limit is dropped whole */
	MT_CHECK_INT(mt_tensor_set_name(t, long_name), MT_OK);
	MT_CHECK_INT(strlen(mt_tensor_name(t)), 62);
	MT_CHECK_INT(mt_tensor_set_name(t, NULL), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "set_name: name");
	MT_CHECK_INT(mt_tensor_set_name(NULL, "x"), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "set_name: t");
	MT_CHECK_INT(mt_tensor_set_name(MT_NONE, "x"), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "MT_NONE");
	mt_scope_end(scope);
}

/* ---- dtypes ------------------------------------------------------------------------------------------------------- */

static void test_dtypes(void) {
	static const struct {
		mt_dtype dtype;
		const char *name;
		size_t size;
	} rows[] = {{MT_F32, "f32", 4}, {MT_F64, "f64", 8}, {MT_F16, "f16", 2}, {MT_BF16, "bf16", 2},
	            {MT_I32, "i32", 4}, {MT_I64, "i64", 8}, {MT_U8, "u8", 1},   {MT_BOOL, "bool", 1}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mt_dtype parsed = 0;
		mt_test_row("%s", rows[i].name);
		MT_CHECK_STR(mt_dtype_name(rows[i].dtype), rows[i].name);
		MT_CHECK_INT(mt_dtype_size(rows[i].dtype), rows[i].size);
		MT_CHECK_INT(mt_dtype_parse(rows[i].name, &parsed), MT_OK);
		MT_CHECK_INT(parsed, rows[i].dtype);
	}
	MT_CHECK_STR(mt_dtype_name(0), "?");
	MT_CHECK_STR(mt_dtype_name(99), "?");
	MT_CHECK_STR(mt_dtype_name(-1), "?");
	MT_CHECK_INT(mt_dtype_size(INT32_MAX), 0);
	mt_dtype out = 0;
	MT_CHECK_INT(mt_dtype_parse("float", &out), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "'float' is no dtype; there are f32 f64 f16 bf16 i32 i64 u8 bool");
	MT_CHECK_INT(mt_dtype_parse(NULL, &out), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "name");
	MT_CHECK_INT(mt_dtype_parse("f32", NULL), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "out");
}

/* torch.promote_types: rows and columns in the order of the ids. */
static void test_promotion(void) {
	static const mt_dtype all[8] = {MT_F32, MT_F64, MT_F16, MT_BF16, MT_I32, MT_I64, MT_U8, MT_BOOL};
	static const char *const table[8] = {
		"f32 f64 f32 f32 f32 f32 f32 f32",      "f64 f64 f64 f64 f64 f64 f64 f64",  "f32 f64 f16 f32 f16 f16 f16 f16",
		"f32 f64 f32 bf16 bf16 bf16 bf16 bf16", "f32 f64 f16 bf16 i32 i64 i32 i32", "f32 f64 f16 bf16 i64 i64 i64 i64",
		"f32 f64 f16 bf16 i32 i64 u8 u8",       "f32 f64 f16 bf16 i32 i64 u8 bool",
	};
	for (int a = 0; a < 8; a++) {
		char text[64] = "";
		for (int b = 0; b < 8; b++) {
			strcat(strcat(text, b > 0 ? " " : ""), mt_dtype_name(mt_promote(all[a], all[b])));
			MT_CHECK_INT(mt_promote(all[a], all[b]), mt_promote(all[b], all[a]));
		}
		MT_CHECK_STR(text, table[a]);
	}
	MT_CHECK_INT(mt_promote(0, MT_F32), 0);
	MT_CHECK_INT(mt_promote(MT_F32, 9), 0);
}

/* ---- access ------------------------------------------------------------------------------------------------------- */

static void on_access(void) {
	double d = -1;
	int64_t i = -1;
	mt_tensor *t = counting(MT_SHAPE(2, 3), MT_F32);
	MT_CHECK_INT(mt_get(t, (int64_t[]){1, -1}, &d), MT_OK);
	MT_CHECK_NEAR(d, 5, 0);
	MT_CHECK_INT(mt_get(mt_transpose(t, 0, 1), (int64_t[]){2, 0}, &d), MT_OK);
	MT_CHECK_NEAR(d, 2, 0);
	MT_CHECK_INT(mt_get(mt_flip(t, 1), (int64_t[]){0, 0}, &d), MT_OK);
	MT_CHECK_NEAR(d, 2, 0);
	MT_CHECK_INT(mt_set(t, (int64_t[]){-2, 1}, mt_f(-2.5)), MT_OK);
	MT_CHECK_INT(mt_set(mt_index(t, 0, 1), (int64_t[]){0}, mt_i(9)), MT_OK);
	CHECK_VALUES(t, 0, -2.5, 2, 9, 4, 5);

	MT_CHECK_INT(mt_item(mt_full(MT_SHAPE(1, 1), MT_BF16, mt_f(-1.5)), &d), MT_OK);
	MT_CHECK_NEAR(d, -1.5, 0);
	MT_CHECK_INT(mt_item_i64(mt_scalar_tensor(mt_i(INT64_MIN + 1), MT_I64), &i), MT_OK);
	MT_CHECK_INT(i, INT64_MIN + 1);
	MT_CHECK_INT(mt_item_i64(mt_scalar_tensor(mt_f(-3.9), MT_F64), &i), MT_OK);
	MT_CHECK_INT(i, -3);
	MT_CHECK_INT(mt_item_i64(mt_scalar_tensor(mt_f(1e300), MT_F64), &i), MT_OK);
	MT_CHECK_INT(i, INT64_MAX);
	MT_CHECK_INT(mt_item(mt_get(t, (int64_t[]){0, 0}, &d) == MT_OK ? mt_index(mt_index(t, 0, 0), 0, 1) : NULL, &d),
	             MT_OK);
	MT_CHECK_NEAR(d, -2.5, 0);

	MT_CHECK_INT(mt_item(t, &d), MT_E_SHAPE);
	CHECK_ERROR(MT_E_SHAPE, "item: f32[2, 3] has 6 elements, not 1");
	MT_CHECK_INT(mt_item(NULL, &d), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "item: t");
	MT_CHECK_INT(mt_item(mt_zeros(MT_SHAPE0, MT_F32), NULL), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "item: out");
	MT_CHECK_INT(mt_get(t, (int64_t[]){2, 0}, &d), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "get: index 2 is out of range for dim 0 of shape [2, 3]");
	MT_CHECK_INT(mt_get(t, (int64_t[]){0, -4}, &d), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "index -4");
	MT_CHECK_INT(mt_get(t, NULL, &d), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "get: index");
	MT_CHECK_INT(mt_set(t, (int64_t[]){0, 0}, (mt_scalar){0}), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "set: value is no scalar");
	MT_CHECK_INT(mt_set(mt_expand(t, MT_SHAPE(4, 2, 3)), (int64_t[]){0, 0, 0}, mt_i(1)), MT_E_STATE);
	CHECK_ERROR(MT_E_STATE, "set: f32[4, 2, 3]");
	CHECK_VALUES(t, 0, -2.5, 2, 9, 4, 5);
}

static void test_access(void) {
	each_backend(on_access);
}

static void on_transfer(void) {
	float out[6] = {0};
	mt_tensor *t = counting(MT_SHAPE(2, 3), MT_F32), *turned = mt_transpose(t, 0, 1);
	static const float expected[6] = {0, 3, 1, 4, 2, 5};
	MT_CHECK_INT(mt_to_host(turned, out, sizeof out), MT_OK);
	MT_CHECK(memcmp(out, expected, sizeof out) == 0);
	MT_CHECK_INT(mt_from_host(turned, (float[]){10, 20, 30, 40, 50, 60}, sizeof out), MT_OK);
	CHECK_VALUES(t, 10, 30, 50, 20, 40, 60);
	MT_CHECK_INT(mt_from_host(mt_flip(t, 1), (float[]){1, 2, 3, 4, 5, 6}, sizeof out), MT_OK);
	CHECK_VALUES(t, 3, 2, 1, 6, 5, 4);

	MT_CHECK_INT(mt_to_host(t, out, 23), MT_E_ARG);
	CHECK_ERROR(MT_E_ARG, "to_host: f32[2, 3] has 24 bytes, not 23");
	MT_CHECK_INT(mt_from_host(t, NULL, 24), MT_E_NULL);
	CHECK_ERROR(MT_E_NULL, "from_host: src");
	MT_CHECK_INT(mt_to_host(mt_zeros(MT_SHAPE(0, 3), MT_F32), NULL, 0), MT_OK);
	MT_CHECK_INT(mt_from_host(mt_zeros(MT_SHAPE(0, 3), MT_F32), NULL, 0), MT_OK);

	/* Bytes of a bool that are neither 0 nor 1 become 1. */
	mt_tensor *b = mt_from_data(MT_SHAPE(4), MT_BOOL, (uint8_t[]){0, 1, 2, 255});
	uint8_t bytes[4] = {9, 9, 9, 9};
	MT_CHECK_INT(mt_to_host(b, bytes, 4), MT_OK);
	MT_CHECK(bytes[0] == 0 && bytes[1] == 1 && bytes[2] == 1 && bytes[3] == 1);
	MT_CHECK_INT(mt_from_host(mt_flip(b, 0), (uint8_t[]){7, 0, 0, 0}, 4), MT_OK);
	CHECK_VALUES(b, 0, 0, 0, 1);

	if (mt_device_has_host_memory(mt_tensor_device(t))) {
		float *data = mt_data(mt_index(t, 0, 1));
		MT_REQUIRE(data != NULL);
		MT_CHECK(data[0] == 6 && data[2] == 4);
		data[1] = -1;
		CHECK_VALUES(t, 3, 2, 1, 6, -1, 4);
	} else {
		MT_CHECK(mt_data(t) == NULL);
		CHECK_ERROR(MT_E_DEVICE, "mt_to_host");
	}
	MT_CHECK(mt_data(MT_NONE) == NULL);
	CHECK_ERROR(MT_E_ARG, "data: t is MT_NONE");
}

static void test_transfer(void) {
	each_backend(on_transfer);
}

/* Writing from the host what the graph relies on is refused, or noticed. */
static void on_host_writes(void) {
	mt_tensor *x = mt_requires_grad_(counting(MT_SHAPE(3), MT_F32), 1);
	MT_CHECK_INT(mt_set(x, (int64_t[]){0}, mt_f(1)), MT_E_STATE);
	CHECK_ERROR(MT_E_STATE, "set: f32[3] is a leaf");
	mt_tensor *y = mt_exp(x);
	MT_CHECK_INT(mt_set(y, (int64_t[]){0}, mt_f(1)), MT_E_STATE);
	CHECK_ERROR(MT_E_STATE, "set: f32[3] was made by a recorded op");
	MT_CHECK_INT(mt_from_host(y, (float[]){1, 2, 3}, 12), MT_E_STATE);
	CHECK_ERROR(MT_E_STATE, "from_host");
	int was = mt_grad_enable(0);
	MT_CHECK_INT(mt_set(y, (int64_t[]){0}, mt_f(1)), MT_OK);
	MT_CHECK_INT(mt_set(x, (int64_t[]){0}, mt_f(1)), MT_OK);
	mt_grad_enable(was);
	MT_CHECK_INT(mt_backward_from(y, mt_ones_like(y), 0), MT_E_VERSION); /* exp saved y */
	CHECK_ERROR(MT_E_VERSION, "exp");
}

static void test_host_writes(void) {
	each_backend(on_host_writes);
}

static const mt_test_case cases[] = {
	{"scopes", test_scopes},
	{"threads", test_threads},
	{"forked", test_forked},
	{"queries", test_queries},
	{"names", test_names},
	{"dtypes", test_dtypes},
	{"promotion", test_promotion},
	{"access", test_access},
	{"transfer", test_transfer},
	{"host_writes", test_host_writes},
	{NULL, NULL},
};
static const mt_test_suite suites[] = {{"tensor", cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
