/* mt plugin ABI, major 0.  Everything a backend has to know stands in this header and the .def lists beside it.
 *
 * A plugin is a shared object that exports exactly one symbol, mt_plugin_entry_v1.  libmt ("the host") finds it through
 * a JSON manifest, loads it, negotiates, opens devices and calls kernels.  The rules are numbered R1 to R20 in
 * docs/plugin-abi.md; the numbers below refer to them.
 *
 * All structs that cross the line begin with their size in bytes as their writer knows it, are append-only, and use
 * fixed-width types.  Ids are explicit numbers and never change.  Functions return 0 or an mt_status code; the words go
 * through mt_host_api.set_error. */
#ifndef MT_PLUGIN_H
#define MT_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MT_ABI_MAJOR 0u
#define MT_ABI_MINOR 2u
#define MT_MAX_RANK 8
#define MT_MAX_SPATIAL 3

/* ---- ids, from the lists ------------------------------------------------------------------------------------------ */

#define MT_STATUS(id, NAME, text) MT_##NAME = id,
enum mt_status_id {
#include "statuses.def"
	MT_STATUS_END_
};
#undef MT_STATUS

#define MT_DTYPE(id, NAME, name, bytes, class) MT_##NAME = id,
enum mt_dtype_id {
#include "dtypes.def"
	MT_DTYPE_END_
};
#undef MT_DTYPE

#define MT_MAP(id, NAME, name, dtypes, result, formula) MT_MAP_##NAME = id,
enum mt_map_id {
#include "map_ops.def"
	MT_MAP_END_
};
#undef MT_MAP

#define MT_ZIP(id, NAME, name, dtypes, result, formula) MT_ZIP_##NAME = id,
enum mt_zip_id {
#include "zip_ops.def"
	MT_ZIP_END_
};
#undef MT_ZIP

#define MT_REDUCE(id, NAME, name, dtypes, result, formula) MT_REDUCE_##NAME = id,
enum mt_reduce_id {
#include "reduce_ops.def"
	MT_REDUCE_END_
};
#undef MT_REDUCE

#define MT_ACTIVATION(id, NAME, name) MT_ACT_##NAME = id,
enum mt_activation_id {
#include "activations.def"
	MT_ACT_END_
};
#undef MT_ACTIVATION

#define MT_KERNEL(id, NAME, name, group, must) MT_K_##NAME = id,
enum mt_kernel_id {
#include "kernels.def"
	MT_K_END_
};
#undef MT_KERNEL

/* Sets of dtypes, as masks of 1 << id.  MT_SET_FLOAT, MT_SET_NUMBER and MT_SET_ALL are the names the op lists use. */
#define MT_DTYPE_BIT(id) (1u << (id))
#define MT_SET_FLOAT (MT_DTYPE_BIT(MT_F32) | MT_DTYPE_BIT(MT_F64) | MT_DTYPE_BIT(MT_F16) | MT_DTYPE_BIT(MT_BF16))
#define MT_SET_INTEGER (MT_DTYPE_BIT(MT_I32) | MT_DTYPE_BIT(MT_I64) | MT_DTYPE_BIT(MT_U8))
#define MT_SET_NUMBER (MT_SET_FLOAT | MT_SET_INTEGER)
#define MT_SET_ALL (MT_SET_NUMBER | MT_DTYPE_BIT(MT_BOOL))

/* ---- values that cross -------------------------------------------------------------------------------------------- */

/* An array in a buffer of this device (R8).  Element (i0, i1, …) lies at
 *     base + byte_offset + (Σ i_d · stride[d]) · size of the dtype
 * Strides are in elements and may be 0 (broadcast), positive or negative; every element lies inside
 * [base, base + buffer_bytes).  Kernels may assume the alignment of the element, no more.  Borrowed for the call.
 * Outputs never overlap themselves.  An output overlaps an input only where the kernel's text says "in place", and then
 * both are the same array exactly (same base, offset, strides).  base is whatever alloc returned, or, on a device that
 * names its memory's kind (R9), any address of that memory that is aligned to the element. */
typedef struct mt_array {
	void *base;
	uint64_t byte_offset;
	uint64_t buffer_bytes;
	int32_t dtype;
	int32_t rank; /* 0 to MT_MAX_RANK */
	int64_t shape[MT_MAX_RANK];
	int64_t stride[MT_MAX_RANK];
} mt_array;

enum mt_scalar_tag { MT_SCALAR_NONE = 0, MT_SCALAR_I64 = 1, MT_SCALAR_F64 = 2 };

/* A number by value.  A kernel converts it to the dtype it computes in as a C cast would. */
typedef struct mt_scalar {
	int32_t tag; /* enum mt_scalar_tag */
	int32_t reserved;
	union {
		int64_t i;
		double f;
	} v;
} mt_scalar;

/* A number that changes from step to step (R12): device is NULL, or a 0-d f64 or i64 array that overrides value. */
typedef struct mt_step_value {
	double value;
	const mt_array *device;
} mt_step_value;

/* Where in the random stream to draw (docs/random.md, mt/philox.h): key = seed, first counter block = offset. */
typedef struct mt_philox_pos {
	uint64_t seed;
	uint64_t offset;
	const mt_array *device_offset; /* NULL, or a 0-d i64 array that overrides offset */
} mt_philox_pos;

typedef struct mt_queue mt_queue;                 /* the plugin's, opaque to the host */
typedef struct mt_plugin_device mt_plugin_device; /* the plugin's, opaque to the host */
typedef struct mt_event mt_event;                 /* the plugin's, opaque to the host */
typedef struct mt_host_queue mt_host_queue;       /* the host's, opaque to the plugin */

/* ---- kernels' arguments -------------------------------------------------------------------------------------------
 * Shapes are checked and broadcast by the host before the call: kernels state their preconditions and trust them.
 * "same shape" means equal rank and extents.  No output has zero elements; a reduced or inner extent may be 0.
 * Which arrays are read and written: operands.def.  Unless a text says otherwise every float array of one call has one
 * dtype T, and low-precision T (f16, bf16) is computed in f32 and rounded once, to nearest even, on store. */

#define MT_ARGS_HEAD                                                                                                   \
	uint32_t struct_size;                                                                                              \
	uint32_t reserved

/* out = x converted to out's dtype, any strides, any dtype pair, same shape.  Float to integer truncates toward zero,
 * saturates outside the range, NaN gives 0 (u8 likewise, 0 to 255); to bool: x != 0 (NaN is true);
 * wide integer to narrow keeps the low bits; to a narrower float rounds to nearest even. */
struct mt_copy_args {
	MT_ARGS_HEAD;
	const mt_array *x, *out;
};

/* out[…] = value, converted as copy would from f64 or i64. */
struct mt_fill_args {
	MT_ARGS_HEAD;
	const mt_array *out;
	mt_scalar value;
};

/* out[i] = f(x[i]), op from map_ops.def; same shape; in place allowed (where the result is SAME). */
struct mt_map_args {
	MT_ARGS_HEAD;
	int32_t op;
	int32_t reserved1;
	const mt_array *x, *out;
	mt_scalar p0, p1; /* the op's p and q; tag NONE where it has none */
};

/* out[i] = f(a[i], b[i]), op from zip_ops.def; a, b, out same shape (broadcasts are 0 strides), a and b same dtype.
 * Exactly one of a, b may be NULL: then scalar stands in its place.  In place with a or with b allowed (where SAME). */
struct mt_zip_args {
	MT_ARGS_HEAD;
	int32_t op;
	int32_t reserved1;
	const mt_array *a, *b, *out;
	mt_scalar scalar;
	mt_scalar p0, p1;
};

/* out = reduction of x over the axes whose bit is set in axes, op from reduce_ops.def.
 * out has x's rank, with extent 1 on the reduced axes.  axes may be 0 (then each element is reduced alone). */
struct mt_reduce_args {
	MT_ARGS_HEAD;
	int32_t op;
	uint32_t axes;
	const mt_array *x, *out;
};

/* out = act(alpha · a @ b + beta · out + bias).   a: […, m, k]   b: […, k, n]   out: […, m, n]   bias: [n] or NULL
 * Same rank (2 to 8) and batch extents in a, b, out (broadcast batches are 0 strides), any strides, T float or integer
 * (integers: alpha 1, beta 0 or 1, wrap).  k = 0 gives act(beta · out + bias).  With beta 0 out is not read: NaN there
 * does not survive.  f32 accumulates in f32 or wider. */
struct mt_matmul_args {
	MT_ARGS_HEAD;
	const mt_array *a, *b, *bias, *out;
	double alpha, beta;
	int32_t activation; /* enum mt_activation_id */
	int32_t reserved1;
};

enum mt_arg_reduce_id { MT_ARG_MAX = 1, MT_ARG_MIN = 2 };

/* out (i64) = position along axis of the first largest or smallest x; the first NaN wins over all.
 * out has x's rank with extent 1 at axis; the extent of axis is ≥ 1. */
struct mt_arg_reduce_args {
	MT_ARGS_HEAD;
	int32_t op; /* enum mt_arg_reduce_id */
	int32_t axis;
	const mt_array *x, *out;
};

/* out[i0, …, i_axis, …] = x[i0, …, index[i0, …, i_axis, …], …].   index (i64 or i32) and out: same shape;
 * x: that shape except along axis.  A negative index counts from the end.  An index out of range: MT_E_ARG (a device
 * that cannot tell at once reports it at synchronize, and may have written out; it goes on after that). */
struct mt_gather_args {
	MT_ARGS_HEAD;
	int32_t axis;
	int32_t reserved1;
	const mt_array *x, *index, *out;
};

/* out[i0, …, index[i…], …] += src[i0, …].   src and index: same shape; out: that shape except along axis.
 * Sums in the order of src's elements: deterministic.  Indices as for gather. */
struct mt_scatter_add_args {
	MT_ARGS_HEAD;
	int32_t axis;
	int32_t reserved1;
	const mt_array *src, *index, *out;
};

/* out[i] = cond[i] ? a[i] : b[i].   cond bool; a, b, out one dtype, all same shape. */
struct mt_select_args {
	MT_ARGS_HEAD;
	const mt_array *cond, *a, *b, *out;
};

enum mt_scan_id { MT_SCAN_SUM = 1, MT_SCAN_PROD = 2, MT_SCAN_MAX = 3, MT_SCAN_MIN = 4 };

/* out[…, j, …] = x[…, 0, …] ∘ … ∘ x[…, j, …] along axis; with reverse from the far end.  Same shape and dtype. */
struct mt_scan_args {
	MT_ARGS_HEAD;
	int32_t op; /* enum mt_scan_id */
	int32_t axis;
	int32_t reverse;
	int32_t reserved1;
	const mt_array *x, *out;
};

/* values = x sorted along axis, stable; indices (i64, may be NULL) = where each came from.  NaN counts as largest. */
struct mt_sort_args {
	MT_ARGS_HEAD;
	int32_t axis;
	int32_t descending;
	const mt_array *x, *values, *indices;
};

/* Cross-correlation over 1 to 3 spatial dims s:
 *     out[n, co, o] = act(bias[co] + Σ_{ci, k} weight[co, ci, k] · x[n, g·Ci/groups + ci, o·stride + k·dilation − pad])
 * with g = co / (Co/groups), and x = 0 outside.   x: [N, Ci, S…]   weight: [Co, Ci/groups, K…]   bias: [Co] or NULL
 * out: [N, Co, O…].  pad is on the low side; the high side follows from O (any O is legal).  Any strides.
 * A kernel may multiply by the zeros outside or skip them: where they meet a weight or gout that is infinite or NaN, here
 * and in the gradients, NaN is as right as what skipping gives. */
struct mt_conv_params {
	int32_t stride[MT_MAX_SPATIAL], pad[MT_MAX_SPATIAL], dilation[MT_MAX_SPATIAL];
	int32_t groups;
};

struct mt_conv_args {
	MT_ARGS_HEAD;
	const mt_array *x, *weight, *bias, *out;
	struct mt_conv_params p;
	int32_t activation; /* enum mt_activation_id */
	int32_t reserved1;
};

/* gx = the gradient of conv with respect to x (no activation): each gx element sums weight · gout over all (co, k, o)
 * that read it.   gout: [N, Co, O…]   weight: [Co, Ci/groups, K…]   gx: [N, Ci, S…]; written whole, 0 where nothing read. */
struct mt_conv_grad_input_args {
	MT_ARGS_HEAD;
	const mt_array *gout, *weight, *gx;
	struct mt_conv_params p;
};

/* gweight = the gradient of conv with respect to weight; gbias[co] = Σ_{n, o} gout[n, co, o], or NULL. */
struct mt_conv_grad_weight_args {
	MT_ARGS_HEAD;
	const mt_array *gout, *x, *gweight, *gbias;
	struct mt_conv_params p;
};

enum mt_pool_id { MT_POOL_MAX = 1, MT_POOL_AVG = 2 };

struct mt_pool_params {
	int32_t kernel[MT_MAX_SPATIAL], stride[MT_MAX_SPATIAL], pad[MT_MAX_SPATIAL], dilation[MT_MAX_SPATIAL];
	int32_t count_include_pad; /* avg: divide by the window clipped to the padded extent S + 2·pad (1), or to S (0) */
	int32_t reserved;
};

/* out[n, c, o] = max or average of x[n, c, o·stride + k·dilation − pad] over the kernel window, outside skipped.
 * x: [N, C, S…]   out: [N, C, O…]   1 to 3 spatial dims, any strides; every window meets x at least once.
 * max: the first NaN or else the first largest wins; indices (i32, shape of out, may be NULL) = the winner's row-major
 * position within S….  avg: dilation is 1, indices NULL. */
struct mt_pool_args {
	MT_ARGS_HEAD;
	int32_t op; /* enum mt_pool_id */
	int32_t reserved1;
	const mt_array *x, *out, *indices;
	struct mt_pool_params p;
};

/* gx = the gradient of pool: max adds gout[n, c, o] at indices[n, c, o]; avg spreads it over its window divided as in
 * the forward.  gx [N, C, S…] is written whole. */
struct mt_pool_grad_args {
	MT_ARGS_HEAD;
	int32_t op; /* enum mt_pool_id */
	int32_t reserved1;
	const mt_array *gout, *indices, *gx;
	struct mt_pool_params p;
};

/* log = 0: out = e^(x−m) / Σ e^(x−m);   log = 1: out = x − m − ln Σ e^(x−m);   m = max x, all along axis.  Same shape. */
struct mt_softmax_args {
	MT_ARGS_HEAD;
	int32_t axis;
	int32_t log;
	const mt_array *x, *out;
};

/* y = the forward's out.  log = 0: gx = y (gout − Σ gout y);   log = 1: gx = gout − e^y Σ gout.  Same shape. */
struct mt_softmax_grad_args {
	MT_ARGS_HEAD;
	int32_t axis;
	int32_t log;
	const mt_array *gout, *y, *gx;
};

/* Per row n of logits [N, C], class t = target[n] (i64 or i32, [N]), weights w [C] (1 where weight is NULL), s = label_smoothing:
 *     lse[n]  = ln Σ_c e^logits[n, c]
 *     loss[n] = (1−s) · w_t · (lse[n] − logits[n, t]) + (s/C) Σ_c w_c · (lse[n] − logits[n, c])
 * A row whose target is ignore_index: loss 0 (lse as above).  Another target outside [0, C): as a bad index in gather.
 * loss and lse: [N], of the dtype of logits, f32 for f16 and bf16. */
struct mt_cross_entropy_args {
	MT_ARGS_HEAD;
	const mt_array *logits, *target, *weight, *loss, *lse;
	int64_t ignore_index;
	double label_smoothing;
};

/* glogits[n, c] = gloss[n] · ((1−s) w_t (p_c − [c = t]) + (s/C)(p_c Σ_j w_j − w_c)),  p_c = e^(logits[n,c] − lse[n]);
 * 0 in ignored rows.  gloss: [N], of the dtype of lse, stride 0 allowed. */
struct mt_cross_entropy_grad_args {
	MT_ARGS_HEAD;
	const mt_array *logits, *target, *weight, *lse, *gloss, *glogits;
	int64_t ignore_index;
	double label_smoothing;
};

/* Per row m of x [M, N]: mean, rstd = 1/sqrt(biased variance + eps), out = (x − mean) · rstd · weight + bias.
 * weight, bias: [N] or NULL.  mean, rstd: [M], of the dtype of x, f32 for f16 and bf16.  N ≥ 1. */
struct mt_layer_norm_args {
	MT_ARGS_HEAD;
	const mt_array *x, *weight, *bias, *out, *mean, *rstd;
	double eps;
};

/* Gradients of layer_norm; each of gx, gweight, gbias may be NULL.  With h = (x−mean)·rstd, d = gout·weight:
 *     gx = rstd (d − mean_N(d) − h · mean_N(d h));   gweight = Σ_M gout h;   gbias = Σ_M gout */
struct mt_layer_norm_grad_args {
	MT_ARGS_HEAD;
	const mt_array *gout, *x, *weight, *mean, *rstd, *gx, *gweight, *gbias;
};

/* Per channel c of x [N, C, S] (n = N·S elements): training ≠ 0: mean and biased variance of the batch; else those of
 * running_mean, running_var (then both given).  out = (x − mean) · rstd · weight + bias, rstd = 1/sqrt(var + eps).
 * mean, rstd: [C] out, of x's dtype, f32 for f16 and bf16; weight, bias, running_*: [C] or NULL, in that same dtype.
 * training and running_* given: running = (1−momentum) · running + momentum · value, with the unbiased variance
 * (n/(n−1)); the update is in place. */
struct mt_batch_norm_args {
	MT_ARGS_HEAD;
	const mt_array *x, *weight, *bias, *running_mean, *running_var, *out, *mean, *rstd;
	double eps, momentum;
	int32_t training;
	int32_t reserved1;
};

/* Gradients of batch_norm; each of gx, gweight, gbias may be NULL.  h = (x−mean)·rstd, w = weight or 1:
 *     training: gx = w · rstd (gout − mean(gout) − h · mean(gout h));  else gx = w · rstd · gout
 *     gweight = Σ gout h;   gbias = Σ gout     (means and sums over N and S) */
struct mt_batch_norm_grad_args {
	MT_ARGS_HEAD;
	const mt_array *gout, *x, *weight, *mean, *rstd, *gx, *gweight, *gbias;
	int32_t training;
	int32_t reserved1;
};

/* out[i…, :] = table[index[i…], :].   table: [V, D]   index (i64 or i32): any shape of rank ≤ 7   out: index shape + [D].
 * An index outside [0, V): as a bad one in gather. */
struct mt_embedding_args {
	MT_ARGS_HEAD;
	const mt_array *table, *index, *out;
};

/* gtable[v, :] = Σ over i… with index[i…] = v of gout[i…, :], in the order of i; 0 elsewhere, and at padding_idx
 * (none: −1).  gtable [V, D] is written whole. */
struct mt_embedding_grad_args {
	MT_ARGS_HEAD;
	const mt_array *gout, *index, *gtable;
	int64_t padding_idx;
};

/* Random fills; element e in row-major order of out draws as docs/random.md and mt/philox.h say, whatever out's strides.
 * uniform: [low, high), T float.   normal: mean + std · z, T float.   bernoulli: 1 with probability p, else 0, any dtype. */
struct mt_uniform_args {
	MT_ARGS_HEAD;
	const mt_array *out;
	double low, high;
	mt_philox_pos pos;
};

struct mt_normal_args {
	MT_ARGS_HEAD;
	const mt_array *out;
	double mean, std;
	mt_philox_pos pos;
};

struct mt_bernoulli_args {
	MT_ARGS_HEAD;
	const mt_array *out;
	double p;
	mt_philox_pos pos;
};

/* One step of stochastic gradient descent on one parameter, as torch.optim.SGD:
 *     g = grad + weight_decay · param   (−grad where maximize)
 *     velocity given:  v = first ? g : momentum · v + (1 − dampening) · g;   g = nesterov ? g + momentum · v : v
 *     param −= lr · g */
struct mt_sgd_args {
	MT_ARGS_HEAD;
	const mt_array *param, *grad, *velocity;
	mt_step_value lr;
	double momentum, dampening, weight_decay;
	int32_t nesterov;
	int32_t first;
	int32_t maximize;
	int32_t reserved1;
};

/* One step of Adam (Kingma & Ba 2015), or AdamW (Loshchilov & Hutter 2019) with decoupled = 1; step t counts from 1:
 *     decoupled: param −= lr · weight_decay · param;   else g = grad + weight_decay · param
 *     m = β1 m + (1−β1) g;   v = β2 v + (1−β2) g²;   vmax = max(vmax, v) where given, used in v's place below
 *     param −= lr / (1−β1^t) · m / (sqrt(v / (1−β2^t)) + eps) */
struct mt_adam_args {
	MT_ARGS_HEAD;
	const mt_array *param, *grad, *m, *v, *vmax;
	mt_step_value lr, step;
	double beta1, beta2, eps, weight_decay;
	int32_t decoupled;
	int32_t maximize;
};

/* ---- the kernel table --------------------------------------------------------------------------------------------- */

#define MT_KERNEL(id, NAME, name, group, must) int32_t (*name)(mt_queue *, const struct mt_##name##_args *);
struct mt_kernel_table {
	MT_ARGS_HEAD;
#include "kernels.def"
};
#undef MT_KERNEL

/* One row of what a device can do (R7): kernel with this op (0: every op of the kernel, or it has none) takes a primary
 * operand (operands.def) of each dtype in dtypes.  copy only: into each dtype in to.  Rows add up. */
struct mt_capability {
	int32_t kernel; /* enum mt_kernel_id */
	int32_t op;
	uint32_t dtypes;
	uint32_t to;
};

/* ---- the host's side ---------------------------------------------------------------------------------------------- */

enum mt_log_level { MT_LOG_ERROR = 1, MT_LOG_WARN = 2, MT_LOG_INFO = 3, MT_LOG_DEBUG = 4 };

struct mt_host_api {
	MT_ARGS_HEAD;
	uint32_t abi_major, abi_minor;
	/* Writes one line of the log (R20); text is copied. */
	void (*log)(int32_t level, const char *text);
	/* Records why the function now running is about to fail; text is copied, the last call counts.  Any thread. */
	void (*set_error)(int32_t status, const char *text);
	/* Scratch memory of the device, ≥ bytes, aligned like alloc's; valid until this kernel's work is done, in queue
	 * order.  One call a kernel; NULL when out of memory.  Only from inside a kernel, on its own queue. */
	void *(*scratch)(mt_host_queue *queue, uint64_t bytes);
	/* Threads this process should use at most (OMP_NUM_THREADS, affinity, cgroup quota), ≥ 1. */
	int32_t (*thread_budget)(void);
};

enum mt_plugin_kind { MT_KIND_DEVICE = 1, MT_KIND_COMMUNICATOR = 2 };

struct mt_plugin_request {
	MT_ARGS_HEAD;
	uint32_t kind; /* enum mt_plugin_kind */
	uint32_t kind_version;
};

/* ---- the plugin's side -------------------------------------------------------------------------------------------- */

enum mt_device_flags {
	MT_DEVICE_HOST_MEMORY = 1u, /* alloc's pointers can be read and written by the CPU */
	MT_DEVICE_ASYNC = 2u        /* kernels may return before they finish */
};

/* What a device's memory is, by DLPack's numbers (DLDeviceType; others than these two may be given).  A kind is a promise:
 * the addresses that alloc gives mean the same to every library that works on this memory, and base may be an address
 * that another library allocated there. */
enum mt_memory_kind {
	MT_MEMORY_PRIVATE = 0, /* addresses mean something to the plugin alone, and base comes from alloc alone */
	MT_MEMORY_HOST = 1,    /* the host's memory; the flag MT_DEVICE_HOST_MEMORY is set, too */
	MT_MEMORY_CUDA = 2     /* memory of the CUDA device memory_ordinal, as the CUDA runtime counts them */
};

/* Filled by device_info, as far as struct_size says that there is room.  Strings end with 0. */
struct mt_device_info {
	MT_ARGS_HEAD;
	char name[128];     /* "AMD EPYC 9655, 2 threads", "NVIDIA H200" */
	char features[256]; /* "avx2 fma avx512f" */
	uint64_t memory_bytes;
	uint32_t flags;     /* enum mt_device_flags */
	uint32_t alignment; /* of alloc's pointers, a power of two ≥ 64 (CPU) or 256 (GPU) */
	/* since minor 2 */
	int32_t memory_kind;    /* enum mt_memory_kind */
	int32_t memory_ordinal; /* which of the devices that have memory of this kind; 0 for the host's */
};

struct mt_memory_info {
	MT_ARGS_HEAD;
	uint64_t free_bytes, total_bytes;
};

struct mt_option {
	const char *key, *value;
};

/* A device's functions.  The host holds the device's lock while it calls one (R11). */
struct mt_device_api {
	MT_ARGS_HEAD;
	/* Raw allocation: bytes ≥ 1; *out is aligned as device_info says.  MT_E_MEMORY when it cannot be had. */
	int32_t (*alloc)(mt_plugin_device *, uint64_t bytes, void **out);
	int32_t (*free)(mt_plugin_device *, void *base);
	int32_t (*memory_info)(mt_plugin_device *, struct mt_memory_info *out);
	int32_t (*queue_create)(mt_plugin_device *, mt_host_queue *host, mt_queue **out);
	void (*queue_destroy)(mt_queue *);
	/* Copies between host memory and a buffer, in queue order.  src may be reused, dst is complete, on return. */
	int32_t (*upload)(mt_queue *, void *base, uint64_t byte_offset, const void *src, uint64_t bytes);
	int32_t (*download)(mt_queue *, const void *base, uint64_t byte_offset, void *dst, uint64_t bytes);
	/* Copies bytes between two buffers of the device, in queue order; the ranges do not overlap. */
	int32_t (*copy_device)(mt_queue *, void *dst, uint64_t dst_offset, const void *src, uint64_t src_offset,
	                       uint64_t bytes);
	/* Waits for all work of the queue and delivers what went wrong since the last call (R10). */
	int32_t (*synchronize)(mt_queue *);
	/* Optional (all four or none): events, for order across queues. */
	int32_t (*event_create)(mt_plugin_device *, mt_event **out);
	void (*event_destroy)(mt_event *);
	int32_t (*event_record)(mt_queue *, mt_event *);
	int32_t (*event_wait)(mt_queue *, mt_event *);
	/* Optional: the queue's native handle (a cudaStream_t, say); kind tells which, 0 none. */
	int32_t (*native_handle)(mt_queue *, uint32_t *kind, void **handle);
	const struct mt_kernel_table *kernels;
	const struct mt_capability *capabilities;
	uint64_t n_capabilities;
};

/* Filled by the entry.  Strings and functions stay valid for the process's life (a plugin is never unloaded, R18). */
struct mt_plugin_api {
	MT_ARGS_HEAD;
	uint32_t abi_major, abi_minor; /* what the plugin was built for; the smaller minor of the two is in force */
	const char *name;              /* "omp" */
	const char *version;           /* "0.1.0" */
	const char *description;       /* one line */
	/* *out = devices that can be opened now.  None is no error (R19): *out = 0, with the reason through set_error. */
	int32_t (*device_count)(int32_t *out);
	/* Describes device ordinal.  Every field is filled, texts end with a NUL (features may be "", memory_bytes 0: not
	 * known).  An ordinal that is not there is refused with a reason, here and in device_open. */
	int32_t (*device_info)(int32_t ordinal, struct mt_device_info *out);
	/* Opens it.  An unknown key or a bad value is MT_E_ARG; the message names it and lists the keys there are. */
	int32_t (*device_open)(int32_t ordinal, const struct mt_option *options, uint64_t n_options,
	                       mt_plugin_device **device, const struct mt_device_api **api);
	void (*device_close)(mt_plugin_device *);
};

/* The one exported symbol (R1, R2).  host and request are the host's; api is zeroed memory of the host, api->struct_size
 * set to what the host can take: the plugin fills at most that much, and sets struct_size to what it filled.
 * host stays valid for the process's life. */
typedef int32_t (*mt_plugin_entry_fn)(const struct mt_host_api *host, const struct mt_plugin_request *request,
                                      struct mt_plugin_api *api);

#define MT_PLUGIN_ENTRY "mt_plugin_entry_v1"

#if defined(__GNUC__)
#define MT_PLUGIN_EXPORT __attribute__((visibility("default")))
#else
#define MT_PLUGIN_EXPORT
#endif

#ifdef MT_BUILDING_PLUGIN
MT_PLUGIN_EXPORT int32_t mt_plugin_entry_v1(const struct mt_host_api *host, const struct mt_plugin_request *request,
                                            struct mt_plugin_api *api);
#endif

#ifdef __cplusplus
}
#endif

#endif
