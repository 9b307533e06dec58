/* Tensors: shape, dtype, views, scopes, creation, access, printing.
 *
 * A tensor is a view (shape, strides, offset) of reference-counted storage on one device.  Shapes are row-major;
 * negative dims count from the end.  Every function that returns a tensor gives it to the innermost open scope of the
 * thread: the scope's end releases it.  mt_retain keeps it beyond.  Functions never take ownership of their arguments.
 * Views share storage with their source and cost no copy; writing one writes the other. */
#ifndef MT_TENSOR_H
#define MT_TENSOR_H

#include "mt/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mt_tensor mt_tensor;
typedef struct mt_scope mt_scope;
typedef int32_t mt_dtype; /* enum mt_dtype_id */

/* "Left out" for an optional tensor argument (never NULL, which means failed). */
extern MT_API mt_tensor mt_none;
#define MT_NONE (&mt_none)

/* A shape as two arguments (rank, extents): mt_zeros(MT_SHAPE(2, 3), MT_F32).  A 0-d shape: MT_SHAPE0. */
#define MT_SHAPE(...)                                                                                                  \
	(int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[]) {                                     \
		__VA_ARGS__                                                                                                    \
	}
#define MT_SHAPE0 0, (const int64_t *)0

/* ---- dtypes and scalars ------------------------------------------------------------------------------------------- */

MT_API const char *mt_dtype_name(mt_dtype dtype); /* "f32"; "?" for a number that is none */
MT_API size_t mt_dtype_size(mt_dtype dtype);      /* bytes; 0 for a number that is none */
MT_API mt_status mt_dtype_parse(const char *name, mt_dtype *out);
/* The dtype of a op b for tensors of these dtypes, as PyTorch promotes; 0 where either is none. */
MT_API mt_dtype mt_promote(mt_dtype a, mt_dtype b);

static inline mt_scalar mt_f(double value) {
	mt_scalar s;
	s.tag = MT_SCALAR_F64;
	s.reserved = 0;
	s.v.f = value;
	return s;
}

static inline mt_scalar mt_i(int64_t value) {
	mt_scalar s;
	s.tag = MT_SCALAR_I64;
	s.reserved = 0;
	s.v.i = value;
	return s;
}

/* ---- lifetime ----------------------------------------------------------------------------------------------------- */

/* Opens a scope on this thread, inside the current one.  A root scope is always there and drains at thread exit.
 * NULL on MT_E_MEMORY. */
MT_API mt_scope *mt_scope_begin(void);
/* Ends scope and every scope opened inside it; releases their tensors.  NULL is ignored. */
MT_API void mt_scope_end(mt_scope *scope);
/* Ends scope, but moves t (graph and all) to the parent scope first.  Returns t; NULL when t is NULL. */
MT_API mt_tensor *mt_scope_end_keep(mt_scope *scope, mt_tensor *t);
/* Takes and gives back a reference of one's own, beyond scopes.  mt_retain returns t; NULL and MT_NONE are passed through. */
MT_API mt_tensor *mt_retain(mt_tensor *t);
MT_API void mt_release(mt_tensor *t);
/* Gives a retained tensor to the current scope: the reference is the scope's from now on.  Returns t. */
MT_API mt_tensor *mt_autorelease(mt_tensor *t);
/* Live tensors in the process (for leak checks). */
MT_API int64_t mt_live_tensors(void);

/* ---- creation: on the thread's current device --------------------------------------------------------------------- */

MT_API mt_tensor *mt_empty(int rank, const int64_t *shape, mt_dtype dtype); /* content undefined */
MT_API mt_tensor *mt_zeros(int rank, const int64_t *shape, mt_dtype dtype);
MT_API mt_tensor *mt_ones(int rank, const int64_t *shape, mt_dtype dtype);
MT_API mt_tensor *mt_full(int rank, const int64_t *shape, mt_dtype dtype, mt_scalar value);
/* start, start + step, … up to but not including stop; step ≠ 0.  All i64 scalars or all f64. */
MT_API mt_tensor *mt_arange(mt_scalar start, mt_scalar stop, mt_scalar step, mt_dtype dtype);
/* n ≥ 1 evenly spaced values from start to stop, both included; float dtypes. */
MT_API mt_tensor *mt_linspace(double start, double stop, int64_t n, mt_dtype dtype);
MT_API mt_tensor *mt_eye(int64_t n, int64_t m, mt_dtype dtype); /* [n, m], 1 on the diagonal */
/* Copies row-major data of dtype from host memory; data may be NULL only where there are no elements. */
MT_API mt_tensor *mt_from_data(int rank, const int64_t *shape, mt_dtype dtype, const void *data);
MT_API mt_tensor *mt_scalar_tensor(mt_scalar value, mt_dtype dtype); /* 0-d */
MT_API mt_tensor *mt_empty_like(mt_tensor *t);                       /* shape, dtype and device of t, contiguous */
MT_API mt_tensor *mt_zeros_like(mt_tensor *t);
MT_API mt_tensor *mt_ones_like(mt_tensor *t);
MT_API mt_tensor *mt_full_like(mt_tensor *t, mt_scalar value);

/* Random tensors draw from the process's generator: Philox4x32-10, the same numbers on every backend (docs/random.md). */
MT_API void mt_seed(uint64_t seed);                       /* seed, offset 0.  Start value: seed 0 */
MT_API void mt_rng_get(uint64_t *seed, uint64_t *offset); /* for checkpoints */
MT_API void mt_rng_set(uint64_t seed, uint64_t offset);
MT_API mt_tensor *mt_rand(int rank, const int64_t *shape, mt_dtype dtype); /* uniform [0, 1) */
MT_API mt_tensor *mt_uniform(int rank, const int64_t *shape, mt_dtype dtype, double low, double high);
MT_API mt_tensor *mt_randn(int rank, const int64_t *shape, mt_dtype dtype); /* normal(0, 1) */
MT_API mt_tensor *mt_normal(int rank, const int64_t *shape, mt_dtype dtype, double mean, double std);
MT_API mt_tensor *mt_bernoulli(int rank, const int64_t *shape, mt_dtype dtype, double p); /* 1 with probability p */
MT_API mt_tensor *mt_randint(int64_t low, int64_t high, int rank, const int64_t *shape);  /* i64 in [low, high) */
MT_API mt_tensor *mt_randperm(int64_t n); /* i64 permutation of 0…n−1 */

/* ---- what a tensor is: NULL and MT_NONE are answered with 0, NULL ------------------------------------------------- */

MT_API int mt_tensor_rank(const mt_tensor *t);
MT_API const int64_t *mt_tensor_shape(const mt_tensor *t);   /* rank extents, borrowed */
MT_API const int64_t *mt_tensor_strides(const mt_tensor *t); /* rank strides in elements, borrowed */
MT_API int64_t mt_tensor_size(const mt_tensor *t, int dim);  /* one extent; −1 for a dim out of range */
MT_API int64_t mt_tensor_numel(const mt_tensor *t);
MT_API mt_dtype mt_tensor_dtype(const mt_tensor *t);
MT_API mt_device *mt_tensor_device(const mt_tensor *t);
MT_API int mt_tensor_is_contiguous(const mt_tensor *t); /* row-major without gaps */
MT_API int mt_tensor_is_none(const mt_tensor *t);
MT_API int mt_tensor_shares_storage(const mt_tensor *a, const mt_tensor *b);
MT_API mt_status mt_tensor_set_name(mt_tensor *t, const char *name); /* copied, at most 63 bytes kept */
MT_API const char *mt_tensor_name(const mt_tensor *t);               /* "" when unnamed */

/* ---- reading and writing elements (they wait for the device) ------------------------------------------------------ */

/* The value of a tensor of one element, converted to double or int64. */
MT_API mt_status mt_item(mt_tensor *t, double *out);
MT_API mt_status mt_item_i64(mt_tensor *t, int64_t *out);
/* One element; index holds rank entries, negative ones count from the end. */
MT_API mt_status mt_get(mt_tensor *t, const int64_t *index, double *out);
MT_API mt_status mt_set(mt_tensor *t, const int64_t *index, mt_scalar value);
/* Copies all elements, row-major, in t's dtype, to or from host memory of exactly bytes bytes. */
MT_API mt_status mt_to_host(mt_tensor *t, void *dst, size_t bytes);
MT_API mt_status mt_from_host(mt_tensor *t, const void *src, size_t bytes);
/* The address of element 0 of a tensor whose device has host memory, after synchronising; NULL elsewhere (MT_E_DEVICE).
 * Memory that was lent for reading alone (mt/dlpack.h) must not be written through it. */
MT_API void *mt_data(mt_tensor *t);

/* ---- printing ----------------------------------------------------------------------------------------------------- */

/* NumPy's layout; above 1000 elements the middle of each long dim is elided.  "tensor([[1., 2.],\n        [3., 4.]])"; the dtype
 * is shown where it is not f32, i64 or bool. */
MT_API mt_status mt_tensor_print(mt_tensor *t, FILE *out);
MT_API char *mt_tensor_to_string(mt_tensor *t); /* the caller frees it with mt_free */

/* ---- views: gradients flow through all of them -------------------------------------------------------------------- */

#define MT_END INT64_MAX /* "left out" in mt_slice: to the far end in the step's direction */

MT_API mt_tensor *mt_permute(mt_tensor *x, int rank, const int64_t *dims);
MT_API mt_tensor *mt_transpose(mt_tensor *x, int dim0, int dim1);
/* One extent may be −1.  A view where the strides allow it, else a copy. */
MT_API mt_tensor *mt_reshape(mt_tensor *x, int rank, const int64_t *shape);
MT_API mt_tensor *mt_view(mt_tensor *x, int rank,
                          const int64_t *shape); /* mt_reshape that never copies: MT_E_SHAPE instead */
MT_API mt_tensor *mt_flatten(mt_tensor *x, int start_dim, int end_dim); /* dims start to end (inclusive) become one */
MT_API mt_tensor *mt_squeeze(mt_tensor *x, int dim);                    /* drops dim, whose extent must be 1 */
MT_API mt_tensor *mt_squeeze_all(mt_tensor *x);                         /* drops every dim of extent 1 */
MT_API mt_tensor *mt_unsqueeze(mt_tensor *x, int dim); /* a new dim of extent 1 at dim, −rank−1 … rank */
MT_API mt_tensor *mt_expand(mt_tensor *x, int rank, const int64_t *shape); /* broadcast; −1 keeps an extent */
/* x[…, start:stop:step, …] with Python's meaning: negative indices from the end, clamping, negative steps;
 * MT_END for start or stop is "left out"; step ≠ 0. */
MT_API mt_tensor *mt_slice(mt_tensor *x, int dim, int64_t start, int64_t stop, int64_t step);
MT_API mt_tensor *mt_narrow(mt_tensor *x, int dim, int64_t start,
                            int64_t length);                      /* exact: out of range is MT_E_SHAPE */
MT_API mt_tensor *mt_index(mt_tensor *x, int dim, int64_t index); /* x[…, index, …]: drops dim */
MT_API mt_tensor *mt_flip(mt_tensor *x, int dim);
MT_API mt_tensor *mt_as_strided(mt_tensor *x, int rank, const int64_t *shape, const int64_t *strides, int64_t offset);
MT_API mt_tensor *mt_detach(mt_tensor *x); /* the same storage outside the graph */

/* ---- copies ------------------------------------------------------------------------------------------------------- */

MT_API mt_tensor *mt_contiguous(mt_tensor *x);                    /* x itself where it is contiguous */
MT_API mt_tensor *mt_clone(mt_tensor *x);                         /* always a copy, contiguous */
MT_API mt_tensor *mt_cast(mt_tensor *x, mt_dtype dtype);          /* x itself where it has the dtype */
MT_API mt_tensor *mt_to_device(mt_tensor *x, mt_device *device);  /* x itself where it is there */
MT_API mt_tensor *mt_cat(mt_tensor *const *xs, int n, int dim);   /* n ≥ 1; equal shapes but for dim */
MT_API mt_tensor *mt_stack(mt_tensor *const *xs, int n, int dim); /* along a new dim */
/* Splits dim into views of size (the last may be smaller) into out[0 … *n−1]; *n is out's capacity on entry. */
MT_API mt_status mt_split(mt_tensor *x, int64_t size, int dim, mt_tensor **out, int *n);

#ifdef __cplusplus
}
#endif

#endif
