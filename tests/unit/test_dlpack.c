/* DLPack: memory of a producer that counts how often it is asked to free, and tensors lent to a consumer. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends.h"
#include "mt/dlpack.h"

/* ---- a producer --------------------------------------------------------------------------------------------------- */

/* An array of the host, as DLPack describes it, in both forms; deleted counts the calls of their deleter.  Static in
 * tests: the tensors live as long as the scope around them. */
struct producer {
	int64_t shape[MT_MAX_RANK + 1], stride[MT_MAX_RANK + 1];
	DLManagedTensor plain;
	DLManagedTensorVersioned versioned;
	int deleted;
};

static void delete_plain(DLManagedTensor *self) {
	((struct producer *)self->manager_ctx)->deleted++;
}

static void delete_versioned(DLManagedTensorVersioned *self) {
	((struct producer *)self->manager_ctx)->deleted++;
}

/* stride NULL: DLPack's NULL. */
static void produce(struct producer *p, void *data, DLDataType dtype, int rank, const int64_t *shape,
                    const int64_t *stride) {
	memset(p, 0, sizeof *p);
	for (int d = 0; d < rank; d++) {
		p->shape[d] = shape[d];
		p->stride[d] = stride != NULL ? stride[d] : 0;
	}
	p->plain.dl_tensor = (DLTensor){.data = data,
	                                .device = {kDLCPU, 0},
	                                .ndim = rank,
	                                .dtype = dtype,
	                                .shape = p->shape,
	                                .strides = stride != NULL ? p->stride : NULL};
	p->plain.manager_ctx = p;
	p->plain.deleter = delete_plain;
	p->versioned.version = (DLPackVersion){1, 0};
	p->versioned.manager_ctx = p;
	p->versioned.deleter = delete_versioned;
	p->versioned.dl_tensor = p->plain.dl_tensor;
}

static const DLDataType f32 = {kDLFloat, 32, 1};

static int on_host(void) {
	return mt_device_has_host_memory(mt_device_current());
}

/* ---- in ----------------------------------------------------------------------------------------------------------- */

static void test_shares(void) {
	float data[6] = {1, 2, 3, 4, 5, 6};
	static struct producer p;
	if (!on_host())
		return;
	for (int versioned = 0; versioned < 2; versioned++) {
		row("versioned %d", versioned);
		produce(&p, data, f32, MT_SHAPE(2, 3), NULL);
		data[0] = 1;
		data[5] = 6;
		mt_scope *scope = mt_scope_begin();
		mt_tensor *t = versioned ? mt_from_dlpack_versioned(&p.versioned) : mt_from_dlpack(&p.plain);
		MT_REQUIRE(t != NULL);
		CHECK_SHAPE(t, 2, 3);
		CHECK_VALUES(t, 1, 2, 3, 4, 5, 6);
		MT_CHECK(mt_data(t) == data && mt_tensor_is_contiguous(t));
		data[0] = 10;
		MT_CHECK(mt_set(t, (int64_t[]){1, 2}, mt_f(60)) == MT_OK && data[5] == 60);
		CHECK_VALUES(mt_sum(t, MT_ALL_AXES, 0), 84);
		MT_CHECK_INT(p.deleted, 0);
		mt_scope_end(scope);
		MT_CHECK_INT(p.deleted, 1);
	}
}

/* The last of tensor, view and graph gives the memory back, whichever it is. */
static void test_last_user(void) {
	float data[4] = {1, 2, 3, 4};
	static struct producer p;
	if (!on_host())
		return;
	produce(&p, data, f32, MT_SHAPE(4), NULL);
	mt_scope *scope = mt_scope_begin();
	mt_tensor *t = mt_from_dlpack(&p.plain);
	mt_tensor *view = mt_retain(mt_slice(t, 0, 1, 3, 1));
	mt_scope_end(scope);
	MT_CHECK_INT(p.deleted, 0);
	CHECK_VALUES(view, 2, 3);
	mt_release(view);
	MT_CHECK_INT(p.deleted, 1);

	produce(&p, data, f32, MT_SHAPE(4), NULL);
	scope = mt_scope_begin();
	mt_tensor *w = mt_retain(mt_requires_grad_(mt_ones(MT_SHAPE(4), MT_F32), 1));
	mt_tensor *y = mt_retain(mt_sum(mt_mul(w, mt_from_dlpack(&p.plain)), MT_ALL_AXES, 0));
	mt_scope_end(scope);
	MT_CHECK_INT(p.deleted, 0); /* the product saved it */
	MT_CHECK(mt_backward(y) == MT_OK);
	MT_CHECK_INT(p.deleted, 1);
	CHECK_VALUES(mt_grad(w), 1, 2, 3, 4);
	mt_release(y);
	mt_release(w);
}

/* Written through one tensor and saved by a graph through another of the same storage: noticed, as anywhere. */
static void test_version(void) {
	float data[2] = {3, 4};
	static struct producer p;
	if (!on_host())
		return;
	produce(&p, data, f32, MT_SHAPE(2), NULL);
	mt_tensor *t = mt_from_dlpack(&p.plain), *w = mt_requires_grad_(mt_ones(MT_SHAPE(2), MT_F32), 1);
	mt_tensor *y = mt_sum(mt_mul(w, t), MT_ALL_AXES, 0);
	MT_CHECK(mt_fill_(mt_slice(t, 0, 0, 1, 1), mt_f(7)) != NULL);
	MT_CHECK(mt_backward(y) != MT_OK);
	CHECK_ERROR(MT_E_VERSION, "was modified");
}

static const struct {
	mt_dtype dtype;
	DLDataType dl;
} dtypes[] = {
	{MT_F32, {kDLFloat, 32, 1}},   {MT_F64, {kDLFloat, 64, 1}}, {MT_F16, {kDLFloat, 16, 1}},
	{MT_BF16, {kDLBfloat, 16, 1}}, {MT_I32, {kDLInt, 32, 1}},   {MT_I64, {kDLInt, 64, 1}},
	{MT_U8, {kDLUInt, 8, 1}},      {MT_BOOL, {kDLBool, 8, 1}},
};

static void test_dtypes(void) {
	static const uint16_t half_one = 0x3c00, bfloat_one = 0x3f80;
	union {
		float f;
		double d;
		uint16_t h;
		int32_t i;
		int64_t l;
		uint8_t b;
	} one[] = {{.f = 1}, {.d = 1}, {.h = half_one}, {.h = bfloat_one}, {.i = 1}, {.l = 1}, {.b = 1}, {.b = 1}};
	for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
		static struct producer p;
		row("%s", mt_dtype_name(dtypes[i].dtype));
		DLManagedTensorVersioned *out = mt_to_dlpack_versioned(mt_ones(MT_SHAPE(1), dtypes[i].dtype));
		MT_REQUIRE(out != NULL);
		MT_CHECK(memcmp(&out->dl_tensor.dtype, &dtypes[i].dl, sizeof(DLDataType)) == 0);
		mt_tensor *back = mt_from_dlpack_versioned(out);
		MT_CHECK_INT(mt_tensor_dtype(back), dtypes[i].dtype);
		CHECK_VALUES(back, 1);
		if (!on_host())
			continue;
		produce(&p, &one[i], dtypes[i].dl, MT_SHAPE(1), NULL);
		mt_tensor *t = mt_from_dlpack(&p.plain);
		MT_CHECK_INT(mt_tensor_dtype(t), dtypes[i].dtype);
		CHECK_VALUES(t, 1);
	}
}

static void test_strides(void) {
	float data[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
	static struct producer p;
	if (!on_host())
		return;
	produce(&p, data, f32, MT_SHAPE(2, 3), (int64_t[]){1, 2}); /* transposed */
	CHECK_VALUES(mt_from_dlpack(&p.plain), 0, 2, 4, 1, 3, 5);
	produce(&p, data + 11, f32, MT_SHAPE(2, 2), (int64_t[]){-6, -1}); /* from the end */
	mt_tensor *t = mt_from_dlpack(&p.plain);
	CHECK_VALUES(t, 11, 10, 5, 4);
	CHECK_VALUES(mt_matmul(t, mt_eye(2, 2, MT_F32)), 11, 10, 5, 4);
	MT_CHECK(mt_fill_(t, mt_f(-1)) != NULL && data[11] == -1 && data[4] == -1 && data[6] == 6 && data[3] == 3);
	produce(&p, data, f32, MT_SHAPE(3, 2), (int64_t[]){0, 1}); /* broadcast */
	t = mt_from_dlpack(&p.plain);
	CHECK_VALUES(t, 0, 1, 0, 1, 0, 1);
	MT_CHECK(mt_fill_(t, mt_f(1)) == NULL);
	CHECK_ERROR(MT_E_STATE, "share memory");
	produce(&p, data, f32, MT_SHAPE(3, 2), (int64_t[]){1, 1}); /* windows */
	t = mt_from_dlpack(&p.plain);
	CHECK_VALUES(t, 0, 1, 1, 2, 2, 3);
	MT_CHECK(mt_fill_(t, mt_f(1)) == NULL);
	CHECK_ERROR(MT_E_STATE, "share memory");
	produce(&p, data, f32, MT_SHAPE(1, 2), (int64_t[]){INT64_MIN, 1}); /* never stepped along */
	t = mt_from_dlpack(&p.plain);
	CHECK_VALUES(t, 0, 1);
	MT_CHECK(mt_tensor_is_contiguous(t) && mt_tensor_strides(t)[0] == 2);
	produce(&p, data, f32, MT_SHAPE(2), NULL);
	p.plain.dl_tensor.byte_offset = 8;
	CHECK_VALUES(mt_from_dlpack(&p.plain), 2, 3);
	produce(&p, data, f32, MT_SHAPE0, NULL);
	p.plain.dl_tensor.shape = NULL;
	t = mt_from_dlpack(&p.plain);
	CHECK_SHAPE0(t);
	CHECK_VALUES(t, 0);
}

/* Columns that lie further apart than 32 bits count elements, in memory that is mostly not there. */
static void test_far(void) {
	enum { ROWS = 20, COLUMNS = 3 };
	const int64_t apart = ((int64_t)1 << 31) + 7;
	const size_t bytes = (size_t)((COLUMNS - 1) * apart + ROWS) * sizeof(float);
	static struct producer p;
	if (!on_host())
		return;
	float *data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (data == MAP_FAILED)
		return;
	mt_scope *scope = mt_scope_begin();
	mt_tensor *near = mt_mul_scalar(mt_sub_scalar(counting(MT_SHAPE(ROWS, COLUMNS), MT_F32), mt_f(30)), mt_f(0.03125));
	double *values = elements(near);
	MT_REQUIRE(values != NULL);
	for (int64_t i = 0; i < ROWS; i++)
		for (int64_t j = 0; j < COLUMNS; j++)
			data[j * apart + i] = (float)values[i * COLUMNS + j];
	produce(&p, data, f32, MT_SHAPE(ROWS, COLUMNS), (const int64_t[]){1, apart});
	mt_tensor *far = mt_from_dlpack(&p.plain);
	MT_REQUIRE(far != NULL);
	mt_tensor *const of_far[] = {
		mt_exp(far),        mt_mul(near, far),          mt_matmul(mt_transpose(far, 0, 1), far),
		mt_softmax(far, 1), mt_sum(far, MT_AXES(0), 0), mt_cumsum(far, 1)};
	mt_tensor *const of_near[] = {mt_exp(near),
	                              mt_square(near),
	                              mt_matmul(mt_transpose(near, 0, 1), near),
	                              mt_softmax(near, 1),
	                              mt_sum(near, MT_AXES(0), 0),
	                              mt_cumsum(near, 1)};
	for (size_t i = 0; i < sizeof of_far / sizeof *of_far; i++) {
		int close = 0;
		row("result %d", (int)i);
		MT_CHECK(mt_allclose(of_far[i], of_near[i], 1e-5, 1e-6, 0, &close) == MT_OK && close);
	}
	free(values);
	mt_scope_end(scope);
	munmap(data, bytes);
}

static void test_empty(void) {
	static struct producer p;
	if (!on_host())
		return;
	produce(&p, NULL, f32, MT_SHAPE(0, 3), NULL);
	mt_scope *scope = mt_scope_begin();
	mt_tensor *t = mt_from_dlpack(&p.plain);
	MT_REQUIRE(t != NULL);
	CHECK_SHAPE(t, 0, 3);
	CHECK_VALUES(mt_sum(t, MT_AXES(0), 0), 0, 0, 0);
	DLManagedTensor *out = mt_to_dlpack(t);
	MT_CHECK(out != NULL && out->dl_tensor.data == NULL && out->dl_tensor.shape[1] == 3);
	mt_scope_end(scope);
	MT_CHECK_INT(p.deleted, 0);
	out->deleter(out);
	MT_CHECK_INT(p.deleted, 1);
}

/* A producer may have nothing to free. */
static void test_no_deleter(void) {
	float data[1] = {5};
	static struct producer p;
	if (!on_host())
		return;
	produce(&p, data, f32, MT_SHAPE(1), NULL);
	p.plain.deleter = NULL;
	p.versioned.deleter = NULL;
	mt_scope *scope = mt_scope_begin();
	CHECK_VALUES(mt_from_dlpack(&p.plain), 5);
	CHECK_VALUES(mt_from_dlpack_versioned(&p.versioned), 5);
	mt_scope_end(scope);
}

/* ---- read-only ---------------------------------------------------------------------------------------------------- */

#define REFUSED(call)                                                                                                  \
	do {                                                                                                               \
		MT_CHECK((call));                                                                                              \
		CHECK_ERROR(MT_E_STATE, "lent for reading alone");                                                             \
	} while (0)

static void test_read_only(void) {
	static const float data[4] = {1, 2, 3, 4};
	float other[4] = {0};
	static struct producer p;
	if (!on_host())
		return;
	produce(&p, (void *)(uintptr_t)data, f32, MT_SHAPE(4), NULL); /* a write would end the test with a signal */
	p.versioned.flags = DLPACK_FLAG_BITMASK_READ_ONLY;
	mt_scope *scope = mt_scope_begin();
	mt_tensor *t = mt_from_dlpack_versioned(&p.versioned), *ones = mt_ones(MT_SHAPE(4), MT_F32);
	MT_REQUIRE(t != NULL);
	CHECK_VALUES(mt_add(t, ones), 2, 3, 4, 5);
	REFUSED(mt_add_(t, ones) == NULL);
	REFUSED(mt_mul_scalar_(mt_slice(t, 0, 1, 3, 1), mt_f(2)) == NULL);
	REFUSED(mt_fill_(t, mt_f(0)) == NULL);
	REFUSED(mt_zero_(t) == NULL);
	REFUSED(mt_copy_(t, ones) == NULL);
	REFUSED(mt_set(t, (int64_t[]){0}, mt_f(0)) == MT_E_STATE);
	REFUSED(mt_from_host(t, other, sizeof other) == MT_E_STATE);
	REFUSED(mt_map_out(MT_MAP_NEG, ones, (mt_scalar){0}, (mt_scalar){0}, t) == NULL);
	REFUSED(mt_zip_out(MT_ZIP_ADD, ones, ones, t) == NULL);
	REFUSED(mt_batch_norm(mt_ones(MT_SHAPE(2, 4), MT_F32), MT_NONE, MT_NONE, t, ones,
	                      (mt_batch_norm_options){.training = 1}) == NULL);
	mt_tensor *leaf = mt_requires_grad_(mt_detach(t), 1);
	REFUSED(mt_optim_sgd(&leaf, 1, 0.1, (mt_sgd_options){0}) == NULL);
	REFUSED(mt_to_dlpack(t) == NULL);
	DLManagedTensorVersioned *out = mt_to_dlpack_versioned(t);
	MT_CHECK(out != NULL && out->flags == DLPACK_FLAG_BITMASK_READ_ONLY && out->dl_tensor.data == data);
	mt_tensor *again = mt_from_dlpack_versioned(out);
	REFUSED(mt_zero_(again) == NULL);
	CHECK_VALUES(mt_add_(mt_clone(t), ones), 2, 3, 4, 5);
	mt_scope_end(scope);
	MT_CHECK_INT(p.deleted, 1);
}

/* ---- what overlaps ------------------------------------------------------------------------------------------------ */

/* Two tensors over one array are two storages: ops must notice all the same that one is read while the other is
 * written. */
static void test_overlap(void) {
	float data[6] = {1, 2, 3, 4, 5, 6};
	static struct producer from, to;
	if (!on_host())
		return;
	produce(&from, data, f32, MT_SHAPE(5), NULL);
	produce(&to, data + 1, f32, MT_SHAPE(5), NULL);
	mt_tensor *a = mt_from_dlpack(&from.plain), *b = mt_from_dlpack(&to.plain);
	MT_CHECK(!mt_tensor_shares_storage(a, b));
	MT_CHECK(mt_copy_(b, a) != NULL);
	CHECK_VALUES(b, 1, 2, 3, 4, 5);
	MT_CHECK(mt_add_(b, a) != NULL); /* data is 1 1 2 3 4 5 */
	CHECK_VALUES(b, 2, 3, 5, 7, 9);
	MT_CHECK(mt_zip_out(MT_ZIP_MUL, a, a, b) == b); /* data is 1 2 3 5 7 9 */
	CHECK_VALUES(b, 1, 4, 9, 25, 49);
	MT_CHECK(mt_add_(mt_flip(a, 0), a) != NULL); /* data is 1 1 4 9 25 49; a and its mirror */
	CHECK_VALUES(a, 26, 10, 8, 10, 26);
}

/* ---- what is refused ---------------------------------------------------------------------------------------------- */

static char room[64] __attribute__((aligned(8))) = {2};

static void no_shape(struct producer *p) {
	p->plain.dl_tensor.shape = NULL;
}

static void off_by_one(struct producer *p) {
	p->plain.dl_tensor.byte_offset = 1;
}

static void on_cuda(struct producer *p) {
	p->plain.dl_tensor.device = (DLDevice){kDLCUDA, 3};
}

static void on_nothing(struct producer *p) {
	p->plain.dl_tensor.device = (DLDevice){(DLDeviceType)99, 0};
}

static void far_offset(struct producer *p) {
	p->plain.dl_tensor.byte_offset = UINT64_MAX - 7;
}

static void no_data(struct producer *p) {
	p->plain.dl_tensor.data = NULL;
}

#define BIG ((int64_t)1 << 40)

static const struct {
	const char *what;
	DLDataType dtype;
	int rank;
	int64_t shape[MT_MAX_RANK + 1], stride[MT_MAX_RANK + 1];
	int strided;
	void (*change)(struct producer *p);
	mt_status status;
	const char *message;
} refused[] = {
	{"two lanes", {kDLFloat, 32, 2}, 1, {2}, {0}, 0, NULL, MT_E_DTYPE, "float of 32 bits in 2 lanes"},
	{"no lane", {kDLFloat, 32, 0}, 1, {2}, {0}, 0, NULL, MT_E_DTYPE, "in 0 lanes"},
	{"complex", {kDLComplex, 64, 1}, 1, {2}, {0}, 0, NULL, MT_E_DTYPE, "complex of 64 bits"},
	{"float8", {kDLFloat8_e4m3fn, 8, 1}, 1, {2}, {0}, 0, NULL, MT_E_DTYPE, "code 10"},
	{"code 255", {255, 8, 1}, 1, {2}, {0}, 0, NULL, MT_E_DTYPE, "code 255"},
	{"i8", {kDLInt, 8, 1}, 1, {2}, {0}, 0, NULL, MT_E_DTYPE, "int of 8 bits"},
	{"bool of 1 bit", {kDLBool, 1, 1}, 1, {2}, {0}, 0, NULL, MT_E_DTYPE, "bool of 1 bits"},
	{"rank 9", {kDLFloat, 32, 1}, 9, {1, 1, 1, 1, 1, 1, 1, 1, 1}, {0}, 0, NULL, MT_E_UNSUPPORTED, "9 dims, at most 8"},
	{"rank -1", {kDLFloat, 32, 1}, -1, {0}, {0}, 0, NULL, MT_E_SHAPE, "ndim is -1"},
	{"negative extent", {kDLFloat, 32, 1}, 2, {2, -1}, {0}, 0, NULL, MT_E_SHAPE, "[2, -1] has a negative extent"},
	{"empty and negative", {kDLFloat, 32, 1}, 2, {0, -1}, {0}, 0, NULL, MT_E_SHAPE, "[0, -1] has a negative extent"},
	{"extents", {kDLFloat, 32, 1}, 2, {BIG, BIG}, {0}, 0, NULL, MT_E_SHAPE, "more than an address space holds"},
	{"bytes", {kDLFloat, 64, 1}, 2, {BIG, 1 << 22}, {0}, 0, NULL, MT_E_SHAPE, "more than an address space holds"},
	{"a stride", {kDLFloat, 32, 1}, 1, {3}, {INT64_MAX}, 1, NULL, MT_E_SHAPE, "more than an address space holds"},
	{"a stride back", {kDLFloat, 32, 1}, 1, {2}, {INT64_MIN}, 1, NULL, MT_E_SHAPE, "more than an address space holds"},
	{"below 0", {kDLFloat, 32, 1}, 1, {2}, {-((int64_t)1 << 60)}, 1, NULL, MT_E_SHAPE, "more than an address space"},
	{"offset", {kDLFloat, 32, 1}, 1, {2}, {0}, 0, far_offset, MT_E_SHAPE, "more than an address space holds"},
	{"no shape", {kDLFloat, 32, 1}, 1, {2}, {0}, 0, no_shape, MT_E_ARG, "1 dims has no shape"},
	{"no data", {kDLFloat, 32, 1}, 1, {2}, {0}, 0, no_data, MT_E_ARG, "2 elements has no data"},
	{"unaligned", {kDLFloat, 32, 1}, 1, {2}, {0}, 0, off_by_one, MT_E_UNSUPPORTED, "not aligned to the 4 bytes of f32"},
	{"bools", {kDLBool, 8, 1}, 1, {2}, {0}, 0, NULL, MT_E_ARG, "bools of 0 or 1, got 2"},
	{"bools back", {kDLBool, 8, 1}, 2, {2, 2}, {0, 0}, 1, NULL, MT_E_ARG, "bools of 0 or 1, got 2"},
	{"CUDA", {kDLFloat, 32, 1}, 1, {2}, {0}, 0, on_cuda, MT_E_DEVICE, "lies in CUDA memory (device type 2, id 3)"},
	{"another", {kDLFloat, 32, 1}, 1, {2}, {0}, 0, on_nothing, MT_E_DEVICE, "memory of another kind (device type 99"},
};

static void test_refused(void) {
	if (!on_host())
		return;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		static struct producer p;
		int rank = refused[i].rank;
		row("%s", refused[i].what);
		produce(&p, room, refused[i].dtype, rank < 0 ? 0 : rank, refused[i].shape,
		        refused[i].strided ? refused[i].stride : NULL);
		p.plain.dl_tensor.ndim = rank;
		if (refused[i].change != NULL)
			refused[i].change(&p);
		p.versioned.dl_tensor = p.plain.dl_tensor;
		int64_t live = mt_live_tensors();
		MT_CHECK(mt_from_dlpack(&p.plain) == NULL);
		CHECK_ERROR(refused[i].status, refused[i].message);
		MT_CHECK(mt_from_dlpack_versioned(&p.versioned) == NULL);
		CHECK_ERROR(refused[i].status, refused[i].message);
		MT_CHECK_INT(p.deleted, 0); /* still the caller's */
		MT_CHECK_INT(mt_live_tensors(), live);
	}
}

/* Of another major nothing but the version is looked at; a newer minor is fine. */
static void test_major(void) {
	float data[1] = {4};
	static struct producer p;
	if (!on_host())
		return;
	produce(&p, data, f32, MT_SHAPE(1), NULL);
	p.versioned.version = (DLPackVersion){2, 0};
	memset(&p.versioned.dl_tensor, 0xA5, sizeof p.versioned.dl_tensor);
	MT_CHECK(mt_from_dlpack_versioned(&p.versioned) == NULL);
	CHECK_ERROR(MT_E_UNSUPPORTED, "comes as DLPack 2.0; expected 1.x");
	MT_CHECK_INT(p.deleted, 0);
	p.versioned.version = (DLPackVersion){1, 99};
	p.versioned.dl_tensor = p.plain.dl_tensor;
	CHECK_VALUES(mt_from_dlpack_versioned(&p.versioned), 4);
	MT_CHECK(mt_from_dlpack(NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "from_dlpack: managed");
	MT_CHECK(mt_from_dlpack_versioned(NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "from_dlpack_versioned: managed");
}

/* Memory that the CPU reads as its own counts as the host's. */
static void test_pinned(void) {
	float data[1] = {4};
	static struct producer p;
	if (!on_host())
		return;
	produce(&p, data, f32, MT_SHAPE(1), NULL);
	p.plain.dl_tensor.device = (DLDevice){kDLCUDAHost, 1};
	CHECK_VALUES(mt_from_dlpack(&p.plain), 4);
}

/* ---- out ---------------------------------------------------------------------------------------------------------- */

static void test_out(void) {
	mt_scope *scope = mt_scope_begin();
	int64_t live = mt_live_tensors();
	mt_tensor *t = mt_reshape(mt_arange(mt_i(0), mt_i(12), mt_i(1), MT_F32), MT_SHAPE(3, 4));
	mt_tensor *view = mt_transpose(mt_slice(t, 1, 1, 4, 2), 0, 1); /* [[1, 5, 9], [3, 7, 11]] */
	DLManagedTensorVersioned *out = mt_to_dlpack_versioned(view);
	DLManagedTensor *plain = mt_to_dlpack(mt_flip(t, 0));
	MT_REQUIRE(out != NULL && plain != NULL);
	const DLTensor *d = &out->dl_tensor;
	MT_CHECK(out->version.major == 1 && out->flags == 0);
	MT_CHECK(d->ndim == 2 && d->shape[0] == 2 && d->shape[1] == 3 && d->strides[0] == 2 && d->strides[1] == 4);
	MT_CHECK(d->byte_offset == 0 && (!on_host() || d->data == (char *)mt_data(t) + 4));
	MT_CHECK(plain->dl_tensor.strides[0] == -4 && plain->dl_tensor.strides[1] == 1);
	struct mt_device_info info;
	MT_CHECK(mt_device_describe(mt_device_current(), &info) == MT_OK);
	MT_CHECK(on_host() ? d->device.device_type == kDLCPU && d->device.device_id == 0
	                   : (int)d->device.device_type == info.memory_kind && d->device.device_id == info.memory_ordinal);
	mt_scope_end(scope); /* the lent memory outlives every tensor */
	MT_CHECK(mt_live_tensors() <= live);

	scope = mt_scope_begin();
	mt_tensor *back = mt_from_dlpack_versioned(out), *flipped = mt_from_dlpack(plain);
	CHECK_VALUES(back, 1, 5, 9, 3, 7, 11);
	CHECK_VALUES(mt_index(flipped, 0, 0), 8, 9, 10, 11);
	MT_CHECK(mt_fill_(back, mt_f(-1)) != NULL);
	CHECK_VALUES(flipped, 8, -1, 10, -1, 4, -1, 6, -1, 0, -1, 2, -1);
	mt_scope_end(scope);
}

/* The same buffer is used again once, and only once, the consumer is done. */
static void test_gives_back(void) {
	uint64_t before, during, after;
	mt_device *d = mt_device_current();
	mt_scope *scope = mt_scope_begin();
	MT_CHECK(mt_device_memory(d, &before, NULL) == MT_OK);
	DLManagedTensor *out = mt_to_dlpack(mt_zeros(MT_SHAPE(1000), MT_F32));
	mt_scope_end(scope);
	MT_REQUIRE(out != NULL);
	MT_CHECK(mt_device_memory(d, &during, NULL) == MT_OK);
	MT_CHECK(during >= before + 4000);
	out->deleter(out);
	MT_CHECK(mt_device_memory(d, &after, NULL) == MT_OK);
	MT_CHECK(after == before);
}

static void test_out_refused(void) {
	mt_tensor *leaf = mt_requires_grad_(mt_ones(MT_SHAPE(2), MT_F32), 1), *y = mt_mul(leaf, leaf);
	MT_CHECK(mt_to_dlpack(leaf) == NULL);
	CHECK_ERROR(MT_E_STATE, "to_dlpack: f32[2] requires a gradient");
	MT_CHECK(mt_to_dlpack_versioned(y) == NULL);
	CHECK_ERROR(MT_E_STATE, "to_dlpack_versioned: f32[2] is the result of a recorded op");
	MT_CHECK(mt_to_dlpack_versioned(y) == NULL);
	CHECK_ERROR(MT_E_STATE, "mt_detach it first");
	MT_CHECK(mt_to_dlpack(NULL) == NULL);
	CHECK_ERROR(MT_E_NULL, "to_dlpack: t");
	MT_CHECK(mt_to_dlpack_versioned(MT_NONE) == NULL);
	CHECK_ERROR(MT_E_ARG, "MT_NONE");
	DLManagedTensor *out = mt_to_dlpack(mt_detach(y));
	MT_REQUIRE(out != NULL);
	CHECK_VALUES(mt_from_dlpack(out), 1, 1);
}

/* ---- threads and forks -------------------------------------------------------------------------------------------- */

static void *delete_there(void *managed) {
	DLManagedTensor *m = managed;
	m->deleter(m);
	return NULL;
}

static void test_other_thread(void) {
	pthread_t thread;
	uint64_t before, after;
	mt_scope *scope = mt_scope_begin();
	MT_CHECK(mt_device_memory(mt_device_current(), &before, NULL) == MT_OK);
	DLManagedTensor *out = mt_to_dlpack(mt_zeros(MT_SHAPE(1000), MT_F32));
	mt_scope_end(scope);
	MT_REQUIRE(out != NULL && pthread_create(&thread, NULL, delete_there, out) == 0);
	pthread_join(thread, NULL);
	MT_CHECK(mt_device_memory(mt_device_current(), &after, NULL) == MT_OK);
	MT_CHECK(after == before);
}

static void test_fork(void) {
	float data[1] = {4};
	static struct producer p;
	int status = -1;
	if (!on_host())
		return;
	produce(&p, data, f32, MT_SHAPE(1), NULL);
	mt_tensor *t = mt_retain(mt_from_dlpack(&p.plain));
	MT_REQUIRE(t != NULL);
	mt_scope *scope = mt_scope_begin();
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		mt_release(t);
		_exit(mt_from_dlpack(&p.plain) != NULL ? 99 : p.deleted);
	}
	MT_CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	mt_scope_end(scope);
	MT_CHECK_INT(p.deleted, 0);
	mt_release(t);
}

/* ---- all on each backend ------------------------------------------------------------------------------------------ */

#define EACH(name)                                                                                                     \
	static void each_##name(void) {                                                                                    \
		each_backend(test_##name);                                                                                     \
	}
EACH(shares)
EACH(last_user)
EACH(version)
EACH(dtypes)
EACH(strides)
EACH(far)
EACH(empty)
EACH(no_deleter)
EACH(read_only)
EACH(overlap)
EACH(refused)
EACH(major)
EACH(pinned)
EACH(out)
EACH(gives_back)
EACH(out_refused)
EACH(other_thread)
EACH(fork)

static const mt_test_case in_cases[] = {{"shares", each_shares},       {"last_user", each_last_user},
                                        {"version", each_version},     {"dtypes", each_dtypes},
                                        {"strides", each_strides},     {"far", each_far},
                                        {"empty", each_empty},         {"no_deleter", each_no_deleter},
                                        {"read_only", each_read_only}, {"overlap", each_overlap},
                                        {"refused", each_refused},     {"major", each_major},
                                        {"pinned", each_pinned},       {0}};
static const mt_test_case out_cases[] = {{"out", each_out},
                                         {"gives_back", each_gives_back},
                                         {"refused", each_out_refused},
                                         {"other_thread", each_other_thread},
                                         {"fork", each_fork},
                                         {0}};
static const mt_test_suite suites[] = {{"in", in_cases, NULL, NULL}, {"out", out_cases, NULL, NULL}, {0}};

int main(int argc, char **argv) {
	return mt_test_main(argc, argv, suites);
}
